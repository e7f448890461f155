# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# P7: how long a task is on its way from its submission to its start, one submission a call, at a fixed rate.

p7_rate=1000000

p7_ours() {
    local p50 p99 submitted
    plugins=$probes engine_run --config "$folder/p7.ini" --tasks "$tasks" --batch 1 --rate "$p7_rate" probe
    read -r _ _ _ _ _ p50 _ p99 _ <"$folder/latency"
    read -r _ submitted _ < <(tail -n 1 "$log")
    figure="$p50 $p99 $(calculate "$submitted / 1e6")"
}

p7_reference() {
    local p50 p99
    seed_go_run -n "$tasks" -w "$p7_workers" -rate "$p7_rate"
    read -r _ p50 _ p99 _ < <(tail -n 1 "$log")
    figure="$p50 $p99 $figure"
}

# p7_row NAME COLUMN LIMIT: held if the median is within the limit, and the ratio to the reference below 1.
p7_row() {
    local ours reference low ratio high
    pairs_read "$2"
    row "P7 workers=$p7_workers $1" "<= $3 us, < 1" "$ours us" "$reference us" "$ratio" "$low-$high" \
        "$(held "($ours <= $3) + ($ratio < 1)" ">= 2" "$pairs")"
}

# p7_submitted_row: whether the rate was reached that all this is about.
p7_submitted_row() {
    local ours reference low ratio high
    pairs_read 3
    row "P7 workers=$p7_workers submitted" ">= 0.99 M/s" "$ours M/s" "$reference M/s" - - \
        "$(held "$ours" ">= 0.99" "$pairs")"
}

p7_measure() {
    local p7_workers
    seed_go_build
    head_row seed-go
    for p7_workers in 1 4; do
        printf '[host]\nworkers = %s\n[plugin:probe]\ntasks = %s\nfile = %s\n' \
            "$p7_workers" "$tasks" "$folder/latency" >"$folder/p7.ini"
        pairs_measure p7_ours p7_reference
        p7_row p50 1 100
        p7_row p99 2 2000
        p7_submitted_row
    done
}
