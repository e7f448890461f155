# shellcheck shell=bash disable=SC2154 # helpers.bash sets pid and both
# What the tests of the daemon share, beyond engine.bash: `load serve` brings all.
load engine

# serve ARGUMENT...: a daemon as $pid, which is ready; its socket is sluice/sluice.sock.
serve() {
    export XDG_RUNTIME_DIR=$PWD
    start serve "${both[@]}" "$@"
    wait_until says 'msg="ready"'
}

# says TEXT: whether standard error of what was started has a line with it.
says() {
    grep -qF -- "$1" err
}

# times TEXT COUNT: whether so many lines of it have that.
times() {
    [ "$(grep -cF -- "$1" err)" -eq "$2" ]
}

# api METHOD PATH [CURL-ARGUMENT...]: what the daemon answers; the file status has its status code.
api() {
    local method=$1 path=$2
    shift 2
    curl -sS --max-time 60 --unix-socket sluice/sluice.sock -X "$method" -H Content-Type: -o answer -w '%{http_code}' \
        "$@" "http://localhost$path" >status
    cat answer
}

# sends NAME: the job file NAME.yaml is sent; prints the job's id.
sends() {
    "$SLUICE" submit --format json "$1.yaml" | jq -r '.jobs[0].id // .job // .id'
}

# task_is TASK STATE: whether the task JOB:ID is in this state.
task_is() {
    [ "$(api GET "/v1/tasks/$1" | jq -r .state)" = "$2" ]
}

# stop: the daemon ends as it was asked to.
stop() {
    kill -TERM "$pid"
    ended 143
}
