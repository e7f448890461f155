# `sluice run --dry-run`: what would run, with all of it resolved, and nothing runs.
# shellcheck disable=SC2154 # run sets variables, helpers.bash sets some
load helpers

# plan FILE...: the dry run, in $output.
plan() {
    run --separate-stderr "$SLUICE" run --dry-run "${both[@]}" "$@"
    echo "$output" "$stderr"
}

@test "nothing runs, and each task is shown with what it takes from defaults, variables and items" {
    job plan <<'EOT'
vars: {out: here}
defaults: {timeout: 10s, labels: {region: no}, retry: {attempts: 3, delay: 1s, jitter: 0}}
max_weight: 20
tasks:
  - {id: mark, type: exec, params: {argv: [touch, "${vars.out}"]}, priority: 5, weight: 2}
  - {id: each, type: noop, for_each: {n: [7, 8]}, params: {n: "${each.n}"}, retry: {attempts: 1}, at: 2026-12-01T06:00:00.5Z}
EOT
    plan plan.yaml --set vars.out=there
    [ "$status" -eq 0 ]
    [ ! -e here ] && [ ! -e there ]
    diff <(echo "$output") - <<'EOT'
# plan.yaml: 3 tasks would run
# ids with brackets are those of a for_each's tasks; no job file may say them
version: 1
name: "plan"
max_weight: 20
tasks:
  - {"id": "mark", "type": "exec", "params": {"argv": ["touch", "there"]}, "labels": {"region": "no"}, "priority": 5, "weight": 2, "timeout": "10s", "retry": {"attempts": 3, "delay": "1s", "backoff": "exponential", "jitter": 0.0}}
  - {"id": "each[0]", "type": "noop", "params": {"n": 7}, "labels": {"region": "no"}, "weight": 1, "timeout": "10s", "at": "2026-12-01T06:00:00.500000000Z"}
  - {"id": "each[1]", "type": "noop", "params": {"n": 8}, "labels": {"region": "no"}, "weight": 1, "timeout": "10s", "at": "2026-12-01T06:00:00.500000000Z"}
EOT
}

@test "what is known only when a task starts is shown as the file has it" {
    job late <<'EOT'
tasks:
  - {id: a, type: exec, params: {argv: [date]}}
  - {id: b, type: kinds, needs: [a], params: {text: "$${x} ${tasks.a.output.stdout}", number: "${tasks.a.output.exit_code}", any: ["${tasks.a.status}"], pin: "${tasks.a.status}"}}
EOT
    plan late.yaml
    [ "$status" -eq 0 ]
    [[ $output == *'"params": {"text": "$${x} ${tasks.a.output.stdout}", "number": "${tasks.a.output.exit_code}", "any": ["${tasks.a.status}"], "pin": "(secret)"}'* ]]
}

@test "what is printed is a job file that means the same" {
    for name in hello commands order retry vars; do
        plan "$SOURCE_DIR/configs/jobs/$name.yaml"
        [ "$status" -eq 0 ]
        echo "$output" >once.yaml
        plan once.yaml
        [ "$status" -eq 0 ]
        diff <(tail -n +2 once.yaml) <(tail -n +2 <<<"$output")
    done
}

@test "a parameter of every kind comes back as it was" {
    job kinds <<'EOT'
tasks:
  - type: kinds
    params: {flag: true, number: 0x7, real: 0.25, text: "a $${b} $c", span: 500ms, size: 65536, colour: red,
             list: [x, "$${", "7"], map: {a: "1", b: no}, any: {deep: [1, 2.5, "$${x}", null, {a: true}]}}
EOT
    plan kinds.yaml
    [ "$status" -eq 0 ]
    echo "$output" >once.yaml
    plan once.yaml
    [ "$status" -eq 0 ]
    diff <(tail -n +2 once.yaml) <(tail -n +2 <<<"$output")
}

@test "secrets are masked" {
    job secret <<<'tasks: [{type: kinds, params: {pin: 271828}}]'
    plan secret.yaml
    [ "$status" -eq 0 ]
    [[ $output == *'(secret)'* ]]
    [[ $output != *271828* ]]
}

@test "all that is wrong in any file is printed instead, and the exit code is 2" {
    job right <<<'tasks: [{type: noop}]'
    job wrong <<<'tasks: [{type: nop}]'
    plan right.yaml wrong.yaml
    [ "$status" -eq 2 ]
    [ "$output" = "" ]
    [[ $stderr == "wrong.yaml:2:16: error: no plugin has the task type 'nop'"* ]]
}

@test "several files are shown one after the other, as JSON a line for each" {
    job a <<<'tasks: [{type: noop}]'
    job b <<<'tasks: [{type: noop}, {type: noop}]'
    plan a.yaml b.yaml
    [ "$status" -eq 0 ]
    [ "$(grep -c '^---$' <<<"$output")" -eq 1 ]
    plan a.yaml b.yaml --format json
    [ "$(jq -r '"\(.name) \(.tasks | length) \(.tasks[0].id)"' <<<"$output" | paste -sd,)" = "a 1 noop-1,b 2 noop-1" ]
}

@test "a dry run does not go with --stream" {
    job a <<<'tasks: [{type: noop}]'
    plan --stream a.yaml
    [ "$status" -eq 2 ]
    [[ $stderr == *"--dry-run and --graph read all of a file"* ]]
}

# diamond: a job of four tasks, the last of which stands first.
diamond() {
    job diamond <<'EOT'
tasks:
  - {id: end, type: noop, needs: [left, right], when: always}
  - {id: start, type: sleep, params: {for: 1ms}}
  - {id: left, type: noop, needs: [start]}
  - {id: right, type: noop, needs: [start]}
EOT
}

@test "what is needed stands before what needs it, and is named there" {
    diamond
    plan diamond.yaml --format json
    [ "$status" -eq 0 ]
    [ "$(jq -r '[.tasks[].id] | join(" ")' <<<"$output")" = "start left right end" ]
    [ "$(jq -c '.tasks[3] | [.needs, .when]' <<<"$output")" = '[["left","right"],"always"]' ]
}

@test "when a task runs is shown, also where no task needs another" {
    job when <<'EOT'
fail_fast: true
tasks:
  - {id: a, type: noop}
  - {id: b, type: noop, when: always}
EOT
    plan when.yaml
    [ "$status" -eq 0 ]
    [[ ${lines[-2]} != *'"when"'* && ${lines[-1]} == *'"id": "b"'*'"when": "always"'* ]]
}

@test "--graph dot draws the needs of a job for Graphviz" {
    diamond
    run "$SLUICE" run --graph dot diamond.yaml
    [ "$status" -eq 0 ]
    diff <(echo "$output") - <<'EOT'
digraph "diamond" {
  rankdir=LR;
  node [shape=box];
  "end" [label="end\nnoop"];
  "start" [label="start\nsleep"];
  "left" [label="left\nnoop"];
  "right" [label="right\nnoop"];
  "left" -> "end" [label="always", style=dashed];
  "right" -> "end" [label="always", style=dashed];
  "start" -> "left";
  "start" -> "right";
}
EOT
}

@test "--graph mermaid draws it for Mermaid" {
    diamond
    run "$SLUICE" run --graph mermaid diamond.yaml
    [ "$status" -eq 0 ]
    diff <(echo "$output") - <<'EOT'
flowchart LR
  t0["end<br/>noop"]
  t1["start<br/>sleep"]
  t2["left<br/>noop"]
  t3["right<br/>noop"]
  t2 -. always .-> t0
  t3 -. always .-> t0
  t1 --> t2
  t1 --> t3
EOT
}

@test "a graph is drawn of a right file alone, and in no other language" {
    job wrong <<<'tasks: [{type: nop}]'
    run "$SLUICE" run --graph dot wrong.yaml
    [ "$status" -eq 2 ]
    [[ $output == *"no plugin has the task type 'nop'"* ]]
    run "$SLUICE" run --graph svg wrong.yaml
    [ "$status" -eq 2 ]
    [[ $output == *dot* && $output == *mermaid* ]]
}
