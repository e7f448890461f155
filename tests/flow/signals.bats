# What stops a run: signals, once and twice, and a terminal that goes away.
# shellcheck disable=SC2034,SC2154 # run sets variables, helpers.bash uses and sets some
load helpers

# hold N: a job of N gates, of which one runs at a time; the first has started.
hold() {
    { echo "tasks:"; for i in $(seq "$1"); do echo "  - {id: g$i, type: gate, params: {started: $PWD/started, open: $PWD/open}}"; done; } |
        job hold
    start run --workers gate=1 --progress off "${both[@]}" hold.yaml
    wait_until has_bytes started 1
}

# has_thread NAME: whether what was started has such a thread.
has_thread() {
    grep -qsx "$1" "/proc/$pid/task/"*/comm
}

@test "the first SIGINT lets running tasks finish and cancels the rest" {
    hold 10
    kill -INT "$pid"
    wait_until grep -q "stopping" err
    touch open
    ended 130
    [[ $(cat out) == "hold: 10 tasks: 1 succeeded, 9 cancelled in "* ]]
    [ "$(bytes started)" -eq 1 ]
}

@test "the second SIGINT cancels what runs" {
    hold 3
    kill -INT "$pid"
    wait_until grep -q "stopping" err
    kill -INT "$pid"
    ended 130
    [[ $(cat out) == "hold: 3 tasks: 0 succeeded, 3 cancelled in "* ]]
}

@test "SIGTERM stops a run as SIGINT does, with an exit code of its own" {
    hold 3
    kill -TERM "$pid"
    wait_until grep -q "stopping" err
    touch open
    ended 143
    [[ $(cat out) == "hold: 3 tasks: 1 succeeded, 2 cancelled in "* ]]
}

@test "running tasks get the grace period after the first signal, no more" {
    printf '[host]\ngrace = 100ms\n' >sluice.ini
    export SLUICE_CONFIG=sluice.ini
    hold 3
    kill -INT "$pid"
    ended 130
    [[ $(cat out) == "hold: 3 tasks: 0 succeeded, 3 cancelled in "* ]]
}

@test "SIGINT while a job file is still being read is answered at once" {
    mkfifo pipe
    start run pipe
    exec 8>pipe
    printf 'version: 1\ntasks:\n' >&8
    wait_until has_thread reader
    kill -INT "$pid"
    ended 130
    exec 8>&-
    [ ! -s out ]
    grep -q "sluice: stopped while job files were being read: nothing ran" err
}

@test "SIGINT while a streamed job file waits for more says what ran" {
    mkfifo pipe
    start run --stream "${both[@]}" pipe
    exec 8>pipe
    printf 'version: 1\nname: endless\ntasks:\n' >&8
    printf '  - {type: count, params: {file: "%s/count"}}\n' "$PWD" "$PWD" >&8
    wait_until has_bytes count 1
    kill -INT "$pid"
    ended 130
    exec 8>&-
    [[ $(cat out) == "endless: 1 task: 1 succeeded in "* ]]
}

@test "the terminal going away acts as SIGTERM" {
    # The shell that leads the session dies with the terminal, and then the kernel tells the others. The shell between
    # stays, to say how the run ended.
    echo "bash inner.sh; true" >leader.sh
    cat >inner.sh <<'INNER'
trap '' HUP
env --default-signal=HUP "$SLUICE" run --plugins "$TEST_PLUGINS" --progress on hold.yaml >out
echo $? >code
INNER
    job hold <<<"tasks: [{type: gate, params: {started: $PWD/started, open: $PWD/open}}]"
    script -qc "bash leader.sh" /dev/null </dev/null >/dev/null 2>&1 3>&- &
    terminal=$!
    wait_until has_bytes started 1
    kill -KILL "$terminal"
    wait_until test -s code
    [ "$(cat code)" = 143 ]
    [[ $(cat out) == "hold: 1 task: 0 succeeded, 1 cancelled in "* ]]
}

@test "SIGHUP sent by a process does not end a run" {
    hold 1
    kill -HUP "$pid"
    touch open
    ended 0
}

@test "the program ends although a call never returns" {
    printf '[host]\ngrace = 50ms\n' >sluice.ini
    job deaf <<<"tasks: [{id: d, type: deaf_gate, timeout: 50ms, params: {open: $PWD/never}}]"
    run -1 --separate-stderr "$SLUICE" run --config sluice.ini "${both[@]}" deaf.yaml
    [[ $output == "deaf: 1 task: 0 succeeded, 1 timed out in "* ]]
    [[ $stderr == *"deaf.yaml:2: task 'd' (deaf_gate) timed out, attempt 1"* ]]
}
