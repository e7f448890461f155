# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# DURABLE: what it costs that nothing is lost: a run with a state beside sqlite_limit, tasks that are submitted one by one
# to a daemon beside a loop of commits, and how a daemon with many waiting tasks starts.

# durable_limit TASKS A-COMMIT: sets figure to what sqlite_limit makes of it, thousands of tasks a second.
durable_limit() {
    rm -f "$folder"/limit.db*
    run_measure "$bench/sqlite_limit" "$1" "$2" "$folder/limit.db"
    figure=$(sed -nE 's|.* ([0-9]+) (tasks)?/s$|\1|p' "$log")
    figure=$(calculate "$figure / 1e3")
}

durable_run_ours() {
    rm -f "$folder"/run.db*
    run_measure "$program" run --format json --state "$folder/run.db" "$folder/durable.yaml"
    succeeded_check "$tasks"
    figure=$(calculate "$tasks * 1e3 / $run_us")
}
durable_run_reference() { durable_limit "$tasks" 1024; }

# durable_post CONNECTIONS REQUESTS: sets figure to thousands of acknowledged tasks a second.
durable_post() {
    rm -rf "$folder/state"
    daemon_start
    post_run "$folder/run/sluice.sock" /v1/tasks "$1" 100 "$folder/task.json"
    post_run "$folder/run/sluice.sock" /v1/tasks "$1" "$2" "$folder/task.json"
    daemon_stop
    figure=$(calculate "$post_rate / 1e3")
}

# A task of sqlite_limit is two commits, one row each.
durable_post_ours() { durable_post 2 "$durable_commits"; }
durable_post_reference() {
    durable_limit $((durable_commits / 2)) 1
    figure=$(calculate "$figure * 2")
}

# durable_status FIELD: prints the last number of that name in the daemon's status.
durable_status() {
    "$folder/post" "$folder/run/sluice.sock" /v1/status 1 1 | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"
}

# durable_waiting_rows: the tasks of one job wait for one that goes on; the daemon is killed and started again.
durable_waiting_rows() {
    local from seconds memory
    awk -v count="$tasks" 'BEGIN {
        print "version: 1\ntasks:\n  - {id: first, type: sleep, params: {for: 1h}}"
        for (i = 0; i < count; i++)
            printf "  - {id: t%d, type: noop, needs: [first], params: {n: %d}}\n", i, i
    }' >"$folder/waiting.yaml"
    rm -rf "$folder/state"
    daemon_start
    post_run "$folder/run/sluice.sock" /v1/jobs 1 1 "$folder/waiting.yaml"
    kill -KILL "$daemon_pid"
    { wait "$daemon_pid" || :; } 2>/dev/null
    from=${EPOCHREALTIME/[.,]/}
    daemon_start
    [ "$(durable_status unfinished)" = $((tasks + 1)) ] || step_fail "recover" "not all tasks are there" "$folder/daemon.log"
    seconds=$(calculate "($(date +%s%6N) - $from) / 1e6")
    memory=$(awk '/^VmRSS/ { print $2 }' "/proc/$(daemon_host)/status")
    kill -KILL "$daemon_pid"
    { wait "$daemon_pid" || :; } 2>/dev/null
    row "DURABLE $tasks waiting, start" "<= 3 s" "$seconds s" - - - "$(held "$seconds" "<= 3" "$pairs")"
    memory=$(calculate "$memory * 1024 / $tasks")
    row "DURABLE the same, memory" "<= 300 B a task" "$memory B" - - - "$(held "$memory" "<= 300" "$pairs")"
}

durable_measure() {
    local bench=$root/build/release/tests/bench serve_backend=sqlite durable_commits=$((tasks / 50))
    local daemon_pid post_seconds post_rate
    step_run "build post" bench-post cc -O2 -o "$folder/post" "$here/post.c"
    printf '{"type": "noop", "params": {"n": 1}}' >"$folder/task.json"
    "$here/generate_jobs.sh" "$tasks" >"$folder/durable.yaml"
    head_row sqlite_limit
    pairs_measure durable_run_ours durable_run_reference
    pairs_row "DURABLE run --state" ">= 0.4" k/s
    head_row "one row a commit"
    pairs_measure durable_post_ours durable_post_reference
    pairs_row "DURABLE POST, 2 clients" ">= 0.6" k/s
    durable_post 128 $((tasks / 5))
    row "DURABLE POST, 128 connections" ">= 20 k/s" "$figure k/s" - - - "$(held "$figure" ">= 20" "$pairs")"
    durable_waiting_rows
}
