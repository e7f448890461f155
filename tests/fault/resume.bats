# `sluice run --state FILE` that is killed again and again.
# shellcheck disable=SC2154 # helpers.bash sets some variables
load fault

# ended_lines: the tasks whose end is in the trace, one a line.
ended_lines() {
    awk '$1 == "E" && $6 == "ok" { print $3 }' trace
}

# lines_of WHAT COUNT: whether the trace has so many beginnings (B) or ends (E).
lines_of() {
    [ "$(grep -c "^$1" trace)" -ge "$2" ]
}

# may_repeat: how many attempts a kill right now may have cut short or found not written: those that have not ended, or
# ended less than 300 ms ago: commit_interval and a commit to a disk that others use as well.
may_repeat() {
    awk -v now="$(awk '{ printf "%.0f", $1 * 1000000 }' /proc/uptime)" '
        $1 == "B" { open[$3 " " $4] = 1 }
        $1 == "E" && now - $5 > 300000 { delete open[$3 " " $4] }
        END { for (attempt in open) count++; print count + 0 }' trace
}

# killed_at COUNT ARGUMENT...: a run that is killed once the trace has so many beginnings.
# shellcheck disable=SC2034 # wait_until evaluates count
killed_at() {
    local count=$1 code=0
    shift
    start run "${both[@]}" --state run.db --progress off "$@" work.yaml
    wait_until eval 'lines_of B $count || ! kill -0 "$pid" 2>/dev/null'
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" || code=$?
    [ "$code" -eq 137 ]
}

# work: a job of 1206 tasks in chains, with retries, outputs and a for_each.
work() {
    settings "[host]" "workers = 4" "[plugin:trace]" "file = $PWD/trace"
    : >trace
    {
        echo "tasks:"
        for i in $(seq 1 400); do
            echo "- {id: a$i, type: trace, params: {for: 12ms, says: out$i}}"
            echo "- {id: b$i, type: trace, needs: [a$i], params: {for: 8ms, got: '\${tasks.a$i.output.said}', want: out$i}}"
            echo "- {id: r$i, type: trace, params: {fail: 1}, retry: {attempts: 2, delay: 2ms}}"
        done
        echo "- {id: e, type: trace, for_each: {i: [1, 2, 3, 4, 5]}, params: {for: 5ms}}"
        echo "- {id: z, type: trace, needs: [e], params: {}}"
    } | job work
}

@test "a run that is killed 20 times in a row ends with each task, and repeats only what was in hand" {
    work
    local may=0
    for round in $(seq 20); do
        killed_at $(($(grep -c ^B trace || true) + round))
        may=$((may + $(may_repeat)))
    done
    sluice_run --state run.db --progress off work.yaml
    [ "$status" -eq 0 ]
    [[ $(cat out) == "work: 1206 tasks: 1206 succeeded"* ]]
    [ "$(ended_lines | sort -u | wc -l)" -eq 1206 ]
    run ! grep -q wrong trace
    [ "$(ended_lines | wc -l)" -le $((1206 + may)) ]
}

@test "what has ended and was written does not run again, however often a run is killed" {
    work
    start run "${both[@]}" --state run.db --progress off work.yaml
    wait_until lines_of E 200
    kill -INT "$pid" # what has ended by then is written
    ended 130
    ended_lines | sort >before
    : >trace
    for round in $(seq 5); do
        killed_at $((round * 10))
    done
    sluice_run --state run.db --progress off work.yaml
    [ "$status" -eq 0 ]
    [[ $(cat out) == "work: 1206 tasks: 1206 succeeded"* ]]
    ended_lines | sort -u >after
    [ -z "$(comm -12 before after)" ]
    [ "$(cat before after | sort -u | wc -l)" -eq 1206 ]
}

@test "a run that was all done runs nothing when it is started again" {
    work
    sluice_run --state run.db --progress off work.yaml
    [ "$status" -eq 0 ]
    : >trace
    sluice_run --state run.db --progress off work.yaml
    [ "$status" -eq 0 ]
    [ ! -s trace ]
}

@test "a streamed run that is killed goes on" {
    work
    for round in 1 2 3 4 5; do
        killed_at $((round * 40)) --stream
    done
    sluice_run --stream --state run.db --progress off work.yaml
    [ "$status" -eq 0 ]
    [[ $(cat out) == "work: 1206 tasks: 1206 succeeded"* ]]
    [ "$(ended_lines | sort -u | wc -l)" -eq 1206 ]
    run ! grep -q wrong trace
}

@test "a task with a unique key that a kill interrupted runs when the run goes on" {
    job one <<<"tasks: [{type: gate, unique: mine, params: {started: $PWD/started, open: $PWD/open}}]"
    start run "${both[@]}" --state run.db --progress off one.yaml
    wait_until has_bytes started 1
    killed
    touch open
    sluice_run --state run.db --progress off one.yaml
    [ "$status" -eq 0 ]
    [[ $(cat out) == "one: 1 task: 1 succeeded"* ]]
}
