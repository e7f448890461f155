# `sluice run`: what runs, what does not, and how it ends.
# shellcheck disable=SC2034,SC2154 # run sets variables, helpers.bash uses and sets some
load helpers

@test "a job of every standard type succeeds" {
    run -0 "$SLUICE" run "$SOURCE_DIR/configs/jobs/hello.yaml"
    [[ ${lines[-1]} =~ ^hello:\ [0-9]+\ tasks:\ [0-9]+\ succeeded\ in\ [0-9.]+\ s$ ]]
}

@test "every task runs exactly once" {
    { echo "tasks:"; for _ in $(seq 5000); do echo "  - {type: count, params: {file: $PWD/count}}"; done; } | job many
    run -0 "$SLUICE" run "${both[@]}" many.yaml
    [ "$(wc -l <count)" -eq 5000 ]
    [ "$(sort -u count | wc -l)" -eq 5000 ]
}

@test "an invalid job file runs nothing, of other files neither" {
    job good <<<"tasks: [{type: count, params: {file: $PWD/count}}]"
    job bad <<<"tasks: [{type: count, params: {file: $PWD/count}}, {type: nop}, {typ: noop}]"
    run -2 --separate-stderr "$SLUICE" run "${both[@]}" good.yaml bad.yaml
    [ -z "$output" ]
    [[ $stderr == *"bad.yaml:2:"*"no plugin has the task type 'nop'"*"bad.yaml:2:"*"typ"* ]]
    [ ! -e count ]
}

@test "a job file that is not there, or a folder, is named" {
    mkdir folder.yaml
    run -2 "$SLUICE" run missing.yaml folder.yaml
    [ "${lines[0]}" = "missing.yaml: error: No such file or directory" ]
    [ "${lines[1]}" = "folder.yaml: error: it is a folder" ]
}

@test "a job file comes from standard input" {
    run -0 "$SLUICE" run - <<<'{"version": 1, "name": "piped", "tasks": [{"type": "noop"}]}'
    [[ $output == "piped: 1 task: 1 succeeded in "* ]]
    run -2 "$SLUICE" run - - <<<'{"version": 1, "tasks": [{"type": "noop"}]}'
    [[ $output == *"standard input is named twice"* ]]
}

@test "a task may ask to be tried again, and that is no attempt" {
    job again <<<"tasks: [{id: a, type: try_again, params: {tries: $PWD/tries, until: 4}}]"
    run -0 "$SLUICE" run --events events "${both[@]}" again.yaml
    [ "$(bytes tries)" -eq 4 ]
    jq -e '.attempt == 1' events
}

@test "--workers limits the calls of a type" {
    job two <<JOB
tasks:
  - {type: gate, params: {started: $PWD/started, open: $PWD/open}}
  - {type: gate, params: {started: $PWD/started, open: $PWD/open}}
  - {type: count, delay: 300ms, params: {file: $PWD/count}}
JOB
    start run --workers gate=1 "${both[@]}" two.yaml
    wait_until has_bytes started 1
    wait_until has_bytes count 1
    [ "$(bytes started)" -eq 1 ]
    touch open
    ended 0
    rm started open count
    start run --workers gate=2 "${both[@]}" two.yaml
    wait_until has_bytes started 2
    touch open
    ended 0
}

@test "--max-weight limits what runs at once" {
    # The weight that is kept for counting lets it pass the gate that waits.
    printf '[group:count]\ntype = count\nreserve = 1\n' >sluice.ini
    job two <<JOB
tasks:
  - {type: gate, weight: 2, params: {started: $PWD/started, open: $PWD/open}}
  - {type: gate, weight: 2, params: {started: $PWD/started, open: $PWD/open}}
  - {type: count, delay: 300ms, params: {file: $PWD/count}}
JOB
    start run --config sluice.ini --max-weight 4 --workers gate=2 "${both[@]}" two.yaml
    wait_until has_bytes started 1
    wait_until has_bytes count 1
    [ "$(bytes started)" -eq 1 ]
    touch open
    ended 0
}

@test "--max-weight below a task's weight is an error of the job file" {
    job heavy <<<'tasks: [{type: noop, weight: 5}]'
    run -2 "$SLUICE" run --max-weight 4 heavy.yaml
    [[ $output == *"heavy.yaml:2:"*"error: "*"weight"* ]]
}

@test "--max-weight below what groups keep for themselves is wrong usage" {
    job one <<<'tasks: [{type: noop}]'
    printf '[group:a]\ntype = noop\nreserve = 10\n' >sluice.ini
    run -2 "$SLUICE" run --config sluice.ini --max-weight 9 one.yaml
    [ "$output" = "sluice: --max-weight 9: reserve: the groups keep 10 in all; of the host's max_weight 9 at least 1 must be left" ]
}

@test "--workers of a type with a pattern in the configuration is wrong usage" {
    job one <<<'tasks: [{type: noop}]'
    printf '[group:all]\ntype = n*\n' >sluice.ini
    run -2 "$SLUICE" run --config sluice.ini --workers noop=2 one.yaml
    [ "$output" = "sluice: --workers noop: the configuration has [group:all] for 'noop' (n*): set its workers there" ]
}

@test "--workers of a type that no plugin has is wrong usage" {
    job one <<<'tasks: [{type: noop}]'
    run -2 "$SLUICE" run --workers nop=2 one.yaml
    [ "$output" = "sluice: unknown task type 'nop': did you mean 'noop'?" ]
}

@test "--stream runs tasks before the file ends" {
    mkfifo pipe
    start run --stream "${both[@]}" pipe
    exec 8>pipe
    printf 'version: 1\ntasks:\n  - {type: count, params: {file: "%s/count"}}\n  - {type: noop}\n' "$PWD" >&8
    wait_until has_bytes count 1
    exec 8>&-
    ended 0
    [[ $(cat out) == "pipe: 2 tasks: 2 succeeded in "* ]]
}

@test "--stream: after an error nothing more is read, what was accepted runs, exit code 2" {
    job part <<JOB
tasks:
  - {type: count, params: {file: $PWD/count}}
  - {type: nop}
  - {type: count, params: {file: $PWD/count}}
JOB
    run -2 --separate-stderr "$SLUICE" run --stream "${both[@]}" part.yaml
    [ "$(wc -l <count)" -eq 1 ]
    [[ $stderr == *"part.yaml:4:"*"no plugin has the task type 'nop'"* ]]
    [[ $output == "part: 1 task: 1 succeeded in "* ]]
}

@test "a large file, parsed ahead, is used up to its error and no further" {
    {
        echo "tasks:"
        yes "  - {type: count, params: {file: $PWD/count}}" | head -n 6000
        echo "  - {type: nop}"
        yes "  - {type: count, params: {file: $PWD/count}}" | head -n 6000
    } | job large
    [ "$(bytes large.yaml)" -gt $((256 * 1024)) ]
    run -2 "$SLUICE" run "${both[@]}" large.yaml
    [ ! -e count ]
    run -2 "$SLUICE" run --stream "${both[@]}" large.yaml
    [[ $output == *"large.yaml:6003:12: error: no plugin has the task type 'nop'"* ]]
    [ "$(wc -l <count)" -eq 6000 ]
}

@test "--stream: a name behind the tasks comes too late" {
    job late <<JOB
tasks:
  - {type: count, params: {file: $PWD/count}}
name: later
JOB
    run -2 --separate-stderr "$SLUICE" run --stream --events events "${both[@]}" late.yaml
    [[ $stderr == *"late.yaml:4:1: error: a streamed file has 'name' before 'tasks'"* ]]
    [[ $output == "late: 1 task: 1 succeeded in "* ]]
    jq -es '.[0].job == "late"' events
}

@test "fail_fast stops what has not started" {
    {
        echo "fail_fast: true"
        echo "tasks:"
        echo "  - {type: fail, priority: 100}"
        for _ in $(seq 100); do echo "  - {type: sleep, delay: 1h, params: {for: 1h}}"; done
    } | job fast
    run -1 "$SLUICE" run "${both[@]}" fast.yaml
    [[ ${lines[-1]} =~ ^fast:\ 101\ tasks:\ 0\ succeeded,\ 1\ failed,\ 100\ (cancelled|skipped)\ in ]]
}
