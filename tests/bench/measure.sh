# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# How a figure is measured, compared and shown; sourced by run.sh, which sets folder, log and pairs.

# run_measure COMMAND...: sets run_us (wall time) and run_kib (peak memory); the output is in $log.
run_measure() {
    local from=${EPOCHREALTIME/[.,]/}
    command time -f %M -o "$folder/memory" "$@" </dev/null >"$log" 2>&1 ||
        step_fail "measure $*" "it failed" "$log"
    run_us=$((${EPOCHREALTIME/[.,]/} - from))
    run_kib=$(tail -n 1 "$folder/memory")
}

# succeeded_check COUNT: the `sluice run` that was measured must have run every task.
succeeded_check() {
    grep -qE "\"succeeded\": ?$1\b" "$log" || step_fail "count the tasks" "not all of $1 succeeded" "$log"
}

# calculate EXPRESSION: prints its value.
calculate() {
    awk "BEGIN { printf \"%.6g\\n\", $1 }"
}

# megabytes KIB: prints them with one digit behind the point.
megabytes() {
    awk -v kib="$1" 'BEGIN { printf "%.1f\n", kib * 1024 / 1e6 }'
}

# quartiles FILE: prints the lower quartile, the median and the upper quartile of a column of numbers, in four digits.
quartiles() {
    sort -g "$1" | awk '{ v[NR] = $1 } function at(q, p, i) {
        p = 1 + (NR - 1) * q; i = int(p); return v[i] + (p - i) * (v[i < NR ? i + 1 : i] - v[i])
    } function shown(x) { return sprintf(x < 1000 ? "%.4g" : "%.0f", x) }
    END { print shown(at(0.25)), shown(at(0.5)), shown(at(0.75)) }'
}

# row NAME GOAL OURS REFERENCE RATIO QUARTILES HELD: prints a line of the table.
row() {
    printf '%-30s %-15s %-11s %-11s %-7s %-15s %s\n' "$@"
}

# head_row REFERENCE: prints the head of a table whose reference is that.
head_row() {
    row what goal ours "$1" ratio quartiles held
}

# held VALUE "<= LIMIT"|">= LIMIT" [PAIRS]: yes or no; fewer than 11 pairs prove nothing, and that is said.
held() {
    local word
    word=$(awk "BEGIN { print (($1) $2) ? \"yes\" : \"no\" }")
    [ "${3:-11}" -ge 11 ] || word="$word ($3 pairs; 11 count)"
    echo "$word"
}

# pairs_measure OURS REFERENCE: calls the two in turn, $pairs times; each sets `figure` to one figure or several, which become
# the columns of the files ours and reference.
pairs_measure() {
    local pair
    : >"$folder/ours" && : >"$folder/reference"
    for ((pair = 0; pair < pairs; pair++)); do
        "$1" && echo "$figure" >>"$folder/ours"
        "$2" && echo "$figure" >>"$folder/reference"
    done
}

# pairs_read COLUMN: sets ours and reference to the medians, low, ratio and high to the quartiles of the ratios.
pairs_read() {
    read -r _ ours _ < <(quartiles <(cut -d ' ' -f "$1" "$folder/ours"))
    read -r _ reference _ < <(quartiles <(cut -d ' ' -f "$1" "$folder/reference"))
    paste "$folder/ours" "$folder/reference" | sed 's/\t/ /' |
        awk -v column="$1" '{ print $column / $(column + NF / 2) }' >"$folder/ratio"
    read -r low ratio high < <(quartiles "$folder/ratio")
}

# pairs_row NAME GOAL UNIT [COLUMN]: prints the row of what pairs_measure has measured; the goal is that of the ratio.
pairs_row() {
    local ours reference low ratio high
    pairs_read "${4:-1}"
    row "$1" "$2 x" "$ours $3" "$reference $3" "$ratio" "$low-$high" "$(held "$ratio" "$2" "$pairs")"
}

# engine_run ARGUMENT...: submits no-op tasks in memory, as the arguments say; sets figure to millions a second, and engine_*
# to what it says.
engine_run() {
    run_measure "$engine" --plugins "$plugins" "$@"
    local succeeded
    read -r _ engine_tasks _ engine_seconds _ figure _ _ succeeded _ engine_sum _ engine_cpu _ <"$log"
    [ "$succeeded" = "$engine_tasks" ] || step_fail "count the tasks" "not all succeeded" "$log"
    figure=$(calculate "$figure / 1e6")
}

# seed_go_run ARGUMENT...: the same with seed-go; all its tasks must have come.
seed_go_run() {
    local check
    run_measure "$folder/seed-go" "$@"
    read -r _ _ _ _ _ figure _ _ check <"$log"
    [ "$check" = "$engine_sum)" ] || step_fail "compare the sums" "${check%)}, not $engine_sum" "$log"
    figure=$(calculate "$figure / 1e6")
}

# seed_go_build: builds seed-go from Debian's packages; what was compiled stays in build/bench.
seed_go_build() {
    [ -x "$folder/seed-go" ] ||
        step_run "build seed-go" bench-seed-go env -C "$here/seed-go" GOPATH=/usr/share/gocode GO111MODULE=off \
            GOCACHE="$root/build/bench" go build -o "$folder/seed-go" .
}
