# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# P10: what a small job costs: time, memory, the size of the program.

# p10_measure: a ten-task job, from start to exit.
p10_measure() {
    local start median low high memory size starts=21
    head_row -
    "$here/generate_jobs.sh" 10 >"$folder/ten.yaml"
    : >"$folder/ours" && : >"$folder/peak"
    for ((start = 0; start < starts; start++)); do
        run_measure "$program" run --format json "$folder/ten.yaml"
        succeeded_check 10
        calculate "$run_us / 1e3" >>"$folder/ours"
        echo "$run_kib" >>"$folder/peak"
    done
    read -r low median high < <(quartiles "$folder/ours")
    memory=$(megabytes "$(sort -n "$folder/peak" | tail -n 1)")
    strip -o "$folder/stripped" "$program"
    size=$(calculate "int($(stat -c %s "$folder/stripped") / 1e3) / 1e3")
    row "P10 ten tasks, start to exit" "<= 15 ms" "$median ms" - - "$low-$high ms" "$(held "$median" "<= 15")"
    row "P10 ten tasks, peak memory" "<= 10 MB" "$memory MB" - - - "$(held "$memory" "<= 10")"
    row "P10 program, stripped" "<= 1 MB" "$size MB" - - - "$(held "$size" "<= 1")"
}
