# Types do not hold each other up.
# run alone
# shellcheck disable=SC2154 # helpers.bash sets some variables
load engine

# A p99 of a few tasks on a busy machine says more about the machine than about Sluice below this.
floor_us=5000

# quick COUNT: tasks of a fast type that come one by one, a few milliseconds apart.
quick() {
    awk -v count="$1" 'BEGIN { for (i = 0; i < count; i++) printf "  - {type: noop, delay: %dms}\n", 200 + i * 2 }'
}

# p99_of FILE: of the fast type, in microseconds, at least the floor.
p99_of() {
    local us
    us=$(worst 99 noop)
    echo $((us < floor_us ? floor_us : us))
}

@test "ten thousand slow tasks that take all weight do not slow a fast type with a reserve" {
    settings "[host]" "max_weight = 20" "[group:slow]" "type = sleep" "workers = 1" \
        "[group:hog]" "type = gate" "workers = 4" "[group:alarm]" "type = noop" "workers = 2" "reserve = 1"
    { echo "tasks:"; quick 1000; } | job alone
    sluice_run alone.yaml
    [ "$status" -eq 0 ]
    local alone among
    alone=$(p99_of noop)

    # 15 of the 19 that are not reserved for the gates, the rest for the one sleep that runs: the next must wait.
    { echo "tasks:"
        repeat 3 "type: gate, weight: 5, params: {started: $PWD/started, open: $PWD/open}"
        repeat 10000 "type: sleep, weight: 4, params: {for: 1s}"
        quick 1000; } | job among
    rm events
    start run --progress off --events events "${both[@]}" among.yaml
    wait_until has_types noop 1000
    kill -INT "$pid"
    wait_until grep -q stopping err
    kill -INT "$pid"
    ended 130
    among=$(p99_of noop)
    echo "p99 of the fast type: $(worst 99 noop) us among slow ones, bounds: alone $alone us, among $among us"
    [ "$among" -le $((2 * alone)) ]
    [ "$(bytes started)" -eq 3 ]
    # The slow ones have hardly begun, so the weight was taken all the time.
    [ "$(jq -r 'select(.type == "sleep" and .state == "succeeded").task' events | wc -l)" -lt 60 ]
}

# has_types TYPE COUNT: as many events of the type are there.
has_types() {
    [ "$(grep -c "\"type\":\"$1\"" events)" -ge "$2" ]
}

@test "a type that is not configured has workers of its own" {
    { echo "tasks:"; repeat 500 "type: gate, params: {open: $PWD/open}"; repeat 100 "type: noop"
        echo "  - {type: exec, delay: 100ms, params: {argv: [touch, $PWD/open]}}"; } | job own
    sluice_run --max-weight 10 --workers gate=4 own.yaml
    [ "$status" -eq 0 ]
    # Every noop has ended before the first gate.
    [ "$(field type | head -n 100 | sort -u)" = noop ]
}
