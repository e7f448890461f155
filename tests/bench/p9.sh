# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# P9: a reload of a changed plugin at half load: what it adds to the latency of the other types, and that nothing is lost.

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
        "$([ "$3" -eq 0 ] && held "$median" "<= 3" || echo "no: $3 tasks lost")"
}

# p9_measure: a plugin changes and is loaded again every other second, at half load; at least 11 times.
p9_measure() {
    local sent ended builds reloads=$((pairs > 11 ? pairs : 11))
    step_run "build pace" bench-pace cc -O2 -D_GNU_SOURCE -o "$folder/pace" "$here/pace.c"
    [ -n "$rate" ] || jobs_write
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
