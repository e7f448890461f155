# shellcheck shell=bash disable=SC2034,SC2154 # what daemon.bash sets and reads
# What the tests of faults share, beyond those of the daemon in ../flow.
here=$BATS_TEST_DIRNAME
BATS_TEST_DIRNAME=$here/../flow
load daemon
BATS_TEST_DIRNAME=$here

# What leaves a call behind leaves by _exit, with threads that nobody joined.
export TSAN_OPTIONS=${TSAN_OPTIONS:-}:report_thread_leaks=0

# again [ARGUMENT...]: a daemon on the same state folder as the one before.
again() {
    export XDG_RUNTIME_DIR=$PWD XDG_STATE_HOME=$PWD
    serve "$@"
}

# killed: the daemon is, by SIGKILL.
killed() {
    kill -KILL "$pid"
    ended 137
}

# refused_with TEXT: a daemon does not start here, and says so; no end is waited for.
refused_with() {
    export XDG_RUNTIME_DIR=$PWD XDG_STATE_HOME=$PWD
    local code=0
    timeout -s KILL 30 "$SLUICE" serve "${both[@]}" >out2 2>err2 3>&- || code=$?
    cat err2
    [ "$code" -eq 3 ]
    grep -qF -- "$1" err2
}
