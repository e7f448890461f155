# The file of the jobs, and what can be wrong with it.
# shellcheck disable=SC2154 # daemon.bash sets some variables
load fault

# keeps: a state folder with a job in it that is over, and one that is not; nobody has it open.
keeps() {
    serve
    submit "{version: 1, tasks: [{type: noop}]}"
    job_is "$job" over
    over=$job
    submit "{version: 1, tasks: [{type: noop, delay: 1h}]}"
    kill -TERM "$pid"
    ended 143
    db=$PWD/sluice/sluice.db
}

# still_there: what keeps made is there.
still_there() {
    again
    get "/v1/jobs/$over"
    got .state over
    get "/v1/jobs/$job"
    got .state unfinished
}

# refused_unchanged TEXT: a daemon does not start, says so, and leaves the file as it is.
refused_unchanged() {
    local before after
    before=$(sha256sum <"$db")
    refused_with "$1"
    after=$(sha256sum <"$db")
    [ "$before" = "$after" ]
}

@test "a second daemon on one state folder is refused and names the first" {
    serve
    first=$(host)
    submit "{version: 1, tasks: [{type: noop, delay: 1h}]}"
    settings "[http]" "listen = unix:$PWD/other.sock"
    refused_with "sluice.db is in use by process $first"
    get "/v1/jobs/$job"
    got .state unfinished
}

@test "a second daemon on the same socket is refused and leaves the first alone" {
    serve
    refused_with "sluice.sock"
    get /v1/status
    got .pid "$(host)"
    got .monitor "$pid"
}

@test "who was refused is let in when the first is gone, also by SIGKILL" {
    serve
    submit "{version: 1, tasks: [{type: noop, delay: 1h}]}"
    settings "[http]" "listen = unix:$PWD/other.sock"
    refused_with "in use by process $(host)"
    killed
    unset SLUICE_CONFIG
    again
    get "/v1/jobs/$job"
    got .state unfinished
}

@test "a run does not take the file of a daemon" {
    serve
    job one <<<"tasks: [{type: noop}]"
    run "$SLUICE" run "${both[@]}" --state sluice/sluice.db one.yaml
    [ "$status" -eq 3 ]
    [[ $output == *"in use by process $(host)"* ]]
}

@test "a file that is no database is refused and stays as it is" {
    keeps
    cp "$db" kept.db
    head -c 20000 /dev/urandom >"$db"
    refused_unchanged "sluice.db: cannot open the store"
    cp kept.db "$db"
    still_there
}

@test "a text file is refused and stays as it is" {
    keeps
    cp "$db" kept.db
    yes "these are notes of somebody" | head -n 2000 >"$db"
    refused_unchanged "the file is damaged"
    cp kept.db "$db"
    still_there
}

@test "a truncated database is refused and stays as it is" {
    keeps
    cp "$db" kept.db
    for size in 100 4096 5000 $(($(stat -c %s kept.db) / 2)) $(($(stat -c %s kept.db) - 4096)); do
        head -c "$size" kept.db >"$db"
        refused_unchanged "the file is damaged"
    done
    cp kept.db "$db"
    still_there
}

@test "a database of a newer program is refused and stays as it is" {
    keeps
    cp "$db" kept.db
    python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA user_version = 99")' "$db"
    refused_unchanged "has schema 99, this program knows"
    cp kept.db "$db"
    still_there
}

@test "a database of another program is refused and stays as it is" {
    keeps
    cp "$db" kept.db
    rm "$db"
    python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE job(letters TEXT)")
db.execute("INSERT INTO job VALUES(?)", ("precious",))
db.commit()' "$db"
    refused_unchanged "sluice.db is a database of another program"
    cp kept.db "$db"
    still_there
}

@test "an empty file is a new store" {
    mkdir -p sluice
    : >sluice/sluice.db
    serve
    submit "{version: 1, tasks: [{type: noop}]}"
    job_is "$job" over
}

@test "a folder in its place is refused" {
    mkdir -p sluice/sluice.db
    refused_with "sluice.db"
}

# as_nobody COMMAND...: without the rights of root, who may write anywhere.
as_nobody() {
    local whole=()
    [ "$(id -u)" -ne 0 ] || whole=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    "${whole[@]}" "$@"
}

# closed: the state folder is one that nobody may write; the tests' folders may be entered.
closed() {
    keeps
    mkdir runtime
    [ "$(id -u)" -ne 0 ] || { chown -R 65534 sluice runtime && chmod 711 "$PWD" .. ../..; }
    chmod -R a-w sluice
    before=$(sha256sum <"$db")
}

# refused_closed TEXT: a daemon of somebody without rights is refused, and the jobs stay.
refused_closed() {
    local code=0
    XDG_STATE_HOME=$PWD XDG_RUNTIME_DIR=$PWD/runtime as_nobody \
        timeout -s KILL 30 "$SLUICE" serve >out2 2>err2 3>&- || code=$?
    cat err2
    [ "$code" -eq 3 ]
    grep -qF -- "$1" err2
    [ "$before" = "$(sha256sum <"$db")" ]
}

@test "the state folder of before that cannot be written is not passed over for another" {
    closed
    refused_closed "jobs are kept in $PWD/sluice, which cannot be written"
}

@test "a state folder that is named and cannot be written is refused" {
    closed
    settings "[host]" "state_dir = $PWD/sluice"
    chmod a+r sluice.ini
    refused_closed "$PWD/sluice: Permission denied"
}

@test "a file of jobs that cannot be written is refused" {
    closed
    chmod -R u+w sluice && chmod a-w "$db"
    refused_closed "sluice.db'"
}
