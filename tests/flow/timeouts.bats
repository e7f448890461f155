# What ends early: timeouts, plugins that do not listen, jobs that fail fast; and what workers set up and clear.
# shellcheck disable=SC2154 # helpers.bash sets some variables
load engine

# shorter_than SECONDS SINCE: whether less has gone by since $EPOCHSECONDS was SINCE.
shorter_than() {
    [ $((EPOCHSECONDS - $2)) -lt "$1" ]
}

@test "a call that takes longer than its timeout is cancelled, and the run is over soon after" {
    job slow <<'END'
tasks:
  - {id: slow, type: sleep, timeout: 200ms, params: {for: 1h}}
  - {id: quick, type: sleep, timeout: 1h, params: {for: 1ms}}
END
    local begun=$EPOCHSECONDS
    sluice_run slow.yaml
    shorter_than 20 "$begun"
    [ "$status" -eq 1 ]
    [[ $(cat out) == "slow: 2 tasks: 1 succeeded, 1 timed out in "* ]]
    grep -q "slow.yaml:3: task 'slow' (sleep) timed out, attempt 1: timed_out: ran longer than its timeout of 200ms" err
    jq -e 'select(.task == "slow").run_seconds >= 0.2' events
}

@test "each of a thousand tasks keeps its own timeout, whatever the type, the job and the host say" {
    settings "[host]" "timeout = 5ms"
    { echo "defaults: {timeout: 20ms}"; echo "tasks:"
        repeat 500 "type: sleep, params: {for: 1h}"
        repeat 250 "type: sleep, timeout: 2ms, params: {for: 1h}"
        repeat 250 "type: sleep, timeout: 1h, params: {for: 1ms}"; } | job many
    sluice_run --workers sleep=50 many.yaml
    [ "$status" -eq 1 ]
    [ "$(of_state timed_out)" -eq 750 ]
    [ "$(of_state succeeded)" -eq 250 ]
    [ "$(jq -e 'select(.state == "timed_out").run_seconds >= 0.002' events | sort -u)" = true ]
    [ "$(jq -s '[.[] | select(.state == "timed_out" and .run_seconds >= 0.02)] | length >= 500' events)" = true ]
}

@test "a quick batch in which one call hangs does not hold up the others" {
    settings "[group:one]" "type = sleep" "workers = 1"
    { echo "tasks:"; repeat 2000 "type: sleep, params: {for: 0s}"
        echo "  - {id: hangs, type: sleep, timeout: 1s, params: {for: 1h}}"
        repeat 200 "type: sleep, params: {for: 0s}"; } | job batch
    sluice_run batch.yaml
    [ "$status" -eq 1 ]
    [[ $(cat out) == "batch: 2201 tasks: 2200 succeeded, 1 timed out in "* ]]
}

@test "a call that does not listen is given up after the grace period, and another worker takes its place" {
    settings "[host]" "grace = 200ms" "[group:one]" "type = *" "workers = 1"
    job deaf <<END
tasks:
  - {id: deaf, type: deaf_gate, timeout: 100ms, params: {open: $PWD/never}}
  - {id: next, type: sleep, params: {for: 1ms}}
  - {id: last, type: noop}
END
    local begun=$EPOCHSECONDS
    sluice_run deaf.yaml
    shorter_than 20 "$begun"
    [ "$status" -eq 1 ]
    [[ $(cat out) == "deaf: 3 tasks: 2 succeeded, 1 timed out in "* ]]
    [ "$(jq -r 'select(.task == "deaf") | "\(.state) \(.reason)"' events)" = "timed_out stuck" ]
    [ "$(field task | paste -sd ' ')" = "deaf next last" ]
}

@test "as many workers as were lost to deaf calls are replaced" {
    settings "[host]" "grace = 50ms" "max_weight = 100"
    { echo "tasks:"; repeat 12 "type: deaf_gate, timeout: 50ms, params: {open: $PWD/never}"
        echo "  - {type: gate, params: {open: $PWD/sluice.ini}}"; repeat 50 "type: noop"; } | job deaf
    sluice_run --workers deaf_gate=3 deaf.yaml
    [ "$status" -eq 1 ]
    [[ $(cat out) == "deaf: 63 tasks: 51 succeeded, 12 timed out in "* ]]
}

@test "the weight of a call that was given up stays taken until it really returns" {
    settings "[host]" "grace = 50ms" "max_weight = 2" "[group:one]" "type = *" "workers = 2"
    job weight <<END
tasks:
  - {id: deaf, type: deaf_gate, timeout: 50ms, weight: 2, params: {open: $PWD/open}}
  - {id: next, type: noop}
END
    start run --events events "${both[@]}" weight.yaml
    wait_until grep -q stuck events
    [ "$(field task)" = deaf ]
    touch open
    ended 1
    [ "$(field task | paste -sd ' ')" = "deaf next" ]
}

@test "a call that was given up and returns late leaves the host in order" {
    settings "[host]" "grace = 20ms"
    { echo "tasks:"; repeat 4 "type: deaf_gate, timeout: 20ms, params: {open: $PWD/open}"
        echo "  - {type: exec, delay: 300ms, params: {argv: [touch, $PWD/open]}}"
        repeat 20 "type: noop, delay: 600ms"; } | job late
    sluice_run --workers deaf_gate=2 late.yaml
    [ "$status" -eq 1 ]
    [ "$(of_state succeeded)" -ge 21 ]
    [ "$(wc -l <events)" -eq 25 ]
}

@test "fail_fast skips what has not started: delayed, queued, and in other groups" {
    {
        echo "fail_fast: true"
        echo "tasks:"
        echo "  - {id: runs, type: gate, params: {started: $PWD/started, open: $PWD/open}}"
        repeat 20 "type: gate, params: {open: $PWD/open}"
        repeat 500 "type: noop, delay: 1h"
        echo "  - {id: lost, type: noop, labels: {region: mars}}"
        echo "  - {id: seen, type: exec, params: {shell: 'until [ -s started ]; do sleep 0.01; done'}}"
        echo "  - {id: fails, type: fail, needs: [seen]}"
    } | job fast
    start run --workers gate=1 --events events "${both[@]}" fast.yaml
    wait_until has_bytes started 1
    wait_until grep -q '"task":"fails"' events
    touch open
    ended 1
    [[ $(cat out) == "fast: 524 tasks: 2 succeeded, 1 failed, 521 skipped in "* ]]
    [ "$(jq -r 'select(.state == "skipped").reason' events | sort | uniq -c | sort -n | tail -n 1 | xargs)" = "521 fail_fast" ]
}

@test "fail_fast stops its own job and no other" {
    { echo "fail_fast: true"; echo "tasks:"; echo "  - {type: fail}"; repeat 200 "type: sleep, params: {for: 20ms}"; } | job fast
    tasks slow 100 "type: sleep, params: {for: 2ms}"
    sluice_run fast.yaml slow.yaml
    [ "$status" -eq 1 ]
    grep -q "^slow: 100 tasks: 100 succeeded in " out
    grep -Eq "^fast: 201 tasks: [0-9]+ succeeded, 1 failed, [0-9]+ skipped in " out
}

@test "fail_fast ends the reading of a streamed file" {
    { echo "fail_fast: true"; echo "tasks:"; echo "  - {type: fail}"; repeat 100000 "type: sleep, params: {for: 1s}"; } | job fast
    local begun=$EPOCHSECONDS
    sluice_run --stream fast.yaml
    shorter_than 60 "$begun"
    [ "$status" -eq 1 ]
    [ "$(of_state failed)" -eq 1 ]
}

@test "fail_fast many times over never leaves a task behind" {
    # The failure comes while delayed tasks still enter.
    { echo "fail_fast: true"; echo "tasks:"; repeat 300 "type: noop, delay: 1h"; echo "  - {type: fail}"
        repeat 3000 "type: noop, delay: 1h"; repeat 20 "type: try_again, params: {tries: tries, until: 1000}"; } | job fast
    for _ in $(seq 20); do
        limit=30 sluice_run fast.yaml
        [ "$status" -eq 1 ]
        [ "$(wc -l <events)" -eq 3321 ]
    done
}

@test "every worker is set up once for each type it serves, and cleared up as often" {
    { echo "tasks:"; repeat 60 "type: desk.a, params: {for: 2ms}"; repeat 60 "type: desk.b, params: {for: 2ms}"
        repeat 300 "type: desk.b"; } | job desks
    sluice_run --workers desk.a=3 --workers desk.b=5 desks.yaml
    [ "$status" -eq 0 ]
    local desks
    desks=$(sed -n 's/.*"desks: \([0-9]*\) set up, \1 cleared".*/\1/p' err)
    [ "$desks" -ge 2 ]
}

@test "one worker that serves two types is set up once for each" {
    settings "[group:desks]" "type = desk.*" "workers = 1"
    { echo "tasks:"; for _ in 1 2 3 4 5; do repeat 20 "type: desk.a"; repeat 20 "type: desk.b"; done; } | job desks
    sluice_run desks.yaml
    [ "$status" -eq 0 ]
    # A second thread may start while the first one has not said yet that it is there.
    grep -q '"desks: [24] set up, [24] cleared"' err
}
