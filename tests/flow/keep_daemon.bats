# What a daemon keeps of tasks that have ended outlives it, within its limits, and its file does not grow for ever.
# shellcheck disable=SC2154 # helpers.bash and daemon.bash set variables
load daemon

# pages WHAT: page_count or freelist_count of the store's file, of a daemon that has ended.
pages() {
    python3 -c 'import sqlite3, sys
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
print(db.execute("PRAGMA " + sys.argv[2]).fetchone()[0])' "$PWD/sluice/sluice.db" "$1"
}

# rows TABLE: how many there are.
rows() {
    python3 -c 'import sqlite3, sys
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
print(db.execute("SELECT count(*) FROM " + sys.argv[2]).fetchone()[0])' "$PWD/sluice/sluice.db" "$1"
}

@test "results and logs of tasks that have ended are there after a restart and a crash" {
    serve
    submit "{version: 1, name: work, tasks: [{id: a, type: exec, params: {shell: 'echo out; echo err >&2'}}, {id: n, type: noop}]}"
    job_is "$job" over
    for signal in TERM KILL; do
        restart $signal
        run -0 "$SLUICE" result work:a
        [[ $output == *stdout*out* ]]
        run -0 "$SLUICE" log work:a
        [[ $output == *out* && $output == *err* ]]
        run -0 "$SLUICE" status work
        [[ $output == *succeeded* ]]
        run -0 "$SLUICE" why work:n
        [[ $output == *"it succeeded"* ]]
    done
}

@test "a limit that was changed while it ran holds for what an earlier daemon has kept" {
    settings "[store]" "keep_finished_max = 50"
    serve
    submit "$(printf 'version: 1\ntasks:\n' && repeat 40 "type: noop")"
    job_is "$job" over
    restart KILL
    is_kept() { is "/v1/jobs/$job/tasks?limit=1000" '.tasks | length' "$1"; }
    wait_until is_kept 40
    settings "[store]" "keep_finished_max = 10"
    kill -HUP "$pid"
    wait_until is_kept 9
    settings "[store]" "keep_finished_max = 10" "keep_finished = 0s"
    kill -HUP "$pid"
    wait_until is /v1/jobs '.jobs | length' 0
    restart KILL
    is "/v1/jobs/$job" .error.code not_found || { api GET "/v1/jobs/$job" && expect 404; }
}

# Ten times as much as is kept, twice: the second ten fit into the room of the first. Of a job that has no task left
# stay its name and counts.
@test "the file of a daemon does not grow with what it has forgotten" {
    settings "[store]" "keep_finished_max = 1000"
    serve
    ten_times() {
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            submit "$(printf 'version: 1\ntasks:\n' && repeat 1000 "type: noop")"
            job_is "$job" over
        done
        api POST /v1/stop
        ended 0
    }
    ten_times
    first=$(pages page_count)
    [ "$(rows ended)" -le 2000 ]
    serve
    ten_times
    second=$(pages page_count)
    [ "$(rows ended)" -le 2000 ]
    [ "$(rows chunk)" -le 16 ]
    [ "$second" -le $((first + first / 2)) ] || { echo "$first pages, then $second" >&2; false; }
}
