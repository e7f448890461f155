# Tasks in worker processes, as those see it who run them.
# seconds: 240
# shellcheck disable=SC2034,SC2154 # helpers.bash and daemon.bash set variables, or use them
load daemon

# in_processes LINE...: a configuration in which inmates have worker processes, with more lines in their group.
in_processes() {
    settings "[host]" "grace = 1s" "[group:inmate]" "type = inmate" "isolation = process" "$@"
}

# pid_of ID: the process in which a run's task was called.
pid_of() {
    jq -r --arg id "$1" 'select(.task == $id).outputs.pid' events
}

# processes: of all tasks of a run, each once.
processes() {
    jq -r '.outputs.pid // empty' events | sort -u
}

# workers: the worker processes of the daemon.
workers() {
    pgrep -P "$(host)" -f '^sluice-worker' || true
}

has_workers() {
    [ "$(workers | wc -w)" -eq "$1" ]
}

# gone PID...: whether there are no such processes, or nothing of them but an exit code.
gone() {
    local one
    for one in "$@"; do
        ! grep -qs '^State:.[RSDTt]' "/proc/$one/status" || return 1
    done
}

# runs TASK: waits until it is at work.
runs() {
    task_is "$1" running
}

# inmate: a task that waits for the file open, and runs; $task.
inmate() {
    submit_task "{type: inmate, params: {open: $PWD/open}}"
    runs "$task"
}

@test "a type that is for processes alone runs in one without being told" {
    tasks only 3 "type: inmate.only"
    sluice_run only.yaml
    [ "$status" -eq 0 ]
    [ "$(of_state succeeded)" -eq 3 ]
    tasks both 1 "type: inmate"
    mv events only.events
    sluice_run both.yaml
    run ! grep -qF "\"pid\":\"$(processes)\"" only.events # that one is the host
}

@test "--isolation says where calls are made, whatever is configured" {
    in_processes "workers = 1"
    { echo "tasks:"; echo "  - {id: one, type: inmate}"; echo "  - {id: other, type: inmate.only}"; } | job two
    sluice_run --isolation thread two.yaml
    [ "$status" -eq 0 ]
    [ "$(pid_of one)" != "$(pid_of other)" ]
    start run "${both[@]}" --isolation process --events events two.yaml
    host_pid=$pid
    ended 0
    [ "$(processes | grep -cx "$host_pid")" -eq 0 ]
    sluice_run --isolation nonsense two.yaml
    [ "$status" -eq 2 ]
    grep -q "sluice run: --isolation: 'nonsense'.*thread.*process" err
}

@test "a process makes room for a new one after recycle_after tasks" {
    in_processes "workers = 1" "recycle_after = 10"
    tasks many 300 "type: inmate"
    sluice_run many.yaml
    [ "$status" -eq 0 ]
    [ "$(of_state succeeded)" -eq 300 ]
    # A batch is not cut for it.
    [ "$(processes | wc -l)" -ge 4 ]
    [ "$(processes | wc -l)" -le 30 ]
    in_processes "workers = 1"
    sluice_run many.yaml
    [ "$(processes | wc -l)" -eq 1 ]
}

@test "a thread that worker_init has started, or a call has joined, is no reason for a new process" {
    settings "[group:crew]" "type = crew" "workers = 1" "[group:briefly]" "type = crew.briefly" "workers = 1"
    for type in crew crew.briefly; do
        tasks many 300 "type: $type"
        sluice_run many.yaml
        [ "$status" -eq 0 ]
        [ "$(of_state succeeded)" -eq 300 ]
        [ "$(processes | wc -l)" -eq 1 ]
        run ! grep -q "left a thread" err
    done
}

@test "a crash is an attempt, and is tried again as a retry says" {
    in_processes "workers = 1"
    {
        echo "tasks:"
        echo "  - {id: twice, type: inmate, retry: {attempts: 3, delay: 10ms}, params: {crashes: 2}}"
        echo "  - {id: always, type: inmate, retry: {attempts: 2, delay: 10ms}, params: {crashes: 9}}"
    } | job again
    sluice_run again.yaml
    [ "$status" -eq 1 ]
    [ "$(jq -r 'select(.task == "twice") | "\(.state) \(.attempt)"' events | tail -n 1)" = "succeeded 3" ]
    [ "$(jq -r 'select(.task == "always") | "\(.state) \(.attempt) \(.reason)"' events | tail -n 1)" = "crashed 2 signal" ]
}

@test "what a task says in any way is in its own log, also in a batch" {
    in_processes "workers = 1"
    serve
    { echo "tasks:"
        for i in {1..40}; do echo "  - {id: t$i, type: inmate, params: {say: of-$i}}"; done; } | job say
    submit "@say.yaml"
    job_is "$job" over
    for i in {1..40}; do
        get "/v1/tasks/$job:t$i/log"
        [ "$(grep -o 'of-[0-9]*' answer | sort -u)" = "of-$i" ]
        for way in print stdout stderr partial; do
            [ "$(grep -c "$way of-$i\$" answer)" -eq 1 ]
        done
        grep -qE '^[-0-9T:.]+Z info log of-' answer
        [ "$(grep -n 'print' answer | cut -d: -f1)" -lt "$(grep -n 'log of' answer | cut -d: -f1)" ]
        [ "$(grep -n 'stderr' answer | cut -d: -f1)" -lt "$(grep -n 'stdout' answer | cut -d: -f1)" ]
    done
    stop_daemon
}

@test "the progress of a call is told while it runs" {
    in_processes "workers = 1"
    serve
    inmate
    wait_until is "/v1/tasks/$task/why" '.why | endswith("it says that 3 of 7 are done")' true
    let_go
    task_is "$task" succeeded
    stop_daemon
}

@test "a running and a waiting task can be cancelled, and a job" {
    in_processes "workers = 1"
    serve
    inmate
    running=$task
    submit_task "{type: inmate, params: {open: $PWD/open}}"
    waiting=$task
    api DELETE "/v1/tasks/$waiting"
    task_is "$waiting" cancelled
    process=$(workers)
    api DELETE "/v1/tasks/$running"
    task_is "$running" cancelled
    { echo "tasks:"; repeat 50 "type: inmate, params: {open: $PWD/open}"; } | job many
    submit "@many.yaml"
    wait_until is "/v1/groups/inmate" .running 1
    api DELETE "/v1/jobs/$job"
    job_is "$job" over
    got .cancelled 50
    [ "$(workers)" = "$process" ] # it ended when it was asked to
    stop_daemon
    gone "$process"
}

# says_why TASK: whether it knows when the next process is to be started: not while one is.
says_why() {
    get "/v1/tasks/$1/why" .why
    grep -E "worker processes of group 'inmate' do not start, [1-9] times in a row: .*the door is barred; the next try is in [0-9.]+m?s$" <<<"$output"
}

# have_failed COUNT: whether so many tasks of $job have.
have_failed() {
    get "/v1/jobs/$job" .failed
    [ "$output" -ge "$1" ]
}

@test "processes that do not start are tried less and less often, and a task that waits for one knows why" {
    in_processes "workers = 1" "[plugin:inmate]" "barred = $PWD/barred"
    serve
    touch barred
    { echo "tasks:"; repeat 8 "type: inmate"; } | job shut
    submit "@shut.yaml"
    wait_until is "/v1/tasks/$job:inmate-8/why" .code worker_start
    wait_until says_why "$job:inmate-8"
    wait_until have_failed 3
    rm barred
    job_is "$job" over
    get "/v1/jobs/$job"
    [ "$(jq '.failed + .succeeded' answer)" -eq 8 ]
    [ "$(jq .succeeded answer)" -ge 3 ]
    get "/v1/tasks/$job:inmate-1"
    jq -r . answer | grep -q worker_start
    stop_daemon
}

@test "a group that is paused starts nothing more, also of a batch that is in its process" {
    in_processes "workers = 1"
    serve
    { echo "tasks:"; repeat 20 "type: inmate, params: {open: $PWD/open}"; } | job many
    submit "@many.yaml"
    task_is "$job:inmate-1" running
    api PATCH /v1/groups/inmate '{"paused": true}' -H 'Content-Type: application/json'
    expect 200
    let_go
    wait_until is "/v1/jobs/$job" .succeeded 1
    wait_until is "/v1/groups/inmate" .running 0
    is "/v1/jobs/$job" .succeeded 1
    api PATCH /v1/groups/inmate '{"paused": false}' -H 'Content-Type: application/json'
    job_is "$job" over
    got .succeeded 20
    stop_daemon
}

@test "after a reload the old processes end what they have begun, and leave" {
    in_processes "workers = 1"
    mkdir plugins
    cp "$TEST_PLUGINS/inmate.so" "$PLUGINS/noop.so" plugins/
    plugins_of_daemon=(--plugins plugins)
    serve
    inmate
    old=$task
    before=$(workers)
    cp plugins/inmate.so new.so
    printf 'x' >>new.so
    mv new.so plugins/inmate.so
    api POST /v1/reload
    expect 200
    submit_task "{type: inmate, params: {open: $PWD/open}}"
    run ! gone "$before"
    let_go
    task_is "$old" succeeded
    task_is "$task" succeeded
    wait_until gone "$before"
    wait_until has_workers 1
    stop_daemon
}

@test "a task that runs too long is asked to end, and its process goes on" {
    in_processes "workers = 1"
    serve
    submit_task "{type: inmate, timeout: 100ms, params: {open: $PWD/open}}"
    task_is "$task" timed_out
    process=$(workers)
    submit_task "{type: inmate}"
    task_is "$task" succeeded
    [ "$(workers)" = "$process" ]
    stop_daemon
}

@test "lost processes are counted by type and reason" {
    in_processes "workers = 1"
    serve
    submit_task "{type: inmate, params: {crashes: 1}}"
    task_is "$task" crashed
    get /metrics
    grep -qxF 'worker_crashes_total{type="inmate",reason="signal"} 1' answer
    stop_daemon
}

@test "a stop leaves no worker process, and waits for what runs" {
    in_processes "workers = 2"
    serve
    inmate
    inmate
    mapfile -t before < <(workers)
    [ "${#before[@]}" -eq 2 ]
    kill -TERM "$pid"
    ended 143
    gone "${before[@]}"
}

@test "a daemon that is killed leaves no worker process" {
    in_processes "workers = 2"
    serve
    inmate
    inmate
    mapfile -t before < <(workers)
    [ "${#before[@]}" -eq 2 ]
    before+=("$(host)")
    kill -KILL "$pid"
    ended 137
    wait_until gone "${before[@]}"
}

@test "a host that dies leaves no worker process to the next" {
    in_processes "workers = 2"
    serve
    inmate
    mapfile -t before < <(workers)
    kill -KILL "$(host)"
    wait_until gone "${before[@]}"
    wait_until answers_ready
    let_go
    stop_daemon
}

@test "a run that is killed leaves no worker process" {
    in_processes "workers = 1"
    tasks gate 1 "type: inmate, params: {open: $PWD/open}"
    start run "${both[@]}" gate.yaml
    wait_until pgrep -P "$pid" -f '^sluice-worker'
    process=$(pgrep -P "$pid" -f '^sluice-worker')
    kill -KILL "$pid"
    ended 137
    wait_until gone "$process"
}
