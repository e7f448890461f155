# The commands that talk to a daemon, against a fake one that answers what the test wants.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test has variables of its own; helpers.bash sets some
load helpers

job_id=01KB3D5Y7Z8QWERTYVBNM12345

# daemon_starts: a fake daemon where the program looks for one; what it answers is set before or after.
daemon_starts() {
    export XDG_RUNTIME_DIR=$PWD
    mkdir -p sluice answers
    rm -f sluice/sluice.sock
    python3 "$SOURCE_DIR/tests/flow/fake_daemon.py" sluice/sluice.sock answers 2>daemon.err 3>&- &
    daemon=$!
    wait_until test -S sluice/sluice.sock
}

teardown() {
    for process in ${daemon:-} ${pid:-}; do
        ! kill -0 "$process" 2>/dev/null || kill -KILL "$process"
        wait "$process" 2>/dev/null || true
    done
}

# answer METHOD PATH STATUS [HEADER]: the daemon's answer from now on, its body from standard input.
answer() {
    local name="$1 ${2//\//,}"
    { printf 'HTTP/1.1 %s -\r\nContent-Type: application/json\r\nConnection: close\r\n%s\r\n' "$3" "${4:+$4$'\r\n'}"; cat; } >next
    mv next "answers/$name"
}

# answers METHOD PATH JSON: the usual case of it.
answers() {
    answer "$1" "$2" 200 <<<"$3"
}

# a_job STATE COUNTS: the job nightly as the daemon tells of it.
a_job() {
    printf '{"id":"%s","name":"nightly","file":"nightly.yaml","submitted":"2026-12-01T06:00:00.000000Z","state":"%s",%s}' \
        "$job_id" "$1" "$2"
}

# the_events: the daemon's stream of events of the job is descriptor 9 from here on, once somebody listens.
the_events() {
    exec 9>"answers/GET ,v1,events?job=$job_id"
    printf 'HTTP/1.1 200 -\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n' >&9
}

# takes_nightly: a job file, and a daemon that takes it.
takes_nightly() {
    job nightly <<<"tasks: [{type: noop}]"
    answer POST /v1/jobs 202 <<<"{\"jobs\":[{\"id\":\"$job_id\",\"name\":\"nightly\",\"tasks\":3}]}"
}

@test "the program itself does not load libcurl" {
    run -0 readelf -d "$SLUICE"
    [[ $output == *NEEDED* ]]
    [[ $output != *curl* ]]
    job run <<<"tasks: [{type: noop}]"
    LD_DEBUG=files run -0 "$SLUICE" run run.yaml
    [[ $output != *curl* ]]
}

@test "without the client module a command says what is missing" {
    mkdir -p alone/bin
    cp "$SLUICE" alone/bin
    run -3 alone/bin/sluice status
    [[ $output == "sluice: cannot load what talks to the daemon: "*"client.so"* ]]
}

@test "where no daemon is, each command says how to start one" {
    export XDG_RUNTIME_DIR=$PWD
    job nightly <<<"tasks: [{type: noop}]"
    for command in status "status $job_id" "why $job_id:a" "log $job_id:a" "result $job_id:a" "cancel $job_id" \
        "retry $job_id:a" "pause g" "resume g" stop scheduler reload metrics "dead list" "dead show $job_id:a" "dead retry" "dead drop" \
        "submit nightly.yaml"; do
        # shellcheck disable=SC2086 # several words are several arguments
        run -3 "$SLUICE" $command
        [ "$output" = "sluice: no daemon at $PWD/sluice/sluice.sock; start one with: sluice serve" ]
    done
}

@test "every command has help with an example and exit codes" {
    for command in submit status why log result cancel retry pause resume stop scheduler reload metrics "dead list" \
        "dead show" "dead retry" "dead drop"; do
        # shellcheck disable=SC2086 # two words are two arguments
        run -0 "$SLUICE" $command --help
        [[ $output == "Usage: sluice $command"* ]]
        [[ $output == *"For example:"*"Exit code: 0"*"Common options:"* || $output == *"Common options:"*"For example:"*"Exit code: 0"* ]]
    done
}

@test "what answers but is no daemon, and one that hangs up, are told apart" {
    daemon_starts
    answer GET /v1/status 200 <<<"<html>"
    run -3 "$SLUICE" status
    [ "$output" = "sluice: what answers at $PWD/sluice/sluice.sock is not a daemon of sluice: HTTP status 200" ]
    answer GET /v1/status 502 <<<"Bad Gateway"
    run -3 "$SLUICE" status
    [[ $output == *"not a daemon of sluice: HTTP status 502" ]]
    printf 'HTTP/1.1 200 -\r\nContent-Length: 100\r\n\r\n{"ver' >"answers/GET ,v1,status"
    run -3 "$SLUICE" status
    [[ $output == "sluice: lost the daemon at "* ]]
    : >"answers/GET ,v1,status"
    run -3 "$SLUICE" status
    [[ $output == "sluice: lost the daemon at "* ]]
}

@test "errors of the daemon are printed as the program's own, control characters masked" {
    daemon_starts
    answer GET /v1/scheduler 401 <<<'{"error":{"code":"unauthorized","message":"a token is wanted"}}'
    run -3 "$SLUICE" scheduler
    [ "$output" = "sluice: the daemon at $PWD/sluice/sluice.sock does not take the token: a token is wanted" ]
    answer PUT /v1/scheduler 422 <<<'{"error":{"code":"out_of_range","message":"no policy \u001b[2Jx"}}'
    run -2 "$SLUICE" scheduler x
    [ "$output" = "sluice: no policy ?[2Jx" ]
    [ "$(cat answers/body)" = '{"policy":"x"}' ]
    run -1 "$SLUICE" why "$job_id:a[1]"
    [ "$output" = "sluice: no such thing here" ]
    grep -qF "GET /v1/tasks/$job_id%3Aa%5B1%5D/why " answers/requests
}

@test "over TCP the daemon gets the token of its file" {
    mkdir answers state
    python3 "$SOURCE_DIR/tests/flow/fake_daemon.py" tcp answers 2>daemon.err 3>&- &
    daemon=$!
    wait_until test -s answers/port
    port=$(cat answers/port)
    printf '[host]\nstate_dir = %s\n[http]\nlisten = 127.0.0.1:%s\n' "$PWD/state" "$port" >sluice.ini
    export SLUICE_CONFIG=$PWD/sluice.ini
    answers GET /v1/scheduler '{"policy":"b","policies":["a","b"]}'
    run -3 "$SLUICE" scheduler
    [ "$output" = "sluice: cannot read the token for 127.0.0.1:$port from $PWD/state/token: No such file or directory" ]
    echo 0123456789abcdef >state/token
    http_proxy=http://127.0.0.1:1 run -0 "$SLUICE" scheduler
    [ "$(cat answers/requests)" = "GET /v1/scheduler - - Bearer 0123456789abcdef" ]
    sed -i '/listen/s/:.*/:1/' sluice.ini
    run -3 "$SLUICE" scheduler
    [ "$output" = "sluice: no daemon at 127.0.0.1:1; start one with: sluice serve" ]
}

@test "submit sends the text with what it needs of the environment, of --set and of files, and prints the ids" {
    daemon_starts
    takes_nightly
    mkdir jobs
    printf 'a\nb\n' >jobs/list.txt
    printf 'n\n1\n' >jobs/rows.csv
    cat >jobs/nightly.yaml <<'END'
version: 1
vars: {out: "\ud83d\ude00 ${env.WANTED} ${env.NOT_THERE} $${env.ESCAPED}"}
shared: &loops {row: {csv: rows.csv}}
tasks:
  - {type: noop, for_each: {f: {lines: list.txt}, g: [x]}, params: {lines: 10, csv: /etc/hostname}}
  - {type: noop, for_each: *loops}
END
    WANTED=here ESCAPED=no run -0 "$SLUICE" submit --set vars.out=there --idempotency-key k1 jobs/nightly.yaml
    [ "$output" = "nightly: 3 tasks: $job_id" ]
    [ "$(cat answers/requests)" = "POST /v1/jobs application/vnd.sluice.submission+json k1 -" ]
    jq -e --rawfile text jobs/nightly.yaml '.text == $text and .file == "jobs/nightly.yaml" and .set == {out: "there"} and
        .env == {WANTED: "here"} and .files == {"list.txt": "a\nb\n", "rows.csv": "n\n1\n"}' answers/body
    "$SLUICE" submit --format json - <jobs/list.txt | jq -e ".jobs[0].id == \"$job_id\""
    jq -e '.file == "-" and .text == "a\nb\n"' answers/body
}

@test "files of items that submit cannot send are errors with their places, before anything is sent" {
    daemon_starts
    job nightly <<'END'
tasks:
  - type: noop
    for_each: {a: {lines: missing.txt}}
  - type: noop
    for_each: {a: {csv: "${vars.x}.csv"}}
END
    run -2 "$SLUICE" submit nightly.yaml
    [ "${lines[0]}" = "nightly.yaml:4:27: error: 'missing.txt': cannot be opened: No such file or directory" ]
    [ "${lines[1]}" = "    4 |     for_each: {a: {lines: missing.txt}}" ]
    [ "${lines[2]}" = "      |                           ^~~~~~~~~~~" ]
    [[ ${lines[3]} == "nightly.yaml:6:25: error: '\${vars.x}.csv' has '\${' in it"* ]]
    [ ! -e answers/requests ]
    run -2 "$SLUICE" submit gone.yaml
    [ "$output" = "gone.yaml: error: No such file or directory" ]
}

@test "errors in a job file look as those of check, with the line and a caret" {
    daemon_starts
    printf 'version: 1\ntasks: [{typ: noop}]\n' >wrong.yaml
    answer POST /v1/jobs 422 <<<'{"error":{"code":"invalid_job","message":"the job file has 2 errors","details":[
        {"file":"wrong.yaml","line":2,"column":10,"code":"missing_key","message":"a task needs '"'type'"'","hint":null},
        {"file":"wrong.yaml","line":2,"column":10,"width":3,"code":"unknown_key","message":"unknown key '"'typ'"' in a task","hint":"did you mean '"'type'"'?"}]}}'
    run -2 "$SLUICE" submit wrong.yaml
    [ "${lines[3]}" = "wrong.yaml:2:10: error: unknown key 'typ' in a task" ]
    [ "${lines[4]}" = "    2 | tasks: [{typ: noop}]" ]
    [ "${lines[5]}" = "      |          ^~~" ]
    [ "${lines[6]}" = "      = did you mean 'type'?" ]
    run -2 --separate-stderr "$SLUICE" submit --format json wrong.yaml
    jq -e '.error.details | length == 2' <<<"$output"
}

@test "what is no text is sent as it is, and a daemon that is full can be tried again" {
    daemon_starts
    printf 'a\xff' >bad.yaml
    answer POST /v1/jobs 429 "Retry-After: 1" <<<'{"error":{"code":"pending_full","message":"10 tasks wait already: no room for 3"}}'
    run -3 "$SLUICE" submit bad.yaml
    [ "$output" = "sluice: 10 tasks wait already: no room for 3" ]
    [ "$(cat answers/requests)" = "POST /v1/jobs?file=bad.yaml application/yaml - -" ]
    cmp bad.yaml answers/body
}

@test "submit --wait prints failures when they happen, each once, and the last line of run" {
    daemon_starts
    takes_nightly
    answers GET "/v1/jobs/$job_id" "$(a_job unfinished '"tasks":3,"unfinished":3,"succeeded":0')"
    mkfifo "answers/GET ,v1,events?job=$job_id"
    start submit --wait nightly.yaml
    the_events
    printf 'event: task\ndata: {"task":"a","type":"noop","state":"failed","attempt":1,"reason":"bad","message":"broken"}\n\n' >&9
    wait_until grep -qx "nightly.yaml: task 'a' (noop) failed, attempt 1: bad: broken" err
    answers GET "/v1/jobs/$job_id/tasks?limit=1000&state=failed" '{"tasks":[
        {"task":"x:a","id":"a","type":"noop","state":"failed","attempt":1,"line":2,"reason":"bad","message":"broken"},
        {"task":"x:b","id":"b","type":"noop","state":"failed","attempt":2,"line":3,"reason":"bad","message":"too"}],"next":null}'
    answers GET "/v1/jobs/$job_id" "$(a_job over '"tasks":3,"unfinished":0,"succeeded":1,"failed":2')"
    printf 'event: job\ndata: {}\n\n' >&9
    ended 1
    exec 9>&-
    [ "$(wc -l <err)" -eq 2 ]
    grep -qx "nightly.yaml:3: task 'b' (noop) failed, attempt 2: bad: too" err
    [[ $(tail -n 1 out) =~ ^nightly:\ 3\ tasks:\ 1\ succeeded,\ 2\ failed\ in\ [0-9.]+\ s$ ]]
}

@test "submit --wait ends although no events come, and says as JSON what run says" {
    daemon_starts
    takes_nightly
    answers GET "/v1/jobs/$job_id" "$(a_job over '"tasks":3,"unfinished":0,"succeeded":2,"skipped":1')"
    answers GET "/v1/jobs/$job_id/tasks" '{"tasks":[{"task":"x:a","id":"a","type":"noop","state":"skipped","reason":"condition"}]}'
    run -1 --separate-stderr "$SLUICE" submit --wait --format json nightly.yaml
    jq -e '.job == "nightly" and .tasks == 3 and .skipped == 1 and .failures[0].task == "a" and .seconds >= 0' <<<"$output"
}

# listens_to_nightly: `submit --wait` has sent it, it is not over, and the events go to it through descriptor 9.
listens_to_nightly() {
    takes_nightly
    answers GET "/v1/jobs/$job_id" "$(a_job unfinished '"tasks":3,"unfinished":3')"
    mkfifo "answers/GET ,v1,events?job=$job_id"
    start submit --wait nightly.yaml
    the_events
}

@test "a signal ends the waiting and not the job, and a daemon that goes away is looked for" {
    daemon_starts
    listens_to_nightly
    exec 9>&-
    the_events
    kill -INT "$pid"
    ended 130
    exec 9>&-
    [ "$(cat err)" = "sluice: nightly goes on: \`sluice status $job_id' says how, \`sluice cancel $job_id' ends it" ]
    run -1 grep DELETE answers/requests
}

@test "a daemon that is lost and starts again is found again" {
    daemon_starts
    listens_to_nightly
    kill -KILL "$daemon"
    exec 9>&-
    wait_until grep -qx "sluice: lost the daemon at $PWD/sluice/sluice.sock: looking for it" err
    answers GET "/v1/jobs/$job_id" "$(a_job over '"tasks":3,"unfinished":0,"succeeded":3')"
    rm "answers/GET ,v1,events?job=$job_id"
    daemon_starts
    ended 0
    [ "$(wc -l <err)" -eq 1 ]
}

@test "a daemon that is gone is not looked for long, and one that forgot the job is not asked again" {
    daemon_starts
    listens_to_nightly
    kill -KILL "$daemon"
    exec 9>&-
    ended 3
    [ "$(tail -n 1 err)" = "sluice: the daemon at $PWD/sluice/sluice.sock is gone, and what became of nightly ($job_id) with it: start one with \`sluice serve' and submit it again" ]

    daemon_starts
    start submit --wait nightly.yaml
    the_events
    rm "answers/GET ,v1,jobs,$job_id"
    exec 9>&-
    ended 3
    [[ $(cat err) == "sluice: the daemon at $PWD/sluice/sluice.sock does not know nightly ($job_id) any more: "*" submit it again" ]]
}

@test "the end of a job that a daemon says as its last word is enough" {
    daemon_starts
    takes_nightly
    answers GET "/v1/jobs/$job_id" "$(a_job unfinished '"tasks":3,"unfinished":3')"
    answer GET "/v1/jobs/$job_id/tasks" 503 <<<'{"error":{"code":"stopping","message":"the daemon stops"}}'
    mkfifo "answers/GET ,v1,events?job=$job_id"
    for format in text json; do
        start submit --wait --format "$format" nightly.yaml
        the_events
        printf 'event: job\ndata: %s\n\n' "$(a_job over '"tasks":3,"succeeded":1,"failed":1,"cancelled":1')" >&9
        exec 9>&-
        ended 1
        cp out "$format.out"
        cp err "$format.err"
    done
    [[ $(cat text.out) == *"nightly: 3 tasks: 1 succeeded, 1 failed, 1 cancelled in "* ]]
    [ "$(cat text.err)" = "sluice: the daemon stops
sluice: not all of what did not succeed in nightly is listed" ]
    tail -n 1 json.out | jq -e '.failed == 1 and .failures == [] and .failures_omitted == 1'
}

@test "a job is named by its id, its beginning or its name, and where several could be meant they are listed" {
    daemon_starts
    answers GET /v1/jobs "{\"jobs\":[$(a_job over '"tasks":1'),{\"id\":\"01KB3D9999AAAAAAAAAAAAAAAA\",\"name\":\"other\",\"state\":\"over\"},
        {\"id\":\"01KB4D9999AAAAAAAAAAAAAAAA\",\"name\":\"other\",\"state\":\"over\"}],\"next\":null}"
    answer DELETE "/v1/jobs/$job_id" 202 <<<"{\"job\":\"$job_id\",\"state\":\"cancelling\"}"
    for name in "$job_id" "${job_id,,}" 01kb3d5 nightly; do
        run -0 "$SLUICE" cancel "$name"
        [ "$output" = "$job_id is being cancelled" ]
    done
    run -1 "$SLUICE" cancel 01KB3D
    [[ ${lines[0]} == "sluice: 2 jobs could be '01KB3D': name one by its id" ]]
    [[ ${lines[1]} == "  $job_id  nightly, over, submitted "* ]]
    run -1 "$SLUICE" cancel other
    [[ ${lines[0]} == "sluice: 2 jobs could be 'other'"* ]]
    run -1 "$SLUICE" cancel nobody
    [ "$output" = "sluice: no job has the id or the name 'nobody'" ]
    run -2 "$SLUICE" why nightly
    [[ $output == *"'nightly' is not JOB:ID"* ]]
}

@test "status shows the daemon, its jobs and groups, or a job with its failures, or a task" {
    daemon_starts
    answers GET /v1/status '{"version":"0.1.0","pid":7,"uptime_seconds":3600.5,"stopping":false,"jobs":{"unfinished":1,"known":2},
        "tasks":{"unfinished":2,"waiting":1,"running":1,"succeeded":5},"inbound":{"length":0,"capacity":1024},
        "pending":{"taken":2,"capacity":10},"admission":{"in_use":3,"capacity":100,"waiting":0},"scheduler":"round_robin"}'
    answers GET "/v1/jobs?limit=1000&state=unfinished" "{\"jobs\":[$(a_job unfinished '"tasks":3,"unfinished":2')],\"next\":null}"
    answers GET "/v1/jobs?limit=1000&state=over" '{"jobs":[],"next":null}'
    answers GET /v1/groups '{"groups":[{"name":"mail","type":"mail.*","workers":4,"paused":true,"queued":2,"running":1,"weight_in_use":3,"max_weight":10}]}'
    answers GET /v1/plugins '{"plugins":[{"plugin":"noop","state":"active"},{"plugin":"hash","version":"1.0","generation":2,"state":"draining","file":"hash.so"}]}'
    run -0 "$SLUICE" status
    [ "${lines[0]}" = "daemon    0.1.0, pid 7, up 1h, round_robin" ]
    [ "${lines[1]}" = "tasks     2 unfinished: 1 waiting, 1 running; since the start 5 succeeded" ]
    [[ $output == *"$job_id  nightly  unfinished  3      2 "* ]]
    [[ $output =~ mail\ +mail\.\*\ +4\ +1\ +2\ +3\ of\ 10\ +paused ]]
    [[ $output == *draining* && $output != *noop* ]]
    "$SLUICE" status --format json | jq -e '.pid == 7'

    answers GET "/v1/jobs/$job_id" "$(a_job over '"tasks":2,"unfinished":0,"succeeded":1,"failed":1')"
    answers GET "/v1/jobs/$job_id/tasks" '{"tasks":[{"id":"a","type":"noop","state":"failed","attempt":1,"line":4,"reason":"bad","message":"m"}]}'
    run -0 "$SLUICE" status --watch "$job_id"
    [ "${lines[0]}" = "nightly: 2 tasks: 1 succeeded, 1 failed" ]
    [ "${lines[2]}" = "nightly.yaml:4: task 'a' (noop) failed, attempt 1: bad: m" ]

    answers GET "/v1/tasks/$job_id%3Aa" "{\"task\":\"$job_id:a\",\"type\":\"noop\",\"state\":\"timed_out\",\"ended\":\"2026-12-01T06:00:00.000000Z\",
        \"params\":{\"x\":1},\"outputs\":{\"o\":\"12\"},\"log_bytes\":5,
        \"attempts\":[{\"attempt\":1,\"charged\":false,\"started\":\"s\",\"ended\":\"e\",\"reason\":\"r\"}]}"
    run -0 "$SLUICE" status "$job_id:a"
    [[ $output == *"state     timed out"*'params    {"x": 1}'*"outputs   o (2 bytes)"*"attempt 1, s to e, not counted: r"* ]]
}

@test "status --watch on a terminal is drawn until a signal ends it" {
    daemon_starts
    answers GET "/v1/jobs/$job_id" "$(a_job unfinished '"tasks":2,"unfinished":2')"
    start status --watch "$job_id"
    wait_until grep -q "2 unfinished" out
    answers GET "/v1/jobs/$job_id" "$(a_job unfinished '"tasks":2,"unfinished":1,"succeeded":1')"
    wait_until grep -q "1 succeeded, 1 unfinished" out
    kill -TERM "$pid"
    ended 143
    answers GET "/v1/jobs/$job_id" "$(a_job over '"tasks":2,"unfinished":0,"succeeded":2')"
    run -0 in_terminal 30 "$SLUICE" status --watch "$job_id"
    [[ $output == *$'\033[?7lnightly: 2 tasks: 2 succeeded\033[K'* && $output == *$'\033[J\033[?7h'* ]]
}

@test "why, log, result and the others print what the daemon says" {
    daemon_starts
    task=$job_id:a
    at=/v1/tasks/$job_id%3Aa
    answers GET "$at/why" "{\"task\":\"$task\",\"state\":\"queued\",\"code\":\"weight\",\"why\":\"it waits for weight 5\",\"attempts\":[]}"
    run -0 "$SLUICE" why "$task"
    [ "$output" = "$task is queued: it waits for weight 5" ]
    answer GET "$at/log" 200 "Sluice-Log-Dropped: 12" <<<$'one\n\e[2Jtwo'
    run -0 --separate-stderr "$SLUICE" log --follow "$task"
    [ "$output" = $'one\n\e[2Jtwo' ]
    [ "$stderr" = "sluice: what stood before is not kept: 12 bytes" ]
    run -0 in_terminal 80 "$SLUICE" log "$task"
    [[ $output == *"?[2Jtwo"* ]]
    answers GET "$at" "{\"task\":\"$task\",\"state\":\"succeeded\",\"outputs\":{\"only\":\"as it\\nis\"}}"
    "$SLUICE" result "$task" | cmp - <(printf 'as it\nis')
    answers GET "$at" "{\"task\":\"$task\",\"state\":\"succeeded\",\"outputs\":{\"a\":\"1\",\"b\":\"2\\n\"}}"
    run -0 "$SLUICE" result "$task"
    [ "$output" = $'==> a <==\n1\n==> b <==\n2' ]
    answers GET "$at" "{\"task\":\"$task\",\"state\":\"running\",\"outputs\":null}"
    run -1 "$SLUICE" result "$task"
    [[ $output == "sluice: $task is running: only a task that succeeded has outputs"* ]]
    answer POST "$at/retry" 409 <<<'{"error":{"code":"not_dead","message":"it has not failed"}}'
    run -1 "$SLUICE" retry "$task"
    [ "$output" = "sluice: it has not failed" ]
    answers PATCH /v1/groups/a%20b '{"name":"a b","paused":true,"running":1,"queued":2}'
    run -0 "$SLUICE" pause "a b"
    [ "$output" = "a b is paused: 1 running, 2 queued" ]
    answers GET /v1/scheduler '{"policy":"b","policies":["a","b"]}'
    run -0 "$SLUICE" scheduler
    [ "$output" = $'  a\n* b' ]
    answers POST /v1/reload '{"kept":2,"replaced":1,"config":{"changed":["[host] grace 5s -> 1s"],"restart":["[http] listen"]}}'
    run -0 "$SLUICE" reload
    [ "${lines[0]}" = "plugins: 2 kept, 1 replaced, 0 added, 0 removed, 0 refused" ]
    [ "${lines[1]}" = "configuration: [host] grace 5s -> 1s" ]
    [ "${lines[2]}" = "configuration, not before a restart: [http] listen" ]
    answer GET /metrics 200 <<<'a_total 1'
    run -0 "$SLUICE" metrics
    [ "$output" = "a_total 1" ]
}

@test "dead letters are listed and run once more by type, label, reason and time" {
    daemon_starts
    answers GET "/v1/dead?limit=1000&type=a.b&since=2h" '{"tasks":[{"task":"j:a","type":"a.b","state":"crashed","reason":"signal"}],"next":null}'
    run -0 "$SLUICE" dead list --type a.b --since 2h
    [[ ${lines[1]} =~ ^j:a\ +a\.b\ +crashed\ +signal$ ]]
    answers POST /v1/dead/retry '{"tasks":1}'
    run -0 "$SLUICE" dead retry --label k=v --dry-run
    [ "$output" = "1 task would run once more" ]
    jq -e '. == {label: "k=v", dry_run: true}' answers/body
    run -2 "$SLUICE" dead list --since yesterday
}

@test "stop waits until nobody listens any more" {
    daemon_starts
    answer POST /v1/stop 202 <<<'{"state":"stopping"}'
    run -1 "$SLUICE" stop --timeout 100ms
    [[ $output == *"still stops after 100ms"* ]]
    : >answers/requests
    start stop
    wait_until grep -q "GET /healthz" answers/requests
    kill "$daemon"
    ended 0
    [ "$(cat out)" = stopped ]
}
