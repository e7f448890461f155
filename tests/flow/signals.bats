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

# has_bulk FILE: whether several megabytes were written there.
has_bulk() {
    has_bytes "$1" 3000000
}

# fail_loudly N: a job of N tasks that fail with a kilobyte of message each; the grace period is short.
fail_loudly() {
    local message
    message=$(printf 'x%.0s' {1..1000})
    { echo "tasks:"; echo "  - {type: fail, params: &loud {message: $message}}"
        for _ in $(seq 2 "$1"); do echo "  - {type: fail, params: *loud}"; done; } | job loud
    printf '[host]\ngrace = 200ms\n' >sluice.ini
    export SLUICE_CONFIG=sluice.ini
}

# start_into FD ARGUMENT...: as start, but with standard error to a descriptor of this shell.
start_into() {
    local fd=$1
    shift
    env --default-signal=INT,HUP "$SLUICE" "$@" >out 2>&"$fd" 3>&- &
    pid=$!
}

@test "a job that failed fast ends although its streamed file stays open" {
    mkfifo pipe
    start run --stream "${both[@]}" pipe
    exec 8>pipe
    printf 'version: 1\nname: quick\nfail_fast: true\ntasks:\n  - {id: f, type: fail}\n  - {type' >&8
    ended 1
    exec 8>&-
    [[ $(cat out) == "quick: 1 task: 0 succeeded, 1 failed in "* ]]
}

@test "a streamed job that failed fast does not keep the next file from being read" {
    mkfifo pipe
    job next <<<"tasks: [{type: noop}]"
    start run --stream "${both[@]}" pipe next.yaml
    exec 8>pipe
    printf 'version: 1\nname: quick\nfail_fast: true\ntasks:\n  - {id: f, type: fail}\n  - {type' >&8
    ended 1
    exec 8>&-
    grep -q "^next: 1 task: 1 succeeded in " out
}

@test "a run that was stopped while it read leaves nothing behind" {
    mkfifo pipe
    start run --stream "${both[@]}" pipe
    exec 8>pipe
    printf 'version: 1\ntasks:\n  - {type: count, params: {file: "%s/count"}}\n  - {typ' "$PWD" >&8
    wait_until has_bytes count 1
    [ "$(find home/.local/state/sluice/code -name '*.so' | wc -l)" -gt 0 ]
    kill -TERM "$pid"
    ended 143
    exec 8>&-
    [ "$(find home/.local/state/sluice/code -name '*.so' | wc -l)" -eq 0 ]
}

@test "a standard error that nobody reads does not keep a signal from ending the run" {
    mkfifo unread
    exec 7<>unread
    fail_loudly 12000
    start_into 7 run "${both[@]}" --events events loud.yaml
    wait_until has_bulk events
    kill -TERM "$pid"
    ended 143
    exec 7>&-
    # The file took everything: one line for each task, however it ended.
    [ "$(wc -l <events)" -eq 12000 ]
    [[ $(cat out) =~ ^"loud: 12000 tasks: 0 succeeded, "([0-9]+)" failed, "([0-9]+)" cancelled in " ]]
    [ $((BASH_REMATCH[1] + BASH_REMATCH[2])) -eq 12000 ]
}

@test "an events file that nobody reads does not keep a signal from ending the run" {
    mkfifo unread
    exec 7<>unread
    fail_loudly 12000
    start run "${both[@]}" --events unread loud.yaml
    wait_until has_bulk err
    kill -INT "$pid"
    ended 130
    exec 7>&-
    grep -qE "^sluice: cannot write events to unread: [0-9]+ lines were dropped: nobody reads$" err
    [[ $(cat out) == "loud: 12000 tasks: 0 succeeded, "* ]]
}

@test "a signal ends a run that is over and waits for somebody to read its failures" {
    mkfifo unread
    exec 7<>unread
    fail_loudly 500
    start_into 7 run "${both[@]}" loud.yaml
    wait_until has_thread ending
    kill -INT "$pid"
    ended 130
    exec 7>&-
    [[ $(cat out) == "loud: 500 tasks: 0 succeeded, 500 failed in "* ]]
}

@test "a signal ends a run whose last line nobody reads" {
    [ "${SANITIZE:-}" != thread ] || skip "the thread sanitizer's own _exit waits for standard output"
    mkfifo unread
    exec 7<>unread
    dd if=/dev/zero of=unread bs=4096 oflag=nonblock 2>/dev/null || true
    job one <<<"tasks: [{type: noop}]"
    env --default-signal=INT,HUP "$SLUICE" run "${both[@]}" one.yaml >&7 2>err 3>&- &
    pid=$!
    wait_until has_thread ending
    kill -TERM "$pid"
    ended 143
    exec 7>&-
}
