# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# P2_NEEDS: as P2 and P3 for tasks that need each other; the time may be a quarter more.
# shellcheck source=tests/bench/p2.sh
. "$here/p2.sh"

# p2_needs_rows NAME SHAPE COUNT: two rows for a generated file.
p2_needs_rows() {
    local bytes p2_file=$folder/needs.yaml p2_tasks=$3 p2_option=''
    "$here/generate_jobs.sh" "$3" "$2" >"$p2_file"
    : >"$folder/peak"
    pairs_measure p2_ours p2_reference
    pairs_row "P2 $1" "<= 1.81" s
    bytes=$(calculate "int($(sort -n "$folder/peak" | tail -n 1) * 1024 / $3)")
    row "P3 $1" "<= 250 B a task" "$bytes B" - - - "$(held "$bytes" "<= 250")"
    rm "$p2_file"
}

p2_needs_measure() {
    yaml_scan_build
    head_row yaml_scan
    p2_needs_rows "diamond of $tasks" diamond "$tasks"
    p2_needs_rows "chain of $((tasks / 10))" chain $((tasks / 10))
    p2_needs_rows "1 to $((tasks / 2)) to 1" diamond $((tasks / 2 + 2))
}
