# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# P4: commands, /bin/true with its output captured, two at once, against spawn_limit: start to exit of both.

# exec_jobs COUNT: prints a job file of that many commands.
exec_jobs() {
    awk -v count="$1" 'BEGIN {
        print "version: 1\nname: exec\ntasks:"
        for (i = 0; i < count; i++)
            print "  - {type: exec, params: {argv: [/bin/true]}}"
    }'
}

p4_ours() {
    run_measure "$program" run --format json --workers exec=2 "$folder/exec.yaml"
    succeeded_check "$p4_commands"
    figure=$(calculate "$p4_commands / $run_us * 1e3")
}

p4_reference() {
    run_measure "$folder/spawn_limit" "$p4_commands" 2
    figure=$(calculate "$p4_commands / $run_us * 1e3")
}

p4_measure() {
    local p4_commands=$((tasks >= 4000 ? tasks / 200 : 20))
    step_run "build spawn_limit" bench-spawn-limit cc -O2 -pthread -o "$folder/spawn_limit" "$here/spawn_limit.c"
    exec_jobs "$p4_commands" >"$folder/exec.yaml"
    head_row spawn_limit
    pairs_measure p4_ours p4_reference
    pairs_row "P4 $p4_commands x /bin/true, 2 workers" ">= 0.95" k/s
}
