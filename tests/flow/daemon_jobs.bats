# Jobs and tasks that are sent to a daemon: what is taken, what is refused, lists, ends.
# seconds: 300
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test has variables of its own; helpers.bash sets some
load daemon

# gates N [HEAD]: a job of so many tasks at the gate.
gates() {
    printf 'version: 1\n%s\ntasks:\n' "${2-}"
    repeat "$1" "type: gate, params: {open: $PWD/open}"
}

@test "a job comes as YAML, as JSON, and as several documents" {
    serve
    api POST "/v1/jobs?file=folder/nightly.yaml" $'version: 1\ntasks:\n- {id: a, type: noop}\n- {id: b, type: noop}' \
        -H 'Content-Type: application/yaml'
    expect 202
    got '.jobs[0].name + " " + (.jobs[0].tasks | tostring)' "nightly 2"
    job=$(jq -r '.jobs[0].id' answer)
    [ "$(header Location)" = "/v1/jobs/$job" ]
    job_is "$job" over
    got '.file + " " + (.succeeded | tostring)' "folder/nightly.yaml 2"
    api POST /v1/jobs '{"version":1,"name":"json","tasks":[{"type":"noop"}]}' -H 'Content-Type: application/json; charset=utf-8'
    expect 202
    got '.jobs | map(.name) | join(" ")' json
    api POST /v1/jobs $'---\nversion: 1\nname: one\ntasks: [{type: noop}]\n---\nversion: 1\nname: two\ntasks: [{type: noop}, {type: noop}]\n'
    expect 202
    got '.jobs | map("\(.name) \(.tasks)") | join(", ")' "one 1, two 2"
    get /v1/jobs '.jobs | map(.name) | join(" ")'
    [ "$output" = "nightly json one two" ]
    stop_daemon
}

@test "an envelope brings variables, the environment and files" {
    serve
    cat >envelope <<'JSON'
{"file": "sent.yaml", "set": {"count": "7"}, "env": {"WHO": "me"}, "files": {"list.txt": "a\nb\n"},
 "text": "version: 1\nvars: {count: 1}\ntasks:\n- {id: one, type: noop, params: {n: '${vars.count}'}, labels: {who: '${env.WHO}'}}\n- {id: l, type: noop, labels: {of: '${each.item}'}, for_each: {item: {lines: list.txt}}}\n"}
JSON
    api POST /v1/jobs @envelope -H 'Content-Type: application/vnd.sluice.submission+json'
    echo "$output"
    expect 202
    got '.jobs[0].name' sent
    job=$(jq -r '.jobs[0].id' answer)
    get "/v1/tasks/$job:one" '"\(.params.n) \(.labels.who)"'
    [ "$output" = "7 me" ]
    get "/v1/jobs/$job/tasks" '.tasks | map("\(.id) \(.labels.of)") | join(" ")'
    [ "$output" = "one null l[0] a l[1] b" ]
    api POST /v1/jobs '{"file": "bad.yaml", "text": "version: 2"}' -H 'Content-Type: application/vnd.sluice.submission+json'
    fails_with 422 invalid_job
    got '.error.details[0].file' bad.yaml
    api POST /v1/jobs '{"text": 7}' -H 'Content-Type: application/vnd.sluice.submission+json'
    fails_with 422 invalid_job
}

@test "what is sent by itself may read neither the environment nor files" {
    serve
    export SECRET=hidden
    for body in "tasks: [{type: noop, labels: {a: '\${env.HOME}'}}]" \
        "tasks: [{type: noop, for_each: {x: {lines: /etc/passwd}}}]" \
        "tasks: [{type: noop, for_each: {x: {csv: /etc/passwd}}}]"; do
        api POST /v1/jobs "{version: 1, $body}"
        fails_with 422 invalid_job
        [[ $output != *"$HOME"* && $output != *root* ]]
    done
    get /v1/jobs '.jobs | length'
    [ "$output" -eq 0 ]
}

@test "every error of a job is told with its place, and nothing of it runs" {
    serve
    api POST "/v1/jobs?file=bad.yaml" $'version: 1\ntasks:\n- {type: nop}\n- {type: noop, params: {m: 1}}\n- {type: count, params: {file: '"$PWD/ran"$'}}\n'
    fails_with 422 invalid_job
    got '.error.details | map("\(.file):\(.line) \(.code)") | join(", ")' "bad.yaml:3 unknown_type, bad.yaml:4 unknown_param"
    [ ! -e ran ]
    api POST /v1/jobs ""
    fails_with 422 invalid_job
}

@test "jobs are listed in pages, oldest first, by state" {
    serve
    for name in a b c d; do
        submit "{version: 1, name: $name, tasks: [{type: noop}]}"
        job_is "$job" over
    done
    submit "$(gates 2 "name: held")"
    get "/v1/jobs?limit=2" '"\(.jobs | map(.name) | join(" ")) \(.next)"'
    next=$(jq -r .next answer)
    [ "$output" = "a b $next" ]
    get "/v1/jobs?limit=2&after=$next" '.jobs | map(.name) | join(" ")'
    [ "$output" = "c d" ]
    next=$(jq -r .next answer)
    get "/v1/jobs?limit=2&after=$next" '"\(.jobs | map(.name) | join(" ")) \(.next)"'
    [ "$output" = "held null" ]
    get "/v1/jobs?state=unfinished" '.jobs | map("\(.name) \(.tasks) \(.unfinished)") | join(" ")'
    [ "$output" = "held 2 2" ]
    get "/v1/jobs?state=over" '.jobs | map(.name) | join(" ")'
    [ "$output" = "a b c d" ]
    for query in limit=0 limit=1001 limit=x state=gone bogus=1; do
        api GET "/v1/jobs?$query"
        expect 400
    done
    api GET /v1/jobs/01KB3D5Y7Z8QWERTYVBNM12345
    fails_with 404 not_found
}

@test "tasks of a job are listed in pages, by state and by type" {
    serve
    submit "{version: 1, tasks: [{id: a, type: noop}, {id: b, type: fail}, {id: c, type: noop}, {id: d, type: gate, params: {open: $PWD/open}}]}"
    wait_until is "/v1/jobs/$job" .unfinished 1
    get "/v1/jobs/$job/tasks?limit=3" '.tasks | map("\(.id) \(.state)") | join(", ")'
    [ "$output" = "a succeeded, b failed, c succeeded" ]
    get "/v1/jobs/$job/tasks?limit=3&after=$(jq -r .next answer)" '"\(.tasks | map(.id) | join(" ")) \(.next)"'
    [ "$output" = "d null" ]
    get "/v1/jobs/$job/tasks?type=noop" '.tasks | map(.id) | join(" ")'
    [ "$output" = "a c" ]
    get "/v1/jobs/$job/tasks?state=failed" '.tasks | map("\(.id) \(.reason) \(.message) \(.line)") | join(" ")'
    [ "$output" = "b broken it broke 1" ]
    wait_until is "/v1/jobs/$job/tasks?state=unfinished" '.tasks | map("\(.id) \(.state)") | join(" ")' "d running"
    api GET "/v1/jobs/$job/tasks?state=odd"
    fails_with 400 invalid_query
}

@test "a cancelled job ends whatever its tasks are at; one that is over cannot be cancelled" {
    settings "[group:gate]" "type = gate" "workers = 1"
    serve
    submit_waiting "- {id: done, type: noop}"
    wait_until is "/v1/jobs/$job/tasks" '.tasks | map("\(.id) \(.state)") | sort | join(", ")' \
        "delayed delayed, done succeeded, parked parked, queued queued, running running, waiting waiting"
    api DELETE "/v1/jobs/$job"
    expect 202
    got .state cancelling
    job_is "$job" over
    got '"\(.cancelled) \(.succeeded) \(.skipped)"' "5 1 0"
    wait_until is /v1/status .jobs.unfinished 0
    api DELETE "/v1/jobs/$job"
    fails_with 409 ended
    api DELETE /v1/jobs/01KB3D5Y7Z8QWERTYVBNM12345
    fails_with 404 not_found
    wait_until is /v1/status .tasks.unfinished 0
    stop_daemon
}

@test "one task is sent by itself; what it cannot have is refused" {
    serve
    submit_task '{"id": "single", "type": "noop", "params": {"n": 3}}'
    [[ $task = *:single ]]
    [ "$(header Location)" = "/v1/tasks/$task" ]
    task_is "$task" succeeded
    submit_task $'type: noop\n'
    for body in "{type: noop, needs: [a]}" "{type: noop, when: always}" "{type: noop, for_each: {x: [1]}}" "[1]" \
        $'type: noop\n---\ntype: noop\n' "" "{type: nop}" "{}" "{type: noop" "{version: 1, tasks: [{type: noop}]}"; do
        api POST /v1/tasks "$body"
        echo "$body: $output"
        fails_with 422 invalid_job
        [ "$(jq '.error.details | length' answer)" -gt 0 ]
    done
}

@test "the same Idempotency-Key and body have the same answer, and run once" {
    serve
    body="{type: count, params: {file: $PWD/ran}}"
    api POST /v1/tasks "$body" -H 'Idempotency-Key: one'
    expect 202
    first=$output
    location=$(header Location)
    api POST /v1/tasks "$body" -H 'Idempotency-Key: one'
    expect 202
    [ "$output" = "$first" ]
    [ "$(header Location)" = "$location" ]
    api POST /v1/tasks "{type: noop}" -H 'Idempotency-Key: one'
    fails_with 422 idempotency_conflict
    api POST /v1/jobs "$body" -H 'Idempotency-Key: one'
    fails_with 422 invalid_job
    # What was refused may be sent again.
    api POST /v1/tasks "{type: nop}" -H 'Idempotency-Key: two'
    expect 422
    api POST /v1/tasks "{type: noop}" -H 'Idempotency-Key: two'
    expect 202
    api POST /v1/tasks "{type: noop}" -H "Idempotency-Key: $(printf 'x%.0s' {1..201})"
    fails_with 400 invalid_header
    wait_until is /v1/status .tasks.unfinished 0
    [ "$(wc -l <ran)" -eq 1 ]
}

# in_progress NAME KEY: whether the request of send_aside NAME is under way, with this key. A wrong job with the key is
# refused for that as long as nobody knows the key, and then for its key.
in_progress() {
    grep -q 'Connected to' "$1.trace" || return 1
    api POST /v1/jobs "{}" -H "Idempotency-Key: $2"
    [ "$(jq -r .error.code answer)" = idempotency_conflict ]
}

# send_aside NAME BODY [CURL-ARGUMENT...]: a POST /v1/jobs in the background; its status comes to the file NAME.
send_aside() {
    local name=$1 body=$2
    shift 2
    rm -f "$name.trace"
    curl -sSv --max-time 60 --unix-socket "$socket" -o "$name.answer" -w '%{http_code}' -H 'Content-Type:' \
        --data-binary "$body" "$@" http://localhost/v1/jobs >"$name" 2>"$name.trace" 3>&- &
    asides+=($!)
}

@test "where overflow is block, an answer waits for room, and holds up nobody else" {
    settings "[host]" "overflow = block" "[group:gate]" "type = gate" "queue_capacity = 2" "workers = 1"
    serve
    hold
    submit "$(gates 2)"
    send_aside late "$(gates 1)" -H 'Idempotency-Key: k'
    wait_until in_progress late k
    api POST /v1/jobs "$(gates 1)" -H 'Idempotency-Key: k'
    fails_with 409 in_progress
    submit "{version: 1, tasks: [{type: noop}]}"
    job_is "$job" over
    submit_task "{type: noop}"
    task_is "$task" succeeded
    [ ! -s late ]
    let_go
    wait "${asides[0]}"
    [ "$(cat late)" = 202 ]
    wait_until is /v1/status .tasks.succeeded 6
    # What waits when the daemon stops is told so.
    rm open
    hold
    submit "$(gates 2)"
    send_aside late "$(gates 1)" -H 'Idempotency-Key: l'
    wait_until in_progress late l
    api POST /v1/stop
    wait "${asides[1]}"
    [ "$(cat late)" = 503 ]
    let_go
    ended 0
}

@test "where overflow is reject, who comes too late is told to come again" {
    settings "[host]" "max_pending = 8" "[group:gate]" "type = gate" "queue_capacity = 3" "workers = 1"
    serve
    hold
    submit "$(gates 2)"
    api POST /v1/jobs "$(gates 2)"
    fails_with 429 queue_full
    [ "$(header Retry-After)" = 1 ]
    [[ $output == *gate* ]]
    submit "$(gates 1)"
    api POST /v1/tasks "{type: gate, params: {open: $PWD/open}}"
    fails_with 429 queue_full
    api POST /v1/jobs "$(tasks_text 5)"
    fails_with 429 pending_full
    # What never could have room is another thing.
    api POST /v1/jobs "$(gates 4)"
    fails_with 422 too_many_tasks
    api POST /v1/jobs "$(tasks_text 9)"
    fails_with 422 too_many_tasks
    get /metrics
    grep -qx 'inbound_rejected_total{reason="queue_full"} 2' answer
    grep -qx 'inbound_rejected_total{reason="pending_full"} 1' answer
    grep -qx 'inbound_rejected_total{reason="too_many_tasks"} 2' answer
    let_go
    wait_until is /v1/status '"\(.tasks.unfinished) \(.pending.taken) \(.tasks.succeeded)"' "0 0 4"
    get /v1/groups/gate '"\(.queued) \(.accepted) \(.queue_capacity)"'
    [ "$output" = "0 0 3" ]
    submit "$(gates 3)"
    job_is "$job" over
}

tasks_text() {
    printf 'version: 1\ntasks:\n'
    repeat "$1" "type: noop"
}
