# What a daemon costs that has nothing to do.
# run alone
# shellcheck disable=SC2154 # helpers.bash sets pid
load serve

# switches: of each thread of the daemon but the control loop, how often it has waited so far, one a line.
switches() {
    local thread
    for thread in "/proc/$host/task"/*; do
        [ "${thread##*/}" = "$host" ] ||
            echo "${thread##*/} $(cat "$thread/comm") $(sed -n 's/^voluntary_ctxt_switches:\t//p' "$thread/status")"
    done
}

# waits: how often the control loop has waited so far.
waits() {
    sed -n 's/^voluntary_ctxt_switches:\t//p' "/proc/$host/task/$host/status"
}

# waited COUNT: whether it has by now.
waited() {
    [ "$(waits)" -ge "$1" ]
}

# at_rest: whether workers have left, as they do after a while, so that threads are as they stay.
at_rest() {
    [ "$(cat "/proc/$host/task"/*/comm | grep -cE '^(noop|gate|exec)')" -eq 0 ]
}

# has_worked: a daemon that has run tasks and answered requests, and is idle again.
has_worked() {
    serve
    host=$(host)
    { echo "tasks:"; repeat 300 "type: noop"; repeat 3 "type: exec, params: {argv: [echo, hello]}"; } | job some
    "$SLUICE" submit --wait some.yaml
    api GET /metrics >/dev/null
    wait_until at_rest
}

@test "the control loop wakes up once a heartbeat, and nobody else does" {
    [ -z "$SANITIZE" ] || skip "sanitizers have threads of their own"
    settings "[scheduler]" "heartbeat = 100ms"
    has_worked
    wait_until waited $(($(waits) + 10)) # what the last worker has left to do is done
    switches >before
    monitor=$(sed -n '/ctxt_switches/p' "/proc/$pid/status")
    begun=$(date +%s%N)
    before=$(waits)
    wait_until waited $((before + 20))
    count=$(($(waits) - before))
    beats=$((($(date +%s%N) - begun) / 100000000 + 1)) # in at least the time in which was counted
    switches >after
    diff before after
    [ "$monitor" = "$(sed -n '/ctxt_switches/p' "/proc/$pid/status")" ]
    echo "$count in $beats heartbeats"
    [ "$count" -le $((beats + 2)) ]
}

@test "an idle daemon is small" {
    [ -z "$SANITIZE" ] || skip "sanitizers have memory of their own"
    serve
    host=$(host)
    [ "$(sed -n 's/^VmHWM:\s*\([0-9]*\) kB/\1/p' "/proc/$host/status")" -le $((12 * 1024)) ]
    stop
    has_worked
    kib=$(sed -n 's/^VmRSS:\s*\([0-9]*\) kB/\1/p' "/proc/$host/status")
    echo "$kib KiB"
    [ "$(sed -n 's/^RssAnon:\s*\([0-9]*\) kB/\1/p' "/proc/$pid/status")" -le 1024 ]
    [ "$kib" -le $((12 * 1024)) ]
}
