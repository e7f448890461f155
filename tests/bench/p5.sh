# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# P5: durable tasks, submitted and finished, against sqlite_limit: one insert and one delete a task, 1024 a commit. Ours is
# the store alone (durable.c), from the first task that is added until all is on disk, not the way of a host.

# p5_run COMMAND...: runs it with a file of its own, which ends the command line; sets figure to thousands a second.
p5_run() {
    rm -f "$folder"/p5.db*
    run_measure "$@" "$folder/p5.db"
    figure=$(sed -nE 's|.* ([0-9]+) (tasks)?/s$|\1|p' "$log")
    figure=$(calculate "$figure / 1e3")
}

p5_ours() {
    p5_run "$bench/durable" tasks "$tasks"
}

p5_reference() {
    p5_run "$bench/sqlite_limit" "$tasks" 1024
}

# p5_waiting: how long a new opening takes until all waiting tasks were visited.
p5_waiting() {
    rm -f "$folder"/p5.db*
    run_measure "$bench/durable" waiting "$tasks" "$folder/p5.db"
    sed -nE 's|.*, ([0-9.]+) s, .*|\1|p' "$log"
}

p5_measure() {
    local bench=$root/build/release/tests/bench seconds
    head_row sqlite_limit
    pairs_measure p5_ours p5_reference
    pairs_row "P5 durable tasks, store alone" ">= 0.5" k/s
    p5_run "$bench/durable" jobs "$((tasks / 10))"
    row "P5 jobs of one task, 128 at once" ">= 20 k/s" "$figure k/s" - - - "$(held "$figure" ">= 20" "$pairs")"
    seconds=$(p5_waiting)
    row "P5 $tasks waiting, opened again" "< 3 s" "$seconds s" - - - "$(held "$seconds" "<= 3" "$pairs")"
    rm -f "$folder"/p5.db*
}
