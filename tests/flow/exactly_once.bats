# Every task runs exactly once: a plugin marks each task's number and fails what it has seen before.
# seconds: 400
# shellcheck disable=SC2154 # helpers.bash sets some variables
load engine

# numbers NAME FROM TO: a job file with a task for each number, of three types and seven priorities in turn.
numbers() {
    awk -v from="$2" -v to="$3" 'BEGIN {
        split("mark mark.b mark.c", types, " ")
        print "version: 1\ntasks:"
        for (n = from; n < to; n++)
            printf "- {type: %s, params: {n: %d}, priority: %d}\n", types[n % 3 + 1], n, n % 7 * 30 - 90
    }' >"$1.yaml"
}

# all_ran COUNT ARGUMENT...: a run in which as many different numbers ran, and no task failed.
all_ran() {
    local count=$1
    shift
    settings "[plugin:mark]" "most = $count"
    status=0
    "$SLUICE" run "${both[@]}" --progress off "$@" >out 2>err || status=$?
    cat out err
    [ "$status" -eq 0 ]
    grep -q "\"$count numbers ran\"" err
}

# A sanitizer makes everything slow; what races shows with fewer tasks as well.
many=1000000
[ -z "$SANITIZE" ] || many=60000

@test "a million tasks run exactly once" {
    numbers all 0 $many
    all_ran $many all.yaml
    [[ $(cat out) == "all: $many tasks: $many succeeded in "* ]]
}

@test "a million streamed tasks run exactly once" {
    numbers all 0 $many
    all_ran $many --stream all.yaml
    [[ $(cat out) == "all: $many tasks: $many succeeded in "* ]]
}

@test "a tenth of it runs exactly once by one worker and by many" {
    numbers all 0 $((many / 10))
    for workers in 1 3 16 64; do
        all_ran $((many / 10)) --workers mark=$workers --workers mark.b=$workers all.yaml
        all_ran $((many / 10)) --workers mark=$workers --workers mark.b=$workers --stream all.yaml
    done
}

@test "the tasks of several files run exactly once" {
    local some=$((many / 20))
    for i in 0 1 2 3; do
        numbers "part-$i" $((i * some)) $((i * some + some))
    done
    all_ran $((4 * some)) part-?.yaml
    [ "$(grep -c ": $some tasks: $some succeeded in " out)" -eq 4 ]
    all_ran $((4 * some)) --stream part-?.yaml
}

@test "tasks run exactly once when several dispatchers share them out to several groups" {
    numbers all 0 $((many / 10))
    local groups=()
    for i in 1 2 3 4; do
        groups+=("[group:g$i]" "type = mark*" "workers = $i")
    done
    settings "[host]" "dispatchers = 3" "inbound_capacity = 7" "max_pending = 5000" "${groups[@]}" \
        "[plugin:mark]" "most = $((many / 10))"
    sluice_run --progress off all.yaml
    [ "$status" -eq 0 ]
    grep -q "\"$((many / 10)) numbers ran\"" err
    [ "$(field task | sort -u | wc -l)" -eq $((many / 10)) ]
}

@test "a number that comes twice is found" {
    numbers all 0 10
    echo "- {type: mark.b, params: {n: 3}}" >>all.yaml
    settings "[plugin:mark]" "most = 10"
    sluice_run all.yaml
    [ "$status" -eq 1 ]
    grep -q "3 ran before" err
    grep -q '"10 numbers ran"' err
}
