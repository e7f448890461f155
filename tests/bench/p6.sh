# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# P6: worker processes: how fast no-op tasks go through two of them, beside a fork a task; how long one takes to start; how
# fast another type is beside some that crash; and what thousands of crashes leave behind.

p6_ours() {
    engine_run --config "$folder/p6.ini" --tasks "$tasks" noop
}

p6_reference() {
    run_measure "$folder/spawn_limit" "$p6_forks" 2 fork
    figure=$(calculate "$(sed -n 's/.* \([0-9]*\) commands\/s/\1/p' "$log") / 1e6")
}

p6_start_ours() {
    run_measure "$program" run --format json --isolation process "$folder/one.yaml"
    succeeded_check 1
    figure=$(calculate "$run_us / 1e3")
}

p6_start_reference() {
    run_measure "$program" run --format json --isolation thread "$folder/one.yaml"
    succeeded_check 1
    figure=$(calculate "$run_us / 1e3")
}

# p6_neighbours: writes the jobs calm and crashing: 100,000 calls that wait for 100 us each; in the second each hundredth
# crashes, hangs or exits instead.
p6_neighbours() {
    local name
    for name in calm crashing; do
        awk -v count=100000 -v name="$name" 'BEGIN {
            how[20] = "crash"; how[50] = "hang"; how[80] = "exit"
            print "version: 1\nname: " name "\ntasks:"
            for (i = 0; i < count; i++)
                printf "  - {type: mixed, params: {%s}, timeout: %s}\n",
                    name == "crashing" && i % 100 in how ? "how: " how[i % 100] : "wait: 100us",
                    name == "crashing" && i % 100 == 50 ? "20ms" : "1h"
        }' >"$folder/$name.yaml"
    done
    awk -v count="$p6_steady" 'BEGIN { print "version: 1\ntasks:"; for (i = 0; i < count; i++) print "  - {type: steady}" }' \
        >"$folder/steady.yaml"
}

# p6_count JOB FIELD: prints that number of a job of the daemon.
p6_count() {
    "$program" --config "$folder/serve.ini" status --format json "$1" | sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"
}

# p6_beside NEIGHBOUR CRASHES: sets figure to the thousands of steady tasks a second that a worker thread does while the job of
# that name has two worker processes: it runs before, and is not over after. CRASHES: 1 if some of its calls must have crashed.
p6_beside() {
    local from lost
    local serve_settings=$'grace = 10ms\n[group:steady]\ntype = steady\nworkers = 1\n[group:mixed]\ntype = mixed\nworkers = 2\n'
    daemon_start --plugins "$folder/mixed"
    until [ -S "$folder/run/sluice.sock" ]; do sleep 0.01; done
    "$program" --config "$folder/serve.ini" submit --quiet "$folder/$1.yaml" >"$log" 2>&1 ||
        step_fail "submit the neighbour" "the daemon did not take it" "$log"
    until [ "$(p6_count "$1" succeeded)" -ge 1000 ]; do sleep 0.01; done
    from=${EPOCHREALTIME/[.,]/}
    "$program" --config "$folder/serve.ini" submit --quiet --wait "$folder/steady.yaml" >"$log" 2>&1 ||
        step_fail "run steady tasks" "not all succeeded" "$log"
    figure=$(calculate "$p6_steady * 1e3 / (${EPOCHREALTIME/[.,]/} - $from)")
    lost=$(p6_count "$1" crashed)
    [ $((lost > 0)) -eq "$2" ] ||
        step_fail "have a $1 neighbour" "$lost of its calls crashed" "$folder/daemon.log"
    [ "$(p6_count "$1" unfinished)" -gt 0 ] || step_fail "have a $1 neighbour" "it was over too soon" "$folder/daemon.log"
    daemon_stop
}
p6_beside_ours() { p6_beside crashing 1; }
p6_beside_reference() { p6_beside calm 0; }

p6_beside_rows() {
    local p6_steady=$((tasks / 50))
    mkdir -p "$folder/mixed"
    step_run "build a plugin that crashes now and then" bench-mixed cc -shared -fPIC -O2 -I "$root/sdk/include" \
        -o "$folder/mixed/mixed.so" "$root/tests/hostile/plugins/mixed.c"
    p6_neighbours
    head_row "calm"
    pairs_measure p6_beside_ours p6_beside_reference
    pairs_row "P6 beside one that crashes" ">= 0.9" k/s
}

# p6_left: prints descriptors, zombies and resident KiB of the daemon.
p6_left() {
    local host child zombies=0
    host=$(daemon_host)
    for child in $(cat "/proc/$host/task"/*/children); do
        ! grep -q '^State:.*Z' "/proc/$child/status" 2>/dev/null || zombies=$((zombies + 1))
    done
    echo "$(find "/proc/$host/fd" -type l | wc -l) $zombies $(sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$host/status")"
}

# p6_crash COUNT: has so many attempts crash in the daemon, and waits until the last of them has. They are attempts of a few
# tasks: of each task that has ended the last attempts are known, and that is the store's affair.
p6_crash() {
    local code=0 tasks=10
    awk -v count="$tasks" -v attempts=$(($1 / tasks)) 'BEGIN {
        print "version: 1\ntasks:"
        for (i = 0; i < count; i++)
            printf "  - {type: crashes, retry: {attempts: %d, delay: 0s}}\n", attempts
    }' >"$folder/crash.yaml"
    "$program" --config "$folder/serve.ini" submit --quiet --wait "$folder/crash.yaml" >"$log" 2>&1 || code=$?
    [ "$code" -eq 1 ] || step_fail "have tasks crash" "submit exited $code" "$log"
}

p6_crash_rows() {
    local p6_crashes=$((tasks >= 1000000 ? 10000 : tasks / 100 + 10)) before after from
    local serve_backend=sqlite # what is told of a crash is in a file, so that what grows is the host itself
    mkdir -p "$folder/crashes"
    cat >"$folder/crashes.c" <<'END'
#include <sluice/plugin.h>
static enum sluice_status crash(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    __builtin_trap();
}
static const struct sluice_type types[] = {
    {SLUICE_TYPE("crashes", "Crashes."), .flags = SLUICE_PROCESS_ONLY, .execute = crash},
    SLUICE_TYPES_END,
};
SLUICE_PLUGIN("crashes", "1.0.0", "crashes", types)
END
    step_run "build a plugin that crashes" bench-crashes cc -shared -fPIC -O2 -I "$root/sdk/include" \
        -o "$folder/crashes/crashes.so" "$folder/crashes.c"
    rm -rf "$folder/state"
    daemon_start --plugins "$folder/crashes"
    until [ -S "$folder/run/sluice.sock" ]; do sleep 0.01; done
    p6_crash 100 # what is made once is there then
    before=$(p6_left)
    from=${EPOCHREALTIME/[.,]/}
    p6_crash "$p6_crashes"
    after=$(p6_left)
    row "P6 a crash and a new process" "-" "$(calculate "(${EPOCHREALTIME/[.,]/} - $from) / 1e3 / $p6_crashes") ms" - - - -
    daemon_stop
    echo "P6: descriptors, zombies, resident KiB of the host before $p6_crashes crashes in a row: $before; after: $after"
}

p6_measure() {
    local p6_forks=$((tasks >= 100000 ? tasks / 50 : 200))
    printf '[group:noop]\ntype = noop\nworkers = 2\nisolation = process\n' >"$folder/p6.ini"
    printf 'version: 1\ntasks: [{type: noop}]\n' >"$folder/one.yaml"
    step_run "build spawn_limit" bench-spawn-limit cc -O2 -pthread -o "$folder/spawn_limit" "$here/spawn_limit.c"
    head_row "spawn_limit"
    pairs_measure p6_ours p6_reference
    pairs_row "P6 no-op, 2 worker processes" ">= 50" M/s
    read -r _ ours _ < <(quartiles "$folder/ours")
    row "P6 the same" ">= 0.5 M/s" "$ours M/s" - - - "$(held "$ours" ">= 0.5" "$pairs")"
    pairs_measure p6_start_ours p6_start_reference
    read -r _ ours _ < <(paste "$folder/ours" "$folder/reference" | awk '{ print $1 - $2 }' >"$folder/ratio" && quartiles "$folder/ratio")
    row "P6 a worker process starts" "<= 10 ms" "$ours ms" - - - "$(held "$ours" "<= 10" "$pairs")"
    p6_beside_rows
    head_row -
    p6_crash_rows
}
