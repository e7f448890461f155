# The commands that talk to a daemon, against a real one.
# seconds: 300
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test has variables of its own; helpers.bash sets some
load daemon

# sluice CODE ARGUMENT...: a command that ends so; $output and $stderr are what it says.
sluice() {
    local code=$1
    shift
    run --separate-stderr "-$code" timeout 60 "$SLUICE" "$@" </dev/null
}

# says TEXT...: each is in what it said.
says() {
    local text
    for text in "$@"; do
        [[ $output == *"$text"* ]] || { echo "no '$text' in: $output; $stderr" >&2; return 1; }
    done
}

# submitted NAME: a job file that the daemon has to take; $job is its id.
submitted() {
    sluice 0 submit "$1.yaml"
    job=$(grep -oE '[0-9A-Z]{26}' <<<"$output")
}

# aside NAME ARGUMENT...: a command in the background that writes to the files NAME.out and NAME.err, as $aside.
aside() {
    local name=$1
    shift
    env --default-signal=INT timeout 120 "$SLUICE" "$@" >"$name.out" 2>"$name.err" 3>&- &
    aside=$!
}

# aside_ended CODE
aside_ended() {
    local code=0
    wait "$aside" || code=$?
    [ "$code" -eq "$1" ] || { cat ./*.out ./*.err >&2; return 1; }
}

@test "submit --wait prints what run prints, failures included, and ends with its code" {
    serve
    job good <<<"tasks: [{type: noop}, {type: noop}]"
    sluice 0 submit --wait good.yaml
    says "good: 2 tasks: 2 succeeded in "
    job bad <<'YAML'
tasks:
- {id: b, type: fail, params: {code: full, message: no room}}
- {id: c, type: noop, needs: [b]}
- {id: d, type: noop}
YAML
    sluice 1 submit --wait bad.yaml
    says "bad: 3 tasks: 1 succeeded, 1 failed, 1 skipped in "
    [[ $stderr == *"bad.yaml:3: task 'b' (fail) failed, attempt 1: full: no room"* ]]
    sluice 1 submit --wait --format json good.yaml bad.yaml
    jq -es 'map("\(.job) \(.tasks) \(.succeeded) \(.failed) \(.skipped)") == ["good 2 2 0 0", "bad 3 1 1 1"]' <<<"$output"
    jq -es '.[1].failures[0].reason == "full"' <<<"$output"
}

@test "submit brings the environment, variables and files along, and tells errors with their lines" {
    serve
    export SLUICE_TEST_WHO=me
    printf 'name,size\nx,1\ny,2\n' >rows.csv
    printf 'p\nq\n' >list.txt
    job inputs <<'YAML'
vars: {n: 1}
tasks:
- {id: e, type: noop, labels: {}, params: {n: "${vars.n}"}}
- {id: l, type: exec, for_each: {x: {lines: list.txt}}, params: {argv: [echo, "${each.x} ${env.SLUICE_TEST_WHO}"]}}
- {id: c, type: exec, for_each: {row: {csv: rows.csv}}, params: {argv: [echo, "${each.row.name}=${each.row.size}"]}}
YAML
    sluice 0 submit --wait --set vars.n=7 inputs.yaml
    says "inputs: 5 tasks: 5 succeeded"
    sluice 0 result "inputs:l[1]" --format json
    jq -e '.outputs.stdout == "q me"' <<<"$output"
    sluice 0 result "inputs:c[0]" --format json
    jq -e '.outputs.stdout == "x=1"' <<<"$output"
    job wrong <<<$'tasks:\n- {type: nop}\n'
    sluice 2 submit wrong.yaml
    [[ $stderr == *"wrong.yaml:3:10: error: no plugin has the task type 'nop'"* ]]
    [[ $stderr == *"- {type: nop}"* ]]
}

@test "the log of a command is what it printed on both streams" {
    serve
    job both <<<"tasks: [{id: a, type: exec, params: {shell: 'echo one; echo two >&2; printf \"\\0 three\"; exit 3'}}]"
    sluice 1 submit --wait both.yaml
    sluice 0 log both:a
    [ "$(sort <<<"$output")" = $'? three\none\ntwo' ]
    job silent <<<"tasks: [{id: a, type: exec, params: {argv: ['true']}}]"
    sluice 0 submit --wait silent.yaml
    sluice 0 log silent:a
    [ -z "$output" ]
}

@test "each attempt of a command adds what it printed" {
    serve
    job again <<<"tasks: [{id: a, type: exec, retry: {attempts: 2, delay: 1ms}, params: {shell: 'printf one; exit 1'}}]"
    sluice 1 submit --wait again.yaml
    sluice 0 log again:a
    [ "$output" = $'one\none' ]
}

@test "of a command that prints much, the end of it is in its log" {
    serve
    job much <<<"tasks: [{id: a, type: exec, params: {shell: 'seq 100000'}}]"
    sluice 0 submit --wait much.yaml
    sluice 0 log much:a
    [[ $stderr == *"what stood before is not kept: "* ]]
    [[ $output == *$'\n99999\n100000\n'*"stdout: kept the first 64512 bytes, dropped "* ]]
    [ "${#output}" -gt 60000 ]
    [ "${#output}" -le 65536 ]
}

@test "log --follow shows a line before the command has ended" {
    serve
    mkfifo open
    job talks <<<"tasks: [{id: a, type: exec, params: {shell: 'echo here I am; cat $PWD/open; echo I go >&2'}}]"
    submitted talks
    aside log log --follow talks:a
    wait_until grep -qx "here I am" log.out
    [ "$(cat log.out)" = "here I am" ]
    echo through >open
    aside_ended 0
    [ "$(cat log.out)" = $'here I am\nthrough\nI go' ]
}

@test "status, why, log and result of a job and its tasks" {
    serve
    job nightly <<YAML
tasks:
- {id: held, type: gate, params: {say: on my way, started: $PWD/started, open: $PWD/open}}
- {id: after, type: noop, needs: [held]}
- {id: bad, type: fail}
- {id: good, type: exec, params: {argv: [echo, hello]}}
YAML
    submitted nightly
    wait_until has_bytes started 1
    wait_until is "/v1/jobs/$job" .unfinished 2
    sluice 0 status
    says nightly gate round_robin
    sluice 0 status --format json
    jq -e . <<<"$output" >/dev/null
    sluice 0 status nightly
    says "nightly" "bad" "broken"
    sluice 0 status nightly:held
    says running gate
    sluice 0 status "${job:0:20}"
    says nightly
    sluice 1 status nothing
    sluice 0 why nightly:after
    says "waits for task 'held'"
    sluice 0 why nightly:bad
    says "it broke"
    sluice 0 why nightly:held
    says "it runs in group 'gate'"
    sluice 0 log nightly:held
    says "on my way"
    sluice 1 result nightly:held
    sluice 0 result nightly:good --format json
    jq -e '.outputs.stdout == "hello"' <<<"$output"
    aside log log --follow nightly:held
    wait_until grep -q "on my way" log.out
    log=$aside
    aside watch status --watch nightly
    let_go
    aside_ended 0
    aside=$log
    aside_ended 0
    grep -q through log.out
    sluice 0 why nightly:after
    says succeeded
}

@test "cancel and retry" {
    serve
    job work <<YAML
tasks:
- {id: a, type: gate, params: {started: $PWD/started, open: $PWD/open}}
- {id: b, type: gate, params: {open: $PWD/open}}
- {id: f, type: gate, timeout: 10ms, params: {open: $PWD/later}}
YAML
    submitted work
    wait_until has_bytes started 1
    sluice 0 cancel work:a
    wait_until is "/v1/tasks/$job:a" .state cancelled
    sluice 1 cancel work:a
    wait_until is "/v1/tasks/$job:f" .state timed_out
    sluice 0 dead list
    says "$job:f" gate
    sluice 0 dead show work:f
    says "attempt 1" "$PWD/later"
    touch later
    tried() { "$SLUICE" retry work:f >tried 2>&1; }
    wait_until tried
    wait_until is "/v1/tasks/$job:f" .state succeeded
    sluice 1 retry work:f
    sluice 0 cancel work
    job_is "$job" over
    wait_until is /v1/status .jobs.unfinished 0
    sluice 1 cancel work
    sluice 0 dead list
    [[ $output != *gate* ]]
}

@test "pause, resume, scheduler, reload and metrics" {
    settings "[group:gate]" "type = gate" "workers = 1"
    serve
    sluice 0 pause gate
    submit_task "{id: p, type: gate, params: {open: /dev/null}}"
    task_is "$task" queued
    sluice 0 why "$task"
    says "'gate' is paused"
    sluice 0 resume gate
    task_is "$task" succeeded
    sluice 1 pause nothing
    sluice 0 scheduler
    says round_robin
    sluice 0 scheduler load_aware
    sluice 0 scheduler
    says load_aware
    sluice 2 scheduler fastest
    sluice 0 reload
    settings "[group:gate]" "type = gate" "workers = 2" "[http]" "max_body = 1MiB"
    sluice 0 reload
    says "[group:gate] workers 1 -> 2" "[http] max_body"
    settings "[host]" "workers = none"
    unset SLUICE_CONFIG
    sluice 2 reload
    [[ $stderr == *"'none'"* ]] || { echo "$output; $stderr"; false; }
    sluice 0 metrics
    promtool check metrics <<<"$output"
    says 'task_submitted_total{type="gate"} 1'
}

@test "dead letters are tried again together" {
    serve
    job letters <<<"tasks: [{id: a, type: fail}, {id: b, type: fail_for_good, params: {code: never}}, {id: c, type: noop}]"
    sluice 1 submit --wait letters.yaml
    sluice 0 dead list --error never
    says b
    [[ $output != *" fail "* ]]
    sluice 0 dead retry --dry-run
    says 2
    retried() { "$SLUICE" dead retry --type fail --format json | jq -e '.tasks == 1' >/dev/null; }
    wait_until retried
    wait_until is /v1/dead '.tasks | map("\(.id) \(.attempt)") | sort | join(" ")' "a 2 b 1"
}

@test "stop lets what runs end within the grace period; a second one cancels it" {
    serve
    hold
    aside stop stop
    wait_until is_stopping
    [ ! -e open ]
    let_go
    aside_ended 0
    ended 0
    sluice 3 status
    [[ $stderr == *"sluice serve"* ]]

    rm open
    settings "[host]" "grace = 1h"
    serve
    hold
    aside stop stop
    wait_until is_stopping
    sluice 0 stop
    aside_ended 0
    ended 0
}

# empty_is_over: submits a job whose list has nothing in it; it can be found, and is over.
empty_is_over() {
    : >nothing.txt
    job empty <<<"tasks: [{type: noop, for_each: {x: {lines: nothing.txt}}}]"
    sluice 0 submit --wait empty.yaml
    says "empty: 0 tasks: 0 succeeded in "
    submitted empty
    wait_until is "/v1/jobs/$job" .state over
    stop_daemon
}

@test "a job without tasks is over at once, with either store" {
    serve
    empty_is_over
    settings "[store]" "backend = memory"
    serve
    empty_is_over
}

@test "submit --wait hears the end of its job from a daemon that stops, however slow it listens" {
    settings "[host]" "grace = 1m" "[store]" "backend = memory" "[group:gate]" "type = gate" "workers = 1"
    serve
    { echo "tasks:" && repeat 20000 "type: gate, params: {started: $PWD/started, open: $PWD/open}"; } | job big
    aside big submit --wait big.yaml
    wait_until has_bytes started 1
    wait_until listens
    get /v1/jobs '.jobs[0].id'
    job=$output
    client=$(cat "/proc/$aside/task/$aside/children") # of timeout
    kill -STOP "$client"
    api POST /v1/stop
    wait_until is "/v1/jobs/$job" .cancelled 19999
    let_go
    wait_until ends "$job"
    kill -CONT "$client"
    aside_ended 1
    [[ $(tail -n 1 big.out) == "big: 20000 tasks: 1 succeeded, "*"19999 cancelled in "* ]]
    ended 0
}

# ends JOB: whether it is over, or the daemon takes no questions any more.
ends() {
    local state
    state=$(curl -sS --max-time 0.2 --unix-socket "$socket" "http://localhost/v1/jobs/$1" 2>/dev/null | jq -r .state)
    [ "$state" != unfinished ]
}

# listens: whether the client has its second connection, beside the daemon's own socket.
listens() {
    [ "$(grep -c " $socket\$" /proc/net/unix)" -ge 3 ]
}
