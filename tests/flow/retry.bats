# Tasks that are tried again: `retry` of a task, of defaults, of a type.
# shellcheck disable=SC2154 # run sets variables, engine.bash sets some
load engine

# attempts TASK: how each attempt of it ended, in order: "1:delayed 2:succeeded".
attempts() {
    jq -r --arg task "$1" 'select(.task == $task) | "\(.attempt):\(.state)"' events | paste -sd' '
}

# of_task TASK FIELD: that field of its last event.
of_task() {
    jq -r --arg task "$1" "select(.task == \$task) | .$2" events | tail -n 1
}

@test "a failed attempt is followed by the next, which is told its number, until one succeeds" {
    job flaky <<<'tasks: [{id: a, type: flaky, params: {until: 3}, retry: {attempts: 5, delay: 1ms}}]'
    sluice_run flaky.yaml
    [ "$status" -eq 0 ]
    [ "$(attempts a)" = "1:delayed 2:delayed 3:succeeded" ]
    [ "$(cat err)" = "" ]
    [[ $(cat out) == "flaky: 1 task: 1 succeeded in "* ]]
}

@test "when no attempt is left the task has failed, and the report tells the last attempt" {
    job flaky <<<'tasks: [{id: a, type: flaky, params: {until: 9}, retry: {attempts: 3, delay: 0}}]'
    sluice_run flaky.yaml
    [ "$status" -eq 1 ]
    [ "$(attempts a)" = "1:delayed 2:delayed 3:failed" ]
    [ "$(cat err)" = "flaky.yaml:2: task 'a' (flaky) failed, attempt 3: flaky: attempt 3" ]
}

@test "each event of an attempt tells its reason, its message and how long the task waits" {
    job flaky <<<'tasks: [{id: a, type: flaky, params: {until: 4}, retry: {attempts: 4, delay: 4ms, jitter: 0}}]'
    sluice_run flaky.yaml
    [ "$status" -eq 0 ]
    [ "$(field retry_seconds | paste -sd' ')" = "0.004 0.008 0.016 null" ]
    [ "$(field message | paste -sd' ')" = "attempt 1 attempt 2 attempt 3 " ]
    [ "$(of_task a outputs.attempt)" = last ]
}

@test "backoff, max_delay and jitter decide how long it waits" {
    job waits <<'EOT'
defaults: {retry: {attempts: 4, delay: 2ms, jitter: 0}}
tasks:
  - {id: constant, type: flaky, params: {until: 4}, retry: {backoff: constant}}
  - {id: linear, type: flaky, params: {until: 4}, retry: {backoff: linear}}
  - {id: capped, type: flaky, params: {until: 4}, retry: {backoff: exponential, max_delay: 5ms}}
  - {id: random, type: flaky, params: {until: 4}, retry: {backoff: constant, jitter: 0.5}}
EOT
    sluice_run waits.yaml
    [ "$status" -eq 0 ]
    waits() { jq -r --arg task "$1" 'select(.task == $task) | .retry_seconds * 1000 | select(. > 0)' events | paste -sd' '; }
    [ "$(waits constant)" = "2 2 2" ]
    [ "$(waits linear)" = "2 4 6" ]
    [ "$(waits capped)" = "2 4 5" ]
    jq -es '[.[] | select(.task == "random") | .retry_seconds // empty] | length == 3 and all(. > 0.001 and . <= 0.002)' events
}

@test "an attempt that ran too long is tried again" {
    job late <<<'tasks: [{id: a, type: flaky, params: {hang: true}, timeout: 200ms, retry: {attempts: 100, delay: 1ms}}]'
    sluice_run late.yaml
    [ "$status" -eq 0 ]
    [[ $(attempts a) == "1:delayed "*:succeeded ]]
    [ "$(field reason | head -n 1)" = timed_out ]
}

@test "what failed for good is not tried again" {
    job good <<<'tasks: [{id: a, type: fail_for_good, retry: {attempts: 5, delay: 1ms}}]'
    sluice_run good.yaml
    [ "$status" -eq 1 ]
    [ "$(attempts a)" = "1:failed" ]
}

@test "retry merges key by key: the task over defaults over the type" {
    job merge <<'EOT'
defaults: {retry: {delay: 3ms, jitter: 0}}
tasks:
  - {id: type, type: flaky_thrice, params: {until: 9}}
  - {id: task, type: flaky_thrice, params: {until: 9}, retry: {attempts: 2}}
  - {id: none, type: flaky, params: {until: 9}}
  - {id: once, type: flaky_thrice, params: {until: 9}, retry: {attempts: 1}}
EOT
    sluice_run merge.yaml
    [ "$status" -eq 1 ]
    [ "$(attempts type)" = "1:delayed 2:delayed 3:failed" ]
    [ "$(attempts task)" = "1:delayed 2:failed" ]
    [ "$(attempts none)" = "1:failed" ]
    [ "$(attempts once)" = "1:failed" ]
    [ "$(jq -r 'select(.task == "type") | .retry_seconds // empty' events | paste -sd' ')" = "0.003 0.003" ]
}

@test "a task that waits for its next attempt holds up nobody" {
    settings '[host]' workers=1
    job free <<'EOT'
tasks:
  - {id: a, type: flaky, params: {until: 9}, retry: {attempts: 9, delay: 1h, backoff: constant}}
  - {id: b, type: flaky, params: {until: 1}}
EOT
    start run "${both[@]}" --events events free.yaml
    b_ended() { grep -q '"task":"b".*"state":"succeeded"' events; }
    wait_until b_ended
    kill -INT "$pid"
    ended 130
}

@test "a signal ends what waits for its next attempt" {
    job wait <<<'tasks: [{id: a, type: flaky, params: {until: 9}, retry: {attempts: 9, delay: 1h}}]'
    start run "${both[@]}" --events events wait.yaml
    wait_until grep -q '"state":"delayed"' events
    kill -TERM "$pid"
    ended 143
    [ "$(attempts a)" = "1:delayed 0:cancelled" ]
    [ "$(of_task a message)" = "attempt 2 was not started: the run was stopped" ]
}

@test "fail_fast ends what waits for its next attempt, and only a final failure sets it off" {
    settings '[host]' workers=1
    job fast <<'EOT'
fail_fast: true
tasks:
  - {id: waits, type: flaky, params: {until: 9}, retry: {attempts: 9, delay: 1h}}
  - {id: fails, type: flaky, params: {until: 9}, retry: {attempts: 3, delay: 20ms}}
EOT
    sluice_run fast.yaml
    [ "$status" -eq 1 ]
    [ "$(attempts fails)" = "1:delayed 2:delayed 3:failed" ]
    [ "$(attempts waits)" = "1:delayed 0:failed" ]
    [ "$(of_task waits reason)" = "$(jq -r 'select(.task == "waits") | .reason' events | head -n 1)" ]
    [ "$(of_task waits message)" = "$(jq -r 'select(.task == "waits") | .message' events | head -n 1); attempt 2 was not started: another task of the job failed and fail_fast is set" ]
}

@test "fail_fast ends a task whose last attempt timed out as timed out" {
    settings '[host]' workers=2
    job late <<'EOT'
fail_fast: true
tasks:
  - {id: waits, type: flaky, params: {hang: true}, timeout: 50ms, retry: {attempts: 9, delay: 1h}}
  - {id: seen, type: exec, params: {shell: 'until grep -q "waits.*delayed" events; do sleep 0.01; done'}}
  - {id: fails, type: fail, needs: [seen]}
EOT
    sluice_run late.yaml
    [ "$status" -eq 1 ]
    [ "$(attempts waits)" = "1:delayed 0:timed_out" ]
    [ "$(of_task waits reason)" = timed_out ]
}

@test "ten thousand tasks fail twice each and none is lost" {
    { echo 'defaults: {retry: {attempts: 3, delay: 1ms, backoff: constant}}'; echo "tasks:"
      repeat 10000 'type: flaky, params: {until: 3}'; } | job many
    sluice_run many.yaml
    [ "$status" -eq 0 ]
    [ "$(of_state succeeded)" -eq 10000 ]
    [ "$(of_state delayed)" -eq 20000 ]
}

@test "a streamed job retries as well" {
    { echo 'defaults: {retry: {attempts: 2, delay: 1ms}}'; echo "tasks:"
      repeat 1000 'type: flaky'; } | job stream
    sluice_run --stream stream.yaml
    [ "$status" -eq 0 ]
    [ "$(of_state succeeded)" -eq 1000 ]
    [ "$(of_state delayed)" -eq 1000 ]
}

@test "what needs a task that is tried again waits for its last attempt" {
    job needs <<'EOT'
tasks:
  - {id: flaky, type: flaky, params: {until: 3}, retry: {attempts: 3, delay: 1ms}}
  - {id: after, type: noop, needs: [flaky]}
  - {id: lost, type: flaky, params: {until: 9}, retry: {attempts: 2, delay: 1ms}}
  - {id: mend, type: noop, needs: [lost], when: failure}
  - {id: never, type: noop, needs: [lost]}
EOT
    sluice_run needs.yaml
    [ "$status" -eq 1 ]
    [ "$(attempts flaky) $(attempts lost)" = "1:delayed 2:delayed 3:succeeded 1:delayed 2:failed" ]
    [ "$(attempts after) $(attempts mend) $(attempts never)" = "1:succeeded 1:succeeded 0:skipped" ]
    [ "$(jq -r '"\(.task):\(.state)"' events | grep -nE 'flaky:succeeded|after:' | cut -d: -f2 | paste -sd' ')" = "flaky after" ]
}
