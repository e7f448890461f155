# The whole story of a daemon, from its start to its end, under load.
# seconds: 300
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test has variables of its own; helpers.bash sets some
load daemon
load reload

most=160000 # numbers that the producers have
pending_most=2000
singles=0   # tasks that were sent one by one, with numbers behind those

# produce N: producers in the background; each leaves what it says in producer.I.
produce() {
    local i
    producers=()
    for ((i = 0; i < $1; i++)); do
        python3 "$SOURCE_DIR/tests/flow/daemon_producer.py" "$socket" $((i * most / $1)) $((most / $1)) enough \
            >"producer.$i" 2>"producer.$i.err" 3>&- &
        producers+=($!)
    done
}

produced() {
    local producer
    for producer in "${producers[@]}"; do
        wait "$producer" || { cat producer.*.err >&2; return 1; }
    done
    taken=$(awk '{ sum += $1 } END { print sum }' producer.?)
    refused=$(awk '{ sum += $2 } END { print sum }' producer.?)
}

teardown() {
    touch enough
    local process
    for process in ${producers[@]+"${producers[@]}"} ${pid:-}; do
        ! kill -0 "$process" 2>/dev/null || kill -KILL "$process"
    done
}

# figure SERIES: its value in a scrape, summed up over all series that begin so.
figure() {
    awk -v series="$1" 'index($0, series) == 1 { sum += $NF } END { printf "%d\n", sum }' scrape
}

scrape() {
    get /metrics
    cp answer scrape
}

# in_groups_at_least N: whether so many tasks wait in the groups, as the metrics have it.
in_groups_at_least() {
    scrape
    [ "$(figure worker_queue_length)" -ge "$1" ]
}

finished_more_than() {
    scrape
    [ "$(figure 'task_finished_total{type="tally"')" -gt "$1" ]
}

# moves: whether tasks are on their way, and end.
moves() {
    finished_more_than 0
    local before
    before=$(figure 'task_finished_total{type="tally"')
    wait_until finished_more_than "$before"
    get /v1/status .tasks.unfinished
    [ "$output" -gt 0 ]
}

# switch POLICY: under load.
switch() {
    moves
    api PUT /v1/scheduler "{\"policy\":\"$1\"}"
    expect 200
    got .policy "$1"
    moves
}

pause_tally() {
    local group
    for group in left right; do
        api PATCH /v1/groups/$group "{\"paused\":$1}"
        expect 200
        got .paused "$1"
    done
}

# fill: takes the last places of the host, too few for a job of the producers, until there is no room for a task.
fill() {
    wait_until in_groups_at_least $((pending_most - 99))
    until submit_number; do :; done
    expect 429
    got .error.code pending_full
    [ "$(header Retry-After)" = 1 ]
    wait_until in_groups_at_least $pending_most
    [ "$(figure worker_queue_length)" -eq $pending_most ]
}

# submit_number: a number that no producer sends; fails when there is no room.
submit_number() {
    api POST /v1/tasks "{type: tally, params: {n: $((most + singles))}}"
    [ "$status" -eq 202 ] || return 0
    singles=$((singles + 1))
    return 1
}

# read_marks: how many numbers ran, how many of them more than once, and in which versions.
read_marks() {
    read -r ran wrong versions < <(od -An -v -tu4 -w4 -j8 -N $(((most + pending_most) * 4)) marks | awk '
        { times = $1 % 65536; if (times) { ran++; seen[int($1 / 65536)] }; if (times > 1) wrong++ }
        END { for (v in seen) versions++; print ran + 0, wrong + 0, versions + 0 }')
}

@test "eight producers, two switches of policy, a reload, a full host and a stop: the counts add up exactly" {
    install_build "$TEST_PLUGINS/tally.so" ""
    settings "[host]" "max_pending = $pending_most" "[plugin:tally]" "file = $PWD/marks" "most = $((most + pending_most))" "spin_us = 100" \
        "[group:left]" "type = tally" "workers = 2" "[group:right]" "type = tally" "workers = 2" "labels = side=right"
    plugins_of_daemon=(--plugins plugins --plugins "$PLUGINS")
    serve
    produce 8
    wait_until finished_more_than 0

    switch load_aware
    switch tag_based
    get /v1/scheduler .policy
    [ "$output" = tag_based ]

    # A changed plugin, under load: both versions have run in the end.
    install_build "$TEST_PLUGINS/tally.so" "s/0\.0000/0.0001/g"
    api POST /v1/reload
    expect 200
    got .replaced 1
    moves

    # Nothing ends: the host fills up to the last place, and says so.
    pause_tally true
    fill
    [ "$(figure 'task_submitted_total{type="tally"}')" -eq $(($(figure 'task_finished_total{type="tally"') + pending_most)) ]
    [ "$(figure 'worker_queue_length{type="tally",group="left"}')" -gt 0 ]
    get /v1/status .pending.taken
    [ "$output" -eq $pending_most ]
    get /v1/scheduler .policy
    [ "$output" = tag_based ]
    pause_tally false
    moves

    touch enough
    produced
    [ "$taken" -gt $pending_most ] && [ "$refused" -gt 0 ]
    get /v1/status .jobs.known
    [ "$output" -eq $((taken / 100 + singles)) ]
    taken=$((taken + singles))
    wait_until is /v1/status .tasks.unfinished 0
    scrape
    promtool check metrics <scrape
    [ "$(figure 'task_submitted_total{type="tally"}')" -eq "$taken" ]
    [ "$(figure 'task_finished_total{type="tally",outcome="succeeded"}')" -eq "$taken" ]
    [ "$(figure 'task_finished_total')" -eq "$taken" ]
    [ "$(figure 'task_latency_seconds_bucket{type="tally",le="+Inf"}')" -eq "$taken" ]
    [ "$(figure 'task_latency_seconds_count{type="tally"}')" -eq "$taken" ]
    [ "$(figure 'task_latency_seconds_bucket{type="tally",le="0.00001"}')" -eq 0 ]
    [ "$(figure 'worker_queue_length')" -eq 0 ]
    [ "$(figure 'inbound_rejected_total{reason="pending_full"}')" -eq $((refused + 1)) ]
    [ "$(figure 'plugin_reloads_total{result="replaced"}')" -eq 1 ]
    wait_until is /v1/status '"\(.tasks.succeeded) \(.jobs.unfinished)"' "$taken 0"
    read_marks
    [ "$ran" -eq "$taken" ] && [ "$wrong" -eq 0 ] && [ "$versions" -eq 2 ]

    stop_daemon
    [ ! -e "$socket" ]
}
