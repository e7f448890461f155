# Tasks of a daemon, seen and changed while it runs: one task, dead letters, why, logs, events, groups, the scheduler.
# seconds: 300
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test has variables of its own; helpers.bash sets some
load daemon

# why CODE TEXT...: what the daemon says why $task is where it is; each text is in the sentence.
why() {
    local text
    get "/v1/tasks/$task/why"
    got .code "$1"
    shift
    for text in "$@"; do
        [[ $(jq -r .why answer) == *"$text"* ]] || { echo "no '$text' in: $output" >&2; return 1; }
    done
}

why_is() {
    wait_until is "/v1/tasks/$task/why" .code "$1"
    why "$@"
}

@test "a task shows its parameters but for secrets, its attempts and its outputs" {
    serve
    submit "{version: 1, tasks: [{id: k, type: kinds, timeout: 30s, priority: 3, labels: {}, params: {number: 4, pin: 1234, text: hello}},
        {id: s, type: exec, params: {argv: [sh, -c, 'echo out; echo err >&2; exit 0']}},
        {id: f, type: flaky, params: {until: 3}, retry: {attempts: 3, delay: 1ms}}]}"
    job_is "$job" over
    get "/v1/tasks/$job:k"
    got '"\(.params.number) \(.params.pin) \(.params.text) \(.timeout) \(.priority) \(.state) \(.type)"' \
        "4 (secret) hello 30s 3 succeeded kinds"
    [[ $output != *1234* ]]
    got '.attempts | length' 1
    got '(.started | test("^20..-..-..T..:..:..\\.......Z$")) and .started == .attempts[0].started and .ended >= .started' true
    get "/v1/tasks/$job:s" '.outputs | tojson'
    [ "$output" = '{"stdout":"out","stderr":"err","exit_code":"0"}' ]
    get "/v1/tasks/$job:f" '.attempts | map("\(.attempt) \(.reason) \(.message)") | join(", ")'
    [ "$output" = "1 flaky attempt 1, 2 flaky attempt 2, 3  " ]
    for id in "$job:nothing" 01KB3D5Y7Z8QWERTYVBNM12345:a nothing; do
        api GET "/v1/tasks/$id"
        fails_with 404 not_found
    done
}

@test "a task of a for_each is found by its name with escaped brackets" {
    serve
    submit "{version: 1, tasks: [{id: e, type: noop, params: {n: '\${each.x}'}, for_each: {x: [5, 6]}}]}"
    job_is "$job" over
    get "/v1/tasks/$job:e%5B1%5D" '"\(.id) \(.params.n)"'
    [ "$output" = "e[1] 6" ]
    get "/v1/tasks/$job%3Ae%5b0%5d" .params.n
    [ "$output" = 5 ]
}

@test "a task is cancelled whatever it is at; one that has ended is not" {
    settings "[group:gate]" "type = gate" "workers = 1"
    serve
    submit_waiting "- {id: again, type: fail, retry: {attempts: 2, delay: 1h}}
- {id: always, type: noop, needs: [running], when: always}"
    wait_until is "/v1/tasks/$job:again" .state delayed
    for id in waiting queued delayed parked again running; do
        api DELETE "/v1/tasks/$job:$id"
        expect 202
        got .state cancelling
        wait_until is "/v1/tasks/$job:$id" .state cancelled
        api DELETE "/v1/tasks/$job:$id"
        fails_with 409 ended
    done
    job_is "$job" over
    got '"\(.cancelled) \(.succeeded)"' "6 1"
    api DELETE "/v1/tasks/$job:gone"
    fails_with 404 not_found
    wait_until is /v1/status '"\(.tasks.unfinished) \(.tasks.cancelled) \(.admission.in_use)"' "0 6 0"
}

@test "one that waits ends at once when it is cancelled, and those behind it hear of that" {
    serve
    submit "version: 1
tasks:
- {id: running, type: gate, params: {started: $PWD/started, open: $PWD/open}}
- {id: waiting, type: noop, needs: [running]}
- {id: behind, type: noop, needs: [waiting]}
- {id: always, type: noop, needs: [waiting], when: always}
- {id: both, type: noop, needs: [waiting, running], when: always}
"
    wait_until has_bytes started 1
    api DELETE "/v1/tasks/$job:waiting"
    expect 202
    task_is "$job:waiting" cancelled
    task_is "$job:behind" skipped
    task_is "$job:always" succeeded
    get "/v1/tasks/$job:running" '.state'
    [ "$output" = running ]
    get "/v1/tasks/$job:both" '.state'
    [ "$output" = waiting ]
    task=$job:waiting
    why cancelled "it was cancelled"
    let_go
    job_is "$job" over
    got '"\(.succeeded) \(.cancelled) \(.skipped)"' "3 1 1"
}

@test "a job that is cancelled ends what waits although a call goes on" {
    settings "[host]" "grace = 1m"
    serve
    submit "version: 1
tasks:
  - {id: running, type: deaf_gate, params: {started: $PWD/started, open: $PWD/open}}
$(repeat 100 "type: noop, needs: [running]")
  - {id: last, type: noop, needs: [noop-2, noop-101]}
"
    wait_until has_bytes started 1
    api DELETE "/v1/jobs/$job"
    expect 202
    wait_until is "/v1/jobs/$job" .cancelled 101
    let_go
    job_is "$job" over
}

@test "a dead task is tried again, with its labels, and again" {
    settings "[group:here]" "type = gate" "labels = here=yes"
    serve
    submit "version: 1
tasks:
- {id: f, type: gate, timeout: 10ms, labels: {here: 'yes'}, params: {started: $PWD/started, open: $PWD/open}}
"
    task=$job:f
    task_is "$task" timed_out
    job_is "$job" over
    api POST "/v1/tasks/$task/retry"
    expect 202
    got .state ready
    wait_until is "/v1/tasks/$task" '"\(.state) \(.attempts | length)"' "timed_out 2"
    got '"\(.attempt) \([.attempts[].attempt] | map(tostring) | join(" "))"' "2 1 2"
    touch open
    wait_until retried
    task_is "$task" succeeded
    got '.attempts | length' 3
    api POST "/v1/tasks/$task/retry"
    fails_with 409 not_dead
    get "/v1/jobs/$job" '"\(.state) \(.succeeded) \(.timed_out) \(.unfinished)"'
    [ "$output" = "over 1 0 0" ]
    get "/v1/dead" '.tasks | length'
    [ "$output" = 0 ]
    get /metrics
    grep -q 'dead_tasks' answer
}

# retried: whether the task could be sent on its way again: its last attempt may just be ending.
retried() {
    api POST "/v1/tasks/$task/retry"
    [ "$status" -eq 202 ]
}

@test "a task is tried again while others of its job run, and is cancelled then" {
    serve
    submit "{version: 1, tasks: [{id: held, type: gate, params: {open: $PWD/open}}, {id: d, type: gate, timeout: 10ms, params: {started: $PWD/started, open: $PWD/open}}]}"
    task=$job:d
    task_is "$task" timed_out
    wait_until retried
    wait_until is "/v1/tasks/$task" '"\(.state) \(.attempts | length)"' "timed_out 2"
    task_is "$job:held" running
    # With time to look at it: what is tried again is found, explained, and cancelled as any other.
    submit "{version: 1, tasks: [{id: s, type: fail}, {id: g, type: gate, params: {started: $PWD/later, open: $PWD/open}, needs: [s], when: always}]}"
    touch open
    job_is "$job" over
}

@test "what is tried again is found, explained and cancelled as any other" {
    settings "[group:gate]" "type = gate"
    serve
    submit "{version: 1, tasks: [{id: d, type: gate, timeout: 1s, params: {started: $PWD/started, open: $PWD/open}}, {id: o, type: gate, params: {open: $PWD/open}}]}"
    task=$job:d
    task_is "$task" timed_out
    api PATCH /v1/groups/gate '{"paused":true}'
    expect 200
    wait_until retried
    task_is "$task" queued
    why paused gate
    got '.attempts | length' 1
    get "/v1/jobs/$job/tasks" '.tasks | map(.state) | join(" ")'
    [ "$output" = "queued running" ]
    api POST "/v1/tasks/$task/retry"
    fails_with 409 not_dead
    api DELETE "/v1/tasks/$task"
    expect 202
    task_is "$task" cancelled
    api DELETE "/v1/tasks/$job:o"
    expect 202
    job_is "$job" over
    # And with its job over.
    submit "{version: 1, tasks: [{id: f, type: fail}]}"
    task=$job:f
    job_is "$job" over
    api PATCH /v1/groups/fail '{"paused":true}'
    expect 200
    wait_until retried
    task_is "$task" queued
    get "/v1/jobs/$job" '"\(.state) \(.unfinished)"'
    [ "$output" = "unfinished 1" ]
    get "/v1/jobs/$job/tasks" '.tasks | map(.state) | join(" ")'
    [ "$output" = queued ]
    api DELETE "/v1/jobs/$job"
    expect 202
    task_is "$task" cancelled
    job_is "$job" over
    wait_until is /v1/status '"\(.jobs.unfinished) \(.tasks.unfinished)"' "0 0"
}

@test "dead letters are listed and tried again by filters" {
    serve
    submit "version: 1
tasks:
- {id: a, type: fail, params: {code: one}}
- {id: b, type: fail, params: {code: two}}
- {id: c, type: fail_for_good, params: {code: two}}
- {id: d, type: gate, timeout: 1ms, params: {open: $PWD/open}}
- {id: e, type: noop}
"
    job_is "$job" over
    while IFS='|' read -r query ids; do
        get "/v1/dead$query" '.tasks | map(.id) | join(" ")'
        [ "$output" = "$ids" ] || { echo "$query: $output" >&2; return 1; }
    done <<'LIST'
|a b c d
?type=fail|a b
?error=two|b c
?error=two&type=fail|b
?since=1h|a b c d
?since=2099-01-01T00:00:00Z|
?type=nothing|
?label=a=b|
LIST
    get "/v1/dead?limit=3" .next
    get "/v1/dead?limit=3&after=$output" '"\(.tasks | map(.id) | join(" ")) \(.next)"'
    [ "$output" = "d null" ]
    for query in since=soon label=x after=x limit=0; do
        api GET "/v1/dead?$query"
        fails_with 400 invalid_query
    done
    retries '{"type":"fail","dry_run":true}' 2
    wait_until retries_all
    job_is "$job" over
    wait_until is "/v1/dead" '.tasks | map("\(.id) \(.attempt)") | sort | join(", ")' "a 1, b 2, c 2, d 1"
    for body in '{"typ":"x"}' '{"type":1}' '{"dry_run":"yes"}'; do
        api POST /v1/dead/retry "$body" -H 'Content-Type: application/json'
        fails_with 422 invalid_value
    done
    api POST /v1/dead/retry '[' -H 'Content-Type: application/json'
    fails_with 400 invalid_json
}

retries() {
    api POST /v1/dead/retry "$1" -H 'Content-Type: application/json'
    expect 200
    got .tasks "$2"
}

retries_all() {
    retries '{"error":"two"}' 2
}

@test "why: what a task waits for" {
    settings "[host]" "max_weight = 4" "[group:gate]" "type = gate" "workers = 2" "[group:small]" "type = deaf_gate" "max_weight = 1"
    serve
    hold "weight: 2"
    first=$held
    hold
    submit_task "{id: heavy, type: noop, weight: 2}"
    why_is weight "needs 2" "3 of 4" "$first (gate) 2" "$held (gate) 1"
    submit_task "{id: third, type: gate, params: {open: $PWD/open}}"
    why_is worker "all 2 of group 'gate' are busy" "$first"
    submit "{version: 1, tasks: [{id: a, type: gate, params: {open: $PWD/open}}, {id: b, type: noop, needs: [a]}, {id: l, type: noop, labels: {gpu: 'yes'}}, {id: t, type: noop, delay: 1h}]}"
    task=$job:b why_is dependency "'a'"
    task=$job:l why_is label gpu=yes
    task=$job:t why_is time "in 3"
    api PATCH /v1/groups/gate '{"paused":true}'
    expect 200
    task=$job:a why_is paused gate
    task=$first why running "in group 'gate'"
}

@test "why: one call at a time" {
    serve
    submit "{version: 1, tasks: [{id: a, type: narrow_gate, params: {open: $PWD/open}}, {id: b, type: narrow_gate, params: {open: $PWD/open}}]}"
    task_is "$job:a" running
    task=$job:b why_is serial narrow_gate
    let_go
    job_is "$job" over
}

@test "why: its plugin is gone" {
    mkdir plugins
    cp "$TEST_PLUGINS/count.so" "$PLUGINS/noop.so" plugins
    plugins_of_daemon=(--plugins plugins)
    serve
    submit_task "{type: count, params: {file: $PWD/ran}}"
    task_is "$task" succeeded
    api PATCH /v1/groups/count '{"paused":true}'
    expect 200
    submit_task "{type: count, params: {file: $PWD/ran}}"
    why_is paused count
    rm plugins/count.so
    api POST /v1/reload
    expect 200
    got .removed 1
    api PATCH /v1/groups/count '{"paused":false}'
    expect 200
    why_is plugin count
    cp "$TEST_PLUGINS/count.so" plugins
    api POST /v1/reload
    expect 200
    task_is "$task" succeeded
}

@test "why: how a task has ended, with every attempt" {
    serve
    submit "version: 1
tasks:
- {id: s, type: noop}
- {id: f, type: flaky, params: {until: 9}, retry: {attempts: 2, delay: 1ms}}
- {id: t, type: gate, timeout: 5ms, params: {open: $PWD/open}}
- {id: k, type: noop, needs: [f]}
- {id: c, type: noop, delay: 1h}
"
    api DELETE "/v1/tasks/$job:c"
    expect 202
    job_is "$job" over
    task=$job:s why succeeded
    task=$job:f why failed "after 2 attempts" flaky "attempt 2"
    got '.attempts | map(.message) | join(", ")' "attempt 1, attempt 2"
    task=$job:t why timed_out
    task=$job:k why skipped f
    task=$job:c why cancelled
    api GET "/v1/tasks/$job:x/why"
    fails_with 404 not_found
}

# listen NAME PATH: a GET in the background whose answer comes to the file NAME as it comes; $listener is its process.
listen() {
    curl -sSN --max-time 120 --unix-socket "$socket" "http://localhost$2" >"$1" 2>"$1.err" 3>&- &
    listener=$!
}

# heard NAME TEXT: whether it has come.
heard() {
    grep -qF -- "$2" "$1"
}

@test "a log is read, and followed until its task has ended" {
    serve
    submit_task "{id: talks, type: gate, params: {say: hello there, started: $PWD/started, open: $PWD/open}}"
    wait_until has_bytes started 1
    listen followed "/v1/tasks/$task/log?follow=1"
    wait_until heard followed "hello there"
    get "/v1/tasks/$task/log"
    [[ $output == *"hello there"* && $output != *through* ]]
    [ "$(header Sluice-Log-Dropped)" = 0 ]
    let_go
    wait "$listener"
    heard followed through
    [ "$(grep -c "hello there" followed)" -eq 1 ]
    get "/v1/tasks/$task/log"
    cmp answer followed
    get "/v1/tasks/$task" .log_bytes
    [ "$output" -eq "$(bytes followed)" ]
    # Of a task that has ended, all there is comes at once.
    get "/v1/tasks/$task/log?follow=1"
    cmp answer followed
    api GET "/v1/tasks/$task/log?follow=2"
    fails_with 400 invalid_query
    for follow in "" "?follow=1"; do
        api GET "/v1/tasks/$task-not/log$follow"
        fails_with 404 not_found
    done
}

# heard_jobs NAME COUNT: whether it has been told of the end of so many jobs.
heard_jobs() {
    [ "$(grep -c '^event: job' "$1")" -ge "$2" ]
}

@test "events tell of every task and job that ends, or only of those of one job" {
    serve
    hold
    watched=${held%%:*}
    listen all /v1/events
    wait_until heard all ": what ends"
    all=$listener
    listen one "/v1/events?job=$watched"
    wait_until heard one ": what ends"
    submit "{version: 1, name: many, tasks: [{id: a, type: noop}, {id: b, type: fail}]}"
    job_is "$job" over
    wait_until heard all '"name":"many"'
    let_go
    wait_until heard one '"state":"over"'
    wait_until heard_jobs all 2
    sed -n 's/^data: //p' all | jq -r 'select(.type == "noop" or .type == "fail") | "\(.task) \(.state)"' | sort >told
    diff told - <<<$'a succeeded\nb failed'
    [ "$(grep -c '^event: job' all)" -eq 2 ]
    [ "$(grep -c '^event:' one)" -eq 2 ]
    sed -n 's/^data: //p' one | jq -r '.state' >states
    diff states - <<<$'succeeded\nover'
    # The streams end with the daemon.
    stop_daemon
    wait "$all" "$listener"
}

@test "who reads events too slowly is told how many were lost, and holds up nobody" {
    serve
    tasks many 10000 "type: noop"
    mkfifo slow
    curl -sSN --max-time 120 --unix-socket "$socket" http://localhost/v1/events >slow 2>/dev/null 3>&- &
    listener=$!
    exec 6<slow
    read -r first <&6
    [[ $first = ": what ends"* ]]
    for round in 1 2; do
        submit @many.yaml
        job_is "$job" over
    done
    cat <&6 >all 3>&- &
    reader=$!
    exec 6<&-
    submit_task "{type: noop}"
    wait_until told_of_drop
    dropped=$(grep -A 1 '^event: dropped' all | sed -n 's/^data: //p' | jq -s 'map(.events) | add')
    [ "$dropped" -gt 0 ]
    stop_daemon
    wait "$listener" "$reader"
}

told_of_drop() {
    submit_task "{type: noop}" && heard all "event: dropped"
}

@test "a group is shown, paused, resumed and given workers, which a reload leaves" {
    settings "[group:held]" "type = gate" "workers = 1" "labels = a=b"
    serve
    hold
    submit_task "{type: gate, params: {started: $PWD/started, open: $PWD/open}}"
    task_is "$task" queued
    get /v1/groups/held '"\(.type) \(.workers) \(.running) \(.queued) \(.labels.a) \(.paused) \(.weight_in_use)"'
    [ "$output" = "gate 1 1 1 b false 1" ]
    api PATCH /v1/groups/held '{"workers":2}'
    expect 200
    got .workers 2
    wait_until has_bytes started 2
    api POST /v1/reload
    expect 200
    got '.config.changed | length' 0
    get /v1/groups/held .workers
    [ "$output" = 2 ]
    settings "[group:held]" "type = gate" "workers = 3" "labels = a=b"
    api POST /v1/reload
    expect 200
    got '.config.changed[0]' "[group:held] workers 1 -> 3"
    get /v1/groups/held .workers
    [ "$output" = 3 ]
    api PATCH /v1/groups/held '{"paused":true}'
    got .paused true
    submit_task "{type: gate, params: {open: $PWD/open}}"
    why_is paused held
    let_go
    wait_until is /v1/groups/held .running 0
    task_is "$task" queued
    api PATCH /v1/groups/held '{"paused":false,"workers":1}'
    got '"\(.paused) \(.workers)"' "false 1"
    task_is "$task" succeeded
    for body in '{"workers":0}' '{"workers":1025}' '{"workers":"2"}' '{"paused":1}' '{"pause":true}'; do
        api PATCH /v1/groups/held "$body"
        fails_with 422 invalid_value
    done
    api PATCH /v1/groups/none '{"paused":true}'
    fails_with 404 not_found
}

@test "the scheduler is shown and switched" {
    serve
    get /v1/scheduler '"\(.policy): \(.policies | sort | join(" "))"'
    [ "$output" = "round_robin: load_aware round_robin tag_based" ]
    for policy in load_aware tag_based round_robin; do
        api PUT /v1/scheduler "{\"policy\":\"$policy\"}"
        expect 200
        got .policy $policy
        get /metrics
        grep -qx "scheduler_info{policy=\"$policy\"} 1" answer
    done
    for body in '{"policy":"fastest"}' '{}' '{"policy":1}' '{"policy":"tag_based","x":1}'; do
        api PUT /v1/scheduler "$body"
        fails_with 422 invalid_value
    done
}
