# What a daemon has acknowledged outlives it: it is killed or stopped, started again, and goes on where it was.
# shellcheck disable=SC2154 # helpers.bash and daemon.bash set variables
load daemon

# dies: the daemon, at once.
dies() {
    kill -KILL "$pid"
    ended 137
}

# state_of ID: of that task of $job.
state_of() {
    get "/v1/tasks/$job:$1" .state
    echo "$output"
}

@test "a daemon that was killed goes on where it was, in each state that a task can be in" {
    settings "[group:gate]" "type = gate" "workers = 1"
    serve
    submit_waiting "- {id: done, type: exec, params: {shell: 'echo done >> marks; echo out'}}
- {id: after, type: exec, needs: [running, done], params: {shell: 'echo after \$WHAT >> marks', env: {WHAT: '\${tasks.done.output.stdout}'}}}
- {id: dead, type: fail_for_good}
- {id: skipped, type: noop, needs: [dead]}
- {id: cleans, type: exec, needs: [dead], when: failure, params: {shell: 'echo cleans >> marks'}}"
    task_is "$job:cleans" succeeded
    task_is "$job:done" succeeded
    dies
    serve
    grep -q 'msg="taken up again" jobs=1 tasks=6' err
    task_is "$job:running" running
    [ "$(state_of queued) $(state_of waiting) $(state_of after)" = "queued waiting waiting" ]
    [ "$(state_of delayed) $(state_of parked)" = "delayed parked" ]
    [ "$(state_of 'done') $(state_of dead) $(state_of skipped)" = "succeeded failed skipped" ]
    let_go
    task_is "$job:waiting" succeeded
    task_is "$job:after" succeeded
    task_is "$job:queued" succeeded
    api DELETE "/v1/jobs/$job"
    job_is "$job" over
    get "/v1/jobs/$job"
    got '[.tasks, .succeeded, .failed, .skipped, .cancelled] | @csv' "10,6,1,1,2"
    [ "$(cat marks)" = "$(printf 'done\ncleans\nafter out')" ] || [ "$(cat marks)" = "$(printf 'cleans\ndone\nafter out')" ]
}

@test "a daemon that stops leaves what is left to the next one, and charges it nothing" {
    settings "[host]" "grace = 100ms"
    serve
    submit "{version: 1, tasks: [{id: a, type: gate, retry: {attempts: 1}, params: {started: $PWD/started, open: $PWD/open}}, {id: b, type: noop, needs: [a]}]}"
    wait_until has_bytes started 1
    stop_daemon
    serve
    get "/v1/tasks/$job:a"
    got '.attempts | length' 1
    got '.attempts[0] | [.reason, .charged] | @csv' '"interrupted",false'
    let_go
    job_is "$job" over
    get "/v1/jobs/$job"
    got .succeeded 2
}

@test "a retry that waits keeps its time and its count" {
    serve
    submit_task "{type: exec, retry: {attempts: 3, delay: 1h}, params: {shell: 'exit 1'}}"
    task_is "$task" delayed
    get "/v1/tasks/$task" .due
    due=$output
    dies
    serve
    task_is "$task" delayed
    get "/v1/tasks/$task"
    got .due "$due"
    got '.attempts | length' 1
    got '.attempts[0].charged' true
}

@test "a job that was cancelled stays so, whatever happens to the daemon" {
    serve
    submit "{version: 1, tasks: [{id: a, type: deaf_gate, params: {started: $PWD/started, open: $PWD/open}}, {id: b, type: noop, needs: [a]}]}"
    wait_until has_bytes started 1
    api DELETE "/v1/jobs/$job"
    expect 202
    task_is "$job:b" cancelled
    dies
    serve
    let_go
    job_is "$job" over
    get "/v1/jobs/$job"
    got .cancelled 2
    [ "$(bytes started)" -eq 1 ]
}

@test "a cancel that was answered holds, though the daemon is killed at once" {
    settings "[store]" "commit_interval = 1s"
    serve
    submit "{version: 1, tasks: [{id: a, type: deaf_gate, params: {started: $PWD/started, open: $PWD/open}}]}"
    wait_until has_bytes started 1
    api DELETE "/v1/jobs/$job"
    expect 202
    dies
    serve
    job_is "$job" over
    get "/v1/jobs/$job"
    got .cancelled 1
    [ "$(bytes started)" -eq 1 ]
}

@test "a job whose plugin is gone waits for it" {
    # shellcheck disable=SC2034 # daemon.bash uses it
    plugins_of_daemon=(--plugins "$PLUGINS" --plugins "$PWD/own")
    mkdir own
    cp "$TEST_PLUGINS"/gate.so own
    serve
    hold
    submit_task "{type: gate, params: {open: $PWD/open}}"
    dies
    mv own/gate.so gone.so
    serve
    task_is "$task" parked
    get "/v1/tasks/$task/why"
    got .code plugin
    mv gone.so own/gate.so
    let_go
    api POST /v1/reload
    expect 200
    task_is "$task" succeeded
    task_is "$held" succeeded
}

@test "submit --wait goes on listening to the daemon that comes next" {
    serve
    job one <<<"tasks: [{id: a, type: gate, params: {started: $PWD/started, open: $PWD/open}}]"
    "$SLUICE" submit --wait one.yaml >waited 2>said 3>&- &
    waits=$!
    wait_until has_bytes started 1
    dies
    serve
    let_go
    wait "$waits"
    [[ $(tail -n 1 waited) == "one: 1 task: 1 succeeded in "* ]]
}

@test "a second daemon on the same state is refused, and says who has it" {
    serve
    first=$(host)
    mkdir other
    XDG_RUNTIME_DIR=$PWD/other run -3 --separate-stderr "$SLUICE" serve "${both[@]}"
    [[ $stderr == *"sluice.db is in use by process $first"* ]]
    kill -0 "$first"
}

@test "with the memory backend a daemon forgets its jobs" {
    settings "[store]" "backend = memory"
    serve
    hold
    dies
    serve
    api GET "/v1/tasks/$held"
    expect 404
    [ ! -e sluice/sluice.db ]
}

@test "how long commits take is a metric, of a store that has some" {
    serve
    submit_task "{type: noop}"
    task_is "$task" succeeded
    get /metrics
    grep -Eq '^store_commit_seconds_count [1-9]' answer
    grep -q '^store_commit_seconds_bucket{le="0.01"} ' answer
    stop_daemon
    settings "[store]" "backend = memory"
    serve
    get /metrics
    run ! grep -q '^store_commit_seconds_count' answer
}

# A job that a list with nothing in it makes is over as soon as it is taken, and a listener is told so by asking the store.
@test "a job without tasks before another one holds nobody up" {
    serve
    : >empty.txt
    printf '%s\n' "{version: 1, name: first, tasks: [{type: noop, for_each: {x: {lines: empty.txt}}}]}" --- \
        "{version: 1, name: second, tasks: [{type: noop}]}" >two.yaml
    curl -sSN --max-time 120 --unix-socket "$socket" http://localhost/v1/events >heard 2>/dev/null 3>&- &
    listener=$!
    wait_until grep -q '^:' heard
    (while [ ! -e enough ] && kill -0 "$pid"; do api POST /v1/tasks '{"type": "noop"}'; done) 3>&- &
    for ((i = 0; i < 20; i++)); do
        timeout 60 "$SLUICE" submit two.yaml >submitted 2>&1 || { cat submitted; false; }
    done
    touch enough
    kill "$listener"
}
