# `needs` and `when`: who waits for whom, and who runs after what.
# shellcheck disable=SC2034,SC2154 # run sets variables, helpers.bash uses and sets some
load engine

# order FILE: the ids of an events file in the order in which the tasks ended.
order() {
    jq -r .task "$1" | paste -sd' '
}

# ends FILE: id, state and reason of each, by id.
ends() {
    jq -r '[.task, .state, .reason] | map(select(. != "")) | join(" ")' "$1" | sort
}

@test "a task starts when all that it needs has succeeded, wherever these stand in the file" {
    job later <<'JOB'
tasks:
  - {id: last, type: noop, needs: [middle, other]}
  - {id: middle, type: noop, needs: [first]}
  - {id: first, type: sleep, params: {for: 20ms}}
  - {id: other, type: sleep, needs: [middle], params: {for: 20ms}}
JOB
    run -0 "$SLUICE" run --events events later.yaml
    [ "$(order events)" = "first middle other last" ]
}

@test "a task does not start before what it needs has ended" {
    job held <<JOB
tasks:
  - {id: a, type: gate, params: {started: $PWD/started, open: $PWD/open}}
  - {id: b, type: count, needs: [a], params: {file: $PWD/count}}
  - {id: c, type: count, params: {file: $PWD/other}}
JOB
    start run "${both[@]}" held.yaml
    wait_until has_bytes started 1
    wait_until has_bytes other 1
    [ ! -e count ]
    touch open
    ended 0
    [ "$(bytes count)" -gt 0 ]
}

@test "after a failure each dependent says why it runs or not" {
    job after <<'JOB'
tasks:
  - {id: bad, type: fail}
  - {id: good, type: noop}
  - {id: success, type: noop, needs: [good, bad]}
  - {id: failure, type: noop, needs: [good, bad], when: failure}
  - {id: always, type: noop, needs: [good, bad], when: always}
  - {id: unwanted, type: noop, needs: [good], when: failure}
  - {id: behind, type: noop, needs: [success]}
  - {id: behind-failure, type: noop, needs: [success], when: failure}
  - {id: behind-always, type: noop, needs: [success, behind-failure], when: always}
JOB
    run -1 --separate-stderr "$SLUICE" run --events events "${both[@]}" after.yaml
    diff - <(ends events) <<'END'
always succeeded
bad failed broken
behind skipped dependency_skipped
behind-always succeeded
behind-failure skipped dependency_skipped
failure succeeded
good succeeded
success skipped dependency_failed
unwanted skipped nothing_failed
END
    [ "$(jq -r 'select(.task == "success").message' events)" = "not started: it needs 'bad', which failed" ]
    [ "$(jq -r 'select(.task == "behind").message' events)" = "not started: it needs 'success', which was skipped" ]
    [[ $stderr == *"after.yaml:5: task 'success' (noop) skipped: dependency_failed: not started: it needs 'bad', which failed"* ]]
    [[ $output == "after: 9 tasks: 4 succeeded, 1 failed, 4 skipped in "* ]]
}

@test "of several that did not succeed the first in the file is named" {
    job first <<'JOB'
tasks:
  - {id: slow, type: sleep, params: {for: 1h}, timeout: 100ms}
  - {id: quick, type: fail}
  - {id: after, type: noop, needs: [quick, slow]}
JOB
    run -1 "$SLUICE" run --events events "${both[@]}" first.yaml
    [ "$(jq -r 'select(.task == "after").message' events)" = "not started: it needs 'slow', which timed out" ]
}

@test "JSON tells skipped dependents with their reason" {
    job json <<'JOB'
tasks:
  - {id: bad, type: fail}
  - {id: after, type: noop, needs: [bad]}
JOB
    run -1 --separate-stderr "$SLUICE" run --format json "${both[@]}" json.yaml
    jq -e '.skipped == 1 and (.failures | any(.task == "after" and .reason == "dependency_failed"))' <<<"$output"
}

@test "fail_fast stops everything that has not started but what runs always" {
    job fast <<JOB
fail_fast: true
tasks:
  - {id: bad, type: fail, needs: [held]}
  - {id: held, type: gate, params: {started: $PWD/started, open: $PWD/open}}
  - {id: late, type: noop, delay: 1h}
  - {id: unlabelled, type: noop, labels: {region: moon}}
  - {id: after, type: noop, needs: [late, bad]}
  - {id: tidy, type: noop, needs: [after], when: always}
  - {id: tidy-late, type: noop, needs: [late], when: always, delay: 50ms}
  - {id: bye, type: noop, delay: 200ms, when: always}
JOB
    start run --events events "${both[@]}" fast.yaml
    wait_until has_bytes started 1
    touch open
    ended 1
    diff - <(ends events) <<'END'
after skipped dependency_failed
bad failed broken
bye succeeded
held succeeded
late skipped fail_fast
tidy succeeded
tidy-late succeeded
unlabelled skipped fail_fast
END
}

@test "what waits in a queue and runs always is not stopped by fail_fast" {
    settings "[group:all]" "type = *" # one queue, so that they begin in this order
    job queued <<JOB
fail_fast: true
tasks:
  - {id: one, type: gate, weight: 100, params: {started: $PWD/started, open: $PWD/open}}
  - {id: bad, type: fail, weight: 100}
  - {id: stopped, type: count, weight: 100, params: {file: $PWD/stopped}}
  - {id: kept, type: count, weight: 100, when: always, params: {file: $PWD/kept}}
JOB
    start run --events events "${both[@]}" queued.yaml
    wait_until has_bytes started 1
    touch open
    ended 1
    [ "$(bytes kept)" -gt 0 ]
}

@test "the delay of a dependent counts from its release" {
    job delay <<JOB
tasks:
  - {id: a, type: gate, params: {started: $PWD/started, open: $PWD/open}}
  - {id: b, type: noop, needs: [a], delay: 300ms}
JOB
    start run --events events "${both[@]}" delay.yaml
    wait_until has_bytes started 1
    touch open
    ended 0
    jq -se '(.[0].task == "a") and ((.[1].time[0:19] + "Z" | fromdate) + (.[1].time[19:-1] | tonumber) -
        (.[0].time[0:19] + "Z" | fromdate) - (.[0].time[19:-1] | tonumber) >= 0.3)' events
}

@test "dependents of a task that nobody can run are skipped with it" {
    job parked <<'JOB'
tasks:
  - {id: a, type: noop, labels: {region: moon}}
  - {id: b, type: noop, needs: [a]}
  - {id: c, type: noop, needs: [b], when: always}
JOB
    run -1 "$SLUICE" run --events events parked.yaml
    [ "$(ends events | paste -sd,)" = "a skipped parked,b skipped dependency_skipped,c succeeded" ]
}

@test "forward references go through a host with room for one task" {
    printf '[host]\nmax_pending=1\n' >one.ini
    job narrow <<'JOB'
tasks:
  - {id: last, type: noop, needs: [middle, first]}
  - {id: middle, type: noop, needs: [first]}
  - {id: first, type: noop}
  - {id: failing, type: fail, needs: [last]}
  - {id: skipped, type: noop, needs: [failing]}
JOB
    run -1 "$SLUICE" run --config one.ini --events events "${both[@]}" narrow.yaml
    [ "$(order events)" = "first middle last failing skipped" ]
}

@test "a room full of tasks that wait for one that nobody can run is left" {
    printf '[host]\nmax_pending=3\n' >three.ini
    { echo "tasks:"; echo "  - {id: a, type: noop, labels: {region: moon}}"
        for i in $(seq 20); do echo "  - {id: b$i, type: noop, needs: [a]}"; done; } | job full
    run -1 "$SLUICE" run --config three.ini "${both[@]}" full.yaml
    [[ ${lines[-1]} == "full: 21 tasks: 0 succeeded, 21 skipped in "* ]]
}

@test "a signal ends a job in which tasks wait for others" {
    job signal <<JOB
tasks:
  - {id: a, type: gate, params: {started: $PWD/started, open: $PWD/open}}
  - {id: b, type: noop, needs: [a]}
  - {id: c, type: noop, needs: [b], when: always}
JOB
    start run --events events "${both[@]}" signal.yaml
    wait_until has_bytes started 1
    kill -INT "$pid"
    wait_until grep -q stopping err
    touch open
    ended 130
    [ "$(ends events | paste -sd,)" = "a succeeded,b cancelled stopped,c cancelled stopped" ]
}

@test "two signals cancel what runs and with it what waits" {
    job twice <<JOB
tasks:
  - {id: a, type: gate, params: {started: $PWD/started, open: $PWD/open}}
  - {id: b, type: noop, needs: [a]}
JOB
    start run --events events "${both[@]}" twice.yaml
    wait_until has_bytes started 1
    kill -INT "$pid"
    wait_until grep -q stopping err
    kill -INT "$pid"
    ended 130
    [ "$(ends events | paste -sd,)" = "a cancelled cancelled,b cancelled stopped" ]
}

@test "in a stream a task needs those before it, ended or not" {
    mkfifo pipe
    start run --stream --events events "${both[@]}" pipe
    exec 7>pipe
    cat >&7 <<JOB
version: 1
tasks:
  - {id: bad, type: fail}
  - {id: a, type: gate, params: {started: $PWD/started, open: $PWD/open}}
  - {id: b, type: noop, needs: [a]}
  - {id: c, type: noop, needs: [b, bad], when: failure}
  - {id: tail, type: noop}
JOB
    wait_until grep -q '"bad"' events
    cat >&7 <<'JOB'
  - {id: d, type: noop, needs: [bad]}
  - {id: e, type: noop, needs: [d, a], when: always}
JOB
    exec 7>&-
    wait_until grep -q '"d"' events
    touch open
    ended 1
    diff - <(ends events) <<'END'
a succeeded
b succeeded
bad failed broken
c succeeded
d skipped dependency_failed
e succeeded
tail succeeded
END
}

@test "a stream far longer than its window keeps who waits for whom" {
    { echo "tasks:"
        echo "  - {id: held, type: gate, params: {started: $PWD/started, open: $PWD/open}}"
        echo "  - {id: waits, type: count, needs: [held], params: {file: $PWD/count}}"
        seq 140000 | sed 's/.*/  - {id: t&, type: noop}/'
        echo "  - {id: last, type: count, needs: [t140000, t74465], params: {file: $PWD/last}}"; } | job long
    start run --stream "${both[@]}" long.yaml
    wait_until has_bytes last 1
    [ ! -e count ]
    touch open
    ended 0
    [ "$(bytes count)" -gt 0 ]
}

@test "tasks are read while many delayed dependents are released at once" {
    mkfifo pipe
    start run --stream "${both[@]}" pipe
    {
        awk -v dir="$PWD" 'BEGIN {
            print "version: 1\nname: crowd\ntasks:"
            printf "- {id: e, type: gate, params: {started: %s/started, open: %s/open}}\n", dir, dir
            for (i = 0; i < 60000; i++)
                printf "- {id: d%d, type: noop, needs: [e], delay: 1ms}\n", i
        }'
        : >open
        awk 'BEGIN {
            for (i = 0; i < 20000; i++)
                printf "- {id: s%d, type: noop}\n- {id: t%d, type: noop, needs: [s%d]}\n", i, i, i
        }'
    } >pipe
    ended 0
    [[ $(cat out) == "crowd: 100001 tasks: 100001 succeeded in "* ]]
}

@test "a for_each that comes later is needed whole, also where the file is read more than twice" {
    # In the first reading what takes its type, id or items from what comes later is not there, or has no number.
    job_of() {
        printf 'version: 1\ntasks:\n%b\n  - {id: last, type: noop, needs: [later]}
  - {id: later, type: noop, for_each: {x: [1, "${vars.t}"]}}\nvars: {t: noop}\n' "$1" >"$2.yaml"
    }
    job_of '  - {type: "${each.t}", for_each: {t: [noop, noop, noop]}}' each
    job_of '  - {type: "${vars.t}"}\n  - {type: "${vars.t}"}' type
    job_of '  - {id: "${vars.t}", type: noop}\n  - {id: "${vars.t}2", type: noop}' id
    for name in each type id; do
        run -0 --separate-stderr "$SLUICE" run --graph dot "$name.yaml" "${both[@]}"
        [ "$(grep -e '->' <<<"$output")" = '  "later[0]" -> "last";
  "later[1]" -> "last";' ]
    done
}
