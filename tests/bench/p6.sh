# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# P6: worker processes: how fast no-op tasks go through two of them, beside a fork a task; how long one takes to start; and
# what thousands of crashes leave behind.

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

# p6_left: prints descriptors, zombies and resident KiB of the daemon.
p6_left() {
    local host child zombies=0
    host=$(daemon_host)
    for child in $(cat "/proc/$host/task"/*/children); do
        ! grep -q '^State:.*Z' "/proc/$child/status" 2>/dev/null || zombies=$((zombies + 1))
    done
    echo "$(find "/proc/$host/fd" -type l | wc -l) $zombies $(sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$host/status")"
}

# p6_crash COUNT: has so many tasks crash in the daemon, and waits until the last of them has.
p6_crash() {
    local code=0
    awk -v count="$1" 'BEGIN { print "version: 1\ntasks:"; for (i = 0; i < count; i++) print "  - {type: crashes}" }' \
        >"$folder/crash.yaml"
    "$program" --config "$folder/serve.ini" submit --quiet --wait "$folder/crash.yaml" >"$log" 2>&1 || code=$?
    [ "$code" -eq 1 ] || step_fail "have tasks crash" "submit exited $code" "$log"
}

p6_crash_rows() {
    local p6_crashes=$((tasks >= 1000000 ? 10000 : tasks / 100 + 10)) before after from
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
    p6_crash_rows
}
