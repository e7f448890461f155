# shellcheck shell=bash
# What the whole-program tests share: load it with `load helpers`.
bats_require_minimum_version 1.5.0

# Each test has a folder and a home of its own; nothing of the user's configuration takes part.
setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    export HOME=$BATS_TEST_TMPDIR/home
    mkdir home
    unset SLUICE_CONFIG XDG_CONFIG_HOME XDG_STATE_HOME NO_COLOR
    export TERM=xterm
    # shellcheck disable=SC2034 # for the tests
    both=(--plugins "$PLUGINS" --plugins "$TEST_PLUGINS")
}

# A test that failed may leave a run behind.
teardown() {
    if [ -n "${pid:-}" ] && kill -0 "$pid" 2>/dev/null; then
        kill -KILL "$pid"
    fi
}

# wait_until COMMAND...: until the command succeeds; fails the test after a minute.
wait_until() {
    local end=$((SECONDS + 60))
    until "$@"; do
        if ((SECONDS > end)); then
            echo "never happened: $*" >&2
            [ ! -s err ] || { echo "the last that was said:" && tail -n 20 err; } >&2
            return 1
        fi
        read -rt 0.02 <> <(:) || true
    done
}

# job NAME: a job file NAME.yaml from standard input; its head is written for you.
job() {
    { printf 'version: 1\n'; cat; } >"$1.yaml"
}

# start ARGUMENT...: `sluice ARGUMENT...` in the background, as $pid, writing the files out and err.
# A shell without job control ignores SIGINT in what it starts so: that is undone.
start() {
    : >out 2>err # the child opens them later than who looks for its first words
    env --default-signal=INT,HUP "$SLUICE" "$@" >out 2>err 3>&- &
    pid=$!
}

# host: the host of the daemon that was started, whose monitor is $pid; nothing while there is none.
host() {
    local child
    for child in $(cat "/proc/$pid/task/$pid/children"); do
        ! grep -qsx sluice-host "/proc/$child/comm" || echo "$child"
    done
}

# ended CODE: waits for what was started and expects this exit code.
ended() {
    local code=0
    wait "$pid" || code=$?
    [ "$code" -eq "$1" ] || { echo "exit code $code" >&2; cat out err >&2; return 1; }
}

# bytes FILE: how large it is; 0 if it is not there.
bytes() {
    stat -c %s "$1" 2>/dev/null || echo 0
}

# has_bytes FILE N: whether it has at least N.
has_bytes() {
    [ "$(bytes "$1")" -ge "$2" ]
}

# in_terminal COLUMNS COMMAND...: runs a command with a terminal for standard input, output and error; prints what
# the terminal got.
in_terminal() {
    local columns=$1
    shift
    printf 'stty cols %s; %s\n' "$columns" "${*@Q}" >in_terminal.sh
    script -qec "bash in_terminal.sh" /dev/null </dev/null
}
