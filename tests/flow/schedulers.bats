# Who gets a task if several groups may run it: the policies of [scheduler], and switching them while tasks run.
# shellcheck disable=SC2154 # helpers.bash sets both and pid
load engine

# uneven POLICY: two groups of one type, of which one may make four times as many calls at once.
uneven() {
    settings "[scheduler]" "policy = $1" "[group:slow]" "type = gate" "workers = 1" \
        "[group:fast]" "type = gate" "workers = 4"
}

# gate FIELDS: a line of a job file with a call that runs until the file open is there.
gate() {
    printf '  - {type: gate, params: {started: "%s/started", open: "%s/open"}%s}\n' "$PWD" "$PWD" "$1"
}

# run_gates: starts it.
run_gates() {
    start run --progress off "${both[@]}" --events events gates.yaml
}

# busy COUNT: so many calls have begun, and no more although a task that came later has run.
busy() {
    wait_until has_bytes started "$1"
    wait_until has_bytes later 1
    [ "$(bytes started)" -eq "$1" ]
    touch open
    ended 0
}

# later: a line of a job file with a task that comes last, and to a group of its own.
later() {
    echo "  - {type: count, delay: 200ms, params: {file: \"$PWD/later\"}}"
}

@test "round_robin gives a small group as much as a large one" {
    uneven round_robin
    { echo "tasks:"; for _ in 1 2 3 4 5 6; do gate ""; done; later; } | job gates
    run_gates
    # Three for the one worker of slow, of which two wait, although fast is not full.
    busy 4
}

@test "load_aware gives each group as much as it can run" {
    uneven load_aware
    { echo "tasks:"; for _ in 1 2 3 4 5; do gate ""; done; } | job gates
    run_gates
    wait_until has_bytes started 5
    touch open
    ended 0
}

@test "tag_based sends each task to the group whose labels say no more than it asks for" {
    settings "[scheduler]" "policy = tag_based" \
        "[group:plain]" "type = gate" "workers = 2" \
        "[group:sh]" "type = gate" "labels = region=sh" "workers = 3" \
        "[group:fast]" "type = gate" "labels = region=sh,disk=ssd" "workers = 4"
    # More than the group of each kind has workers: they wait, although others are free.
    local labels workers=2
    for labels in "" ", labels: {region: sh}" ", labels: {disk: ssd}"; do
        rm -f started open later
        { echo "tasks:"; for _ in 1 2 3 4 5 6; do gate "$labels"; done; later; } | job gates
        run_gates
        busy $workers
        workers=$((workers + 1))
    done
}

@test "SIGHUP switches the policy while tasks run, and no task is lost" {
    local groups=("[group:plain]" "type = gate" "workers = 1"
        "[group:special]" "type = gate" "labels = region=sh" "workers = 8")
    settings "[scheduler]" "policy = round_robin" "${groups[@]}"
    mkfifo pipe
    start run --stream --events events "${both[@]}" pipe
    exec 8>pipe
    { printf 'version: 1\ntasks:\n'; gate ""; gate ""; echo "  - {type: noop}"; } >&8
    wait_until has_bytes started 2 # one in each group
    settings "[scheduler]" "policy = tag_based" "${groups[@]}"
    kill -HUP "$pid"
    wait_until grep -qF 'changed="[scheduler] policy round_robin -> tag_based"' err
    # Those without a label are left to plain, which is busy.
    { gate ""; gate ""; gate ""; gate ", labels: {region: sh}"; echo "  - {type: noop}"; } >&8
    exec 8>&-
    wait_until has_bytes started 3
    [ "$(bytes started)" -eq 3 ]
    touch open
    ended 0
    [ "$(of_state succeeded)" -eq 8 ]
}
