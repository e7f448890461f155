# Variables: ${vars.x}, ${env.X}, $${, and --set.
# shellcheck disable=SC2034,SC2154,SC2016 # run sets variables, helpers.bash uses and sets some; dollars are meant

load helpers

# outputs NAME: that output of every task, in the order of the tasks' ids.
outputs() {
    sed -n "s/.*\"task\":\"\([^\"]*\)\".*\"$1\":\"\([^\"]*\)\".*/\1 \2/p" events.jsonl | sort | cut -d' ' -f2-
}

# run_events ARGUMENT...: runs with events in events.jsonl.
run_events() {
    run --separate-stderr "$SLUICE" run "$@" --plugins "$PLUGINS" --events events.jsonl
    [ "$status" -eq 0 ] || { echo "$output$stderr"; return 1; }
}

echo_vars() {
    job echo <<<'
vars: {out: /srv/out, both: "${vars.out}:${env.SOMEBODY}", times: 3}
tasks:
  - {id: a, type: exec, params: {argv: [echo, -n, "${vars.out}/${vars.times}"]}}
  - {id: b, type: exec, params: {shell: "printf %s \"$BOTH\"", env: {BOTH: "${vars.both}"}}}
  - {id: "c-${vars.times}", type: exec, params: {argv: [echo, -n, "$${vars.out} $5"]}}'
    export SOMEBODY=somebody
}

@test "variables and the environment stand in parameters, ids and other variables" {
    echo_vars
    run_events echo.yaml
    [ "$(outputs stdout)" = '/srv/out/3
/srv/out:somebody
${vars.out} $5' ]
    grep -q '"task":"c-3"' events.jsonl
}

@test "--set wins over the file, also where another variable uses it" {
    echo_vars
    run_events echo.yaml --set vars.out=/mnt --set vars.times=4 --set 'vars.times=a=${env.HOME}' --set vars.times=5
    [ "$(outputs stdout)" = '/mnt/5
/mnt:somebody
${vars.out} $5' ]
    run_events echo.yaml --set 'vars.out=${env.HOME}=1'
    [ "$(outputs stdout | head -n 1)" = '${env.HOME}=1/3' ]
}

@test "a variable without a text, or with one that is wrong here, may be left to --set" {
    job target <<<'
vars: {target: , home: "${env.NOBODY_HAS_THIS}"}
tasks: [{id: a, type: exec, params: {argv: [echo, -n, "${vars.target}${vars.home}"]}}]'
    run "$SLUICE" check target.yaml --plugins "$PLUGINS"
    [ "$status" -eq 2 ]
    run_events target.yaml --set vars.target=x --set vars.home=y
    [ "$(outputs stdout)" = xy ]
}

@test "a value is typed after substitution" {
    job typed <<<'
vars: {n: 5, weight: auto, fast: true, list: "1, 2"}
fail_fast: ${vars.fast}
tasks:
  - {id: a, type: noop, params: {n: "${vars.n}0"}, weight: "${vars.weight}", priority: "-${vars.n}", timeout: "${vars.n}s"}
  - {id: b, type: exec, params: {argv: [printf, "[%s]", "${vars.list}"]}}'
    run_events typed.yaml
    [ "$(outputs stdout)" = '[1, 2]' ]
}

@test "variables behind the tasks hold as well in a checked file" {
    job late <<<'
tasks: [{id: a, type: exec, params: {argv: [echo, -n, "${vars.x}"]}}]
vars: {x: y}'
    run_events late.yaml
    [ "$(outputs stdout)" = y ]
}

@test "a streamed file has its variables before its tasks" {
    echo_vars
    run_events --stream - --set vars.times=7 <echo.yaml
    [ "$(outputs stdout | head -n 1)" = /srv/out/7 ]
}

@test "--set of a variable that the job does not have is an error, with what was probably meant" {
    echo_vars
    for command in check run "run --stream"; do
        # shellcheck disable=SC2086 # words
        run --separate-stderr "$SLUICE" $command echo.yaml --set vars.time=3 --plugins "$PLUGINS" --format text
        [ "$status" -eq 2 ]
        [ "$stderr" = "echo.yaml: error: --set vars.time: the job has no such var
      = did you mean 'vars.times'?" ]
    done
    job none <<<'tasks: [{type: noop}]'
    run "$SLUICE" check none.yaml --set vars.x=3 --plugins "$PLUGINS"
    [ "$status" -eq 2 ]
    [[ $output == *"none.yaml: error: --set vars.x: the job has no such var"* ]]
}

@test "--set wants vars.NAME=VALUE in UTF-8" {
    echo_vars
    for wrong in out=1 vars.out vars.=1 =; do
        run "$SLUICE" check echo.yaml --set "$wrong"
        [ "$status" -eq 2 ]
        [[ $output == *"--set: '$wrong' is not vars.NAME=VALUE"* ]]
    done
    run "$SLUICE" check echo.yaml --set $'vars.out=\xff'
    [ "$status" -eq 2 ]
    [[ $output == *"--set: the value is not UTF-8"* ]]
}

@test "a secret is not shown when what was put into it is wrong" {
    job secret <<<'
vars: {pin: hunter2}
tasks: [{type: kinds, params: {pin: "${vars.pin}"}}]'
    run "$SLUICE" check secret.yaml --set vars.pin=letmein "${both[@]}"
    [ "$status" -eq 2 ]
    [[ $output == *"parameter 'pin' wants an int, found a secret"* ]]
    [[ $output != *letmein* ]]
}

@test "variables grow to no more than the limit" {
    {
        printf 'version: 1\nvars:\n  v0: xxxxxxxxxxxxxxxx\n'
        for i in {1..30}; do printf '  v%d: "${vars.v%d}${vars.v%d}"\n' "$i" $((i - 1)) $((i - 1)); done
        printf 'tasks: [{type: noop}]\n'
    } >bomb.yaml
    run "$SLUICE" check bomb.yaml --plugins "$PLUGINS"
    [ "$status" -eq 2 ]
    [[ $output == *"a string of more than 1048576 bytes with what is put into it"* ]]
}

@test "a million words that each name a long variable do not fill the memory" {
    { printf 'version: 1\nvars: {x: "' && head -c 1000000 /dev/zero | tr '\0' x && printf '"}\ntasks: [{type: exec, params: {shell: "true", stdin: "' &&
        yes '${vars.x}' | head -n 100000 | tr -d '\n' && printf '"}}]\n'; } >long.yaml
    run "$SLUICE" check long.yaml --plugins "$PLUGINS"
    [ "$status" -eq 2 ]
    [[ $output == *"a string of more than 1048576 bytes with what is put into it"* ]]
}
