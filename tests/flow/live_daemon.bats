# The configuration of a daemon, read again by SIGHUP or POST /v1/reload: what is live takes effect at once. What a run
# sees of it too is in live.bats.
# shellcheck disable=SC2154 # helpers.bash sets pid
load serve

# teardown: a client may wait for an answer.
teardown() {
    for process in ${client:-} ${pid:-}; do
        ! kill -0 "$process" 2>/dev/null || kill -KILL "$process"
        wait "$process" 2>/dev/null || true
    done
}

# reload CHANGE LINE...: the configuration says that now, and the daemon was told; this is the one change that it tells of.
reload() {
    local change=$1
    shift
    settings "$@"
    api POST /v1/reload | jq -e --arg change "$change" '.config.changed == [$change]'
}

# gates COUNT: sends so many calls that run until the file open is there; prints the status and what is refused.
gates() {
    tasks gates "$1" "type: gate, params: {started: $PWD/started, open: $PWD/open}"
    api POST /v1/jobs --data-binary @gates.yaml >/dev/null
    echo "$(cat status) $(jq -r '.error.code // empty' answer)"
}

# of_group NAME FIELD: what the daemon tells of a group.
of_group() {
    api GET "/v1/groups/$1" | jq -r ".$2"
}

# running NAME COUNT: whether the group has so many calls.
running() {
    [ "$(of_group "$1" running)" -eq "$2" ]
}

# succeeded JOB: how many of its tasks are known to have succeeded.
succeeded() {
    api GET "/v1/jobs/$1/tasks?state=succeeded" | jq '.tasks | length'
}

# over JOB: whether it is.
over() {
    [ "$(api GET "/v1/jobs/$1" | jq -r .state)" = over ]
}

@test "every key that is marked live is changed by a test" {
    sed -nE 's/^KEY\((\w+), (\w+), \w+, LIVE,.*/\1 \2/p' "$SOURCE_DIR/core/config.def" >live
    [ "$(wc -l <live)" -ge 16 ]
    while read -r section key; do
        grep -qE "\[$section(:\w+)?\] $key \S+ -> \S+" "$SOURCE_DIR"/tests/flow/live{,_daemon}.bats ||
            { echo "no test of $section $key" && false; }
    done <live
}

# host_is_not PID: whether there is a host, and another one.
host_is_not() {
    local now
    now=$(api GET /v1/status | jq -r .pid)
    [ -n "$now" ] && [ "$now" != "$1" ]
}

@test "a call that does not return has the host start again once that is asked for" {
    settings "[host]" "grace = 100ms"
    serve
    before=$(api GET /v1/status | jq -r .pid)
    reload "[host] on_stuck report -> restart" "[host]" "grace = 100ms" "on_stuck = restart"
    tasks deaf 1 "type: deaf_gate, timeout: 100ms, params: {started: $PWD/started, open: $PWD/open}"
    sends deaf
    wait_until host_is_not "$before"
    grep -q 'msg="a call does not return: the host is started again (\[host\] on_stuck)" stuck=1' err
    [ "$(api GET /v1/status | jq .tasks.stuck)" -eq 0 ]
}

@test "another policy is asked for the next task" {
    local groups=("[group:plain]" "type = gate" "workers = 9" "[group:special]" "type = gate" "workers = 9" "labels = x=1")
    settings "${groups[@]}"
    serve
    gates 4
    wait_until has_bytes started 4
    [ "$(of_group plain running) $(of_group special running)" = "2 2" ]
    reload "[scheduler] policy round_robin -> tag_based" "[scheduler]" "policy = tag_based" "${groups[@]}"
    gates 4
    wait_until has_bytes started 8
    [ "$(of_group plain running) $(of_group special running)" = "6 2" ]
    api GET /v1/scheduler | jq -e '.policy == "tag_based"'
}

@test "a shorter heartbeat tells soon how busy a group is" {
    settings "[scheduler]" "heartbeat = 1h"
    truncate -s 8T endless
    job busy <<<"tasks: [{type: hash, params: {path: $PWD/endless}}]"
    serve
    sends busy
    wait_until running hash 1
    [ "$(of_group hash cpu)" = 0 ] || [ "$(of_group hash cpu)" = 0.0 ]
    reload "[scheduler] heartbeat 1h -> 20ms" "[scheduler]" "heartbeat = 20ms"
    is_busy() { of_group hash 'cpu > 0.01' | grep -qx true; }
    wait_until is_busy
}

@test "a submission without room waits once overflow says block, and is refused again once it says reject" {
    settings "[host]" "max_pending = 2"
    serve
    gates 2
    [ "$(gates 1)" = "429 pending_full" ]
    reload "[host] overflow reject -> block" "[host]" "max_pending = 2" "overflow = block"
    curl -sS --unix-socket sluice/sluice.sock -H Content-Type: --data-binary @gates.yaml -o later -w '%{http_code}' \
        http://localhost/v1/jobs >later_status 3>&- &
    client=$!
    touch open
    wait "$client"
    [ "$(cat later_status)" = 202 ]
    wait_until has_bytes started 3
    wait_until running gate 0
    rm open
    gates 2
    reload "[host] overflow block -> reject" "[host]" "max_pending = 2" "overflow = reject"
    [ "$(gates 1)" = "429 pending_full" ]
}

@test "a larger max_pending takes what was refused before" {
    settings "[host]" "max_pending = 2"
    serve
    gates 2
    [ "$(gates 1)" = "429 pending_full" ]
    [ "$(gates 3)" = "422 too_many_tasks" ]
    reload "[host] max_pending 2 -> 5" "[host]" "max_pending = 5"
    [ "$(gates 3)" = "202 " ]
}

@test "a larger queue_capacity takes what was refused before" {
    settings "[group:g]" "type = gate" "workers = 1" "queue_capacity = 2"
    serve
    gates 1
    wait_until has_bytes started 1
    gates 2
    [ "$(gates 1)" = "429 queue_full" ]
    reload "[group:g] queue_capacity 2 -> 3" "[group:g]" "type = gate" "workers = 1" "queue_capacity = 3"
    [ "$(gates 1)" = "202 " ]
    [ "$(gates 1)" = "429 queue_full" ]
}

@test "a smaller keep_finished_max forgets the oldest at once" {
    settings "[store]" "keep_finished_max = 100"
    tasks five 5 "type: noop"
    serve
    five=$(sends five)
    wait_until over "$five"
    [ "$(succeeded "$five")" -eq 5 ]
    reload "[store] keep_finished_max 100 -> 2" "[store]" "keep_finished_max = 2"
    [ "$(succeeded "$five")" -eq 2 ]
    five=$(sends five)
    wait_until over "$five"
    [ "$(succeeded "$five")" -eq 2 ]
}

@test "a shorter keep_finished forgets at once what is older" {
    settings "[store]" "keep_finished = 1h"
    tasks five 5 "type: noop"
    serve
    five=$(sends five)
    wait_until over "$five"
    reload "[store] keep_finished 1h -> 0" "[store]" "keep_finished = 0s"
    gone() { api GET "/v1/jobs/$five" | jq -e '.error.code == "not_found"'; }
    wait_until gone
}

@test "limits that a run sees live are live in a daemon, and all of them are told" {
    settings "[host]" "max_weight = 1" "grace = 1h" "workers = 1" "[group:g]" "type = gate"
    serve
    gates 6
    wait_until has_bytes started 1
    settings "[host]" "max_weight = 3" "grace = 10ms" "workers = 3" "[scheduler]" "max_age = 1m" "[group:g]" "type = gate"
    api POST /v1/reload | jq -e '.config.changed == ["[host] workers 1 -> 3", "[host] max_weight 1 -> 3",
        "[host] grace 1h -> 10ms", "[scheduler] max_age 30s -> 1m", "[group:g] workers 1 -> 3"] and .config.restart == []'
    wait_until has_bytes started 3
    [ "$(of_group g running)" -eq 3 ]
}

@test "SIGHUP does the same, and the log changes with the next line" {
    settings "[log]" "level = info"
    serve
    settings "[log]" "level = info" "format = json"
    kill -HUP "$pid"
    wait_until says '"msg":"configuration read again"'
    grep "configuration read again" err | jq -e '.changed == "[log] format logfmt -> json"'
    settings "[log]" "level = error"
    kill -HUP "$pid"
    quiet() { api POST /v1/reload | jq -e '.config.changed == []'; }
    wait_until quiet
    times "configuration read again" 1
}

@test "a file with errors changes nothing, and the answer has each error" {
    settings "[host]" "max_weight = 7"
    serve
    settings "[host]" "max_weight = 9" "grace = soon" "[hots]"
    api POST /v1/reload | jq -e '.error.code == "invalid_config" and (.error.details | length) == 2'
    [ "$(cat status)" = 422 ]
    jq -r '.error.details[]' answer >details
    grep -F "sluice.ini:3: error: grace: 'soon' is not a duration such as 250ms, 30s, 1h30m" details
    grep -F "sluice.ini:4: error: unknown section [hots]: did you mean 'host'?" details
    api GET /v1/status | jq -e '.admission.capacity == 7'
    says "the configuration is not valid: nothing of it has changed"
    run -2 env -u SLUICE_CONFIG "$SLUICE" reload
    echo "$output"
    [[ $output == *"grace: 'soon' is not a duration"* ]]
    kill -HUP "$pid"
    wait_until times "the configuration is not valid" 3
    reload "[host] max_weight 7 -> 9" "[host]" "max_weight = 9"
}

@test "what needs a restart is named and keeps its value" {
    settings "[host]" "inbound_capacity = 100"
    serve
    settings "[host]" "inbound_capacity = 200" "[http]" "max_connections = 3" "[group:new]" "type = noop"
    api POST /v1/reload |
        jq -e '.config.changed == [] and .config.restart == ["[host] inbound_capacity", "[http] max_connections", "[group:new]"]'
    api GET /v1/status | jq -e '.inbound.capacity == 100'
}

@test "what was set while the daemon runs stays until its key changes" {
    settings "[group:g]" "type = gate" "workers = 1"
    serve
    "$SLUICE" scheduler load_aware
    api PATCH /v1/groups/g --data-binary '{"workers": 5, "paused": true}'
    kill -HUP "$pid"
    wait_until says "configuration read again"
    reload "[scheduler] max_age 30s -> 1m" "[scheduler]" "max_age = 1m" "[group:g]" "type = gate" "workers = 1"
    api GET /v1/scheduler | jq -e '.policy == "load_aware"'
    api GET /v1/groups/g | jq -e '.workers == 5 and .paused'
    reload "[group:g] workers 1 -> 2" "[scheduler]" "max_age = 1m" "[group:g]" "type = gate" "workers = 2"
    api GET /v1/groups/g | jq -e '.workers == 2 and .paused'
}
