#!/bin/bash
# run.sh [--pairs N] [--tasks N] [--rate N] [--only GOAL] [--program FILE]: measures build/release against its goals and
# prints a table. Never fails a build: it exits 0 whatever it measured, 3 if it could not measure. README.md says how to
# read it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=configs/steps.sh
. "$root/configs/steps.sh"

pairs=3 tasks=1000000 starts=21 rate='' only='' program=$root/build/release/bin/sluice
while [ $# -gt 0 ]; do
    case $1 in
    --pairs) pairs=$2 ;;
    --tasks) tasks=$2 ;;
    --rate) rate=$2 ;;
    --only) only=$2 ;;
    --program) program=$2 ;;
    *) echo "usage: run.sh [--pairs N] [--tasks N] [--rate N] [--only GOAL] [--program FILE]" >&2 && exit 2 ;;
    esac
    shift 2
done
case $only in
'' | P2 | P9 | P10) ;;
*) echo "run.sh: --only takes P2, P9 or P10" >&2 && exit 2 ;;
esac

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

# half_load: no-op tasks a second, half of what a run that writes events manages here.
half_load() {
    run_measure "$program" run --format json --stream --events "$folder/events" "$folder/noop.yaml"
    succeeded_check "$tasks"
    rm "$folder/events"
    echo $((tasks * 500000 / run_us))
}

# builds_make COUNT: a plugin folder of our own, and so many other builds of its sleep.so, which differ in the version.
builds_make() {
    local build version
    mkdir "$folder/plugins" "$folder/builds"
    cp "$(dirname "$program")/../plugins/"{noop,sleep}.so "$folder/plugins"
    for ((build = 1; build <= $1; build++)); do
        printf -v version '1.%03d' "$build"
        LC_ALL=C sed "s/1\.0\.0/$version/g" "$folder/plugins/sleep.so" >"$folder/builds/$build.so"
        cp "$folder/builds/$build.so" "$folder/builds/$build.unused"
    done
}

# paced_run SECONDS: runs what pace writes, and reloads sleep.so when the seconds 2, 4, 6, ... begin. Sets sent, and writes
# the seconds without a reload and with one to the file pairs. A second without one moves a file too, and sends no signal.
paced_run() {
    local input pid word number time build
    mkfifo "$folder/marks"
    exec {input}< <("$folder/pace" "$rate" "$1" "$folder/marks")
    env --default-signal=HUP "$program" run --stream --format json --events "$folder/events" --plugins "$folder/plugins" \
        --workers sleep=16 - <&"$input" >"$log" 2>&1 &
    pid=$!
    exec {input}<&-
    while read -r word number time; do
        build=$(((number + 1) / 2))
        case $word in
        sent) sent=$number ;;
        second)
            if ((number % 2 == 1)); then
                mv "$folder/builds/$build.unused" "$folder/unused.so"
                printf '%s ' "$time"
            elif ((number > 0)); then
                mv "$folder/builds/$build.so" "$folder/plugins/sleep.so"
                kill -HUP "$pid"
                printf '%s\n' "$time"
            fi
            ;;
        esac
    done <"$folder/marks" >"$folder/pairs"
    wait "$pid" || [ $? -eq 1 ] || step_fail "reload at half load" "the run failed" "$log"
}

# events_read: writes a line "second waited-and-run due-to-ended" for each no-op task, in ms, to the file latencies; prints
# how many tasks ended well and how many builds of sleep.so ran. Fields of an event are told apart by their quotes.
events_read() {
    awk -F '"' -v latencies="$folder/latencies" '
        $14 $18 $22 $44 $46 != "tasktypestatewait_secondsrun_seconds" { exit 1 }
        $24 == "succeeded" && !seen[$16]++ { ended++ }
        $20 == "sleep" && !build[$42]++ { builds++ }
        $20 == "noop" {
            split($16, due, ".")
            late = substr($4, 18, 9) - (substr(due[1], 2) + due[2] / 1e6)
            printf "%s %.3f %.3f\n", substr($4, 1, 19), (substr($45, 2) + substr($47, 2)) * 1e3,
                (late < -1e-3 ? late + 60 : late) * 1e3 >latencies
        }
        END { print ended + 0, builds + 0 }' "$folder/events"
}
# p99_of COLUMN: prints "second p99" of that column of the file latencies, for each second.
p99_of() {
    sort -k 1,1 -k "$1,$1g" "$folder/latencies" | awk -v column="$1" '
        function out() { if (count) print second, v[int(0.99 * (count - 1)) + 1] }
        $1 != second { out(); second = $1; count = 0 }
        { v[++count] = $column }
        END { out() }'
}

# reload_row NAME COLUMN LOST: the p99 of the seconds with a reload against the seconds before them.
reload_row() {
    local low median high without with
    p99_of "$2" >"$folder/p99"
    awk 'NR == FNR { p99[$1] = $2; next } { print p99[$1], p99[$2], p99[$2] - p99[$1] }' \
        "$folder/p99" "$folder/pairs" >"$folder/paired"
    read -r _ without _ < <(quartiles <(cut -d ' ' -f 1 "$folder/paired"))
    read -r _ with _ < <(quartiles <(cut -d ' ' -f 2 "$folder/paired"))
    read -r low median high < <(quartiles <(cut -d ' ' -f 3 "$folder/paired"))
    row "P9 $1" "<= +3 ms" "$with ms" "$without ms" "$median" "$low..$high" \
        "$([ "$3" -eq 0 ] && held "$median" 3 || echo "no: $3 tasks lost")"
}

# reload_measure: a plugin changes and is loaded again every other second, at half load; at least 11 times.
reload_measure() {
    local sent ended builds reloads=$((pairs > 11 ? pairs : 11))
    [ -n "$rate" ] || rate=$(half_load)
    builds_make "$reloads"
    paced_run $((2 * reloads + 1))
    read -r ended builds < <(events_read)
    [ "${builds:-0}" -eq $((reloads + 1)) ] ||
        step_fail "reload at half load" "${builds:-0} builds ran of $((reloads + 1))" "$log"
    row what goal reload "no reload" rise quartiles held
    reload_row "p99 waited and run" 2 $((sent - ended))
    reload_row "p99 from due to ended" 3 $((sent - ended))
    echo "P9: $rate no-op tasks a second, $reloads reloads, $sent tasks sent, $ended ended well"
}

# wants GOAL: whether it is to be measured.
wants() {
    [ -z "$only" ] || [ "$only" = "$1" ]
}

step_run "build yaml_scan" bench-yaml-scan cc -O2 -o "$folder/yaml_scan" "$here/yaml_scan.c" -lyaml
step_run "build pace" bench-pace cc -O2 -D_GNU_SOURCE -o "$folder/pace" "$here/pace.c"
"$here/generate_jobs.sh" "$tasks" >"$folder/noop.yaml"
echo "$tasks no-op tasks, $(stat -c %s "$folder/noop.yaml") bytes, cksum $(cksum <"$folder/noop.yaml" | cut -d' ' -f1)"
if wants P2 || wants P10; then
    row what goal ours yaml_scan ratio quartiles held
fi
if wants P2; then
    pairs_measure "checked first" 1.45 250
    if "$program" run --help 2>&1 | grep -q -- --stream; then
        pairs_measure "--stream" 1.25 32 --stream
    fi
fi
if wants P10; then start_measure; fi
if wants P9; then reload_measure; fi
