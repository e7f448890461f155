# `sluice fsck`: what is wrong in the file of a store is said, and mended if it is asked for.
# shellcheck disable=SC2154 # helpers.bash and daemon.bash set variables
load daemon

db=sluice/sluice.db

# damage SQL: what a disk, or somebody's hand, may have done to the store.
damage() {
    sqlite3 "$db" "$1"
}

# fsck ARGUMENT...: of the daemon's store.
# shellcheck disable=SC2120 # run passes them
fsck() {
    XDG_STATE_HOME=$PWD "$SLUICE" fsck "$@"
}

# left BODY: a daemon that was killed before the tasks of a job could end; $job is its id.
left() {
    settings '[host]' 'workers = 1'
    serve
    submit "$1"
    wait_until has_bytes started 1
    kill -KILL "$pid"
    ended 137
}

# three tasks at a gate
three="{version: 1, tasks: [{id: a, type: gate, params: {started: $BATS_TEST_TMPDIR/started, open: $BATS_TEST_TMPDIR/open}},
{id: b, type: gate, params: {open: $BATS_TEST_TMPDIR/open}, retry: {attempts: 2}},
{id: c, type: noop, needs: [b]}]}"

# goes_on SUCCEEDED FAILED SKIPPED: a daemon takes up what is left, to the job's end.
goes_on() {
    serve
    touch open
    job_is "$job" over
    got '[.succeeded, .failed, .skipped] | join(" ")' "$1 $2 $3"
    run ! grep -F 'level=error' err
    stop_daemon
    run -0 fsck
}

@test "a store that was used, also by a daemon that was killed, is sound" {
    left "$three"
    run -0 fsck
    [ "$output" = "$PWD/$db: sound" ]
    run -0 fsck --format json
    jq -e '.findings == [] and .found == 0 and .mended == 0' <<<"$output"
    goes_on 3 0 0
}

@test "a job count that is wrong is found, mended when asked, and the daemon goes on" {
    left "$three"
    damage "UPDATE job SET unfinished = 2"
    run -1 fsck
    [[ ${lines[0]} == "jobs count other unfinished tasks than there are (1): can be mended" ]]
    [[ ${lines[-1]} == *" found, 0 mended; see \`sluice fsck --mend'" ]]
    run -1 fsck # looking has changed nothing
    run -0 fsck --mend
    [[ ${lines[0]} == *" (1): mended" ]]
    run -0 fsck
    goes_on 3 0 0
}

@test "an ended row without its chunk is found and mended" {
    serve
    submit "{version: 1, tasks: [{type: noop}, {type: noop}]}"
    job_is "$job" over
    stop_daemon
    damage "DELETE FROM chunk"
    run -1 fsck
    [[ ${lines[0]} == "records of tasks are missing or damaged; mended, those that had not ended fail (2): can be mended" ]]
    run -0 fsck --mend
    run -0 fsck
    serve
    get "/v1/jobs/$job"
    got .succeeded 2
    get "/v1/jobs/$job/tasks" '.tasks | length'
    [ "$output" = 2 ]
}

@test "a pending row of a task that has ended is found and mended" {
    left "$three"
    damage "INSERT INTO ended SELECT key << 24, 0, 1, 2, 0, 1, 2, '', '', NULL, NULL FROM job;
        UPDATE job SET unfinished = 2, succeeded = 1, extras = extras | 16; UPDATE meta SET unfinished = 2;
        INSERT OR REPLACE INTO pending SELECT key << 24, 2, 0, 0, NULL FROM job"
    run -1 fsck
    [[ $output == *"pending tasks have ended (1): can be mended"* ]]
    run -0 fsck --mend
    goes_on 3 0 0
}

@test "tasks whose records cannot be read have failed when they are mended, and the job ends" {
    left "$three"
    # the record of `b` says that it is longer than the chunk, so that of `c` is lost too
    damage "UPDATE chunk SET tasks = CAST(substr(tasks, 1, instr(tasks, x'6200') - 5) || x'ffffffff' ||
        substr(tasks, instr(tasks, x'6200')) AS BLOB)"
    run -1 fsck --format json
    jq -e '.findings == [{"what": "records of tasks are missing or damaged; mended, those that had not ended fail (2)",
        "can_be_mended": true, "mended": false}]' <<<"$output"
    run -0 fsck --mend
    [[ $output == *"(2): mended"* ]]
    goes_on 1 2 0
}

@test "a task that cannot be taken up again is said by the daemon, mended by fsck, and what needs it is skipped" {
    left "{version: 1, tasks: [{id: a, type: gate, params: {started: $PWD/started, open: $PWD/open}},
{id: b, type: noop, needs: [a], unique: the-key}, {id: c, type: noop, needs: [b]}]}"
    damage "UPDATE chunk SET tasks = CAST(substr(tasks, 1, instr(tasks, x'7468652d6b6579') + 2) || x'00' ||
        substr(tasks, instr(tasks, x'7468652d6b6579') + 4) AS BLOB)"
    serve
    grep -F "their records are damaged: see \`sluice fsck'" err | grep -F "job=$job tasks=1"
    task_is "$job:c" skipped
    kill -KILL "$pid"
    ended 137
    run -1 fsck
    [ "${lines[0]}" = "records of unfinished tasks are of no use; mended, these tasks fail (1): can be mended" ]
    run -0 fsck --mend
    goes_on 1 1 1
}

@test "what others have open, what is not there and what is no store is refused" {
    serve
    run -3 fsck
    [ "$output" = "sluice: $PWD/$db is in use by process $(host)" ]
    stop_daemon
    run -3 fsck nowhere.db
    [[ $output == "sluice: there is no store at 'nowhere.db'"* ]]
    sqlite3 other.db "CREATE TABLE job(a); PRAGMA user_version = 1"
    before=$(sha256sum other.db)
    run -3 fsck other.db
    [ "$output" = "sluice: other.db is not a store of Sluice's" ]
    [ "$(sha256sum other.db)" = "$before" ]
    [ ! -e other.db.lock ]
    head -c 65536 /dev/urandom >"$db"
    run -3 fsck
    [[ $output == *"the file is damaged (file is not a database)"* ]]
}

@test "a damaged page is said, and is not mended" {
    serve
    { printf 'version: 1\ntasks:\n' && repeat 5000 "type: noop"; } >many.yaml
    submit @many.yaml
    job_is "$job" over
    stop_daemon
    page=$(sqlite3 "$db" "SELECT rootpage FROM sqlite_master WHERE name = 'ended'")
    dd if=/dev/urandom of="$db" bs=4096 seek=$((page - 1)) count=1 conv=notrunc status=none
    run fsck --mend
    [ "$status" -eq 1 ] || [ "$status" -eq 3 ]
    [[ $output == *"the file is damaged"* ]]
}

@test "fsck takes one file, and has none of its own with backend = memory" {
    run -2 fsck a b
    [[ $output == *"one FILE at a time"* ]]
    settings '[store]' 'backend = memory'
    run -3 fsck
    [[ $output == *"backend is memory, so there is no file; name one" ]]
}
