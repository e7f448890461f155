# A daemon's tasks that are tried again are tasks as all others; what is said of a task is said of no other one.
# shellcheck disable=SC2154 # helpers.bash and daemon.bash set variables
load daemon

@test "a task that is tried again says why it runs, and can be cancelled" {
    serve
    submit_task "{type: gate, params: {open: $PWD/open}, timeout: 50ms}"
    task_is "$task" timed_out
    api PATCH /v1/groups/gate '{"paused":true}'
    expect 200
    api POST "/v1/tasks/$task/retry"
    expect 202
    task_is "$task" queued
    get "/v1/tasks/$task/why"
    got .code paused
    api DELETE "/v1/tasks/$task"
    expect 202
    task_is "$task" cancelled
}

@test "why names the task that runs, also where a file has what others need further down" {
    serve
    submit "{version: 1, tasks: [{id: last, needs: [first], type: noop}, {id: first, type: gate, params: {open: $PWD/open}}]}"
    task_is "$job:first" running
    get "/v1/tasks/$job:first/why"
    got .code running
    [[ $output == *"it runs in group 'gate', since "* ]]
    touch open
    job_is "$job" over
}

@test "many dead letters of one job are tried again at once" {
    serve
    submit "$(printf 'version: 1\ntasks:\n' && repeat 5000 "type: fail_for_good")"
    job_is "$job" over
    api POST /v1/dead/retry '{"type":"fail_for_good"}'
    expect 200
    got .tasks 5000
    job_is "$job" over
    get "/v1/jobs/$job"
    got .failed 5000
}

@test "a page begins behind a number, and not behind what is none" {
    serve
    submit "$(printf 'version: 1\ntasks:\n' && repeat 3 "type: fail_for_good")"
    job_is "$job" over
    get "/v1/jobs/$job/tasks?after=1"
    got '.tasks | length' 1
    for after in -1 x 4294967295 4294967296 18446744073709551616; do
        api GET "/v1/jobs/$job/tasks?after=$after"
        expect 400
        api GET "/v1/dead?after=1.$after"
        expect 400
    done
    api GET "/v1/dead?after=9223372036854775808.0"
    expect 400
    get "/v1/dead?after=1.0"
    got '.tasks | length' 2
    for after in 1.3000000000 4294967297.0 9223372036854775807.0; do
        get "/v1/dead?after=$after"
        got '.tasks | length' 0
    done
}
