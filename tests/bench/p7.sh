# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# P7: how long a task is on its way from its submission to its start, one submission a call, at a fixed rate.

p7_rate=1000000

p7_ours() {
    plugins=$probes engine_run --config "$folder/p7.ini" --tasks "$tasks" --batch 1 --rate "$p7_rate" probe
    read -r _ _ _ _ _ p7_p50 _ p7_p99 _ <"$folder/latency"
    read -r _ p7_reached _ < <(tail -n 1 "$log")
}

p7_reference() {
    seed_go_run -n "$tasks" -w "$p7_workers" -rate "$p7_rate"
    read -r _ p7_p50 _ p7_p99 _ < <(tail -n 1 "$log")
    p7_reached=$(calculate "$figure * 1e6")
}

# p7_note WHOSE: keeps what the last run said.
p7_note() {
    echo "$p7_p50" >>"$folder/p50.$1"
    echo "$p7_p99" >>"$folder/p99.$1"
    calculate "$p7_reached / 1e6" >>"$folder/reached.$1"
}

# p7_row NAME WHAT LIMIT UNIT: held if the median is within the limit, and the ratio to the reference too.
p7_row() {
    local ours reference low ratio high both
    read -r _ ours _ < <(quartiles "$folder/$2.ours")
    read -r _ reference _ < <(quartiles "$folder/$2.reference")
    paste "$folder/$2.ours" "$folder/$2.reference" | awk '{ print $1 / $2 }' >"$folder/ratio"
    read -r low ratio high < <(quartiles "$folder/ratio")
    both=$(held "($ours <= $3) + ($ratio < 1)" ">= 2" "$pairs")
    row "$1 $2" "<= $3 $4, < 1" "$ours $4" "$reference $4" "$ratio" "$low-$high" "$both"
}

p7_rows() {
    local pair p7_p50 p7_p99 p7_reached reached reference
    rm -f "$folder"/{p50,p99,reached}.*
    for ((pair = 0; pair < pairs; pair++)); do
        p7_ours
        p7_note ours
        p7_reference
        p7_note reference
    done
    p7_row "P7 workers=$p7_workers" p50 100 us
    p7_row "P7 workers=$p7_workers" p99 2000 us
    read -r _ reached _ < <(quartiles "$folder/reached.ours")
    read -r _ reference _ < <(quartiles "$folder/reached.reference")
    row "P7 workers=$p7_workers submitted" ">= 0.99 M/s" "$reached M/s" "$reference M/s" - - \
        "$(held "$reached" ">= 0.99" "$pairs")"
}

p7_measure() {
    local p7_workers
    seed_go_build
    head_row seed-go
    for p7_workers in 1 4; do
        printf '[host]\nworkers = %s\n[plugin:probe]\ntasks = %s\nfile = %s\n' \
            "$p7_workers" "$tasks" "$folder/latency" >"$folder/p7.ini"
        p7_rows
    done
}
