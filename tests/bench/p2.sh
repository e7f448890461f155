# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# P2 and P3: a job file of no-op tasks, wall time against libyaml's scan of the same file, and peak memory.

# jobs_write: makes the job file of P2, P3 and P9, once.
jobs_write() {
    [ ! -e "$folder/noop.yaml" ] || return 0
    "$here/generate_jobs.sh" "$tasks" >"$folder/noop.yaml"
    echo "$tasks no-op tasks, $(stat -c %s "$folder/noop.yaml") bytes," \
        "cksum $(cksum <"$folder/noop.yaml" | cut -d' ' -f1)"
}

# p2_ours, p2_reference: a run of the file p2_file, which has p2_tasks tasks, and a scan of it.
p2_ours() {
    # shellcheck disable=SC2086 # one option, or none
    run_measure "$program" run --format json $p2_option "$p2_file"
    succeeded_check "$p2_tasks"
    echo "$run_kib" >>"$folder/peak"
    figure=$(calculate "$run_us / 1e6")
}

p2_reference() {
    run_measure "$folder/yaml_scan" "$p2_file"
    figure=$(calculate "$run_us / 1e6")
}

# p2_rows NAME TIME-LIMIT MEMORY-LIMIT [OPTION]: two rows.
p2_rows() {
    local memory p2_file=$folder/noop.yaml p2_tasks=$tasks p2_option=${4:-}
    : >"$folder/peak"
    pairs_measure p2_ours p2_reference
    pairs_row "P2 $1" "<= $2" s
    memory=$(megabytes "$(sort -n "$folder/peak" | tail -n 1)")
    row "P3 $1" "<= $3 MB" "$memory MB" - - - "$(held "$memory" "<= $3")"
}

# p3_row NAME LIMIT OPTION...: the peak memory of one run of ten times the tasks.
p3_row() {
    local memory name=$1 limit=$2
    shift 2
    run_measure "$program" run --format json "$@" "$folder/many.yaml"
    succeeded_check $((tasks * 10))
    memory=$(megabytes "$run_kib")
    row "P3 $name" "<= $limit MB" "$memory MB" - - - "$(held "$memory" "<= $limit")"
}

# yaml_scan_build: makes the reference of P2, once.
yaml_scan_build() {
    [ -x "$folder/yaml_scan" ] ||
        step_run "build yaml_scan" bench-yaml-scan cc -O2 -o "$folder/yaml_scan" "$here/yaml_scan.c" -lyaml
}

p2_measure() {
    yaml_scan_build
    jobs_write
    head_row yaml_scan
    p2_rows "checked first" 1.45 250
    p2_rows "--stream" 1.25 32 --stream
    "$here/generate_jobs.sh" $((tasks * 10)) >"$folder/many.yaml"
    p3_row "10 x tasks, checked first" 2500
    p3_row "10 x tasks, --stream" 32 --stream
    rm "$folder/many.yaml"
}
