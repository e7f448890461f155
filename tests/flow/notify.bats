# What a service manager hears of the daemon, and what it may hand to it.
# shellcheck disable=SC2154 # helpers.bash sets pid
load serve

teardown() {
    for process in ${pid:-} $(cat started 2>/dev/null); do
        ! kill -0 "$process" 2>/dev/null || kill -KILL "$process"
    done
    wait
}

# managed ARGUMENT...: the daemon as a service, ready; $pid is its manager, which writes the file heard.
managed() {
    export XDG_RUNTIME_DIR=$PWD
    env --default-signal=INT,HUP python3 "$SOURCE_DIR/tests/flow/manager.py" heard "$@" >out 2>err 3>&- &
    pid=$!
    wait_until hears READY=1
}

# hears TEXT: whether the manager has heard that.
hears() {
    grep -qF -- "$1" heard
}

# heard_so_often TEXT COUNT: whether it has heard that at least so often.
heard_so_often() {
    [ "$(grep -cF -- "$1" heard)" -ge "$2" ]
}

@test "a manager hears when the daemon is ready, reloads and stops, in this order" {
    managed "$SLUICE" serve
    api GET /healthz
    [ "$(cat status)" = 200 ]
    kill -HUP "$pid"
    wait_until heard_so_often READY=1 2
    kill -TERM "$pid"
    ended 143
    [ "$(grep -oE 'READY=1|RELOADING=1|STOPPING=1' heard | xargs)" = "READY=1 RELOADING=1 READY=1 STOPPING=1" ]
    grep -qE 'RELOADING=1 MONOTONIC_USEC=[0-9]+$' heard
    run ! hears WATCHDOG
}

@test "a configuration that is wrong leaves the daemon ready" {
    settings "[host]" "max_weight = 3"
    managed "$SLUICE" serve
    settings "[host]" "max_weight = lots"
    kill -HUP "$pid"
    wait_until heard_so_often READY=1 2
    says "nothing of it has changed"
}

@test "the watchdog is fed in time, however long a heartbeat is" {
    settings "[scheduler]" "heartbeat = 1h"
    WATCHDOG_USEC=400000 managed "$SLUICE" serve
    wait_until heard_so_often WATCHDOG=1 10
    kill -TERM "$pid"
    ended 143
    # Half of it is the pace; a busy machine may be late, but not always.
    grep WATCHDOG heard | awk '{ total += $1 } END { print total / NR; exit total / NR > 400 }'
}

@test "a socket that the manager has opened is served, and stays when the daemon ends" {
    managed listen="$PWD/passed.sock" "$SLUICE" serve
    [ ! -e sluice/sluice.sock ]
    curl -sS --unix-socket passed.sock http://localhost/v1/status | jq -e '.stopping == false'
    says 'listen="a socket of the service manager"'
    kill -TERM "$pid"
    ended 143
    [ -S passed.sock ]
}

@test "what is passed and is no listening socket ends the start with the reason" {
    export XDG_RUNTIME_DIR=$PWD
    run -3 bash -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$SLUICE" serve 3</dev/null'
    [[ $output == *"what was passed by LISTEN_FDS is not a listening stream socket"* ]]
    run -3 bash -c 'LISTEN_PID=$$ LISTEN_FDS=2 exec "$SLUICE" serve 3</dev/null'
    [[ $output == *"LISTEN_FDS is 2: one socket may be passed"* ]]
}
