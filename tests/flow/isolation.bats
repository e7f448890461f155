# Types do not hold each other up.
# run alone
# shellcheck disable=SC2154 # helpers.bash sets some variables
load engine

# A p99 of a few tasks on a busy machine says more about the machine than about Sluice below this.
floor_us=5000

# quick COUNT: tasks of a fast type that fall due one by one, two milliseconds apart; the id says when.
quick() {
    awk -v count="$1" 'BEGIN {
        for (ms = 200; ms < 200 + 2 * count; ms += 2) printf "  - {id: due-%d, type: noop, delay: %dms}\n", ms, ms
    }'
}

# p99: of the fast tasks, from when they fell due to their end, in microseconds.
p99() {
    jq -r 'select(.type == "noop") | (.wait_seconds + .run_seconds) * 1e6 - (.task[4:] | tonumber) * 1000 | floor' \
        events | sort -n | awk '{us[NR] = $1} END {print us[int(NR * 99 / 100)]}'
}

# has_types TYPE COUNT: as many events of the type are there.
has_types() {
    [ "$(grep -c "\"type\":\"$1\"" events)" -ge "$2" ]
}

# among_slow: the fast tasks, while gates and sleeps take all that is not reserved and 10,000 more sleeps wait; the run
# is stopped once the fast ones are through.
among_slow() {
    rm -f events started
    start run --progress off --events events "${both[@]}" among.yaml
    wait_until has_types noop 1000
    kill -INT "$pid"
    wait_until grep -q stopping err
    kill -INT "$pid"
    ended 130
    [ "$(bytes started)" -eq 3 ]
    # The slow ones have hardly begun, so the weight was taken all the time.
    [ "$(jq -r 'select(.type == "sleep" and .state == "succeeded").task' events | wc -l)" -lt 60 ]
}

@test "ten thousand slow tasks that take all weight do not slow a fast type with a reserve" {
    settings "[host]" "max_weight = 20" "[group:slow]" "type = sleep" "workers = 1" \
        "[group:hog]" "type = gate" "workers = 4" "[group:alarm]" "type = noop" "workers = 2" "reserve = 1"
    { echo "tasks:"; quick 1000; } | job alone
    # 15 of the 19 that are not reserved are for the gates, 4 for the sleep that runs.
    { echo "tasks:"
        repeat 3 "type: gate, weight: 5, params: {started: $PWD/started, open: $PWD/open}"
        repeat 10000 "type: sleep, weight: 4, params: {for: 1s}"
        quick 1000; } | job among
    # What else the machine does can spoil a pair; a fast task that waits for weight waits a second in all of them.
    local alone among
    for _ in 1 2 3 4 5 6; do
        sluice_run alone.yaml
        [ "$status" -eq 0 ]
        alone=$(p99)
        among_slow
        among=$(p99)
        echo "p99 of the fast type: $alone us alone, $among us among slow ones"
        ((among > 2 * (alone < floor_us ? floor_us : alone))) || return 0
    done
    false
}

@test "a type that is not configured has workers of its own" {
    { echo "tasks:"; repeat 500 "type: gate, params: {open: $PWD/open}"; repeat 100 "type: noop"
        echo "  - {type: exec, needs: [$(seq -s, -f 'noop-%g' 501 600)], params: {argv: [touch, $PWD/open]}}"; } | job own
    sluice_run --max-weight 10 --workers gate=4 own.yaml
    [ "$status" -eq 0 ]
    # Every noop has ended before the first gate.
    [ "$(field type | head -n 100 | sort -u)" = noop ]
}
