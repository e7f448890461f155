# What Prometheus gets: its own tool and a real server read a live daemon.
# shellcheck disable=SC2154 # helpers.bash sets pid
load serve

teardown() {
    for process in ${prometheus:-} ${pid:-}; do
        ! kill -0 "$process" 2>/dev/null || kill -KILL "$process"
        wait "$process" 2>/dev/null || true
    done
}

# everything: a daemon that has seen tasks end in every way, refused one, and holds one of each kind that waits.
everything() {
    settings "[host]" "max_weight = 8" "grace = 50ms" '[group:a.-_b]' "type = o" \
        "[group:heavy]" "type = gate" "workers = 8" "queue_capacity = 9"
    serve
    {
        echo "tasks:"
        printf '  - {type: %s}\n' noop o odd.type-with_every.-_mark.. \
            z23456789-123456789-123456789-123456789-123456789-123456789-123
        echo "  - {id: broken, type: fail}"
        echo "  - {type: noop, needs: [broken]}"
        echo "  - {type: sleep, timeout: 20ms, params: {for: 1h}}"
        echo "  - {type: flaky, retry: {attempts: 2, delay: 1ms}, params: {until: 2}}"
        echo "  - {type: deaf_gate, timeout: 1ms, params: {open: $PWD/open}}"
    } | job ended
    "$SLUICE" submit --wait ended.yaml || true
    tasks gates 9 "type: gate, params: {open: $PWD/open}"
    sends gates >/dev/null
    wait_until have_all_weight
    job later <<<"tasks: [{type: noop, delay: 1h}, {id: c, type: noop, delay: 1h}]"
    later=$(sends later)
    "$SLUICE" cancel "$later:c"
    wait_until task_is "$later:c" cancelled
    api POST /v1/jobs --data-binary "version: 2" >/dev/null
    [ "$(cat status)" = 422 ]
    run -3 "$SLUICE" submit gates.yaml
    "$SLUICE" reload
}

# have_all_weight: whether the gates have all there is, and one waits for more.
have_all_weight() {
    api GET /v1/status | jq -e '.admission | .in_use == 8 and .waiting == 1' >/dev/null
}

# metrics_of DASHBOARD: the series that its panels ask for, one a line.
metrics_of() {
    jq -r '.panels[].targets[]?.expr' "$1" | grep -oE '\w+(\{|\[)' | tr -d '{[' | sort -u
}

@test "promtool has nothing to say about a scrape, whatever names there are" {
    everything
    api GET /metrics >scrape
    [ "$(cat status)" = 200 ]
    grep -F 'worker_queue_length{type="o",group="a.-_b"} 0' scrape
    grep -F 'task_finished_total{type="odd.type-with_every.-_mark..",outcome="succeeded"} 1' scrape
    run -0 promtool check metrics <scrape
    [ -z "$output" ]
    "$SLUICE" metrics >said
    run -0 promtool check metrics <said
    [ -z "$output" ]
}

@test "a scrape of a daemon that has run something of everything counts each way to end" {
    everything
    api GET /metrics >scrape
    for counted in 'type="noop",outcome="skipped"} 1' 'type="noop",outcome="cancelled"} 1' \
        'type="fail",outcome="failed"} 1' 'type="sleep",outcome="timed_out"} 1' 'type="flaky",outcome="succeeded"} 1'; do
        grep -qF "task_finished_total{$counted" scrape
    done
    for line in 'task_retries_total{type="flaky"} 1' 'dead_tasks{type="fail"} 1' 'dead_tasks{type="sleep"} 1' \
        'delayed_tasks 1' 'admission_waiting{group="heavy"} 1' 'admission_weight_in_use 8' \
        'inbound_rejected_total{reason="invalid_job"} 1' 'inbound_rejected_total{reason="queue_full"} 1' \
        'worker_stuck{group="deaf_gate"} 1' 'scheduler_info{policy="round_robin"} 1'; do
        grep -qxF "$line" scrape || { echo "missing: $line" && cat scrape && false; }
    done
    touch open
}

# What is told of worker processes has no series yet.
@test "every metric of the dashboard is in a scrape" {
    everything
    api GET /metrics >scrape
    grep -v '^#' scrape | grep -oE '^\w+' | sort -u >there
    metrics_of "$SOURCE_DIR/configs/grafana/sluice.json" >asked
    [ "$(wc -l <asked)" -gt 20 ]
    [ -z "$(comm -23 asked there)" ]
    touch open
}

# free_port: a port of the loopback address that nobody listens on.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# prometheus_starts TARGET TOKEN-FILE: a server that scrapes the target often, as $prometheus on $port.
prometheus_starts() {
    port=$(free_port)
    cat >prometheus.yml <<END
global: {scrape_interval: 200ms, scrape_timeout: 200ms}
scrape_configs:
  - job_name: sluice
    authorization: {credentials_file: $2}
    static_configs: [{targets: ["$1"]}]
END
    prometheus --config.file=prometheus.yml --storage.tsdb.path="$PWD/data" \
        --web.listen-address="127.0.0.1:$port" >prometheus.err 2>&1 3>&- &
    prometheus=$!
    wait_until curl -sf -o /dev/null "http://127.0.0.1:$port/-/ready"
}

# value QUERY: the values that Prometheus has for it now.
value() {
    curl -sS --data-urlencode "query=$1" "http://127.0.0.1:$port/api/v1/query" | jq -r '.data.result[].value[1]'
}

# is QUERY VALUE: whether that is its one value.
is() {
    [ "$(value "$1")" = "$2" ]
}

@test "a Prometheus server scrapes the daemon over TCP with the token, and has the right values" {
    settings "[http]" "listen = 127.0.0.1:0" "token_file = $PWD/token" "[group:g]" "type = gate" "workers = 2"
    serve
    daemon=127.0.0.1:$(sed -n 's/.*at="port \([0-9]*\)".*/\1/p' err)
    prometheus_starts "$daemon" "$PWD/token"
    wait_until is 'up{job="sluice"}' 1
    { echo "tasks:"; repeat 5 "type: noop"; repeat 7 "type: gate, params: {started: $PWD/started, open: $PWD/open}"; } |
        job load
    curl -sS -H "Authorization: Bearer $(cat token)" -H "Content-Type: application/yaml" --data-binary @load.yaml \
        "http://$daemon/v1/jobs" | jq -e '.jobs[0].tasks == 12'
    wait_until is 'task_submitted_total{type="noop"}' 5
    wait_until is 'task_submitted_total{type="gate"}' 7
    wait_until is 'worker_queue_length{type="gate",group="g"}' 5
    wait_until is 'task_latency_seconds_count{type="noop"}' 5
    touch open
    wait_until is 'task_latency_seconds_count{type="gate"}' 7
    wait_until is 'worker_queue_length{type="gate",group="g"}' 0
    wait_until is 'task_latency_seconds_bucket{type="gate",le="+Inf"}' 7
    wait_until is 'task_latency_seconds_bucket{type="noop",le="3600"}' 5
    wait_until is 'task_latency_seconds_bucket{type="gate",le="1e-06"}' 0
    wait_until is 'sum(task_finished_total{outcome="succeeded"})' 12
}

# was_refused: whether Prometheus says that it was, and not that nobody answered in time.
was_refused() {
    curl -sS "http://127.0.0.1:$port/api/v1/targets" | jq -e '.data.activeTargets[0].lastError | test("401")'
}

@test "a Prometheus server without the token gets nothing" {
    settings "[http]" "listen = 127.0.0.1:0" "token_file = $PWD/token"
    serve
    echo wrong >wrong
    prometheus_starts "127.0.0.1:$(sed -n 's/.*at="port \([0-9]*\)".*/\1/p' err)" "$PWD/wrong"
    wait_until is 'up{job="sluice"}' 0
    wait_until was_refused
}
