# `overflow = delay`: what has no room is acknowledged all the same once it is on disk, waits in line, and enters in its turn.
# shellcheck disable=SC2154 # helpers.bash and daemon.bash set variables
load daemon

# full [LINE...]: a daemon that has room for two tasks, both of which are held at a gate; more of its settings.
full() {
    settings "[host]" "overflow = delay" "max_pending = 2" "workers = 1" "$@"
    serve
    hold
    submit_task "{type: gate, params: {open: $PWD/open}}"
}

# aside COUNT: whether so many tasks are put aside; for wait_until.
aside_is() {
    is /v1/status .pending.aside "$1"
}

# mark ID: a task that says when it has run.
mark() {
    echo "{id: $1, type: exec, params: {shell: 'echo $1 >>$PWD/order'}}"
}

@test "what has no room is acknowledged, says so, and enters in the order in which it came" {
    full
    for id in a b c; do
        submit_task "$(mark $id)"
    done
    submit "{version: 1, tasks: [$(mark d), $(mark e)]}"
    submit_task "$(mark f)"
    aside_is 6
    get "/v1/tasks/$task" .state
    [ "$output" = accepted ]
    get "/v1/tasks/$task/why"
    got .code room
    [[ $output == *"it waits for room, in its turn: 2 of 2 tasks are pending"* ]]
    get /v1/status .overflow
    [ "$output" = delay ]
    get /metrics
    grep -qx 'inbound_delayed_total 5' answer
    grep -qx 'delayed_tasks 6' answer
    promtool check metrics <answer
    let_go
    task_is "$task" succeeded
    [ "$(tr -d '\n' <order)" = abcdef ]
    wait_until aside_is 0
    get /metrics
    grep -qx 'delayed_tasks 0' answer
}

@test "what was put aside is taken up by the next daemon, in order" {
    for signal in TERM KILL; do
        rm -f open order started
        full "grace = 100ms"
        for id in a b c d; do
            submit_task "$(mark $id)"
        done
        last=$task
        end $signal
        serve
        wait_until aside_is 4
        got '.pending.taken' 2
        let_go
        task_is "$last" succeeded
        [ "$(tr -d '\n' <order)" = abcd ]
        stop_daemon
    done
}

# is_refused: whether a task is.
is_refused() {
    api POST /v1/tasks "{type: noop}"
    [ "$status" -eq 429 ]
}

@test "more than a lower max_pending allows is taken up by the next daemon, and what is new waits or is refused" {
    settings "[host]" "max_pending = 10"
    serve
    hold
    gated="type: gate, params: {open: $PWD/open}"
    submit "{version: 1, tasks: [{$gated}, {$gated}, {$gated}]}"
    end KILL
    settings "[host]" "max_pending = 3"
    serve
    wait_until aside_is 3
    wait_until is_refused
    fails_with 429 pending_full
    let_go
    job_is "$job" over
    wait_until is /v1/status .pending.taken 0
    api POST /v1/tasks "{type: noop}"
    expect 202
}

@test "what waits for the queue of a group holds up none for others, and is cancelled where it stands" {
    settings "[host]" "overflow = delay" "[group:gate]" "type = gate" "queue_capacity = 1" "workers = 1"
    serve
    hold
    submit_task "{type: gate, params: {open: $PWD/open}}"
    submit "{version: 1, tasks: [{id: x, type: gate, params: {open: $PWD/open}}]}"
    x=$job
    submit_task "{id: y, type: gate, params: {open: $PWD/open}}"
    y=$task
    wait_until aside_is 2
    submit_task "{type: noop}"
    task_is "$task" succeeded
    api DELETE "/v1/jobs/$x"
    expect 202
    job_is "$x" over
    api DELETE "/v1/tasks/$y"
    expect 202
    task_is "$y" cancelled
    wait_until aside_is 0
    end KILL
    serve
    get "/v1/tasks/$x:x" .state
    [ "$output" = cancelled ]
}

@test "no more than a million tasks is put aside, and what could never have room is refused" {
    settings "[host]" "overflow = delay" "max_pending = 600000"
    serve
    hold
    { printf 'version: 1\ntasks:\n' && repeat 600000 "type: noop"; } >many.yaml
    submit @many.yaml
    first=$job
    api POST /v1/jobs @many.yaml
    fails_with 429 pending_full
    submit_task "{type: noop}"
    aside_is 600001
    repeat 1 "type: noop" >>many.yaml
    api POST /v1/jobs @many.yaml
    fails_with 422 too_many_tasks
    get /metrics
    grep -qx 'inbound_rejected_total{reason="pending_full"} 1' answer
    let_go
    job_is "$first" over
    task_is "$task" succeeded
}

@test "tasks that need each other are put aside and enter together" {
    full
    submit "{version: 1, tasks: [{id: b, type: noop, needs: [a]}, {id: a, type: noop}]}"
    wait_until aside_is 2
    get "/v1/jobs/$job" '"\(.tasks) \(.unfinished)"'
    [ "$output" = "2 2" ]
    let_go
    job_is "$job" over
    get "/v1/jobs/$job" .succeeded
    [ "$output" = 2 ]
}

@test "what was put aside stays so when overflow becomes reject, which is live" {
    full
    submit_task "{type: noop}"
    wait_until aside_is 1
    settings "[host]" "overflow = reject" "max_pending = 2" "workers = 1"
    api POST /v1/reload
    expect 200
    api POST /v1/tasks "{type: noop}"
    fails_with 429 pending_full
    let_go
    task_is "$task" succeeded
}

@test "what was put aside enters although limits were lowered so far that it would never have room" {
    for limit in "max_pending = 20" "queue_capacity = 20"; do
        rm -f open started
        settings "[host]" "overflow = delay" "max_pending = 30" "[group:noop]" "type = noop" "queue_capacity = 30"
        serve
        hold
        submit "{version: 1, tasks: [$(repeat 30 "type: noop" | sed 's/^  - //; s/$/,/')]}"
        wait_until aside_is 30
        sed -i "s/${limit% *} .*/$limit/" sluice.ini
        api POST /v1/reload
        expect 200
        let_go
        job_is "$job" over
        get "/v1/jobs/$job" .succeeded
        [ "$output" = 30 ]
        stop_daemon
    done
}

@test "a daemon whose jobs are in memory cannot put aside" {
    settings "[host]" "overflow = delay" "[store]" "backend = memory"
    run -2 --separate-stderr "$SLUICE" serve
    [[ $stderr == *"sluice.ini:2: error: overflow: 'delay'"*"[store] backend is 'memory'"* ]]
    settings "[store]" "backend = memory"
    serve
    settings "[host]" "overflow = delay"
    api POST /v1/reload
    fails_with 422 invalid_config
}
