# shellcheck shell=sh
# Steps that quickstart.sh and tests/run.sh share. Sourced with `root` set to the top of the tree.
# A step is quiet while it works; its output goes to build/log/, and is shown when it fails.

logs=${root:?}/build/log

# step_fail STEP REASON [LOG]: names the step that failed, shows the end of its output, and ends the script.
step_fail() {
    if [ -n "${3:-}" ] && [ -s "$3" ]; then
        tail -n 40 "$3" >&2
        echo "sluice: step failed: $1 ($2); the whole output: $3" >&2
    else
        echo "sluice: step failed: $1 ($2)" >&2
    fi
    exit 3
}

# step_run STEP FILE COMMAND...: runs the command with its output in build/log/FILE.log.
step_run() {
    step=$1 log=$logs/$2.log
    shift 2
    mkdir -p "$logs"
    step_code=0
    "$@" </dev/null >"$log" 2>&1 || step_code=$?
    [ "$step_code" -eq 0 ] || step_fail "$step" "$(echo "$1" | tr _ -) exited $step_code" "$log"
}

# packages_missing KIND...: prints the packages of these kinds (see configs/packages) that are not installed.
packages_missing() {
    while read -r kind package; do
        case " $* " in
        *" $kind "*) ;;
        *) continue ;;
        esac
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
        installed) ;;
        *) printf '%s ' "$package" ;;
        esac
    done <"$root/configs/packages"
}

# apt_get ARGUMENT...: apt-get as root, through sudo where needed; it waits for another one to end, and asks nothing.
apt_get() {
    set -- env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@"
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# packages_install KIND...: installs what is missing; asks the network only then.
packages_install() {
    command -v dpkg-query >/dev/null ||
        { echo "sluice: not a Debian system, so nothing is installed; needed: configs/packages" >&2; return 0; }
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
        step_fail "install packages" "neither root nor sudo; missing: ${missing% }"
    echo "sluice: installing ${missing% }"
    step_run "update package lists" apt-update apt_get update
    # shellcheck disable=SC2086 # one word a package
    step_run "install packages" apt-install apt_get install -y --no-install-recommends $missing
}

# preset_build PRESET [CMAKE-OPTION...]: configures and builds build/PRESET.
preset_build() {
    preset=$1
    shift
    [ -f "$root/build/$preset/Makefile" ] || echo "sluice: building build/$preset"
    step_run "configure $preset" "configure-$preset" cmake -S "$root" --preset "$preset" "$@"
    step_run "build $preset" "build-$preset" \
        cmake --build "$root/build/$preset" --parallel "$(nproc)"
}
