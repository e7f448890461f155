# What the host died of: it runs again in a worker process, and its type stays there if it crashes once more.
# shellcheck disable=SC2154 # helpers.bash and daemon.bash set variables
load daemon

# The plugin that ends its process is no sanitizer's business.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:handle_segv=0:handle_abort=0 TSAN_OPTIONS=${TSAN_OPTIONS:-}:handle_segv=0:handle_abort=0:report_thread_leaks=0

# says TEXT: whether standard error of the daemon has a line with it.
says() {
    grep -qF -- "$1" err
}

# gone PID: whether there is no such process, or nothing of it but its exit code.
gone() {
    ! grep -qs '^State:.[RSDTt]' "/proc/$1/status"
}

# workers: the worker processes of the host.
workers() {
    grep -slE '^sluice-worker' "/proc/"[0-9]*/cmdline | while IFS=/ read -r _ _ process _; do
        ! grep -qs "^PPid:.$(host)$" "/proc/$process/status" || echo "$process"
    done
}

# poison [FIELDS]: a task that ends its host once the file `open` is there; $poison is its name.
poison() {
    submit_task "{type: deadly, params: {open: $PWD/open}${1:+, $1}}"
    poison=$task
    task_is "$poison" running
}

# own_plugins: copies of the plugins that this test may replace.
own_plugins() {
    mkdir own
    cp "$TEST_PLUGINS"/{deadly,gate}.so own
    # shellcheck disable=SC2034 # daemon.bash uses it
    plugins_of_daemon=(--plugins "$PLUGINS" --plugins "$PWD/own")
}

@test "a poison task ends as a dead letter with no hand on it, all else goes on, and no process is left" {
    [ "$SANITIZE" != thread ] || skip "the thread sanitizer has signals of its own"
    serve
    submit "version: 1
tasks:
- {id: child, type: exec, params: {shell: 'test ! -e once || exit 0; echo \$\$ >once; exec sleep 1000'}}
- {id: held, type: gate, params: {started: $PWD/started, open: $PWD/open}}
- {id: after, type: noop, needs: [held, child]}"
    wait_until has_bytes once 2
    wait_until has_bytes started 1
    poison "retry: {attempts: 5}"
    before=$(host)
    touch open
    task_is "$poison" crashed
    grep -F 'the host died: the next is started' err | grep -F "by=SIGSEGV pid=$before"
    gone "$(cat once)"
    job_is "$job" over
    get "/v1/jobs/$job"
    got .succeeded 3
    get "/v1/tasks/$poison"
    got '[.attempts[] | [.reason, .charged] | tostring] | join(" ")' '["interrupted",false] ["signal",true]'
    got '.attempts[1].message | test("^SIGSEGV[^#]*#0 deadly")' true
    run -0 "$SLUICE" dead list
    [[ $output == *"$poison"*crashed*signal* ]]
    run -0 "$SLUICE" why "$poison"
    [[ $output == *"its type runs in worker processes until its plugin changes"* ]]
}

@test "the type of a poison task stays isolated, also over restarts, until its plugin changes" {
    own_plugins
    serve
    poison
    touch open
    task_is "$poison" crashed
    wait_until grep -q "^deadly	deadly-.*	$poison	" sluice/sluice.db.isolated
    survivor=$(host)
    submit_task "{type: deadly}"
    task_is "$task" crashed
    [ "$(host)" = "$survivor" ]
    get /v1/types/deadly
    got .isolated.task "$poison"
    end TERM
    serve
    says 'msg="a type runs in worker processes until its plugin changes" type=deadly'
    survivor=$(host)
    submit_task "{type: deadly}"
    task_is "$task" crashed
    [ "$(host)" = "$survivor" ]
    cp own/deadly.so next
    mv next own/deadly.so
    api POST /v1/reload
    expect 200
    wait_until is /v1/types/deadly .isolated null
    wait_until test ! -e sluice/sluice.db.isolated
    says 'msg="a type runs in threads of the host again" type=deadly'
    submit_task "{type: deadly, params: {spared: /dev/null}}"
    task_is "$task" succeeded
    [ -z "$(workers)" ]
}

@test "what was only near when the host died runs apart once, and then in threads again" {
    serve
    hold
    first=$held
    before=$(host)
    kill -SEGV "$before"
    wait_until has_bytes started 2
    [ "$(workers | wc -l)" -eq 1 ]
    let_go
    task_is "$first" succeeded
    wait_until says 'msg="a type runs in threads of the host again" type=gate'
    [ ! -e sluice/sluice.db.isolated ]
    get /v1/types/gate .isolated
    [ "$output" = null ]
}

@test "a suspect that fails is tried again, and one that is cancelled is none any more" {
    serve
    hold
    cancelled=$held
    submit_task "{type: fail, retry: {attempts: 2, delay: 1h}}"
    kill -KILL "$(host)"
    wait_until has_bytes started 2
    api DELETE "/v1/tasks/$cancelled"
    expect 202
    task_is "$cancelled" cancelled
    wait_until says 'msg="a type runs in threads of the host again" type=gate'
}

@test "what runs in worker processes is known to have run when the host dies, and is no suspect" {
    settings "[group:gate]" "type = gate" "isolation = process"
    serve
    hold
    kill -KILL "$(host)"
    wait_until has_bytes started 2
    let_go
    task_is "$held" succeeded
    got '[.attempts[] | [.reason, .charged] | tostring] | join(" ")' '["interrupted",false] ["",true]'
    run ! says 'msg="a type runs in threads of the host again"'
}
