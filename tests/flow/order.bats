# Which task of a group starts next. A gate holds the only worker until all others wait behind it.
load engine

# behind_gate NAME: a job NAME.yaml of the tasks on standard input, with a gate before and what opens it at the end.
# Tasks go through the host in the order of the file, so that all of them wait once the last one runs; `late` can
# delay it.
behind_gate() {
    {
        echo "tasks:"
        echo "  - {id: gate, type: gate, priority: 100, params: {open: $PWD/open}}"
        cat
        echo "  - {id: opener, type: exec, delay: ${late:-0s}, params: {argv: [touch, $PWD/open]}}"
    } | job "$1"
}

# line OPTION...: settings with one worker for the gate and the noops behind it.
line() {
    settings "[group:line]" "type = [gn][ao]*" "workers = 1" "$@"
}

# ended_as WORD...: the noops ended in this order.
ended_as() {
    diff <(printf '%s\n' "$@") <(jq -r 'select(.type == "noop").task' events)
}

@test "in a group the higher priority starts first" {
    line
    for i in $(seq 0 40); do
        printf '  - {id: "p%d", type: noop, priority: %d}\n' $((i * 17 % 41 * 5 - 100)) $((i * 17 % 41 * 5 - 100))
    done | behind_gate order
    sluice_run order.yaml
    [ "$status" -eq 0 ]
    # shellcheck disable=SC2046 # one word a task
    ended_as $(seq -f 'p%g' 100 -5 -100)
}

@test "what has the same priority starts in the order of the file" {
    line
    for i in $(seq 1 600); do
        printf '  - {id: t%03d, type: noop, priority: %d}\n' "$i" $((i % 3))
    done | behind_gate order
    sluice_run order.yaml
    [ "$status" -eq 0 ]
    # shellcheck disable=SC2046 # one word a task
    ended_as $(seq -f 't%03g' 2 3 600) $(seq -f 't%03g' 1 3 600) $(seq -f 't%03g' 3 3 600)
}

@test "the tasks of several files in one group start by priority, then in the order of the files" {
    line
    behind_gate one <<'END'
  - {id: a1, type: noop}
  - {id: a2, type: noop, priority: 1}
END
    job two <<'END'
tasks:
  - {id: b1, type: noop}
  - {id: b2, type: noop, priority: 1}
  - {id: b3, type: noop, priority: 2}
END
    sed -i '/opener/d' one.yaml
    echo "  - {id: opener, type: exec, params: {argv: [touch, $PWD/open]}}" >>two.yaml
    sluice_run one.yaml two.yaml
    [ "$status" -eq 0 ]
    ended_as b3 a2 b2 a1 b1
}

# One task waits for a second before three of a higher priority come.
old_and_high() {
    late=1s behind_gate ageing <<'END'
  - {id: old, type: noop, priority: -100}
  - {id: high-1, type: noop, priority: 90, delay: 1s}
  - {id: high-2, type: noop, priority: 90, delay: 1s}
  - {id: high-3, type: noop, priority: 91, delay: 1s}
END
}

@test "a task that has waited longer than max_age passes a higher priority" {
    line "[scheduler]" "max_age = 500ms"
    old_and_high
    sluice_run ageing.yaml
    [ "$status" -eq 0 ]
    [ "$(jq -r 'select(.type == "noop").task' events | head -n 1)" = old ]
}

@test "a task that has not waited longer than max_age does not pass a higher priority" {
    line "[scheduler]" "max_age = 1h"
    old_and_high
    sluice_run ageing.yaml
    [ "$status" -eq 0 ]
    ended_as high-3 high-1 high-2 old
}

@test "a delayed task runs not before its time, and the shorter delay first" {
    job delayed <<'END'
tasks:
  - {id: c, type: noop, delay: 300ms, priority: 100}
  - {id: b, type: noop, delay: 200ms}
  - {id: a, type: noop, delay: 100ms, priority: -100}
  - {id: now, type: noop}
END
    for mode in --progress=off --stream; do
        sluice_run $mode delayed.yaml
        [ "$status" -eq 0 ]
        [ "$(jq -r .task events | head -n 1)" = now ]
        jq -e 'select(.task != "now") | .wait_seconds >= ({a: 0.1, b: 0.2, c: 0.3}[.task])' events
        # One may go before another whose delay is shorter only if both were due by then.
        jq -se '{a: 0.1, b: 0.2, c: 0.3} as $delay | .[1:] as $ends | ($ends | length) == 3 and all(range(2);
            $ends[.] as $one | $ends[. + 1] as $next |
            $delay[$one.task] < $delay[$next.task] or $next.wait_seconds >= $delay[$one.task])' events
    done
}

@test "ten thousand delayed tasks all run, each not before its time" {
    awk 'BEGIN { print "tasks:"; for (i = 1; i <= 10000; i++) printf "  - {type: noop, delay: %dms}\n", i * 37 % 1000 }' |
        job delayed
    sluice_run delayed.yaml
    [ "$status" -eq 0 ]
    [ "$(of_state succeeded)" -eq 10000 ]
    # Task noop-I waits for I * 37 % 1000 ms.
    jq -e '(.task[5:] | tonumber) * 37 % 1000 / 1000 <= .wait_seconds' events | sort | uniq -c | grep -qx ' *10000 true'
}

@test "a task that asks to be tried again comes back after its delay and is not charged an attempt" {
    job again <<'END'
tasks:
  - {id: again, type: try_again, params: {tries: tries, until: 20}}
  - {id: other, type: noop}
END
    sluice_run --workers try_again=1 again.yaml
    [ "$status" -eq 0 ]
    [ "$(bytes tries)" -eq 20 ]
    [ "$(jq -r 'select(.task == "again") | "\(.state) \(.attempt)"' events)" = "succeeded 1" ]
    # 19 delays of 1 ms.
    jq -e 'select(.task == "again").wait_seconds >= 0.019' events
}

@test "a task that is tried again lets others of its group go first" {
    line
    settings "[group:one]" "type = [tn]*" "workers = 1"
    { echo "tasks:"; echo "  - {id: again, type: try_again, params: {tries: tries, until: 3}}"; for _ in $(seq 50); do echo "  - {type: noop}"; done; } |
        job again
    sluice_run again.yaml
    [ "$status" -eq 0 ]
    [ "$(field task | tail -n 1)" = again ]
}
