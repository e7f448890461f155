# The flight recorder: after the daemon was killed, the next one knows which tasks were in hand.
# shellcheck disable=SC2154 # helpers.bash and daemon.bash set variables
load daemon

# die: the daemon is killed, and gone.
die() {
    kill -KILL "$pid"
    ended 137
}

# nothing_in_hand: whether no slot of the recorder has a task: but for its header the file is zero in each `at`.
nothing_in_hand() {
    ! od -An -v -t u8 -w64 -j 64 sluice/sluice.db.flight | awk '$2 != 0 { found = 1 } END { exit !found }'
}

@test "a task in hand when the daemon is killed has an interrupted attempt, uncharged, and runs again" {
    serve
    hold "retry: {attempts: 2}"
    run ! nothing_in_hand
    die
    serve
    grep -F 'the host died while tasks ran' err | grep -F "tasks=1 which=\"$held (gate)\""
    wait_until has_bytes started 2
    task_is "$held" running # it is seen a moment after a worker process has begun with it
    get "/v1/tasks/$held/why"
    got .code running
    got '.attempts | map(.reason) | join(" ")' interrupted
    get "/v1/tasks/$held"
    got .state running
    got '.attempts[0] | [.attempt, .charged, .message] | join(" ")' "1 false the host ended while it ran"
    got '.attempts[0].started < .attempts[0].ended' true
    run -0 "$SLUICE" why "$held"
    [[ $output == *"interrupted"*"the host ended while it ran"* ]]
    let_go
    task_is "$held" succeeded
    [ "$(cat started)" = 11 ]
    got '.attempts | length' 2
}

@test "what had ended or waited when the daemon was killed has no such attempt" {
    settings '[host]' 'workers = 1'
    serve
    submit_waiting
    submit_task "{type: noop}"
    task_is "$task" succeeded
    die
    serve
    grep -F 'the host died while tasks ran' err | grep -F "tasks=1 which=\"$job:running (gate)\""
    get "/v1/tasks/$task" '.attempts | length'
    [ "$output" = 1 ]
    for name in queued waiting delayed parked; do
        get "/v1/tasks/$job:$name" '.attempts | length'
        [ "$output" = 0 ]
    done
}

@test "of many tasks in hand ten are named" {
    settings '[host]' 'workers = 12'
    serve
    submit "$(printf 'version: 1\ntasks:\n' && repeat 12 "type: gate, params: {started: $PWD/started, open: $PWD/open}")"
    wait_until has_bytes started 12
    die
    serve
    grep -F 'the host died while tasks ran' err >line
    grep -F 'tasks=12' line
    grep -F ', ..."' line
    [ "$(grep -o '(gate)' line | wc -l)" = 10 ]
    let_go
    job_is "$job" over
    get "/v1/jobs/$job"
    got .succeeded 12
}

@test "a daemon that is killed again and again charges nothing" {
    serve
    hold
    for deaths in 1 2 3; do
        die
        serve
        wait_until has_bytes started $((deaths + 1))
    done
    let_go
    task_is "$held" succeeded
    [ "$(cat started)" = 1111 ]
    got '.attempts | map(.reason // "") | join(",")' "interrupted,interrupted,interrupted,"
}

@test "a daemon that was stopped has nothing in hand, and the next one says nothing" {
    serve
    hold
    let_go
    task_is "$held" succeeded
    stop_daemon
    nothing_in_hand
    serve
    run ! grep -F "the host died" err
}

@test "a damaged recorder is left alone, with the reason" {
    serve
    hold
    die
    printf 'x' | dd of=sluice/sluice.db.flight bs=1 seek=8 conv=notrunc status=none
    serve
    grep -F 'the flight recorder of the last host is not used' err | grep -F 'has version 120, this program reads 1'
    let_go
    task_is "$held" succeeded
    got '.attempts | length' 1
}

@test "the recorder is for its owner alone, and allocated in full" {
    serve
    [ "$(stat -c %a sluice/sluice.db.flight)" = 600 ]
    [ $(($(stat -c '%b * %B' sluice/sluice.db.flight))) -ge "$(stat -c %s sluice/sluice.db.flight)" ]
    [ ! -e sluice/sluice.db.flight.new ]
}
