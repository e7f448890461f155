# shellcheck shell=bash disable=SC2154 # status and output are what `run` of bats leaves
# host.bash: what the hostile tests share. A test has a folder `plugins` with a good noop.so, adds a
# bad file, and looks at what the program says and that another type still works.

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
    umask 022
    export XDG_STATE_HOME=$PWD/cache
    mkdir plugins
    cp "$PLUGINS/noop.so" plugins/
    thousand noop >others.yaml
}

# thousand TYPE [TASK...]: a job of 1000 tasks of the type, and others.
thousand() {
    local type=$1 i
    shift
    printf 'version: 1\nname: others\ntasks:\n'
    for ((i = 0; i < 1000; i++)); do
        printf '  - {type: %s}\n' "$type"
    done
    [ $# -eq 0 ] || printf '  - {%s}\n' "$@"
}

# others_work: 1000 tasks of another type succeed beside the bad file.
others_work() {
    run "$SLUICE" run --plugins plugins others.yaml
    [ "$status" -eq 0 ]
    [[ $output == *"others: 1000 tasks: 1000 succeeded in "* ]]
}

# listed FILE REASON: `plugin list` shows the file as rejected for exactly this reason, and noop.
listed() {
    run --separate-stderr "$SLUICE" plugin list --plugins plugins --format json
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"\"state\":\"rejected\","*"\"file\":\"plugins/$1\",\"reason\":\"$2\"}"* ]]
    [[ $output == *"{\"plugin\":\"noop\",\"version\":\"1.0.0\",\"generation\":1,\"state\":\"active\""* ]]
}

# logged FILE REASON: running anything says so in one line.
logged() {
    run "$SLUICE" run --plugins plugins others.yaml
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -cF "level=warning msg=\"plugin refused\" file=plugins/$1 reason=\"$2\"" <<<"$output")" -eq 1 ]
}

# refused_unseen FILE REASON: refused before any of its code runs.
refused_unseen() {
    listed "$1" "$2"
    logged "$1" "$2"
    others_work
}

# told FILE TYPE REASON: a job that names the type is told why there is none, and runs nothing.
told() {
    printf 'version: 1\ntasks: [{type: %s}]\n' "$2" >job.yaml
    run "$SLUICE" run --plugins plugins job.yaml
    echo "$output"
    [ "$status" -eq 2 ]
    [[ $output == *"job.yaml:2:16: error: the plugin with task type '$2' was refused: plugins/$1: $3"* ]]
}

# refused_when_used FILE TYPE REASON: refused when its type is asked for; nobody else is concerned.
refused_when_used() {
    told "$1" "$2" "$3"
    listed "$1" "$3"
    others_work
    [[ $output != *"$1"* ]]
}

# patch FILE OFFSET BYTES: writes bytes, as printf has them, into a file.
patch() {
    # shellcheck disable=SC2059 # the bytes are a format
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
