# A wall clock that jumps: delays and timeouts do not care, dates do.
# shellcheck disable=SC2154 # daemon.bash sets some variables
load fault

# jumping_serve [SECONDS]: a daemon whose wall clock the test sets by the function jump; it is so far from the true one.
jumping_serve() {
    [ -z "$SANITIZE" ] || skip "a sanitizer has to be the first library of a program"
    export CLOCK_SHIFT=$PWD/shift LD_PRELOAD=$BUILD_DIR/tests/fault/clock.so
    jump "${1:-0}"
    serve
    unset LD_PRELOAD
}

# jump SECONDS: the daemon's wall clock is so far from the true one.
jump() {
    echo "$1" >shift.new
    mv shift.new shift
}

# some_time_passes: a delay and a timeout that begin now are over.
some_time_passes() {
    submit_task "{type: gate, delay: 100ms, timeout: 100ms, params: {open: $PWD/never}}"
    task_is "$task" timed_out
}

# date_in SECONDS: in so many from the true now, as in a job file.
date_in() {
    date -u -d "@$(($(date +%s) + $1))" +%Y-%m-%dT%H:%M:%SZ
}

@test "a delay does not end early when the wall clock jumps ahead, nor late when it jumps back" {
    jumping_serve
    submit_task "{type: noop, delay: 1h}"
    long=$task
    jump 86400
    some_time_passes
    task_is "$long" delayed
    submit_task "{type: noop, delay: 1s}"
    jump -86400
    task_is "$task" succeeded
    task_is "$long" delayed
}

@test "a timeout does not end a task early when the wall clock jumps" {
    jumping_serve
    hold "timeout: 1h"
    jump 86400
    some_time_passes
    jump -86400
    some_time_passes
    task_is "$held" running
    touch open
    task_is "$held" succeeded
}

@test "a date comes when the wall clock jumps to it" {
    jumping_serve
    submit_task "{type: noop, at: $(date_in 3600)}"
    dated=$task
    some_time_passes
    task_is "$dated" delayed
    jump 3700
    task_is "$dated" succeeded
}

@test "a date that the wall clock was set back from does not come" {
    jumping_serve
    jump 3594
    submit_task "{type: noop, at: $(date_in 3600)}"
    dated=$task
    submit_task "{type: noop, delay: 7s}"
    jump 0
    task_is "$task" succeeded
    task_is "$dated" delayed
}

@test "a retry waits by the monotonic clock, and dates that have passed start at once" {
    jumping_serve
    submit_task "{type: fail, retry: {attempts: 2, delay: 1h}}"
    failed=$task
    task_is "$failed" delayed
    jump 7200
    submit_task "{type: noop, at: $(date_in 3600)}"
    task_is "$task" succeeded
    some_time_passes
    task_is "$failed" delayed
}

@test "what is left of a delay and of a date is the same after a restart" {
    jumping_serve
    submit_task "{type: noop, delay: 1h}"
    long=$task
    submit_task "{type: noop, at: $(date_in 3600)}"
    dated=$task
    killed
    jumping_serve
    some_time_passes
    task_is "$long" delayed
    task_is "$dated" delayed
    jump 3700
    task_is "$dated" succeeded
    task_is "$long" delayed
}

@test "a delay that a task has behind it, or that has begun behind its needs, is not waited for again after a restart" {
    settings "[host]" "grace = 100ms"
    jumping_serve
    submit "{version: 1, tasks: [{id: a, type: noop}, {id: b, type: noop, needs: [a], delay: 1h}]}"
    task_is "$job:b" delayed
    submit_task "{type: gate, delay: 1h, params: {started: $PWD/started, open: $PWD/never}}"
    killed
    jumping_serve 1800
    some_time_passes
    task_is "$job:b" delayed
    killed
    jumping_serve 3700
    task_is "$job:b" succeeded
    wait_until has_bytes started 1
    killed
    jumping_serve 3700
    wait_until has_bytes started 2
    stop_daemon
    jumping_serve 3700
    wait_until has_bytes started 3
}
