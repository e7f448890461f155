# Who gets a task: labels are a hard filter, groups have a number of workers, types run one at a time if they say so.
# run alone
# shellcheck disable=SC2154 # helpers.bash sets both
load engine

@test "a task with labels that no group has is skipped with the reason, and everything else runs" {
    job mars <<'END'
tasks:
  - {id: lost, type: noop, labels: {region: mars}}
  - {id: nap, type: sleep, params: {for: 200ms}}
  - {id: noop, type: noop}
END
    sluice_run mars.yaml
    [ "$status" -eq 1 ]
    [[ $(cat out) == "mars: 3 tasks: 2 succeeded, 1 skipped in "* ]]
    grep -q "no group with labels region=mars for type 'noop'" err
    [ "$(jq -r 'select(.state == "skipped").reason' events)" = parked ]
}

@test "labels that no group has are warned of by check, and by run as soon as such a task comes" {
    settings "[group:sh]" "type = noop" "labels = region=sh" "[group:any]" "type = s*" "labels = region=mars"
    job mars <<'END'
defaults: {labels: {region: mars}}
tasks:
  - {type: noop, labels: {region: sh}}
  - {type: sleep, params: {for: 1ms}}
  - {id: lost, type: noop}
  - {type: noop}
  - {type: hash, params: {path: /dev/null}}
END
    run -0 --separate-stderr "$SLUICE" check "${both[@]}" mars.yaml
    diff - <(echo "$stderr") <<'END'
mars.yaml:6: warning: no group with labels region=mars for type 'noop', task 'lost' waits for one
mars.yaml:8: warning: no group with labels region=mars for type 'hash', task 'hash-5' waits for one
END
    sluice_run mars.yaml
    [ "$status" -eq 1 ]
    [ "$(grep -c 'level=warning msg="a task waits for a group with its labels" file=mars.yaml line=6 task=lost type=noop labels="*region=mars' err)" -eq 1 ]
    [ "$(grep -c 'level=warning' err)" -eq 2 ]
}

@test "tasks without a group are skipped although others are delayed or come back later" {
    job mars <<'END'
tasks:
  - {type: noop, labels: {region: mars}}
  - {type: noop, delay: 300ms}
  - {type: sleep, params: {for: 50ms}, delay: 100ms}
  - {type: try_again, params: {tries: tries}}
END
    sluice_run --stream mars.yaml
    [ "$status" -eq 1 ]
    [[ $(cat out) == "mars: 4 tasks: 3 succeeded, 1 skipped in "* ]]
}

@test "a run of nothing but tasks without a group ends" {
    tasks mars 3000 "type: noop, labels: {region: mars}"
    sluice_run mars.yaml
    [ "$status" -eq 1 ]
    [[ $(cat out) == "mars: 3000 tasks: 0 succeeded, 3000 skipped in "* ]]
}

@test "a group with a label runs only what asks for it or for nothing" {
    settings "[group:sh]" "type = scale" "labels = region=sh" "workers = 3" \
        "[group:bj]" "type = scale" "labels = region=bj, disk=fast" "workers = 2"
    {
        echo "tasks:"
        for _ in $(seq 20); do
            echo "  - {type: scale, params: {pan: a, for: 10ms, until: 5}, labels: {region: sh}}"
            echo "  - {type: scale, params: {pan: b, for: 10ms, until: 5}, labels: {region: bj}}"
            echo "  - {type: scale, params: {pan: c, for: 10ms, until: 5}, labels: {disk: fast, region: bj}}"
        done
        echo "  - {id: torn, type: scale, labels: {disk: fast, region: sh}}"
    } | job labels
    sluice_run labels.yaml
    [ "$status" -eq 1 ]
    [[ $(cat out) == "labels: 61 tasks: 60 succeeded, 1 skipped in "* ]]
    [ "$(jq -r 'select(.state == "skipped").task' events)" = torn ]
    # As many at once as the group has workers, never more: three in sh, two in bj.
    grep -q "scale: all=5 a=3 b=[12] c=[12]\." err
}

@test "tasks without labels are shared out to all groups of their type" {
    settings "[group:one]" "type = scale" "labels = region=sh" "workers = 2" "[group:two]" "type = scale" "workers = 3"
    tasks shared 60 "type: scale, params: {for: 10ms, until: 5}"
    sluice_run shared.yaml
    [ "$status" -eq 0 ]
    grep -q "scale: all=5 " err
}

@test "a group for a pattern of types runs them all within its number of workers" {
    settings "[group:all]" "type = scale*" "workers = 2"
    {
        echo "tasks:"
        for _ in $(seq 20); do
            echo "  - {type: scale, params: {pan: a, for: 5ms, until: 2}}"
            echo "  - {type: scale.b, params: {pan: b, for: 5ms, until: 2}}"
            echo "  - {type: sleep, params: {for: 5ms}}"
        done
    } | job pattern
    sluice_run pattern.yaml
    [ "$status" -eq 0 ]
    grep -q "scale: all=2 a=[12] b=[12] " err
}

@test "a type has as many calls at once as it has workers" {
    tasks crowd 100 "type: gate, params: {started: $PWD/started, open: $PWD/open}"
    for workers in 1 5 40; do
        rm -f started open
        start run --progress off "${both[@]}" --workers gate=$workers crowd.yaml
        wait_until has_bytes started $workers
        [ "$(bytes started)" -eq $workers ]
        touch open
        ended 0
        [ "$(bytes started)" -eq 100 ]
    done
    tasks scales 100 "type: scale, params: {for: 5ms}"
    sluice_run --workers scale=5 scales.yaml
    [ "$status" -eq 0 ]
    grep -qE "scale: all=[1-5] " err
}

@test "a group of several types of several plugins keeps its number of workers" {
    settings "[group:everything]" "type = *" "workers = 3"
    {
        echo "tasks:"
        for i in $(seq 30); do
            echo "  - {type: scale, params: {for: 5ms}}"
            echo "  - {type: sleep, params: {for: 5ms}}"
            echo "  - {type: mark, params: {n: $i}}"
            echo "  - {type: scale.serial, params: {pan: a, for: 5ms}}"
        done
    } | job mixed
    sluice_run mixed.yaml
    [ "$status" -eq 0 ]
    grep -q "scale: all=[123] a=1 " err
    grep -q '"30 numbers ran"' err
}

@test "calls of a serial type run one at a time, also in a group with four workers" {
    tasks serial 40 "type: scale.serial, params: {for: 5ms}"
    sluice_run serial.yaml
    grep -q "scale: all=1 " err
    settings "[group:serial]" "type = scale.serial" "workers = 4"
    sluice_run serial.yaml
    [ "$status" -eq 0 ]
    grep -q "scale: all=1 " err
}

@test "a serial type in several groups runs one at a time" {
    settings "[group:one]" "type = scale.*" "workers = 2" "[group:two]" "type = scale.serial" "workers = 2"
    tasks serial 40 "type: scale.serial, params: {for: 5ms}"
    sluice_run serial.yaml
    [ "$status" -eq 0 ]
    grep -q "scale: all=1 " err
}

@test "the timeout of a task of a serial type begins when its call begins" {
    settings "[group:serial]" "type = scale.serial" "workers = 4"
    tasks serial 8 "type: scale.serial, timeout: 1500ms, params: {for: 500ms}"
    sluice_run serial.yaml
    [ "$status" -eq 0 ]
}
