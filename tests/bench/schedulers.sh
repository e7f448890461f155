# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# SCHEDULERS: a load that is skewed: two groups serve a type, one with a worker, one with four. load_aware against
# round_robin, which gives the small one half of all.

# policy_run POLICY: sets figure to the seconds that 200 naps of 10 ms take.
policy_run() {
    printf '[scheduler]\npolicy = %s\n[group:small]\ntype = sleep\nworkers = 1\n[group:large]\ntype = sleep\nworkers = 4\n' \
        "$1" >"$folder/policy.ini"
    run_measure "$program" run --format json --config "$folder/policy.ini" "$folder/naps.yaml"
    succeeded_check 200
    figure=$(calculate "$run_us / 1e6")
}

load_aware_run() {
    policy_run load_aware
}

round_robin_run() {
    policy_run round_robin
}

# schedulers_measure: the ratio of the two.
schedulers_measure() {
    awk 'BEGIN { print "version: 1\ntasks:"
        for (i = 0; i < 200; i++) print "  - {type: sleep, params: {for: 10ms}}" }' >"$folder/naps.yaml"
    head_row round_robin
    pairs_measure load_aware_run round_robin_run
    pairs_row "load_aware, groups of 1 and 4" "<= 0.7" s
}
