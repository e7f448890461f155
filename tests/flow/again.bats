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
