#!/bin/bash
# run.sh [--pairs N] [--tasks N] [--program FILE]: measures build/release against its goals and prints a table.
# Never fails a build: it exits 0 whatever it measured, 3 if it could not measure. README.md says how to read it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=configs/steps.sh
. "$root/configs/steps.sh"

pairs=3 tasks=1000000 starts=21 program=$root/build/release/bin/sluice
while [ $# -gt 0 ]; do
    case $1 in
    --pairs) pairs=$2 ;;
    --tasks) tasks=$2 ;;
    --program) program=$2 ;;
    *) echo "usage: run.sh [--pairs N] [--tasks N] [--program FILE]" >&2 && exit 2 ;;
    esac
    shift 2
done

packages_install build bench
[ -x "$program" ] || preset_build release
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
log=$folder/output

# run_measure COMMAND...: sets run_us (wall time) and run_kib (peak memory).
run_measure() {
    local from=${EPOCHREALTIME/[.,]/}
    command time -f %M -o "$folder/memory" "$@" </dev/null >"$log" 2>&1 ||
        step_fail "measure $*" "it failed" "$log"
    run_us=$((${EPOCHREALTIME/[.,]/} - from))
    run_kib=$(tail -n 1 "$folder/memory")
}

# quartiles FILE: prints the lower quartile, the median and the upper quartile of a column of numbers.
quartiles() {
    sort -n "$1" | awk '{ v[NR] = $1 } function at(q, p, i) {
        p = 1 + (NR - 1) * q; i = int(p); return v[i] + (p - i) * (v[i < NR ? i + 1 : i] - v[i])
    } END { printf "%.3f %.3f %.3f\n", at(0.25), at(0.5), at(0.75) }'
}

# row NAME GOAL OURS REFERENCE RATIO QUARTILES HELD: prints a line of the table.
row() {
    printf '%-34s %-10s %-10s %-10s %-7s %-15s %s\n' "$@"
}

# held VALUE LIMIT: yes or no; fewer than 11 pairs prove nothing, and that is said.
held() {
    local word
    word=$(awk -v value="$1" -v limit="$2" 'BEGIN { print (value <= limit ? "yes" : "no") }')
    [ "${3:-11}" -ge 11 ] || word="$word ($3 pairs; 11 count)"
    echo "$word"
}

# succeeded_check COUNT: the run that was measured must have run every task.
succeeded_check() {
    grep -qE "\"succeeded\": ?$1\b" "$log" || step_fail "count the tasks" "not all of $1 succeeded" "$log"
}

# pairs_measure NAME LIMIT MEMORY-LIMIT OPTION...: ours and yaml_scan in turn over the same file.
pairs_measure() {
    local name=$1 limit=$2 memory_limit=$3 ratio_low ratio ratio_high ours reference memory pair
    shift 3
    : >"$folder/ours" && : >"$folder/reference" && : >"$folder/ratio" && : >"$folder/peak"
    for ((pair = 0; pair < pairs; pair++)); do
        run_measure "$program" run --format json "$@" "$folder/noop.yaml"
        succeeded_check "$tasks"
        local ours_us=$run_us
        echo "$run_kib" >>"$folder/peak"
        run_measure "$folder/yaml_scan" "$folder/noop.yaml"
        awk -v a="$ours_us" -v b="$run_us" 'BEGIN { printf "%.6f\n", a / b }' >>"$folder/ratio"
        awk -v a="$ours_us" 'BEGIN { printf "%.6f\n", a / 1e6 }' >>"$folder/ours"
        awk -v b="$run_us" 'BEGIN { printf "%.6f\n", b / 1e6 }' >>"$folder/reference"
    done
    read -r _ ours _ < <(quartiles "$folder/ours")
    read -r _ reference _ < <(quartiles "$folder/reference")
    read -r ratio_low ratio ratio_high < <(quartiles "$folder/ratio")
    row "P2 $name" "<= $limit x" "$ours s" "$reference s" "$ratio" "$ratio_low-$ratio_high" \
        "$(held "$ratio" "$limit" "$pairs")"
    memory=$(sort -n "$folder/peak" | awk 'END { printf "%.1f", $1 * 1024 / 1e6 }')
    row "P3 $name" "<= $memory_limit MB" "$memory MB" - - - "$(held "$memory" "$memory_limit")"
}

# start_measure: a ten-task job, from start to exit.
start_measure() {
    local start median low high memory size
    "$here/generate_jobs.sh" 10 >"$folder/ten.yaml"
    : >"$folder/ours" && : >"$folder/peak"
    for ((start = 0; start < starts; start++)); do
        run_measure "$program" run --format json "$folder/ten.yaml"
        succeeded_check 10
        awk -v a="$run_us" 'BEGIN { printf "%.3f\n", a / 1e3 }' >>"$folder/ours"
        echo "$run_kib" >>"$folder/peak"
    done
    read -r low median high < <(quartiles "$folder/ours")
    memory=$(sort -n "$folder/peak" | awk 'END { printf "%.1f", $1 * 1024 / 1e6 }')
    strip -o "$folder/stripped" "$program"
    size=$(awk -v bytes="$(stat -c %s "$folder/stripped")" 'BEGIN { printf "%.3f", bytes / 1e6 }')
    row "P10 ten tasks, start to exit" "<= 15 ms" "$median ms" - - "$low-$high ms" "$(held "$median" 15)"
    row "P10 ten tasks, peak memory" "<= 10 MB" "$memory MB" - - - "$(held "$memory" 10)"
    row "P10 program, stripped" "<= 1 MB" "$size MB" - - - "$(held "$size" 1)"
}

step_run "build yaml_scan" bench-yaml-scan cc -O2 -o "$folder/yaml_scan" "$here/yaml_scan.c" -lyaml
"$here/generate_jobs.sh" "$tasks" >"$folder/noop.yaml"
echo "$tasks no-op tasks, $(stat -c %s "$folder/noop.yaml") bytes, cksum $(cksum <"$folder/noop.yaml" | cut -d' ' -f1)"
row what goal ours yaml_scan ratio quartiles held
pairs_measure "checked first" 1.45 250
if "$program" run --help 2>&1 | grep -q -- --stream; then
    pairs_measure "--stream" 1.25 32 --stream
fi
start_measure
