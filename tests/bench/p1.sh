# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# P1: tasks submitted in memory, from the intake to the outcome, against seed-go.

p1_ours() {
    engine_run --config "$folder/p1.ini" --tasks "$tasks" noop
}

p1_reference() {
    seed_go_run -n "$tasks" -w "$p1_workers"
}

# p1_check: the same way with a plugin that notes what came; sets p1_came to "tasks N sum N".
p1_check() {
    printf '[plugin:probe]\ntasks = %s\nfile = %s\n' "$tasks" "$folder/came" >"$folder/p1.ini"
    plugins=$probes engine_run --config "$folder/p1.ini" --tasks "$tasks" probe
    p1_came=$(cut -d ' ' -f 1-4 "$folder/came")
    [ "$p1_came" = "tasks $tasks sum $engine_sum" ] || step_fail "compare the sums" "$p1_came" "$log"
}

p1_measure() {
    local goal p1_workers p1_came
    seed_go_build
    p1_check
    head_row seed-go
    for p1_workers in 1 4 16 64; do
        goal=">= 3.5"
        [ "$p1_workers" -le 4 ] || goal=">= 2.5"
        printf '[host]\nworkers = %s\n' "$p1_workers" >"$folder/p1.ini"
        pairs_measure p1_ours p1_reference
        pairs_row "P1 workers=$p1_workers" "$goal" M/s
    done
    echo "P1: with a plugin that counts: $p1_came; without, and in seed-go, as many, and the same sum"
}
