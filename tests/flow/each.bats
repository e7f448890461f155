# for_each: lists, combinations, lines and CSV of files.
# shellcheck disable=SC2034,SC2154,SC2016 # run sets variables, helpers.bash uses and sets some; dollars are meant

load helpers

# run_events ARGUMENT...: runs with events in events.jsonl.
run_events() {
    run --separate-stderr "$SLUICE" run "$@" --plugins "$PLUGINS" --events events.jsonl
    [ "$status" -eq 0 ] || { echo "$output$stderr"; return 1; }
}

# said: "ID what it printed" of every task, in the order of the file.
said() {
    sed -n 's/.*"task":"\([^"]*\)".*"stdout":"\(.*\)","stderr".*/\1 \2/p' events.jsonl | sort -V
}

@test "every combination of two lists is a task, the last name's items in turn first" {
    job all <<<'
tasks:
  - id: convert
    type: exec
    for_each: {file: [a, b], quality: [80, 95]}
    params: {argv: [echo, -n, "${each.file}-${each.quality}"]}'
    run_events all.yaml
    [ "$(said)" = 'convert[0] a-80
convert[1] a-95
convert[2] b-80
convert[3] b-95' ]
}

@test "items stand in every field but the id, and for_each behind what uses it" {
    job fields <<<'
tasks:
  - priority: "${each.n}"
    timeout: "${each.n}s"
    params: {argv: [echo, -n, "${each.n}/${vars.x}"]}
    type: "${each.type}"
    for_each: {n: [1, "${vars.x}"], type: [exec]}
vars: {x: 7}'
    run_events fields.yaml
    [ "$(said)" = 'exec-1[0] 1/7
exec-1[1] 7/7' ]
}

@test "the lines of a file beside the job file are items, empty ones are not" {
    mkdir jobs
    printf 'a b\r\n\nc' >jobs/list.txt
    job jobs/lines <<<'
vars: {list: list.txt}
tasks: [{id: t, type: exec, for_each: {line: {lines: "${vars.list}"}}, params: {argv: [echo, -n, "<${each.line}>"]}}]'
    run_events jobs/lines.yaml
    [ "$(said)" = 't[0] <a b>
t[1] <c>' ]
    printf 'x\n' >other.txt
    run_events jobs/lines.yaml --set vars.list="$PWD/other.txt"
    [ "$(said)" = 't[0] <x>' ]
}

@test "the rows of a CSV file are items, with columns by their names" {
    printf '\xef\xbb\xbfname,"full name",n\r\nann,"Ann ""A"", x",1\r\n\r\nbob,"Bob\nB",2' >people.csv
    job csv <<<'
tasks:
  - id: t
    for_each: {again: [x, y], row: {csv: people.csv}}
    type: exec
    params: {argv: [echo, -n, "${each.again} ${each.row.name} ${each.row.full name} ${each.row.n}"]}'
    for mode in "" --stream; do
        run_events csv.yaml $mode
        [ "$(said)" = 't[0] x ann Ann \"A\", x 1
t[1] x bob Bob\nB 2
t[2] y ann Ann \"A\", x 1
t[3] y bob Bob\nB 2' ]
    done
}

@test "what is wrong in a file of items is said with its line" {
    wrong_items() {
        printf "$2" >items
        job "$1" <<<"tasks: [{id: t, type: noop, for_each: {x: {$1: items}}}]"
        run "$SLUICE" check "$1.yaml" --plugins "$PLUGINS"
        [ "$status" -eq 2 ]
        [[ $output == *"error: 'items': $3"* ]] || { echo "$output"; return 1; }
    }
    wrong_items csv 'a,b\n1,2\n3\n' "line 3: 1 columns, the first line has 2"
    wrong_items csv '' "the line with the names of the columns is missing"
    wrong_items csv 'a\n"x' "line 2: a quote is not closed"
    wrong_items csv 'a,b\n\n"x"y,2' "line 3: text behind a closing quote"
    wrong_items lines 'a\n\xff\n' "line 2: it is not UTF-8"
    wrong_items lines 'a\n\0\n' "line 2: a NUL byte"
    head -c 1100000 /dev/zero | tr '\0' x >long
    job long <<<'tasks: [{id: t, type: noop, for_each: {x: {lines: long}}}]'
    run "$SLUICE" check long.yaml --plugins "$PLUGINS"
    [[ $output == *"'long': line 1: more than 1 MiB"* ]]
    head -c 2000 /dev/zero | tr '\0' , >wide
    job wide <<<'tasks: [{id: t, type: noop, for_each: {x: {csv: wide}}}]'
    run "$SLUICE" check wide.yaml --plugins "$PLUGINS"
    [[ $output == *"'wide': line 1: more than 1024 columns"* ]]
}

@test "a file without items makes no tasks" {
    : >none.txt
    job none <<<'
tasks:
  - {id: t, type: noop, for_each: {x: {lines: none.txt}}}
  - {id: u, type: noop}'
    run_events none.yaml
    [[ $output == *"none: 1 task: 1 succeeded"* ]]
}

@test "what needs a for_each without tasks starts at once, but not for a failure" {
    : >none.txt
    job none <<<'
tasks:
  - {id: before, type: noop, needs: [t]}
  - {for_each: {x: {lines: none.txt}}, id: t, type: noop}
  - {for_each: {x: {lines: none.txt}}, type: noop}
  - {id: after, type: noop, needs: [t, noop-3]}
  - {id: pair, for_each: {x: {lines: none.txt}}, type: noop, needs: ["t[*]"]}
  - {id: failure, type: noop, needs: [t], when: failure}
  - {id: always, type: noop, needs: [failure, t], when: always}'
    for mode in "" --stream; do
        [ -z "$mode" ] || sed -i 's/before, type: noop, needs: .t./before, type: noop/' none.yaml
        run --separate-stderr "$SLUICE" run none.yaml $mode --plugins "$PLUGINS" --events events.jsonl
        [ "$status" -eq 1 ] || { echo "$stderr"; return 1; }
        [ "$(jq -r '.task + " " + .state + " " + .reason' events.jsonl | grep -v before | sort | paste -sd,)" = \
            "after succeeded ,always succeeded ,failure skipped nothing_failed" ]
    done
}

@test "a hundred thousand lines are as many tasks, checked or streamed" {
    seq 100000 >numbers.txt
    job many <<<'
tasks: [{id: t, type: noop, for_each: {n: {lines: numbers.txt}}, params: {n: "${each.n}"}}]'
    for mode in "" --stream; do
        run_events many.yaml $mode
        [[ $output == *"many: 100000 tasks: 100000 succeeded"* ]]
        [ "$(grep -c '"task":"t\[99999\]"' events.jsonl)" -eq 1 ]
    done
}

@test "more than ten million combinations are refused before any is made" {
    job bomb <<<'
tasks:
  - id: t
    type: noop
    for_each: {a: &ten [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], b: *ten, c: *ten, d: *ten, e: *ten, f: *ten, g: *ten, h: [1, 2]}'
    run "$SLUICE" check bomb.yaml --plugins "$PLUGINS"
    [ "$status" -eq 2 ]
    [[ $output == *"bomb.yaml:6:15: error: a job has at most 10000000 tasks, those of for_each included"* ]]
}

@test "aliases in a task count once for all of its instances" {
    job aliases <<<'
defaults: {labels: &labels {a: x, b: y}}
tasks:
  - {id: t, type: noop, for_each: {n: {lines: numbers}}, params: &params {n: "${each.n}"}, retry: &retry {attempts: 1}}
  - {id: u, type: noop, for_each: {n: {lines: numbers}}, params: *params, retry: *retry, labels: *labels}'
    seq 300000 >numbers
    run "$SLUICE" check aliases.yaml --plugins "$PLUGINS"
    [ "$status" -eq 0 ]
    [[ $output == *"600000 tasks, no errors"* ]]
}

@test "a streamed file ends at an item that is wrong, what was before it runs" {
    printf '%s\n' 1 2 three 4 >items
    job stream <<<'
tasks:
  - {id: t, type: noop, for_each: {n: {lines: items}}, params: {n: "${each.n}"}}
  - {id: last, type: noop}'
    run --separate-stderr "$SLUICE" run --stream stream.yaml --plugins "$PLUGINS" --events events.jsonl
    [ "$status" -eq 2 ]
    [[ $stderr == *"parameter 'n' wants an int, found 'three'"* ]]
    [ "$(grep -c succeeded events.jsonl)" -eq 2 ]
}

@test "a stopped run does not wait until a for_each is at its end" {
    seq 3000000 >items
    job stop <<<'
tasks:
  - {id: s, type: sleep, params: {for: 1h}}
  - {id: t, type: sleep, for_each: {n: {lines: items}}, params: {for: "${each.n}h"}}'
    start run --stream stop.yaml --plugins "$PLUGINS" --progress on
    wait_until grep -q running err
    kill -INT "$pid"
    kill -INT "$pid"
    ended 130
}
