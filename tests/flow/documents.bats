# Several documents in a job file, each a job of its own.
# shellcheck disable=SC2154 # run sets variables, engine.bash sets some
load engine

# documents FILE: writes three jobs into it, the second with a name.
documents() {
    cat >"$1" <<'EOT'
version: 1
vars: {who: first}
tasks:
  - {id: a, type: exec, params: {argv: [echo, "${vars.who}"]}}
---
version: 1
name: middle
defaults: {priority: 3}
tasks:
  - {id: b, type: exec, needs: [a], params: {argv: [echo, "b ${vars.who}"]}}
  - {id: a, type: exec, params: {argv: [echo, "${vars.who}"]}}
vars: {who: second}
...
---
version: 1
tasks: [{id: a, type: exec, params: {argv: [echo, third]}}]
---
EOT
}

# output_of TASK JOB: what it printed.
output_of() {
    jq -r --arg task "$1" --arg job "$2" 'select(.task == $task and .job == $job) | .outputs.stdout' events
}

@test "each document is a job with its own name, vars, defaults and ids, and has a last line" {
    documents trio.yaml
    sluice_run trio.yaml
    [ "$status" -eq 0 ]
    [[ $(sed -n 1p out) == "trio: 1 task: 1 succeeded in "* ]]
    [[ $(sed -n 2p out) == "middle: 2 tasks: 2 succeeded in "* ]]
    [[ $(sed -n 3p out) == "trio-3: 1 task: 1 succeeded in "* ]]
    [ "$(wc -l <out)" -eq 3 ]
    [ "$(output_of a trio)" = first ]
    [ "$(output_of a middle)" = second ]
    [ "$(output_of b middle)" = "b second" ]
    [ "$(output_of a trio-3)" = third ]
}

@test "as JSON there is an object for each job, in order" {
    documents trio.yaml
    sluice_run trio.yaml --format json
    [ "$(jq -r '"\(.job) \(.succeeded)"' out | paste -sd' ')" = "trio 1 middle 2 trio-3 1" ]
    [ "$(jq -r .job_id out | sort -u | wc -l)" -eq 3 ]
}

@test "check counts the tasks of all documents and says how many jobs there are" {
    documents trio.yaml
    run "$SLUICE" check trio.yaml --plugins "$PLUGINS"
    [[ $output == *"trio.yaml: 4 tasks in 3 jobs, no errors" ]]
    run --separate-stderr "$SLUICE" check trio.yaml --plugins "$PLUGINS" --format json
    [ "$(jq -c . <<<"$output")" = '{"files":[{"file":"trio.yaml","tasks":4,"errors":[]}]}' ]
}

@test "standard input may hold several documents, checked or streamed" {
    printf '%s\n' 'version: 1' 'tasks: [{type: noop}]' --- 'version: 1' 'tasks: [{type: noop}]' >pair.yaml
    for mode in "" --stream; do
        # shellcheck disable=SC2086 # none or one
        sluice_run - $mode < <(cat pair.yaml)
        [ "$status" -eq 0 ]
        [ "$(cut -d: -f1 out | paste -sd' ')" = "stdin stdin-2" ]
    done
}

@test "what --dry-run prints of several documents can be run" {
    documents trio.yaml
    "$SLUICE" run --dry-run trio.yaml --plugins "$PLUGINS" >plan.yaml
    sluice_run plan.yaml
    [ "$status" -eq 0 ]
    [ "$(cut -d: -f1 out | paste -sd' ')" = "trio middle trio-3" ]
    [ "$("$SLUICE" run --graph dot trio.yaml --plugins "$PLUGINS" | grep -c '^digraph')" -eq 3 ]
}

@test "all errors of all documents of all files are told, and nothing runs" {
    printf '%s\n' 'version: 1' 'tasks: [{type: exec, params: {argv: [touch, ran]}}]' --- \
        'version: 1' 'tasks: [{type: nop}]' --- 'taks: []' >one.yaml
    printf '%s\n' 'version: 1' 'tasks: [{type: exec, params: {argv: [touch, ran]}}]' --- 'version: 2' >two.yaml
    sluice_run one.yaml two.yaml
    [ "$status" -eq 2 ]
    [ ! -e ran ]
    grep -q "^one.yaml:5:16: error: no plugin has the task type 'nop'" err
    grep -q "^one.yaml:7:1: error: unknown key 'taks' in a job" err
    grep -q '^two.yaml:4:10: error: version 2' err
}

@test "an empty document at the end is none, one in the middle is an error, and so is a file of nothing else" {
    printf '%s\n' --- 'version: 1' 'tasks: [{type: noop}]' ... --- '# nothing' ... >end.yaml
    sluice_run end.yaml
    [ "$status" -eq 0 ]
    printf '%s\n' 'version: 1' 'tasks: [{type: noop}]' --- '# nothing' --- 'version: 1' 'tasks: [{type: noop}]' >middle.yaml
    sluice_run middle.yaml
    [ "$status" -eq 2 ]
    grep -q '^middle.yaml:3:1: error: the document is empty' err
    echo --- >nothing.yaml
    sluice_run nothing.yaml
    [ "$status" -eq 2 ]
    grep -q '^nothing.yaml: error: the file is empty' err
}

@test "an anchor ends with its document" {
    printf '%s\n' 'version: 1' 'defaults: &fast {timeout: 1s}' 'tasks: [{type: noop}]' --- \
        'version: 1' 'defaults: *fast' 'tasks: [{type: noop}]' >anchors.yaml
    sluice_run anchors.yaml
    [ "$status" -eq 2 ]
    grep -q "^anchors.yaml:6:11: error: no anchor '&fast' stands before this alias" err
}

@test "a document that is read twice has its errors where they are, whatever stands before it" {
    { printf '\xef\xbb\xbf# \xc3\xbc\r\nversion: 1\r\ntasks: [{type: noop}] # \xe2\x82\xac\r\n---\r\n' &&
        printf 'version: 1\r\ntasks:\r\n- {type: noop, params: {n: "${vars.n}"}, nmae: x}\r\nvars: {n: 1}\r\n---\r\n' &&
        printf 'version: 1\r\ntasks: [{type: noop, params: {n: "${vars.n}"}}]\r\nvars: {m: 1}\r\n'; } >late.yaml
    sluice_run late.yaml
    [ "$status" -eq 2 ]
    [ "$(grep -c ': error: ' err)" -eq 2 ]
    grep -q "^late.yaml:7:42: error: unknown key 'nmae' in a task" err
    grep -q "^late.yaml:11:35: error: the job has no var" err
}

@test "--set holds for every job" {
    documents trio.yaml
    sluice_run trio.yaml --set vars.who=me
    [ "$status" -eq 2 ]
    grep -q -- '--set vars.who: the job has no such var' err
    sed -i 's/^tasks: .*third.*/vars: {who: z}\n&/' trio.yaml
    sluice_run trio.yaml --set vars.who=me
    [ "$status" -eq 0 ]
    [ "$(output_of a trio) $(output_of a middle)" = "me me" ]
}

@test "a streamed job runs before the next document is written" {
    mkfifo pipe
    start run --stream --progress off --plugins "$PLUGINS" pipe
    exec 8>pipe
    printf '%s\n' 'version: 1' 'tasks: [{type: exec, params: {argv: [touch, first]}}]' '--- ' >&8
    wait_until [ -e first ]
    printf '%s\n' 'version: 1' 'tasks: [{type: exec, params: {argv: [touch, second]}}]' >&8
    exec 8>&-
    ended 0
    [ -e second ]
    [ "$(cut -d: -f1 out | paste -sd' ')" = "pipe pipe-2" ]
}

@test "an error in a streamed document ends the reading: what stands before it runs, nothing behind it" {
    printf '%s\n' 'version: 1' 'tasks: [{type: exec, params: {argv: [touch, ran]}}]' --- 'version: 1' \
        'tasks: [{type: noop}, {type: nop}]' --- 'version: 1' 'tasks: [{type: exec, params: {argv: [touch, never]}}]' >three.yaml
    sluice_run --stream three.yaml
    [ "$status" -eq 2 ]
    [ -e ran ]
    [ ! -e never ]
    grep -q '^three.yaml:5:30: error: ' err
    [ "$(cut -d: -f1,2 out | paste -sd' ')" = "three: 1 task three-2: 1 task" ]
}

@test "a job that fails fast does not keep the next document from running" {
    printf '%s\n' 'version: 1' 'fail_fast: true' 'tasks: [{type: exec, params: {argv: ["false"]}}]' --- 'version: 1' \
        'tasks: [{type: exec, params: {argv: [touch, ran]}}]' >fast.yaml
    for mode in "" --stream; do
        rm -f ran
        # shellcheck disable=SC2086 # none or one
        sluice_run fast.yaml $mode
        [ "$status" -eq 1 ]
        [ -e ran ]
    done
}

@test "a stream of very many documents needs little memory" {
    local documents=100000
    [ -z "$SANITIZE" ] || documents=5000
    yes -- $'---\nversion: 1\ntasks: [{type: noop}]' | head -n $((3 * documents)) >many.yaml
    (
        [ -n "$SANITIZE" ] || ulimit -v $((768 * 1024))
        timeout 120 "$SLUICE" run --stream many.yaml "${both[@]}" >out 2>err
    )
    [ "$(tail -n 1 out | cut -d: -f1)" = "many-$documents" ]
    [ "$(wc -l <out)" -eq "$documents" ]
}

@test "a stream of jobs that are parked goes on" {
    yes -- $'---\nversion: 1\ntasks: [{type: noop, labels: {region: nowhere}}]' | head -n 9000 >parked.yaml
    sluice_run parked.yaml --stream
    [ "$status" -eq 1 ]
    [ "$(grep -c '1 skipped' out)" -eq 3000 ]
}
