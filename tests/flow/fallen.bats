# A plugin that ends its host while it starts does not keep a daemon from being ready.
# shellcheck disable=SC2034,SC2154 # helpers.bash, daemon.bash and reload.bash set some variables and read others
load daemon
load reload

# The plugin that ends its host is no sanitizer's business.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:handle_segv=0:handle_abort=0 TSAN_OPTIONS=${TSAN_OPTIONS:-}:handle_segv=0:handle_abort=0:report_thread_leaks=0

setup_file() {
    ulimit -c 0
}

# serve_frail LINE...: a daemon with noop, and with frail, which has these settings.
serve_frail() {
    settings "[plugin:frail]" "tries = $PWD/tries" "$@"
    install_build "$PLUGINS/noop.so" ""
    install_build "$TEST_PLUGINS/frail.so" ""
    plugins_of_daemon=(--plugins plugins)
    serve
}

# state_of PLUGIN: what the daemon says.
state_of() {
    get /v1/plugins ".plugins[] | select(.file | endswith(\"/$1.so\")) | .state"
    echo "$output"
}

# works TYPE: whether its tasks run.
works() {
    submit_task "{type: $1}"
    task_is "$task" succeeded
}

# is_refused CAUSE: frail is, after two tries, and says why; all else works.
is_refused() {
    local reason="the host has died 2 times while its init or entry ran, the last time by $1: it is not loaded until its file changes or the daemon is started anew"
    cat err
    [ "$(bytes tries)" -eq 2 ]
    logged_times 2 "the host died: the next is started"
    logged_times 1 "msg=\"plugin refused\" file=plugins/frail.so reason=\"$reason\""
    [ "$(state_of frail)" = rejected ]
    got '.plugins[] | select(.file | endswith("/frail.so")) | .reason' "$reason"
    api POST /v1/tasks '{type: frail}'
    [ "$status" -ge 400 ]
    [[ $output == *"$reason"* ]]
    works noop
}

# signal NAME: what is said of a host that dies of it. The thread sanitizer ends a crash by an exit.
signal() {
    [ "$SANITIZE" != thread ] && echo "SIG$1" || echo "exit code $((128 + $(kill -l "$1"))), unasked"
}

@test "a plugin that crashes in init is refused, and the daemon serves without it" {
    serve_frail "by = segv"
    log_has "(address not mapped) in the init of plugin 'frail'"
    is_refused "$(signal SEGV)"
    stop_daemon
}

@test "one that calls exit there is refused as well" {
    serve_frail "by = exit"
    is_refused "exit code 0, unasked"
}

@test "one that is killed there is refused as well" {
    serve_frail "by = kill"
    is_refused SIGKILL
}

@test "one whose own thread crashes there is refused as well" {
    serve_frail "by = thread"
    is_refused "$(signal SEGV)"
}

@test "one that a host has died of once is tried again" {
    serve_frail "by = kill" "times = 1"
    works frail
    [ "$(bytes tries)" -eq 2 ]
    logged_times 1 "the host died: the next is started"
    kill -KILL "$(host)" # which is no business of the plugin's
    wait_until logged_times 2 "the host died: the next is started"
    wait_until answers_ready
    works frail
    [ "$(bytes tries)" -eq 3 ]
}

@test "a reload tries it again once its file has changed, and not before" {
    serve_frail "by = segv" "times = 2"
    is_refused "$(signal SEGV)"
    api POST /v1/reload
    expect 200
    [ "$(bytes tries)" -eq 2 ]
    [ "$(state_of frail)" = rejected ]
    touch plugins/frail.so
    api POST /v1/reload
    expect 200
    works frail
    [ "$(bytes tries)" -eq 3 ]
}

@test "a new build that crashes in init is refused while the daemon runs" {
    serve_frail "[plugin:newer]" "by = segv" # what comes later is not told to plugins
    works frail
    install_build "$TEST_PLUGINS/frail.so" "" newer.so
    LC_ALL=C sed -i s/frail/newer/g plugins/newer.so
    api POST /v1/reload # its host dies before it answers
    wait_until log_has "plugin refused"
    wait_until answers_ready
    logged_times 2 "the host died: the next is started"
    [ "$(state_of newer)" = rejected ]
    works frail
}

@test "a daemon that is started anew tries it again" {
    serve_frail "by = exit" "times = 2"
    is_refused "exit code 0, unasked"
    end TERM
    serve
    works frail
    logged_times 0 "the host died"
}

@test "what starts at the same time is not blamed" {
    for name in sound slows; do
        install_build "$TEST_PLUGINS/frail.so" "s/frail/$name/g" "$name.so"
    done
    install_build "$TEST_PLUGINS/frail.so" "s/frail/worse/g" worse.so
    serve_frail "by = segv" "[plugin:sound]" "slow = yes" "[plugin:slows]" "slow = yes" "[plugin:worse]" "by = kill"
    [ "$(state_of frail) $(state_of worse)" = "rejected rejected" ]
    works sound
    works slows
    works noop
}

# The crashes of that one are found in nobody's start: what a host has died in the start of goes first, before it.
@test "what starts while a thread crashes that another one has left behind is not refused" {
    for name in sound slows; do
        install_build "$TEST_PLUGINS/frail.so" "s/frail/$name/g" "$name.so"
    done
    serve_frail "by = after" "times = 3" "[plugin:sound]" "slow = yes" "[plugin:slows]" "slow = yes"
    wait_until has_bytes tries 4
    wait_until answers_ready
    works sound
    works slows
    works frail
    logged_times 3 "the host died: the next is started"
    logged_times 0 "plugin refused"
}
