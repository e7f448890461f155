# Calls that play false with the host from their worker process: they cost their own plugin something at most.
# seconds: 300
# shellcheck disable=SC2154 # process.bash sets some variables
load process

broke="its worker process broke the protocol and was killed"
deaf="did not end when it was cancelled (rule R5): its worker process was killed"

@test "what is no frame ends the process that says it" {
    bad rogue "id: garbage, params: {how: garbage_work}" "id: empty, params: {how: empty_frame}" "id: after"
    ends garbage crashed killed "$broke"
    ends empty crashed killed "$broke"
    ends after succeeded
}

@test "what is written into a channel that the host does not read is nothing" {
    bad rogue "id: garbage, params: {how: garbage_control}" "id: after"
    [ "$status" -eq 0 ]
    ends garbage succeeded
    ends after succeeded
}

@test "an answer for a task that has not begun is no answer" {
    bad rogue "id: next, params: {how: forge_next}" "id: after"
    ends next crashed killed "$broke"
    ends after succeeded
    bad rogue "id: beyond, params: {how: forge_beyond}" "id: after"
    ends beyond crashed killed "$broke"
    ends after succeeded
}

@test "an answer for another batch is no answer" {
    bad rogue "id: later, params: {how: forge_later}" "id: after"
    ends later crashed killed "$broke"
    ends after succeeded
}

@test "an answer that comes twice ends the process, and the task once" {
    bad rogue "id: twice, params: {how: forge_twice}" "id: after"
    ends twice succeeded
    ends after succeeded
    bad rogue "id: own, params: {how: forge_own}" "id: after"
    ends own succeeded
    ends after succeeded
}

@test "who talks without an end is stopped when its time is up" {
    bad rogue "id: keep, timeout: 300ms, params: {how: keep_flood}" "id: after"
    ends keep timed_out killed "$deaf"
    ends after succeeded
}

@test "who fills the host's log without an end is stopped when its time is up" {
    bad rogue "id: said, timeout: 300ms, params: {how: said_flood}" "id: after"
    ends said timed_out killed "$deaf"
    ends after succeeded
}

@test "a long frame that could change is no frame" {
    bad rogue "id: unsealed, params: {how: unsealed}" "id: sealed, params: {how: sealed}" "id: after"
    ends unsealed crashed killed "$broke"
    ends sealed crashed killed "$broke"
    ends after succeeded
}

@test "garbage in the seat ends the process" {
    limit=60 bad rogue "id: garbage, timeout: 20s, params: {how: seat_garbage}" "id: after"
    ends after succeeded
    [ "$(jq -r .task events | sort | uniq -d)" = "" ]
}

@test "a call that denies in the seat that it runs is stopped when its time is up" {
    bad rogue "id: deny, timeout: 500ms, params: {how: seat_deny}" "id: after"
    ends deny timed_out killed "$deaf"
    ends after succeeded
}

@test "a process without its seat has done nothing" {
    bad rogue "id: replace, params: {how: seat_replace}" "id: after"
    ends after succeeded
}

@test "a process that closes its channel is replaced" {
    bad rogue "id: work, params: {how: close_work}" "id: control, params: {how: close_control}" "id: after"
    ends work crashed killed "$broke"
    ends after succeeded
}

@test "who claims all to be done and reads nothing holds nobody up" {
    prepare rogue "workers = 1"
    { echo "tasks:"; echo "  - {type: rogue, params: {how: parrot}, timeout: 5s}"; repeat 20000 "type: rogue"; } | job parrot
    status=0
    MARK=$PWD timeout -s KILL 100 "$SLUICE" run --progress off --plugins plugins --events events parrot.yaml >out 2>err || status=$?
    echo "exit $status: $(cat out) $(tail -n 5 err | cut -c1-300)"
    [ "$status" -le 1 ]
    [ "$(jq -r .task events | sort -u | wc -l)" -eq 20001 ]
    [ "$(wc -l <events)" -eq 20001 ]
    nothing_left
}

@test "a call that goes on as two processes ends its tasks once" {
    bad rogue "id: double, timeout: 5s, params: {how: double_up}" "id: a" "id: b" "id: c"
    [ "$(jq -r .task events | sort | uniq -d)" = "" ]
    ends c succeeded
}

@test "a call that uses up all descriptors, or has none, spoils its own process alone" {
    bad rogue "id: fds, params: {how: descriptors}" "id: between" "id: limits, params: {how: limits}" "id: after"
    ends between succeeded
    ends after succeeded
}

@test "another program in place of the process is no worker process" {
    bad rogue "id: true, params: {how: exec_true}" "id: sleep, params: {how: exec_sleep}" "id: after"
    ends true crashed exited "its worker process left without a result, by exit(0) (rule R4)"
    ends sleep crashed killed "$broke"
    ends after succeeded
}

@test "hundreds of processes of one call end with it" {
    bad rogue "id: bomb, params: {how: bomb, file: $PWD/bomb}" "id: after"
    ends bomb succeeded
    [ "$(wc -l <bomb)" -eq 240 ]
}

@test "who has left the session of a process that crashes ends with it" {
    bad rogue "id: desert, params: {how: desert, file: $PWD/deserters}" "id: after"
    ends desert crashed # with the thread sanitizer by an exit
    ends after succeeded
    [ "$(wc -l <deserters)" -eq 2 ]
    while read -r deserter; do
        run ! grep -qs '^State:.[RSDTt]' "/proc/$deserter/status"
    done <deserters
}

@test "a process that does not leave is made to" {
    for how in at_exit worker_exit deinit; do
        limit=30 bad rogue "id: $how, params: {how: $how}" "id: after"
        [ "$status" -eq 0 ]
        ends "$how" succeeded
        ends after succeeded
    done
}

@test "who ends the other worker processes of its host costs them an attempt" {
    prepare rogue "workers = 2"
    bad rogue "id: kill, params: {how: kill_others}" "id: one" "id: two" "id: three"
    ends kill succeeded
    [ "$(jq -r .task events | sort | uniq -d)" = "" ]
}

# starts_not HOW MESSAGE: the plugin's init does that in each worker process: its task fails, and says so.
starts_not() {
    prepare rogue "workers = 1" "[plugin:rogue]" "init = $1"
    limit=60 bad rogue "id: task"
    [ "$status" -eq 1 ]
    ends task failed worker_start "$2"
}

@test "a process that cannot load its plugin costs a task an attempt, and says why" {
    starts_not exits "died while its plugin was loaded: it left by exit(0)"
    starts_not crashes "died while its plugin was loaded: SIGABRT (abort was called)"
    starts_not refuses "init refused: not here"
}

@test "a process that is not ready in time is given up, however much it talks" {
    starts_not hangs "it was not ready in time"
    starts_not talks "it was not ready in time"
}

@test "what a process in the background prints while a call ends costs no other call anything" {
    prepare rogue "workers = 1"
    serve
    { echo "tasks:"; repeat 20000 "type: rogue, params: {how: babble}"; } | job babble
    submit "@babble.yaml"
    job_is "$job" over
    get "/v1/jobs/$job"
    got .succeeded 20000
    stop_daemon
}

@test "a task is cancelled at once while the process that it is for does not become ready" {
    prepare rogue "workers = 1" "[plugin:rogue]" "init = hangs"
    serve
    submit "{version: 1, tasks: [{type: rogue}]}"
    wait_until pgrep -P "$(host)" -f '^sluice-worker'
    api DELETE "/v1/jobs/$job"
    job_is "$job" over
    get "/v1/jobs/$job"
    got '"\(.cancelled) \(.failed)"' "1 0"
}
