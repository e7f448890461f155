# `run --state FILE`: run again, only what is unfinished runs.
# shellcheck disable=SC2154 # helpers.bash and engine.bash set variables
load engine

# marks ID: how often the task has run.
marks() {
    grep -cx "$1" marks || true
}

# mark ID [FIELDS]: the line of a task that leaves a mark when it runs.
mark() {
    echo "  - {id: $1, type: exec, ${2:+$2, }params: {shell: 'echo $1 >> marks'}}"
}

# gate ID [FIELDS]: that of one that waits for the file open.
gate() {
    echo "  - {id: $1, type: gate, ${2:+$2, }params: {started: started, open: $PWD/open}}"
}

# committed FILE N: whether the ends of so many tasks are in it: what had ended and is not there may run again.
committed() {
    [ "$(sqlite3 -readonly "$1" 'select count(*) from ended' 2>/dev/null)" -ge "$2" ]
}

# sealed FILE JOBS: whether so many jobs are in it with all of their tasks.
sealed() {
    [ "$(sqlite3 -readonly "$1" 'select count(*) from job where sealed' 2>/dev/null)" -ge "$2" ]
}

@test "a run that was killed goes on where it was" {
    { echo "tasks:"; mark a; mark b "needs: [a]"; gate c "needs: [b]"; mark d "needs: [c]"; } | job chain
    start run "${both[@]}" --state chain.db chain.yaml
    wait_until has_bytes started 1
    wait_until committed chain.db 2
    kill -KILL "$pid"
    ended 137
    touch open
    sluice_run --state chain.db chain.yaml
    [ "$status" -eq 0 ]
    [[ $(cat out) == "chain: 4 tasks: 4 succeeded, 2 of these in earlier runs in "* ]]
    [ "$(marks a) $(marks b) $(marks d)" = "1 1 1" ]
}

@test "a run that was stopped leaves the rest to the next, and charges it nothing" {
    { echo "tasks:"; mark a; gate b "needs: [a], retry: {attempts: 1}"; mark c "needs: [b]"; } | job chain
    settings "[host]" "grace = 100ms"
    start run "${both[@]}" --state chain.db chain.yaml
    wait_until has_bytes started 1
    kill -INT "$pid"
    ended 130
    [[ $(cat out) == "chain: 3 tasks: 1 succeeded, 2 left in "* ]]
    touch open
    sluice_run --state chain.db chain.yaml
    [ "$status" -eq 0 ]
    [ "$(marks a) $(marks c)" = "1 1" ]
}

@test "what failed for good is not run again, and what it kept from starting neither" {
    { echo "tasks:"; echo "  - {id: a, type: fail_for_good}"; mark b "needs: [a]"; mark c "needs: [a], when: failure"; gate d; } | job mixed
    start run "${both[@]}" --state mixed.db mixed.yaml
    wait_until has_bytes started 1
    wait_until committed mixed.db 3
    kill -KILL "$pid"
    ended 137
    touch open
    sluice_run --state mixed.db mixed.yaml
    [ "$status" -eq 1 ]
    [[ $(cat out) == "mixed: 4 tasks: 2 succeeded, 1 failed, 1 skipped, "*" of these in earlier runs in "* ]]
    [ "$(marks b) $(marks c)" = "0 1" ]
}

@test "outputs of an earlier run are there for those that refer to them" {
    {
        echo "tasks:"
        echo "  - {id: a, type: exec, params: {shell: 'echo found'}}"
        gate b "needs: [a]"
        echo "  - {id: c, type: exec, needs: [a, b], params: {shell: 'echo \"\$WHAT\" >> marks', env: {WHAT: '\${tasks.a.output.stdout}'}}}"
    } | job refers
    start run "${both[@]}" --state refers.db refers.yaml
    wait_until has_bytes started 1
    wait_until committed refers.db 1
    kill -KILL "$pid"
    ended 137
    touch open
    sluice_run --state refers.db refers.yaml
    [ "$status" -eq 0 ]
    [ "$(marks found)" = 1 ]
}

@test "a job file that has changed is refused, with each task that has, until --changed is said" {
    { echo "tasks:"; mark a; mark b; mark c; } | job three
    sluice_run --state three.db three.yaml
    [ "$status" -eq 0 ]
    { echo "tasks:"; mark a; echo "  - {id: b, type: exec, params: {shell: 'echo other >> marks'}}"; mark d; } | job three
    sluice_run --state three.db three.yaml
    [ "$status" -eq 2 ]
    grep -qF "three.yaml:4: error: task 'b' has changed since the state was written: --changed goes on all the same" err
    grep -qF "three.yaml:5: error: task 'd' is new since the state was written" err
    [ "$(wc -l <marks)" -eq 3 ]
    sluice_run --state three.db --changed three.yaml
    [ "$status" -eq 0 ]
    [ "$(marks d)" = 1 ]
    [ "$(wc -l <marks)" -eq 4 ]
    { echo "tasks:"; mark a; } | job three
    sluice_run --state three.db three.yaml
    [ "$status" -eq 2 ]
    grep -qF "three.yaml: error: tasks are gone since the state was written" err
}

@test "what had ended is not run again when a run that goes on with a changed file is killed" {
    { echo "tasks:"; mark a; mark b; mark gone; } | job grown
    sluice_run --state grown.db grown.yaml
    [ "$status" -eq 0 ]
    { echo "tasks:"; mark a; gate c; mark b "priority: 1, needs: [c]"; } | job grown
    start run "${both[@]}" --state grown.db --changed grown.yaml
    wait_until has_bytes started 1
    wait_until sealed grown.db 2
    kill -KILL "$pid"
    ended 137
    touch open
    sluice_run --state grown.db grown.yaml
    [ "$status" -eq 0 ]
    [[ $(cat out) == "grown: 3 tasks: 3 succeeded, 2 of these in earlier runs in "* ]]
    [ "$(marks a) $(marks b)" = "1 1" ]
    [ "$(sqlite3 -readonly grown.db 'select count(*) from job')" -eq 1 ]
}

@test "a file that a streamed run has twice runs twice, and goes on as one" {
    { echo "tasks:"; mark a; gate b; } | job twice
    start run "${both[@]}" --stream --state twice.db twice.yaml twice.yaml
    wait_until has_bytes started 2
    touch open
    ended 0
    [ "$(marks a)" -eq 2 ]
    sluice_run --stream --state twice.db twice.yaml
    [ "$status" -eq 0 ]
    [ "$(marks a)" -eq 2 ]
}

@test "a run of thousands of documents goes on in seconds" {
    repeat 6000 "version: 1, tasks: [{type: noop}]" | sed 's/^  - //; s/$/\n---/' >many.yaml
    limit=40 sluice_run --state many.db many.yaml
    [ "$status" -eq 0 ]
    limit=40 sluice_run --state many.db many.yaml
    [ "$status" -eq 0 ]
}

@test "each document of a file, and each file, has its own past" {
    printf 'version: 1\nname: one\ntasks:\n  - {id: a, type: exec, params: {shell: "echo one >> marks"}}\n---\nversion: 1\nname: two\ntasks:\n  - {id: a, type: exec, params: {shell: "echo two >> marks; exit 1"}}\n' >two.yaml
    sed 's/one/three/; s/two/four/' two.yaml >more.yaml
    sluice_run --state all.db two.yaml
    [ "$status" -eq 1 ]
    sluice_run --state all.db more.yaml two.yaml
    [ "$status" -eq 1 ]
    [ "$(sort marks | uniq -c | tr -s ' \n' ' ')" = " 1 four 1 one 1 three 1 two " ]
}

@test "a streamed run is resumed by its ids" {
    { echo "tasks:"; mark a; mark b "needs: [a]"; gate c "needs: [b]"; mark d "needs: [c]"; } | job chain
    start run "${both[@]}" --stream --state chain.db chain.yaml
    wait_until has_bytes started 1
    wait_until committed chain.db 2
    kill -KILL "$pid"
    ended 137
    touch open
    sluice_run --stream --state chain.db chain.yaml
    [ "$status" -eq 0 ]
    [ "$(marks a) $(marks b) $(marks d)" = "1 1 1" ]
}

@test "a job with too many tasks is refused before any of it runs" {
    job bomb <<<'
tasks:
  - id: t
    type: noop
    for_each: {a: &ten [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], b: *ten, c: *ten, d: *ten, e: *ten, f: *ten, g: *ten, h: [1, 2]}'
    sluice_run --state bomb.db bomb.yaml
    [ "$status" -eq 2 ]
    grep -qF "bomb.yaml:6:15: error: a job has at most 10000000 tasks" err
    [ "$(sqlite3 -readonly bomb.db 'select count(*) from job')" -eq 0 ]
}

@test "a state that cannot be used is an error, and nothing runs" {
    { echo "tasks:"; mark a; } | job one
    sluice_run --state nowhere/one.db one.yaml
    [ "$status" -eq 3 ]
    grep -qF nowhere/one.db err
    [ ! -e nowhere ]
    echo "this is no database, however long it may be: it is text" >text.db
    sluice_run --state text.db one.yaml
    [ "$status" -eq 3 ]
    grep -qF text.db err
    [ "$(cat text.db)" = "this is no database, however long it may be: it is text" ]
    sluice_run --changed one.yaml
    [ "$status" -eq 2 ]
    [ ! -e marks ]
}

@test "a state that is no file is refused, and nothing is left" {
    { echo "tasks:"; mark a; } | job one
    mkdir folder
    for name in '' :memory:; do
        sluice_run --state "$name" one.yaml
        [ "$status" -eq 2 ]
        grep -qF -- "--state: '$name' is not the name of a file" err
    done
    sluice_run --state folder one.yaml
    [ "$status" -eq 3 ]
    grep -qF "folder is a folder, not a file" err
    [ -z "$(find . -name '*.lock' -o -name '*memory*')" ]
}
