# ${tasks.ID.status} and ${tasks.ID.output.NAME}: what became of other tasks, put in when a task starts; and needs
# between the tasks of a for_each.
# shellcheck disable=SC2034,SC2154,SC2016 # run sets variables, helpers.bash uses and sets some; dollars are meant

load helpers

# run_events CODE ARGUMENT...: runs with events in events.jsonl and expects an exit code.
run_events() {
    local code=$1
    shift
    run --separate-stderr "$SLUICE" run "$@" "${both[@]}" --events events.jsonl
    [ "$status" -eq "$code" ] || { echo "$output$stderr"; return 1; }
}

# output_of TASK NAME: an output of a task without escapes in it.
output_of() {
    grep -F "\"task\":\"$1\"" events.jsonl | sed -n "s/.*\"$2\":\"\([^\"]*\)\".*/\1/p"
}

@test "outputs and status of a task stand in parameters of every kind of those that need it" {
    job kinds <<<'
tasks:
  - {id: a, type: exec, params: {argv: [echo, -n, "3 \"x\""]}}
  - {id: n, type: exec, params: {argv: [echo, -n, "7"]}}
  - id: k
    type: kinds
    needs: [a, n]
    params:
      number: "${tasks.n.output.stdout}"
      text: "${tasks.a.output.stdout}|${tasks.a.status}|$${tasks.a.status}"
      span: "${tasks.n.output.stdout}ms"
      any: {out: ["${tasks.a.output.stdout}", 1], code: "${tasks.n.output.exit_code}"}
      map: {x: "${tasks.n.status}"}
      list: [plain, "${tasks.n.output.stdout}"]
  - {id: l, type: exec, needs: [k, n], params: {argv: [echo, -n, "<${tasks.k.output.any}>"], env: {X: "${tasks.n.status}"}}}'
    for mode in "" --stream; do
        run_events 0 kinds.yaml $mode
        grep -F '"task":"k"' events.jsonl | grep -qF '"text":"3 \"x\"|succeeded|${tasks.a.status}"'
        grep -F '"task":"l"' events.jsonl | grep -qF '<{\"out\":[\"3 \\\"x\\\"\",1],\"code\":\"0\"}>'
    done
}

@test "a reference may go through others that are needed, and to a task that comes later in the file" {
    job chain <<<'
tasks:
  - {id: last, needs: [middle], type: exec, params: {argv: [echo, -n, "${tasks.first.output.stdout}-${tasks.middle.status}"]}}
  - {id: middle, needs: [first], type: noop}
  - {id: first, type: exec, params: {argv: [echo, -n, one]}}'
    run_events 0 chain.yaml
    [ "$(output_of last stdout)" = one-succeeded ]
}

@test "the status of a task that did not succeed is known to one that runs always" {
    job status <<<'
fail_fast: false
tasks:
  - {id: bad, type: exec, params: {shell: "exit 3"}}
  - {id: slow, type: sleep, timeout: 10ms, params: {for: 1h}}
  - {id: skipped, type: noop, needs: [bad]}
  - id: report
    when: always
    needs: [bad, slow, skipped]
    type: exec
    params: {argv: [echo, -n, "${tasks.bad.status} ${tasks.slow.status} ${tasks.skipped.status}"]}'
    for mode in "" --stream; do
        run_events 1 status.yaml $mode
        [ "$(output_of report stdout)" = "failed timed_out skipped" ]
    done
}

@test "a value that is wrong when the task starts fails for good" {
    job wrong <<<'
defaults: {retry: {attempts: 3, delay: 1ms}}
tasks:
  - {id: a, type: exec, params: {argv: [echo, -n, word]}}
  - {id: b, type: exec, params: {shell: "exit 3"}, retry: {attempts: 1}}
  - {id: type, type: noop, needs: [a], params: {n: "${tasks.a.output.stdout}"}}
  - {id: none, type: noop, needs: [a], params: {n: "${tasks.a.output.nothing}"}}
  - {id: failed, type: noop, needs: [b], when: failure, params: {n: "${tasks.b.output.exit_code}"}}
  - {id: secret, type: kinds, needs: [a], params: {pin: "${tasks.a.output.stdout}"}}'
    for mode in "" --stream; do
        run_events 1 wrong.yaml $mode
        [[ $stderr == *"task 'type' (noop) failed, attempt 1: params_rejected: parameter 'n' wants an int, found 'word'"* ]]
        [[ $stderr == *"task 'none' (noop) failed, attempt 1: params_rejected: task 'a' has no output 'nothing'"* ]]
        [[ $stderr == *"task 'failed' (noop) failed, attempt 1: params_rejected: task 'b' has no outputs: it is failed"* ]]
        [[ $stderr == *"task 'secret' (kinds) failed, attempt 1: params_rejected: parameter 'pin' wants an int, found a secret"* ]]
        [[ $output == *"wrong: 6 tasks: 1 succeeded, 5 failed"* ]]
    done
}

@test "outputs are those of the attempt that succeeded" {
    job retried <<<'
tasks:
  - id: a
    type: exec
    retry: {attempts: 3, delay: 1ms}
    params: {shell: "echo x >>marks; wc -l <marks; test $(wc -l <marks) -ge 2", cwd: '"$PWD"'}
  - {id: b, type: exec, needs: [a], params: {argv: [echo, -n, "<${tasks.a.output.stdout}>"]}}'
    run_events 0 retried.yaml
    [ "$(output_of b stdout)" = "<2>" ]
}

@test "needs with the name of a for_each wait for all of its tasks, wherever it stands" {
    job all <<<'
tasks:
  - {id: before, type: exec, needs: [make], params: {argv: [cat, '"$PWD"'/made]}}
  - {id: make, type: exec, for_each: {n: [1, 2, 3]}, params: {shell: "echo $N >>made", env: {N: "${each.n}"}, cwd: '"$PWD"'}}
  - {id: after, type: exec, needs: [make, before], for_each: {x: [a, b]}, params: {argv: [echo, -n, "${tasks.make[1].status}"]}}'
    run_events 0 all.yaml
    [ "$(output_of before stdout | sed 's/\\n/ /g' | wc -w)" -eq 3 ]
    [ "$(output_of 'after[1]' stdout)" = succeeded ]
    rm made
    sed '/id: before/d; s/, before\]/]/' all.yaml >stream.yaml
    run_events 0 --stream stream.yaml
    [ "$(output_of 'after[0]' stdout)" = succeeded ]
}

@test "name[*] pairs the tasks of two for_each" {
    job pair <<<'
tasks:
  - {id: fetch, type: exec, for_each: {f: [x, y, z]}, params: {argv: [echo, -n, "${each.f}"]}}
  - id: convert
    type: exec
    for_each: {f: [a, b, c]}
    needs: ["fetch[*]"]
    params: {argv: [echo, -n, "${each.f}${tasks.fetch[*].output.stdout}"]}'
    for mode in "" --stream; do
        run_events 0 pair.yaml $mode
        [ "$(output_of 'convert[0]' stdout) $(output_of 'convert[2]' stdout)" = "ax cz" ]
    done
    awk '/id: fetch/ { fetch = $0; next } { print } END { print fetch }' pair.yaml |
        sed 's/^    needs:.*//; s/id: convert/needs: ["fetch[*]"]\n    id: convert/' >later.yaml
    run_events 0 later.yaml
    [ "$(output_of 'convert[1]' stdout)" = by ]
}

@test "only the tasks that a paired one needs have to succeed" {
    job partly <<<'
tasks:
  - {id: a, type: exec, for_each: {code: [0, 1, 0]}, params: {argv: [sh, -c, "exit ${each.code}"]}}
  - {id: b, type: noop, for_each: {x: [1, 2, 3]}, needs: ["a[*]"]}
  - {id: c, type: noop, needs: [a]}'
    run_events 1 partly.yaml
    [[ $output == *"partly: 7 tasks: 4 succeeded, 1 failed, 2 skipped"* ]]
}

@test "ten thousand pairs pass on what they have printed" {
    job many <<<'
tasks:
  - {id: a, type: kinds, for_each: {n: {lines: numbers}}, params: {text: "${each.n}"}}
  - {id: b, type: kinds, for_each: {n: {lines: numbers}}, needs: ["a[*]"], params: {text: "${tasks.a[*].output.text}."}}'
    seq 10000 >numbers
    for mode in "" --stream; do
        run_events 0 many.yaml $mode
        [ "$(grep -c '"task":"b\[' events.jsonl)" -eq 10000 ]
        sed -n 's/.*"task":"b\[\([0-9]*\)\]".*"text":"\([0-9]*\)\.".*/\1 \2/p' events.jsonl |
            awk '$2 != $1 + 1 { wrong++ } END { exit !(NR == 10000 && !wrong) }'
    done
}

@test "what a command prints reaches the next task whole up to 63 KiB, both streams together" {
    job large <<'JOB'
tasks:
  - {id: one, type: exec, params: {shell: "head -c 64512 /dev/zero | tr '\\0' x"}}
  - {id: two, type: exec, params: {shell: "head -c 40000 /dev/zero | tr '\\0' y; head -c 60000 /dev/zero | tr '\\0' z >&2"}}
  - {id: after-one, type: exec, needs: [one], params: {argv: [wc, -c], stdin: "${tasks.one.output.stdout}"}}
  - {id: after-two, type: exec, needs: [two], params: {argv: [wc, -c], stdin: "${tasks.two.output.stdout}"}}
  - {id: cut, type: exec, needs: [two], params: {argv: [echo, -n, "${tasks.two.output.stdout_dropped} ${tasks.two.output.stderr_dropped}"]}}
JOB
    run -0 "$SLUICE" run --events events large.yaml
    of() { jq -r --arg task "$1" 'select(.task == $task) | .outputs.stdout' events; }
    [ "$(of after-one)" = 64512 ]
    [ "$(of after-two)" = 32256 ]
    [ "$(of cut)" = "7744 27744" ]
}
