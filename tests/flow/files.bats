# What a job file may look like beyond the plain case: several of them, JSON, anchors and merges.
# shellcheck disable=SC2154 # run sets variables, engine.bash sets some
load engine

# output_of TASK: what it printed.
output_of() {
    jq -r --arg task "$1" 'select(.task == $task) | .outputs.stdout' events
}

@test "several files run together, each with its own last line, and may use the same ids" {
    job one <<<'tasks: [{id: a, type: exec, params: {argv: [echo, one]}}]'
    job two <<<'tasks: [{id: a, type: exec, params: {argv: [echo, two]}}, {id: b, type: noop}]'
    sluice_run one.yaml two.yaml
    [ "$status" -eq 0 ]
    [[ $(sed -n 1p out) == "one: 1 task: 1 succeeded in "* ]]
    [[ $(sed -n 2p out) == "two: 2 tasks: 2 succeeded in "* ]]
    [ "$(output_of a | sort | paste -sd' ')" = "one two" ]
}

@test "if one of several files is wrong nothing of any of them runs, and all errors are told" {
    job right <<<'tasks: [{type: exec, params: {argv: [touch, ran]}}]'
    job wrong <<<'tasks: [{type: nop}]'
    job worse <<<'taks: []'
    sluice_run right.yaml wrong.yaml worse.yaml
    [ "$status" -eq 2 ]
    [ ! -e ran ]
    [ "$(grep -c '^wrong.yaml:2:' err)" -eq 1 ]
    [ "$(grep -c '^worse.yaml:' err)" -ge 2 ]
}

@test "a job file may be JSON, surrogate pairs included" {
    cat >job.json <<'EOT'
{
	"version": 1, "name": "json",
	"defaults": {"timeout": "30s", "retry": {"attempts": 2, "jitter": 0}},
	"tasks": [
		{"id": "smile", "type": "exec", "params": {"argv": ["printf", "%s", "\ud83d\ude00 \u00e9\/\t."]}},
		{"id": "after", "type": "noop", "needs": ["smile"], "params": {"n": 7}}
	]
}
EOT
    tr -d '\t' <job.json >spaces.json
    sluice_run spaces.json
    [ "$status" -eq 0 ]
    [ "$(output_of smile)" = $'😀 é/\t.' ]
}

@test "anchors, aliases and merge keys stand for what they name" {
    job anchors <<'EOT'
defaults: &defaults {timeout: 30s}
tasks:
  - &first {id: first, type: exec, params: &params {argv: &argv [echo, one], env: &env {A: x, B: y}}}
  - {<<: *first, id: second}
  - {id: third, type: exec, params: {<<: *params, argv: [sh, -c, 'echo "$A$B"']}}
  - {id: fourth, type: exec, params: {argv: [sh, -c, 'echo "$A$B"'], env: {<<: [{A: z}, *env]}}}
  - {<<: [{priority: 5}, *defaults], id: fifth, type: exec, params: {argv: *argv}}
EOT
    sluice_run anchors.yaml
    [ "$status" -eq 0 ]
    [ "$(for task in first second third fourth fifth; do output_of $task; done | paste -sd' ')" = "one one xy zy one" ]
}

@test "one document may begin with --- and end with ..." {
    printf '%s\n' --- 'version: 1' 'tasks: [{type: noop}]' ... >one.yaml
    sluice_run one.yaml
    [ "$status" -eq 0 ]
}
