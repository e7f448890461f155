# Dead letters outlive the daemon: what an earlier one could not do is shown, tried again and forgotten by the next.
# shellcheck disable=SC2154 # helpers.bash and daemon.bash set variables
load daemon

# bulk WHAT BODY TASKS: so many dead letters were retried or dropped, or would be.
bulk() {
    api POST "/v1/dead/$1" "$2" -H 'Content-Type: application/json'
    expect 200
    got .tasks "$3"
}

# goes_again TASK: whether that dead letter is tried again: its last attempt may just be ending.
goes_again() {
    api POST "/v1/tasks/$1/retry"
    [ "$status" -eq 202 ]
}

# takes_key FIELDS: whether such a task gets the key k: who had it may just be giving it back.
takes_key() {
    submit_task "{unique: k, $1}"
    wait_until was_started_or_not
    [ "$output" != skipped ]
}

was_started_or_not() {
    get "/v1/tasks/$task" .state
    [ "$output" = running ] || [ "$output" = succeeded ] || [ "$output" = skipped ]
}

# submit_dead YAML: a job that has to come to its end.
submit_dead() {
    submit "$1"
    job_is "$job" over
}

@test "a dead letter of an earlier daemon is shown with all that is known of it" {
    settings "[group:all]" "type = *" "labels = tenant=a"
    serve
    submit_dead "version: 1
tasks:
- {id: f, type: flaky, labels: {tenant: a}, params: {until: 9}, retry: {attempts: 2, delay: 1ms}}
- {id: s, type: fail, params: {pin: '271828', code: odd, message: it was odd}}
- {id: n, type: noop}
"
    for signal in TERM KILL; do
        restart $signal
        run -0 "$SLUICE" dead list
        [[ $output == *"$job:f"*flaky*failed*"attempt 2"* && $output == *"$job:s"*odd*"it was odd"* && $output != *"$job:n"* ]]
        run -0 "$SLUICE" dead list --label tenant=b
        [ "$output" = "no dead letters" ]
        run -0 "$SLUICE" dead show "$job:f"
        [[ $output == *"attempt 1"*"attempt 2"* && $output == *until*9* && $output == *tenant*a* ]]
        run -0 "$SLUICE" dead show "$job:s"
        [[ $output == *"(secret)"* && $output != *271828* ]]
        get "/v1/tasks/$job:f" '.attempts | map(.message) | join(", ")'
        [ "$output" = "attempt 1, attempt 2" ]
    done
}

@test "what is tried again keeps its retries, also for another daemon" {
    serve
    submit_dead "{version: 1, tasks: [{id: f, type: flaky, params: {until: 3}, retry: {attempts: 2, delay: 1ms}}]}"
    api POST "/v1/tasks/$job:f/retry"
    expect 202
    wait_until is "/v1/dead" '.tasks | map(.attempt) | join(" ")' 4
    restart KILL
    bulk retry '{}' 1
    wait_until is "/v1/dead" '.tasks | map(.attempt) | join(" ")' 6
    get "/v1/tasks/$job:f" '.attempts | map(.message) | join(", ")'
    [ "$output" = "attempt 1, attempt 2, attempt 1, attempt 2, attempt 1, attempt 2" ]
}

@test "what is tried again keeps its unique key, and stays where another holds it" {
    serve
    submit_dead "{version: 1, tasks: [{id: u, type: gate, unique: k, timeout: 20ms, params: {open: $PWD/open}}]}"
    restart KILL
    dead=$job:u
    hold "unique: k"
    api POST "/v1/tasks/$dead/retry"
    fails_with 409 unique
    run -0 "$SLUICE" dead retry
    [[ $output == "0 tasks run once more"*"1 dead letter stays, the first since '$held' waits or runs"* ]]
    let_go
    task_is "$held" succeeded
    rm open
    api PATCH /v1/groups/gate '{"paused":true}'
    wait_until bulk retry '{}' 1
    submit_task "{type: noop, unique: k}"
    task_is "$task" skipped
    api PATCH /v1/groups/gate '{"paused":false}'
    wait_until is "/v1/tasks/$dead" '"\(.state) \(.attempt)"' "timed_out 2"
    wait_until takes_key "type: noop"
}

@test "what is tried again keeps its retries and its key with the store in memory, too" {
    settings "[store]" "backend = memory"
    serve
    submit_dead "{version: 1, tasks: [{id: f, type: flaky, unique: k, params: {until: 9}, retry: {attempts: 2, delay: 1ms}}]}"
    for attempts in 4 6; do
        wait_until goes_again "$job:f"
        wait_until is "/v1/tasks/$job:f" '"\(.state) \(.attempt)"' "failed $attempts"
    done
    wait_until takes_key "type: gate, params: {open: $PWD/open}"
    api POST "/v1/tasks/$job:f/retry"
    fails_with 409 unique
}

# What was taken up again shortly before a daemon dies runs in the next one, whatever its job has become before.
@test "what is tried again runs after a crash, though its job had failed fast or was cancelled" {
    settings "[group:gate]" "type = gate" "workers = 8"
    serve
    gone="type: gate, timeout: 20ms, params: {open: $PWD/open}"
    submit_dead "{version: 1, fail_fast: true, tasks: [{id: f, $gone}, {id: g, type: noop, needs: [f], when: failure}]}"
    fast=$job
    submit "{version: 1, tasks: [{id: f, $gone}, {id: h, type: gate, params: {open: $PWD/never}}]}"
    cancelled=$job
    task_is "$cancelled:f" timed_out
    api DELETE "/v1/jobs/$cancelled"
    expect 202
    job_is "$cancelled" over
    submit_dead "{version: 1, tasks: [{id: f, $gone, retry: {attempts: 2, delay: 1ms}}]}"
    plain=$job
    api PATCH /v1/groups/gate '{"paused":true}'
    expect 200
    wait_until is /v1/status .jobs.unfinished 0
    bulk retry '{"type":"gate"}' 3
    touch open
    restart KILL
    for job in "$fast" "$cancelled" "$plain"; do
        task_is "$job:f" succeeded
    done
    get "/v1/tasks/$cancelled:h" .state
    [ "$output" = cancelled ]
}

@test "what is tried again and cancelled before a crash is cancelled after it" {
    serve
    submit_dead "{version: 1, tasks: [{id: f, type: gate, timeout: 20ms, params: {open: $PWD/open}}]}"
    api PATCH /v1/groups/gate '{"paused":true}'
    bulk retry '{}' 1
    api DELETE "/v1/jobs/$job"
    expect 202
    task_is "$job:f" cancelled
    touch open
    restart KILL
    task_is "$job:f" cancelled
    get /v1/dead '.tasks | length'
    [ "$output" = 0 ]
}

@test "a job that was cancelled is not set going by a retry before what was tried again has ended" {
    serve
    submit_dead "{version: 1, tasks: [{id: f, type: fail}, {id: deaf, type: exec, params: {shell: '
        [ -e again ] || exit 1; trap : TERM; echo >>started; until [ -e open ] || [ \$((tries += 1)) -gt 1500 ]; do sleep 0.02; done'}}]}"
    touch again
    wait_until goes_again "$job:deaf"
    wait_until has_bytes started 1
    api DELETE "/v1/jobs/$job"
    expect 202
    api POST "/v1/tasks/$job:f/retry"
    fails_with 409 ending
    restart KILL
    task_is "$job:deaf" cancelled
    [ "$(bytes started)" -eq 1 ]
    touch open # for what the killed host has left
    wait_until goes_again "$job:f"
    wait_until is "/v1/tasks/$job:f" '"\(.state) \(.attempt)"' "failed 2"
}

@test "many dead letters of an earlier daemon are tried again or forgotten by filters" {
    settings "[group:a]" "type = fail_for_good" "labels = tenant=a" "[group:b]" "type = fail" "labels = tenant=b"
    serve
    submit_dead "$(printf 'version: 1\ntasks:\n' && repeat 600 "type: fail_for_good, labels: {tenant: a}" &&
        repeat 300 "type: fail, labels: {tenant: b}" && repeat 100 "type: fail, params: {code: other}")"
    restart KILL
    bulk drop '{"label":"tenant=b","dry_run":true}' 300
    bulk retry '{"type":"fail_for_good","dry_run":true}' 600
    bulk retry '{"type":"fail_for_good"}' 600
    wait_until is "/v1/dead?type=fail_for_good&limit=1000" '.tasks | map(.attempt) | [length, min] | join(" ")' "600 2"
    run -0 "$SLUICE" dead drop --label tenant=b --dry-run
    [ "$output" = "300 dead letters would be forgotten" ]
    run -0 "$SLUICE" dead drop --label tenant=b
    [ "$output" = "300 dead letters are forgotten" ]
    run -0 "$SLUICE" dead drop --error other --since 1h --format json
    [ "$(jq .tasks <<<"$output")" = 100 ]
    restart TERM
    get "/v1/dead?limit=1000" '.tasks | length'
    [ "$output" = 600 ]
    bulk drop '{}' 600
    restart KILL
    run -0 "$SLUICE" dead list
    [ "$output" = "no dead letters" ]
    api POST /v1/dead/drop '{"all":true}' -H 'Content-Type: application/json'
    fails_with 422 invalid_value
}

@test "dead letters that were given up are counted, and said to be" {
    serve
    { printf 'version: 1\ntasks:\n' && repeat 100003 "type: fail_for_good"; } >many.yaml
    submit_dead @many.yaml
    get "/v1/dead?limit=1" .dropped
    [ "$output" = 3 ]
    run -0 --separate-stderr "$SLUICE" dead list --since 2099-01-01T00:00:00Z
    [ "$output" = "no dead letters
3 older ones were dropped since the daemon started: there were too many" ]
}
