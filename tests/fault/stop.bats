# A daemon that is stopped: nothing is lost, and what it interrupts is not charged.
# shellcheck disable=SC2154 # daemon.bash sets some variables
load fault

@test "what a stop interrupts runs again and is not charged" {
    settings "[host]" "grace = 50ms"
    serve
    hold "retry: {attempts: 1}"
    kill -TERM "$pid"
    ended 143
    again
    wait_until has_bytes started 2
    touch open
    task_is "$held" succeeded
    get "/v1/tasks/$held"
    got '[.attempts[] | [.charged, .reason]] | tostring' '[[false,"interrupted"],[true,""]]'
}

@test "what is interrupted ten times is not charged either" {
    settings "[host]" "grace = 50ms"
    serve
    hold "retry: {attempts: 2}"
    for n in $(seq 2 11); do
        kill -TERM "$pid"
        ended 143
        again
        wait_until has_bytes started "$n"
    done
    touch open
    task_is "$held" succeeded
    get "/v1/tasks/$held"
    got '[.attempts[] | select(.charged)] | length' 1
}

@test "what a kill interrupts is not charged" {
    serve
    hold "retry: {attempts: 1}"
    killed
    again
    wait_until has_bytes started 2
    touch open
    task_is "$held" succeeded
}

@test "an attempt that failed before a stop counts after it" {
    serve
    submit_task "{type: fail, retry: {attempts: 2, delay: 1h}}"
    task_is "$task" delayed
    kill -TERM "$pid"
    ended 143
    again
    task_is "$task" delayed
    get "/v1/tasks/$task"
    got .attempt 2
    got '.attempts | length' 1
}

@test "a call that does not end is left behind, and what ended before it is known" {
    settings "[host]" "grace = 1ms"
    serve
    submit "version: 1
tasks:
- {id: deaf, type: deaf_gate, params: {started: $PWD/started, open: $PWD/open}}
- {id: well, type: noop}
- {id: behind, type: noop, needs: [deaf]}
"
    wait_until has_bytes started 1
    task_is "$job:well" succeeded
    kill -TERM "$pid"
    ended 143
    touch open
    again
    job_is "$job" over
    get "/v1/jobs/$job"
    got .succeeded 3
    [ "$(bytes started)" -eq 2 ]
}

@test "a daemon that is stopped while it has nothing to do comes back with nothing to do" {
    serve
    submit "{version: 1, tasks: [{type: noop}]}"
    job_is "$job" over
    kill -TERM "$pid"
    ended 143
    again
    get "/v1/jobs/$job"
    got .state over
    get /v1/status
    got .jobs.unfinished 0
}

@test "a key that a task has left behind is free for others" {
    serve
    kill -TERM "$pid"
    ended 143
    python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("INSERT INTO claim VALUES(?, ?)", ("left", "01ARZ3NDEKTSV4RRFFQ69G5FAV:gone"))
db.commit()' sluice/sluice.db
    again
    submit_task "{type: noop, unique: left}"
    task_is "$task" succeeded
}

# has_the_key KEY: whether a task gets it: who had it may just be giving it back.
has_the_key() {
    submit_task "{type: noop, unique: $1}"
    wait_until has_come_to_its_end
    [ "$output" = succeeded ]
}

has_come_to_its_end() {
    get "/v1/tasks/$task" .state
    [ "$output" = succeeded ] || [ "$output" = skipped ]
}

@test "a key that a task holds which was interrupted is still its own" {
    serve
    hold "unique: mine"
    killed
    again
    submit_task "{type: noop, unique: mine}"
    task_is "$task" skipped
    touch open
    task_is "$held" succeeded
    wait_until has_the_key mine
}
