# `at`: tasks that start at a time of the wall clock.
# shellcheck disable=SC2154 # run sets variables, engine.bash sets some
load engine

@test "a task with a time to come starts then and not before" {
    at=$(date -u -d '+1 second' +%FT%T.%6NZ)
    job later <<<"tasks: [{id: later, type: noop, at: $at}]"
    sluice_run later.yaml
    [ "$status" -eq 0 ]
    [[ $(jq -r 'select(.task == "later") | .time' events) > $at ]]
}

@test "a time that is over is now" {
    job past <<<'tasks: [{type: noop, at: 2001-02-03T04:05:06.789Z}]'
    sluice_run past.yaml
    [ "$status" -eq 0 ]
}

@test "a task's at takes the place of a delay in defaults, and the other way round" {
    job instead <<'EOT'
defaults: {delay: 1h}
tasks: [{id: a, type: noop, at: 2001-01-01T00:00:00Z}]
EOT
    job back <<'EOT'
defaults: {at: 2199-01-01T00:00:00Z}
tasks: [{id: a, type: noop, delay: 0}]
EOT
    sluice_run instead.yaml back.yaml
    [ "$status" -eq 0 ]
}

@test "a signal ends what waits for its time" {
    job wait <<<'tasks: [{id: a, type: noop, at: 2199-01-01T00:00:00Z}, {id: b, type: noop}]'
    start run "${both[@]}" --events events wait.yaml
    wait_until grep -q '"task":"b"' events
    kill -TERM "$pid"
    ended 143
    [ "$(field state | paste -sd' ')" = "succeeded cancelled" ]
}

@test "a task that needs another starts behind it and not before its time" {
    at=$(date -u -d '+1 second' +%FT%T.%6NZ)
    job needs <<EOT
tasks:
  - {id: past, type: noop, needs: [first], at: 2001-01-01T00:00:00Z}
  - {id: later, type: noop, needs: [first], at: $at}
  - {id: first, type: sleep, params: {for: 10ms}}
EOT
    sluice_run needs.yaml
    [ "$status" -eq 0 ]
    [ "$(field task | head -n 1)" = first ]
    [[ $(jq -r 'select(.task == "later") | .time' events) > $at ]]
}
