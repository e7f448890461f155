# A daemon while a plugin takes its time to start, and when one is gone: it answers for all that is there.
# shellcheck disable=SC2034,SC2154 # helpers.bash, daemon.bash and reload.bash set some variables and read others
load daemon
load reload

# serve_slow: a daemon that has noop; a plugin `slow` whose init lasts until there is a file `go` is on its way into it,
# by a reload as $asked, whose answer goes to the file reloaded.
serve_slow() {
    settings "[plugin:slow]" "go = $PWD/go"
    install_build "$PLUGINS/noop.so" ""
    plugins_of_daemon=(--plugins plugins)
    serve
    submit_task "{type: noop}"
    task_is "$task" succeeded
    install_build "$HOSTILE/reload_slow.so" "" slow.so
    aside reloaded POST /v1/reload
    asked=$!
    wait_until is /v1/plugins '.plugins[] | select(.plugin == "slow") | .state' checked
}

# aside FILE METHOD PATH [CURL-ARGUMENT...]: a request as $!, whose answer goes to a file.
aside() {
    local file=$1 method=$2 path=$3
    shift 3
    curl -sS --max-time 60 --unix-socket "$socket" -X "$method" -H Content-Type: -o "$file" "$@" \
        "http://localhost$path" 3>&- &
}

@test "a plugin that takes long to start holds up no answer" {
    serve_slow
    get /v1/types/noop
    get "/v1/tasks/$task"
    got .state succeeded
    api GET /v1/types/slow
    expect 503
    got .error.code loading
    [ "$(header Retry-After)" -eq 1 ]
    get /v1/schema
    got '."$defs".type.anyOf[0].enum | join(" ")' noop
    get /v1/types
    got '[.types[].type] | sort | join(" ")' "noop slow"
    api GET /metrics
    expect 200
    [ ! -e reloaded ] # all that was answered while it went on
    touch go
    wait "$asked"
    [ "$(jq .added reloaded)" -eq 1 ]
    get /v1/types/slow
    get /v1/schema
    got '."$defs".type.anyOf[0].enum | sort | join(" ")' "noop slow"
}

@test "a task of a type that is being loaded waits for it, and nobody else does" {
    serve_slow
    # Of two with the same key one waits, once the other is told so.
    local one two
    aside one POST /v1/tasks --data-binary "{type: slow}" -H 'Idempotency-Key: key'
    one=$!
    aside two POST /v1/tasks --data-binary "{type: slow}" -H 'Idempotency-Key: key'
    two=$!
    wait_until grep -qs in_progress one two
    submit_task "{type: noop}"
    task_is "$task" succeeded
    get /v1/types/noop
    [ ! -e one ] || [ ! -e two ]
    [ ! -e reloaded ]
    touch go
    wait "$asked" "$one" "$two"
    task_is "$(jq -r '.task // empty' one two)" succeeded
}

@test "a job that names a type that no plugin has is refused while one is being loaded" {
    serve_slow
    api POST /v1/tasks "{type: sluw}"
    expect 422
    [[ $output == *"no plugin has the task type 'sluw'"*"did you mean 'slow'?"* ]]
    [ ! -e reloaded ]
}

@test "what is known of a task outlives its type" {
    install_build "$TEST_PLUGINS/kinds.so" ""
    install_build "$TEST_PLUGINS/fail.so" ""
    plugins_of_daemon=(--plugins plugins)
    serve
    submit_task "{type: kinds, params: {text: a text, pin: 7}}"
    task_is "$task" succeeded
    kinds=$task
    submit_task "{type: fail_for_good}"
    task_is "$task" failed
    rm plugins/*.so
    api POST /v1/reload
    expect 200
    got .removed 2
    api GET /v1/types/kinds
    expect 404
    get "/v1/tasks/$kinds"
    got .state succeeded
    got .outputs.text "a text"
    [[ $output != *pin*7* ]]
    [ "$("$SLUICE" result "$kinds")" = "a text" ]
    get "/v1/tasks/$kinds/log"
    get "/v1/tasks/$kinds/why"
    got .why "it succeeded"
    get "/v1/dead?type=fail_for_good"
    got '.tasks[].task' "$task"
    api POST "/v1/tasks/$task/retry"
    expect 409
    got .error.code no_plugin
}
