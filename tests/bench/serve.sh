# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# SERVE: what the daemon costs: POST /v1/tasks beside a bare libmicrohttpd handler, POST /v1/jobs beside `sluice check`,
# scrapes under load, and how it idles.

serve_connections=32

serve_backend=memory
serve_settings='' # more lines of its configuration, which go on with [host]

# daemon_start [OPTION...]: starts the daemon; sets daemon_pid. post waits until it listens.
daemon_start() {
    rm -rf "$folder/run"
    printf '[store]\nbackend = %s\n[host]\nruntime_dir = %s\nstate_dir = %s\noverflow = block\n%s' "$serve_backend" \
        "$folder/run" "$folder/state" "$serve_settings" >"$folder/serve.ini"
    "$program" serve --quiet --config "$folder/serve.ini" "$@" </dev/null >"$folder/daemon.log" 2>&1 &
    daemon_pid=$!
}

# daemon_stop: ends it, which must go well.
daemon_stop() {
    local code=0
    kill -TERM "$daemon_pid"
    wait "$daemon_pid" || code=$?
    [ "$code" -eq 143 ] || step_fail "stop the daemon" "it exited $code" "$folder/daemon.log"
}

# daemon_host: prints the process of the daemon that does the work, under its monitor.
daemon_host() {
    local host
    read -r host _ <"/proc/$daemon_pid/task/$daemon_pid/children"
    echo "$host"
}

# post_run SOCKET PATH CONNECTIONS REQUESTS BODY-FILE: sets post_seconds, post_rate.
post_run() {
    "$folder/post" "$@" >"$log" 2>&1 || step_fail "send requests" "one was not answered 202" "$log"
    read -r _ _ post_seconds _ post_rate _ <"$log"
}

serve_tasks_ours() {
    daemon_start
    post_run "$folder/run/sluice.sock" /v1/tasks "$serve_connections" $((serve_requests / 10)) "$folder/task.json"
    post_run "$folder/run/sluice.sock" /v1/tasks "$serve_connections" "$serve_requests" "$folder/task.json"
    daemon_stop
    figure=$(calculate "$post_rate / 1e3")
}

serve_tasks_reference() {
    local bare
    rm -f "$folder/bare.sock"
    "$folder/bare_http" "$folder/bare.sock" &
    bare=$!
    post_run "$folder/bare.sock" /v1/tasks "$serve_connections" $((serve_requests / 10)) "$folder/task.json"
    post_run "$folder/bare.sock" /v1/tasks "$serve_connections" "$serve_requests" "$folder/task.json"
    kill "$bare"
    wait "$bare" || :
    figure=$(calculate "$post_rate / 1e3")
}

serve_jobs_ours() {
    daemon_start
    post_run "$folder/run/sluice.sock" /v1/tasks 1 1 "$folder/task.json" # it listens, and the plugin is there
    post_run "$folder/run/sluice.sock" /v1/jobs 1 1 "$folder/hundred.yaml"
    daemon_stop
    figure=$(calculate "$serve_job_tasks / $post_seconds / 1e6")
}

serve_jobs_reference() {
    run_measure "$program" check --quiet "$folder/hundred.yaml"
    figure=$(calculate "$serve_job_tasks / $run_us")
}

# ---- scrapes ----

# daemon_ended: prints how many tasks have ended well.
daemon_ended() {
    "$folder/post" "$folder/run/sluice.sock" /v1/status 1 1 | sed -n 's/.*"succeeded":\([0-9]*\).*/\1/p'
}

# scrape_every SECONDS FILE: scrapes until it is ended, and adds how many microseconds each took.
scrape_every() {
    while "$folder/post" "$folder/run/sluice.sock" /metrics 1 1 >"$folder/scraped"; do
        sed -n '1s/.* p50 \([0-9.]*\) us.*/\1/p' "$folder/scraped" >>"$2"
        sleep "$1"
    done
}

# serve_dispatch SCRAPES: sets figure to the tasks a second of ten jobs, from the first one sent to the last task ended.
serve_dispatch() {
    local from scraping='' total=$((serve_job_tasks * 10)) until=$((SECONDS + 120))
    daemon_start
    post_run "$folder/run/sluice.sock" /v1/tasks 1 1 "$folder/task.json"
    if [ "$1" = scraped ]; then
        scrape_every 1 "$folder/scrapes.dispatch" &
        scraping=$!
    fi
    from=${EPOCHREALTIME/[.,]/}
    post_run "$folder/run/sluice.sock" /v1/jobs 1 10 "$folder/hundred.yaml"
    until [ "$(daemon_ended)" -gt "$total" ]; do
        [ "$SECONDS" -lt "$until" ] || step_fail "run ten jobs" "not all tasks have ended" "$folder/daemon.log"
        sleep 0.005
    done
    figure=$(calculate "$total / ($((${EPOCHREALTIME/[.,]/} - from)))")
    [ -z "$scraping" ] || { kill "$scraping" && wait "$scraping"; } || :
    daemon_stop
}
serve_dispatch_ours() { serve_dispatch scraped; }
serve_dispatch_reference() { serve_dispatch alone; }

# serve_scrape_rows: scrapes while jobs with tasks of 100 types come without end.
serve_scrape_rows() {
    local load scraping low median high last
    mkdir "$folder/hundred"
    "$here/generate_plugin.sh" many 0 100 >"$folder/many.c"
    step_run "build a plugin of 100 types" bench-many cc -shared -fPIC -O2 -I "$root/sdk/include" \
        -o "$folder/hundred/many0.so" "$folder/many.c"
    awk -v count="$serve_job_tasks" 'BEGIN {
        print "version: 1\ntasks:"
        for (i = 0; i < count; i++)
            printf "  - {type: many.%03d}\n", i % 100
    }' >"$folder/types.yaml"
    daemon_start --plugins "$folder/hundred"
    "$folder/post" "$folder/run/sluice.sock" /v1/jobs 2 1000000 "$folder/types.yaml" >"$log" 2>&1 &
    load=$!
    until [ "$(daemon_ended)" -gt "$serve_job_tasks" ]; do sleep 0.01; done
    : >"$folder/scrapes"
    scrape_every 0.01 "$folder/scrapes" &
    scraping=$!
    sleep "$serve_seconds"
    kill "$scraping" "$load"
    wait "$scraping" "$load" || :
    daemon_stop
    read -r low median high < <(quartiles <(awk '{ print $1 / 1e3 }' "$folder/scrapes"))
    last=$(sort -g "$folder/scrapes" | awk '{ v[NR] = $1 } END { print v[int(1 + (NR - 1) * 0.99)] / 1e3 }')
    row "SERVE scrape, 100 types, load" "<= 5 ms" "$median ms" - - "$low-$high ms" "$(held "$median" "<= 5")"
    row "SERVE the same, p99" - "$last ms" - - - -
}

# ---- idle ----

# sleeps PID: prints how often its threads have gone to sleep.
sleeps() {
    cat /proc/"$1"/task/*/status | awk '/^voluntary_ctxt_switches/ { sum += $2 } END { print sum }'
}

serve_idle_rows() {
    local before after memory
    daemon_start
    post_run "$folder/run/sluice.sock" /v1/tasks 1 1 "$folder/task.json"
    sleep 3 # the worker has left
    before=$(sleeps "$(daemon_host)")
    sleep "$serve_seconds"
    after=$(sleeps "$(daemon_host)")
    memory=$(megabytes "$(awk '/^VmHWM/ { print $2 }' "/proc/$(daemon_host)/status")")
    daemon_stop
    row "SERVE idle, peak memory" "<= 12 MB" "$memory MB" - - - "$(held "$memory" "<= 12")"
    row "SERVE idle, wake-ups a second" "<= 1.1" "$(calculate "($after - $before) / $serve_seconds")" - - - \
        "$(held "($after - $before) / $serve_seconds" "<= 1.1")"
}

serve_measure() {
    local serve_requests=$tasks serve_job_tasks=$((tasks / 10)) serve_seconds=10
    local daemon_pid post_seconds post_rate
    step_run "build post" bench-post cc -O2 -o "$folder/post" "$here/post.c"
    step_run "build bare_http" bench-bare-http cc -O2 -o "$folder/bare_http" "$here/bare_http.c" -lmicrohttpd
    printf '{"type": "noop", "params": {"n": 1}}' >"$folder/task.json"
    "$here/generate_jobs.sh" "$serve_job_tasks" >"$folder/hundred.yaml"
    head_row bare_http
    pairs_measure serve_tasks_ours serve_tasks_reference
    pairs_row "SERVE POST /v1/tasks" ">= 0.6" k/s
    head_row check
    pairs_measure serve_jobs_ours serve_jobs_reference
    pairs_row "SERVE POST /v1/jobs" ">= 0.7" M/s
    head_row "no scrapes"
    pairs_measure serve_dispatch_ours serve_dispatch_reference
    pairs_row "SERVE tasks, a scrape a second" ">= 0.99" M/s
    head_row -
    serve_scrape_rows
    serve_idle_rows
}
