# shellcheck shell=bash disable=SC2034,SC2120,SC2154 # others set some variables, read them, or pass arguments
# What the tests of the daemon share, beyond engine.bash: `load daemon` brings all of it.
load engine

# serve ARGUMENT...: a daemon with a socket in the folder of the test, as $pid; it is ready then.
serve() {
    export XDG_RUNTIME_DIR=$PWD XDG_STATE_HOME=$PWD
    socket=$PWD/sluice/sluice.sock
    start "$@" serve "${plugins_of_daemon[@]-${both[@]}}"
    wait_until answers_ready
}

# answers_ready: whether the daemon takes submissions; fails the test if it is gone.
answers_ready() {
    kill -0 "$pid" 2>/dev/null || { cat err >&2; exit 1; }
    api GET /readyz && [ "$status" -eq 200 ]
}

# is_stopping: whether the daemon is about to end.
is_stopping() {
    api GET /readyz
    [ "$status" -eq 503 ]
}

# api METHOD PATH [BODY [CURL-ARGUMENT...]]: sends a request; the answer is $status, $output and the file headers.
# BODY @FILE is what is in a file.
api() {
    local method=$1 path=$2 body=()
    [ -z "${3-}" ] || body=(--data-binary "$3")
    shift $(($# < 3 ? $# : 3))
    status=$(curl -sS --max-time 60 --unix-socket "$socket" -X "$method" -D headers -o answer -w '%{http_code}' \
        -H 'Content-Type:' "${body[@]}" "$@" "http://localhost$path") || status=0
    output=$(tr -d '\0' <answer 2>/dev/null)
}

# expect STATUS: that the last answer has it.
expect() {
    [ "$status" -eq "$1" ] || { echo "status $status, not $1: $output" >&2; return 1; }
}

# get PATH [FILTER]: a GET that has to work; $output is what jq makes of it.
get() {
    api GET "$1"
    expect 200
    [ $# -lt 2 ] || output=$(jq -r "$2" answer)
}

# is PATH FILTER VALUE: whether the answer has it; for wait_until.
is() {
    api GET "$1"
    [ "$status" -eq 200 ] && output=$(jq -r "$2" answer) && [ "$output" = "$3" ]
}

# got FILTER VALUE: that the last answer has it.
got() {
    local found
    found=$(jq -r "$1" answer)
    [ "$found" = "$2" ] || { echo "$1 is '$found', not '$2': $output" >&2; return 1; }
}

# fails_with STATUS CODE: that the last answer is such an error.
fails_with() {
    expect "$1"
    got .error.code "$2"
}

# header NAME: that header of the last answer.
header() {
    tr -d '\r' <headers | sed -n "s/^$1: //Ip"
}

# submit BODY: a job that has to be taken; $job is its id.
submit() {
    api POST /v1/jobs "$1"
    expect 202
    job=$(jq -r '.jobs[0].id' answer)
}

# submit_task BODY: the same for one task; $task is its name.
submit_task() {
    api POST /v1/tasks "$1"
    expect 202
    task=$(jq -r .task answer)
}

# task_is NAME STATE, job_is ID STATE: waits until the daemon says so.
task_is() {
    wait_until is "/v1/tasks/$1" .state "$2"
}

job_is() {
    wait_until is "/v1/jobs/$1" .state "$2"
}

# hold [FIELDS]: a task at a gate that the file `open` opens; it runs; $held is its name.
hold() {
    local before
    before=$(bytes started)
    submit_task "{type: gate, params: {started: $PWD/started, open: $PWD/open}${1:+, $1}}"
    held=$task
    wait_until has_bytes started $((before + 1))
}

# submit_waiting TASKS: a job with a task in each state that it can be kept in, and more, where one worker has the
# gate; the first runs.
submit_waiting() {
    local before
    before=$(bytes started)
    submit "version: 1
tasks:
- {id: running, type: gate, params: {started: $PWD/started, open: $PWD/open}}
- {id: queued, type: gate, params: {open: $PWD/open}}
- {id: waiting, type: noop, needs: [running]}
- {id: delayed, type: noop, delay: 1h}
- {id: parked, type: noop, labels: {nowhere: 'yes'}}
$1
"
    wait_until has_bytes started $((before + 1))
}

# let_go: opens the gate.
let_go() {
    touch open
}

# end SIGNAL: the daemon ends by it.
end() {
    kill -"$1" "$pid"
    ended $((128 + $(kill -l "$1")))
}

# restart SIGNAL: another daemon on the same state; what was said before is on disk.
restart() {
    submit_task "{type: noop}"
    end "$1"
    serve
}

# stop_daemon: as `sluice stop` would, and waits for the end.
stop_daemon() {
    api POST /v1/stop
    expect 202
    ended 0
}
