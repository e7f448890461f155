# A disk that is full: what was acknowledged stays, what runs goes on, and what ended is written when there is room again.
# shellcheck disable=SC2154 # daemon.bash sets some variables
load fault

# teardown: whatever happens, the disk is taken away again.
teardown() {
    for process in ${client:-} ${pid:-}; do
        ! kill -0 "$process" 2>/dev/null || kill -KILL "$process"
        wait "$process" 2>/dev/null || true
    done
    ! mountpoint -q disk || umount disk || umount -l disk
}

# disk MEBIBYTES: a small one, as the folder disk, where jobs are kept.
disk() {
    mkdir disk
    [ "$(id -u)" -eq 0 ] || skip "only root can mount a small disk"
    mount -t tmpfs -o "size=${1}m" tmpfs disk || skip "a small disk cannot be mounted here"
    settings "[host]" "state_dir = $PWD" "[store]" "path = $PWD/disk/sluice.db"
}

# fill: not a byte is left on the disk.
fill() {
    cat /dev/zero >disk/ballast 2>/dev/null || true
}

# tell: a job that is to be acknowledged or refused; prints the status.
tell() {
    api POST /v1/jobs "{version: 1, tasks: [{type: noop}]}"
    echo "$status"
}

# is_refused: whether jobs are, for want of a disk.
is_refused() {
    [ "$(tell)" -eq 503 ]
}

# well: whether the daemon says that it takes jobs.
well() {
    api GET /readyz
    [ "$status" -eq 200 ]
}

@test "a full disk refuses what comes, with the reason, and takes jobs again when it has room" {
    disk 4
    serve
    submit "{version: 1, tasks: [{type: gate, params: {open: $PWD/open}}]}"
    fill
    wait_until is_refused
    api POST /v1/jobs "{version: 1, tasks: [{type: noop}]}"
    fails_with 503 store_failed
    got '.error.message | test("disk is full")' true
    api POST /v1/tasks "{type: noop}"
    fails_with 503 store_failed
    api GET /readyz
    expect 503
    [[ $output == *"disk is full"* ]]
    api GET /healthz
    expect 200
    api DELETE "/v1/jobs/$job"
    fails_with 503 store_failed
    got '.error.message | test("is being cancelled, but would go on after a restart: .*disk is full")' true
    rm disk/ballast
    wait_until well
    job_is "$job" over
    submit "{version: 1, tasks: [{type: noop}]}"
    job_is "$job" over
}

@test "a job that the disk gets full of is refused as a whole" {
    disk 4
    serve
    { printf 'version: 1\ntasks:\n' && repeat 40000 "type: noop, params: {}, labels: {a: '$(printf '%0100d' 7)'}"; } >large.yaml
    fill
    submitted=$(api POST /v1/jobs @large.yaml; echo "$status $output")
    [[ $submitted == "503 "*store_failed* ]]
    get /v1/status
    got .jobs.known 0
    rm disk/ballast
    wait_until well
    submit "{version: 1, tasks: [{type: noop}]}"
    job_is "$job" over
}

@test "what runs goes on while the disk is full, and is written when it has room" {
    disk 4
    serve
    submit "version: 1
tasks:
- {id: first, type: gate, params: {started: $PWD/started, open: $PWD/open}}
- {id: second, type: gate, needs: [first], params: {started: $PWD/started, open: $PWD/open2}}
- {id: third, type: gate, needs: [second], params: {started: $PWD/started, open: $PWD/open}}
"
    wait_until has_bytes started 1
    fill
    wait_until is_refused
    touch open
    wait_until has_bytes started 2
    touch open2
    wait_until has_bytes started 3
    rm disk/ballast
    wait_until well
    job_is "$job" over
    got .succeeded 3
    killed
    again
    get "/v1/jobs/$job"
    got .succeeded 3
    [ "$(bytes started)" -eq 3 ]
}

@test "a daemon that is killed while the disk is full has lost nothing that it acknowledged" {
    disk 4
    serve
    hold
    submit "{version: 1, tasks: [{type: noop, delay: 1h}]}"
    fill
    wait_until is_refused
    touch open
    killed
    rm disk/ballast
    again
    task_is "$held" succeeded
    get "/v1/jobs/$job"
    got .state unfinished
}

@test "a daemon that stops while the disk is full ends, and says what was not written" {
    disk 4
    serve
    hold
    fill
    wait_until is_refused
    touch open
    kill -TERM "$pid"
    ended 143
    grep -q "the store was closed before everything was written" err
    rm disk/ballast
    again
    task_is "$held" succeeded
}

@test "a daemon does not start on a full disk, and does when it has room" {
    disk 4
    serve
    submit "{version: 1, tasks: [{type: noop, delay: 1h}]}"
    killed
    fill
    refused_with "disk is full"
    rm disk/ballast
    again
    get "/v1/jobs/$job"
    got .state unfinished
}

@test "many jobs, on a disk that is full again and again: each is refused, or ends once" {
    [ "$(id -u)" -eq 0 ] || skip "only root can mount a small disk"
    python3 -B "$BATS_TEST_DIRNAME/full.py" "$PWD" 4
}
