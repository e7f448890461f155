# What `run` prints and writes: failures, last lines, JSON, events, the progress line.
# shellcheck disable=SC2034,SC2154 # run sets variables, helpers.bash uses and sets some
load helpers

@test "the last line counts the tasks by how they ended" {
    job mixed <<'JOB'
tasks:
  - {type: noop}
  - {id: bad, type: fail}
  - {id: lost, type: noop, labels: {region: sh}}
JOB
    run -1 --separate-stderr "$SLUICE" run "${both[@]}" mixed.yaml
    [[ $output =~ ^mixed:\ 3\ tasks:\ 1\ succeeded,\ 1\ failed,\ 1\ skipped\ in\ [0-9]+\.[0-9][0-9]\ s$ ]]
}

@test "a failure names place, task, type, attempt, reason and the plugin's message" {
    job bad <<'JOB'
tasks:
  - type: noop
  - id: b
    type: fail
    params: {code: not_found, message: "no such file: x"}
JOB
    run -1 --separate-stderr "$SLUICE" run "${both[@]}" bad.yaml
    [ "$stderr" = "bad.yaml:4: task 'b' (fail) failed, attempt 1: not_found: no such file: x" ]
}

@test "every way to fail is told apart" {
    job ways <<'JOB'
tasks:
  - {id: good, type: fail_for_good}
  - {id: status, type: fail_status}
  - {id: slow, type: sleep, timeout: 20ms, params: {for: 1h}}
JOB
    run -1 --separate-stderr "$SLUICE" run "${both[@]}" ways.yaml
    [[ $output == "ways: 3 tasks: 0 succeeded, 2 failed, 1 timed out in "* ]]
    [[ $stderr == *"task 'good' (fail_for_good) failed, attempt 1: broken: it broke"* ]]
    [[ $stderr == *"task 'status' (fail_status) failed, attempt 1: "*"invalid status 57"* ]]
    [[ $stderr == *"task 'slow' (sleep) timed out, attempt 1"* ]]
}

@test "a message of a plugin cannot touch the terminal or make lines of its own" {
    job ugly <<<'tasks: [{id: u, type: fail_ugly}]'
    run -1 --separate-stderr "$SLUICE" run "${both[@]}" ugly.yaml
    [ "$stderr" = "ugly.yaml:2: task 'u' (fail_ugly) failed, attempt 1: ugly: one two ?[31mred? end" ]
}

@test "colour is for terminals only, unless it is asked for" {
    job bad <<<'tasks: [{type: fail}]'
    run -1 "$SLUICE" run "${both[@]}" bad.yaml
    [[ $output != *$'\033'* ]]
    run -1 "$SLUICE" run --color always "${both[@]}" bad.yaml
    [[ $output == *$'\033[1;31mfailed\033[0m'* ]]
    run in_terminal 80 "$SLUICE" run "${both[@]}" bad.yaml
    [[ $output == *$'\033[1;31mfailed\033[0m'* ]]
    run in_terminal 80 "$SLUICE" run --color never "${both[@]}" bad.yaml
    [[ $output == *"failed"* && $output != *$'\033[1;31m'* ]]
    NO_COLOR=1 run in_terminal 80 "$SLUICE" run "${both[@]}" bad.yaml
    [[ $output == *"failed"* && $output != *$'\033[1;31m'* ]]
    TERM=dumb run in_terminal 80 "$SLUICE" run "${both[@]}" bad.yaml
    [[ $output == *"failed"* && $output != *$'\033'* ]]
}

@test "quiet prints errors only" {
    job mixed <<<'tasks: [{type: noop}, {type: fail}]'
    run -1 --separate-stderr "$SLUICE" run --quiet "${both[@]}" mixed.yaml
    [ -z "$output" ]
    [[ $stderr == *"(fail) failed"* ]]
    job good <<<'tasks: [{type: noop}]'
    run -0 "$SLUICE" run --quiet good.yaml
    [ -z "$output" ]
}

@test "each job has a last line" {
    job one <<<'tasks: [{type: noop}]'
    job two <<<'tasks: [{type: noop}, {type: noop}]'
    run -0 "$SLUICE" run one.yaml two.yaml
    [[ ${lines[0]} == "one: 1 task: 1 succeeded in "* ]]
    [[ ${lines[1]} == "two: 2 tasks: 2 succeeded in "* ]]
}

@test "--format json is one object with every count and the failures" {
    job mixed <<'JOB'
name: nightly
tasks:
  - {type: noop}
  - {id: bad, type: fail, params: {code: c, message: m}}
JOB
    run -1 --separate-stderr "$SLUICE" run --format json "${both[@]}" mixed.yaml
    jq -es 'length == 1' <<<"$output"
    jq -e '.job == "nightly" and .tasks == 2 and .succeeded == 1 and .failed == 1 and .timed_out == 0
        and .crashed == 0 and .cancelled == 0 and .skipped == 0 and .seconds >= 0
        and (.failures | length == 1)
        and (.failures[0] | .task == "bad" and .type == "fail" and .attempt == 1 and .reason == "c" and .message == "m")' \
        <<<"$output"
}

@test "--format json keeps a thousand failures and counts the rest" {
    { echo "tasks:"; for _ in $(seq 1200); do echo "  - {type: fail}"; done; } | job many
    "$SLUICE" run --format json "${both[@]}" many.yaml >out 2>err && false
    jq -e '.failed == 1200 and (.failures | length == 1000) and .failures_omitted == 200' out
    [ "$(grep -c "(fail) failed" err)" -eq 1200 ]
}

@test "--format json of an invalid file lists its errors" {
    job bad <<<'tasks: [{type: nop}]'
    run -2 --separate-stderr "$SLUICE" run --format json bad.yaml
    jq -e '.files[0].errors[0].code == "unknown_type"' <<<"$output"
}

@test "a full standard output is an error" {
    job one <<<'tasks: [{type: noop}]'
    run -3 --separate-stderr sh -c "'$SLUICE' run one.yaml >/dev/full"
    [ "$stderr" = "sluice: cannot write to standard output: No space left on device" ]
    run -3 sh -c "'$SLUICE' check one.yaml >/dev/full"
    run -3 sh -c "'$SLUICE' --help >/dev/full"
}

@test "a closed standard output is an error, and no file takes its place" {
    job one <<<'tasks: [{type: noop}]'
    run -3 --separate-stderr sh -c "'$SLUICE' run --events events one.yaml >&-"
    [ "$stderr" = "sluice: cannot write to standard output: Bad file descriptor" ]
    jq -es 'length == 1' events
}

@test "a reader of standard output that goes away is an error, not a death" {
    job one <<<"tasks: [{type: gate, params: {started: $PWD/started, open: $PWD/open}}]"
    mkfifo pipe
    "$SLUICE" run "${both[@]}" one.yaml >pipe 2>err 3>&- &
    pid=$!
    exec 8<pipe
    exec 8<&-
    touch open
    touch out
    ended 3
    grep "cannot write to standard output: Broken pipe" err
}

@test "closed standard error and input do no harm" {
    job one <<<'tasks: [{type: noop}, {type: fail}]'
    run -1 sh -c "'$SLUICE' run --plugins '$PLUGINS' --plugins '$TEST_PLUGINS' one.yaml 2>&- <&-"
    [[ $output == "one: 2 tasks: 1 succeeded, 1 failed in "* ]]
}

@test "--events has a line for every task that ends" {
    job mixed <<'JOB'
tasks:
  - {id: echo, type: exec, params: {argv: [echo, hello]}}
  - {id: bad, type: fail, params: {code: c, message: m}}
  - {id: lost, type: noop, labels: {region: sh}}
JOB
    run -1 "$SLUICE" run --events events "${both[@]}" mixed.yaml
    jq -es 'length == 3' events
    jq -es '.[] | select(.task == "echo") | .job == "mixed" and (.job_id | length == 26) and .type == "exec"
        and .state == "succeeded" and .attempt == 1 and .plugin == "exec" and .version and .wait_seconds >= 0
        and .run_seconds > 0 and .outputs.stdout == "hello" and (.time | test("^20..-.*Z$"))' events
    jq -es '.[] | select(.task == "bad") | .state == "failed" and .reason == "c" and .message == "m"' events
    jq -es '.[] | select(.task == "lost") | .state == "skipped" and .run_seconds == 0 and .plugin == null' events
}

@test "--events replaces what is not text" {
    job ugly <<<'tasks: [{type: fail_ugly}]'
    run -1 "$SLUICE" run --events events "${both[@]}" ugly.yaml
    jq -es '.[] | .outputs.ugly == "a\ufffdb\nc" and .message == "one\ntwo \u001b[31mred\ufffd end"' events
}

@test "ten thousand tasks have ten thousand events, each whole" {
    { echo "tasks:"; for _ in $(seq 10000); do echo "  - {type: noop}"; done; } | job many
    run -0 "$SLUICE" run --events events many.yaml
    [ "$(jq -r .task events | sort -u | wc -l)" -eq 10000 ]
}

@test "events that cannot be written are an error" {
    job one <<<'tasks: [{type: noop}]'
    run -3 --separate-stderr "$SLUICE" run --events /dev/full one.yaml
    [[ $stderr == *"sluice: cannot write events to /dev/full: No space left on device"* ]]
    run -3 --separate-stderr "$SLUICE" run --events nowhere/events one.yaml
    [[ $stderr == *"sluice: cannot write events to nowhere/events: No such file or directory"* ]]
    [ -z "$output" ]
}

@test "on a terminal there is a progress line, and it is gone at the end" {
    job nap <<<'tasks: [{type: sleep, params: {for: 500ms}}, {type: fail}]'
    run in_terminal 80 "$SLUICE" run "${both[@]}" nap.yaml
    [[ $output == *$'\r\033[J\033[?7l1/2 done, '*"/s, 1 running, 1 failed"* ]]
    last=${lines[-1]##*$'\033[J'}
    [[ $last == "nap: 2 tasks: 1 succeeded, 1 failed in "* ]]
}

@test "the progress line is cut to the width of the terminal" {
    job nap <<<'tasks: [{type: sleep, params: {for: 500ms}}]'
    run in_terminal 12 "$SLUICE" run nap.yaml
    [[ $output == *$'\r\033[J\033[?7l0/1 done, 0\033[?7h\r'* ]]
}

@test "off a terminal there is no progress unless it is asked for" {
    job nap <<<'tasks: [{type: sleep, params: {for: 300ms}}]'
    run -0 --separate-stderr "$SLUICE" run nap.yaml
    [ -z "$stderr" ]
    run -0 --separate-stderr "$SLUICE" run --progress on nap.yaml
    [[ $stderr == *"1/1 done, "* ]]
    [[ $stderr != *$'\r'* ]]
    run in_terminal 80 "$SLUICE" run --progress off nap.yaml
    [[ $output != *" done, "* ]]
}
