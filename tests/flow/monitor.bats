# The monitor: the daemon's host dies, and the next one comes; who ends whom.
# shellcheck disable=SC2154 # helpers.bash and daemon.bash set variables
load daemon

# The plugin that ends its host is no sanitizer's business.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:handle_segv=0:handle_abort=0 TSAN_OPTIONS=${TSAN_OPTIONS:-}:handle_segv=0:handle_abort=0:report_thread_leaks=0

# says TEXT: whether standard error of the daemon has a line with it.
says() {
    grep -qF -- "$1" err
}

# said_times TEXT COUNT: whether so many lines have it, at least.
said_times() {
    [ "$(grep -cF -- "$1" err)" -ge "$2" ]
}

# host_is_not PID: whether there is a host, and another one.
host_is_not() {
    local now
    now=$(host)
    [ -n "$now" ] && [ "$now" != "$1" ]
}

# gone PID: whether there is no such process, or nothing of it but its exit code.
gone() {
    ! grep -qs '^State:.[RSDTt]' "/proc/$1/status"
}

@test "a host that dies is followed by another, which goes on where it was" {
    by=SIGSEGV
    [ "$SANITIZE" != thread ] || by='.exit code 139, unasked.' # which takes signals for itself
    serve
    before=$(host)
    hold
    kill -SEGV "$before"
    wait_until host_is_not "$before"
    wait_until answers_ready
    grep -E "msg=\"the host died: the next is started\" by=$by pid=$before lived=[0-9.ms]+ in=100ms" err
    wait_until has_bytes started 2
    let_go
    task_is "$held" succeeded
    stop_daemon
}

@test "clients are not refused while no host is there: they wait for the next" {
    serve
    kill -STOP "$pid" # the next host is not started
    before=$(host)
    kill -KILL "$before"
    wait_until gone "$before"
    curl -sS --max-time 60 --unix-socket "$socket" http://localhost/v1/status >told 3>&- &
    asks=$!
    wait_until awk -v socket="$socket" '$7 == 0 && $8 == socket { found = 1 } END { exit !found }' /proc/net/unix
    kill -CONT "$pid"
    wait "$asks"
    [ "$(jq .pid told)" = "$(host)" ]
    [ "$(jq .monitor told)" = "$pid" ]
}

@test "a port stays the same when the host dies" {
    settings "[http]" "listen = 127.0.0.1:0" "[log]" "format = json"
    export XDG_RUNTIME_DIR=$PWD XDG_STATE_HOME=$PWD
    start serve "${both[@]}"
    wait_until says '"msg":"ready"'
    kill -KILL "$(host)"
    wait_until said_times '"msg":"ready"' 2
    [ "$(jq -r 'select(.msg == "ready").at' err | uniq -c | awk '{ print $1, $2 }')" = "2 port" ]
    [ "$(jq -r 'select(.level == "error").by' err)" = SIGKILL ]
}

@test "what a dead host has left running is killed before the next one starts" {
    serve
    before=$(host)
    submit "version: 1
tasks:
- {id: own, type: exec, params: {shell: 'echo \$\$ >one; exec sleep 1000'}}
- {id: deep, type: exec, params: {shell: 'setsid sh -c \"sleep 1000 & echo \\\$! >two; setsid sleep 1001 & echo \\\$! >three; wait\" & wait'}}"
    for file in one two three; do
        wait_until has_bytes $file 2
        kill -0 "$(cat $file)"
        mv $file of_$file
    done
    kill -KILL "$before"
    wait_until has_bytes one 2 # the task runs again
    for file in of_one of_two of_three; do
        gone "$(cat $file)"
    done
    stop_now
}

# stop_now: what runs is cancelled.
stop_now() {
    kill -TERM "$pid"
    wait_until says "stopping"
    kill -TERM "$pid"
    ended 143
}

@test "what a host that lives has left to itself goes on until it ends" {
    serve
    submit_task "{type: exec, params: {shell: 'setsid sleep 1000 >/dev/null 2>&1 & echo \$! >left'}}"
    task_is "$task" succeeded
    kill -0 "$(cat left)"
    stop_daemon
    kill -0 "$(cat left)"
    kill -KILL "$(cat left)"
}

# kill_hosts COUNT: so many hosts, one after the other.
kill_hosts() {
    local before=0 deaths
    for deaths in $(seq "$1"); do
        wait_until host_is_not "$before"
        wait_until answers_ready # else its plugins would be taken for what it died of
        before=$(host)
        kill -KILL "$before"
        wait_until said_times "the host died: the next is started" "$deaths"
    done
}

@test "hosts that die in a row are waited with longer and longer" {
    serve
    hold
    kill_hosts 4
    [ "$(grep -oE ' in=[0-9ms.]+' err | xargs)" = "in=100ms in=200ms in=400ms in=800ms" ]
    wait_until answers_ready
    let_go
    task_is "$held" succeeded
    got '[.attempts[] | select(.charged)] | length' 1
}

@test "a plugin that calls exit does not end the daemon" {
    serve
    submit_task "{type: deadly, params: {by: exit, open: $PWD/open}}"
    touch open
    wait_until says 'by="exit code 0, unasked"'
    task_is "$task" crashed
    got '.attempts[-1].reason' exited
}

@test "a configuration that is wrong, and a start that fails, end the monitor too" {
    settings "[host]" "grace = soon"
    run -2 "$SLUICE" serve
    settings "[host]" "state_dir = /dev/null/none"
    run -3 "$SLUICE" serve
    run -2 "$SLUICE" serve --unheard-of
    run -0 "$SLUICE" serve --help
}

@test "when the monitor is killed the host is gone as well, and another daemon starts at once" {
    for _ in 1 2 3 4 5; do
        serve
        host=$(host)
        submit_task "{type: noop}"
        end KILL
        serve
        wait_until gone "$host"
        end KILL
    done
}

@test "a host that dies while it stops is not started again" {
    serve
    hold
    kill -TERM "$pid"
    wait_until says "stopping"
    kill -KILL "$(host)"
    ended 137
    says 'the host died while it stopped'
    [ ! -e "$socket" ]
    serve
    hold
    api POST /v1/stop
    expect 202
    wait_until is /v1/status .stopping true
    kill -SEGV "$(host)"
    ended 139
}

@test "a signal that comes while there is no host ends the monitor" {
    serve
    kill_hosts 6 # the next comes in more than three seconds
    [ -z "$(host)" ]
    kill -TERM "$pid"
    ended 143
    [ ! -e "$socket" ]
}

@test "signals to both processes at once count once" {
    serve
    hold
    kill -TERM "$pid" "$(host)"
    wait_until says "stopping"
    let_go
    ended 143
    serve
    get "/v1/tasks/$held" .state
    [ "$output" = succeeded ]
}

@test "^C in a terminal lets running tasks finish, and a second one cancels them" {
    export XDG_RUNTIME_DIR=$PWD XDG_STATE_HOME=$PWD
    socket=$PWD/sluice/sluice.sock
    mkfifo keys
    script -qfc "'$SLUICE' serve --plugins '$TEST_PLUGINS'; echo \$? >code" /dev/null <keys >screen 2>&1 3>&- &
    pid=$!
    exec 8>keys
    wait_until answers_ready
    hold
    printf '\003' >&8
    wait_until grep -q stopping screen
    [ ! -e code ]
    printf '\003' >&8
    wait_until test -s code
    exec 8>&-
    [ "$(cat code)" = 130 ]
}

@test "a signal to the host ends the daemon as one to the monitor does" {
    serve
    kill -TERM "$(host)"
    ended 143
    serve
    kill -INT "$(host)"
    ended 130
}

@test "without a monitor the daemon is one process" {
    export XDG_RUNTIME_DIR=$PWD XDG_STATE_HOME=$PWD
    socket=$PWD/sluice/sluice.sock
    start serve --no-monitor "${both[@]}"
    wait_until answers_ready
    get /v1/status
    got .pid "$pid"
    got .monitor null
    end TERM
    [ ! -e "$socket" ]
}

@test "processes from before the monitor are left alone" {
    export XDG_RUNTIME_DIR=$PWD XDG_STATE_HOME=$PWD
    socket=$PWD/sluice/sluice.sock
    env --default-signal=INT,HUP sh -c 'sleep 1000 & echo $! >mine; exec "$@"' sh "$SLUICE" serve "${both[@]}" >out 2>err 3>&- &
    pid=$!
    wait_until answers_ready
    before=$(host)
    kill -KILL "$before"
    wait_until host_is_not "$before"
    wait_until answers_ready
    kill -0 "$(cat mine)"
    kill -KILL "$(cat mine)"
}
