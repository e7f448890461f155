# `unique`: while a task with a key waits or runs, no other one with it starts.
# shellcheck disable=SC2154 # run sets variables, engine.bash sets some
load engine

# ends: how each task has ended, in the order of their ids: "a:succeeded b:skipped".
ends() {
    jq -r '"\(.task):\(.state)"' events | sort | paste -sd' '
}

@test "a task is skipped while another one with its key waits or runs, and says which" {
    job keys <<'EOT'
tasks:
  - {id: a, type: sleep, params: {for: 1ms}, unique: nightly}
  - {id: b, type: noop, unique: nightly}
  - {id: c, type: noop, unique: other}
  - {id: d, type: noop, needs: [a], unique: nightly}
EOT
    sluice_run keys.yaml
    [ "$status" -eq 1 ]
    [ "$(ends)" = "a:succeeded b:skipped c:succeeded d:succeeded" ]
    [ "$(jq -r 'select(.task == "b") | "\(.reason): \(.message)"' events)" = \
        "unique: not started: 'a' is waiting or running and has the same unique key 'nightly'" ]
}

@test "a task that waits for its time or its next attempt holds its key" {
    job waits <<'EOT'
tasks:
  - {id: late, type: noop, delay: 50ms, unique: one}
  - {id: soon, type: noop, unique: one}
  - {id: again, type: flaky, retry: {attempts: 2, delay: 50ms}, unique: two}
  - {id: other, type: noop, delay: 1ms, unique: two}
EOT
    sluice_run waits.yaml
    [ "$(ends | tr ' ' '\n' | grep -c succeeded)" -eq 2 ]
    [[ $(ends) == *late:succeeded* && $(ends) == *soon:skipped* && $(ends) == *other:skipped* ]]
}

@test "keys are known across the files of a run" {
    job one <<<'tasks: [{id: a, type: noop, delay: 1h, unique: key}]'
    job two <<<'tasks: [{id: b, type: noop, unique: key}]'
    start run "${both[@]}" --events events one.yaml two.yaml
    wait_until grep -q '"task":"b"' events
    kill -INT "$pid"
    ended 130
    [ "$(ends)" = "a:cancelled b:skipped" ]
    [[ $(jq -r 'select(.task == "b") | .message' events) == *":a' is waiting or running"* ]]
}

@test "what needs a task that was skipped for its key is skipped, too" {
    job needs <<'EOT'
tasks:
  - {id: a, type: noop, delay: 50ms, unique: key}
  - {id: b, type: noop, unique: key}
  - {id: c, type: noop, needs: [b]}
EOT
    sluice_run needs.yaml
    [ "$(ends)" = "a:succeeded b:skipped c:skipped" ]
}

@test "a key may be made of items, and thousands of them are held and given back" {
    job many <<'EOT'
tasks:
  - {id: each, type: noop, for_each: {n: {lines: numbers}}, params: {n: "${each.n}"}, unique: "n-${each.n}"}
EOT
    seq 3000 >numbers
    sluice_run many.yaml
    [ "$status" -eq 0 ]
    sluice_run --stream many.yaml
    [ "$status" -eq 0 ]
    [ "$(of_state succeeded)" -eq 3000 ]
}

@test "a signal ends what waits with a key" {
    job wait <<<'tasks: [{id: a, type: noop, delay: 1h, unique: key}, {id: b, type: noop}]'
    start run "${both[@]}" --events events wait.yaml
    wait_until grep -q '"task":"b"' events
    kill -INT "$pid"
    ended 130
}
