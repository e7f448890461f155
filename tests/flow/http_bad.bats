# seconds: 300
# The daemon against clients that are wrong, slow, too many, foreign, or gone. What they send is in http_bad.py.
# shellcheck disable=SC2030,SC2031,SC2154 # each test has variables of its own; helpers.bash sets some
load daemon

# bad CHECK [ARGUMENT...]: a check of http_bad.py against the daemon, which has to be there afterwards, and what it says
# may not hold the environment, the folders, or the token.
bad() {
    local where=$socket check=$1
    shift
    [ -z "${port-}" ] || where=$port:$token_file
    LEAKS="$SECRET_OF_THE_HOST $HOME ${token_file:+$(<"$token_file")}" \
        timeout 300 python3 "$SOURCE_DIR/tests/flow/http_bad.py" "$check" "$where" "$@" 3>&- || { tail -n 20 err; return 1; }
    kill -0 "$pid"
    run ! grep -F "$SECRET_OF_THE_HOST" err
    [ -z "${port-}" ] || run ! grep -F "$(<"$token_file")" err
}

# daemon [LINE...]: one with this configuration.
daemon() {
    export SECRET_OF_THE_HOST=hunter2-5f1c
    [ $# -eq 0 ] || settings "$@"
    serve
}

# daemon_on_port [LINE...]: one on a TCP port, with these lines more of [http].
daemon_on_port() {
    export SECRET_OF_THE_HOST=hunter2-5f1c XDG_RUNTIME_DIR=$PWD XDG_STATE_HOME=$PWD
    token_file=$PWD/token
    settings "[http]" "listen = 127.0.0.1:0" "token_file = $token_file" "$@"
    start serve "${both[@]}"
    wait_until has_port
}

# has_port: sets $port once the daemon has said it.
has_port() {
    port=$(sed -n 's/.*msg="ready".*at="port \([0-9]*\)".*/\1/p' err)
    [ -n "$port" ]
}

# refuses MESSAGE [LINE...]: with this configuration a daemon does not start, and says so.
refuses() {
    local message=$1
    shift
    settings "$@"
    XDG_RUNTIME_DIR=$PWD XDG_STATE_HOME=$PWD run -3 timeout 60 "$SLUICE" serve "${both[@]}"
    [[ $output == *"$message"* ]]
}

@test "what is no HTTP is refused, and the next request answered" {
    daemon
    bad malformed
    bad noise
}

@test "who sends a byte at a time is cut off, and holds up nobody" {
    daemon
    bad slow
}

@test "of ten thousand connections some are held, the others refused, and all forgotten" {
    daemon "[http]" "max_connections = 100"
    bad many "$(host)" 100
}

@test "bodies over the limit are refused, one by one and together" {
    daemon "[http]" "max_body = 4KiB" "max_body_total = 8KiB"
    bad large 4096 8192
}

@test "a wrong job is answered by what is wrong, and may look at nothing of the host" {
    daemon
    bad jobs
}

@test "a task that is long to read holds up nobody" {
    daemon
    bad long
}

@test "JSON that is wrong is refused" {
    daemon
    bad json
}

@test "addresses that try something are refused" {
    daemon
    bad addresses
}

@test "wrong methods, types and headers are refused" {
    daemon
    bad methods
    bad origins
}

@test "without the token a port tells nothing" {
    daemon_on_port
    bad strangers
}

@test "a foreign Host or Origin is refused" {
    daemon_on_port "allowed_hosts = listed.example, other.example"
    bad names
}

@test "who hangs up in the middle leaves nothing behind" {
    daemon
    hold
    bad leavers "$held"
    wait_until is /v1/status .inbound.length 0
    let_go
    task_is "$held" succeeded
    stop_daemon
}

@test "neither files nor memory grow with requests" {
    daemon "[store]" "keep_finished_max = 100"
    if [ -n "${SANITIZE-}" ]; then
        bad growth "$(host)" 2000 1000000
    else
        bad growth "$(host)" 20000 8192
    fi
    stop_daemon
}

@test "what is sent while the daemon stops is refused" {
    daemon "[host]" "grace = 60s"
    hold
    api POST /v1/stop
    expect 202
    wait_until is_stopping
    for path in jobs tasks; do
        api POST /v1/$path "version: 1"
        expect 503
        got .error.code stopping
    done
    api GET /readyz
    expect 503
    let_go
    ended 0
    [ ! -e "$socket" ]
}

@test "of two daemons on a socket the second says so" {
    daemon
    run -3 timeout 60 "$SLUICE" serve "${both[@]}"
    [[ $output == *"somebody listens on $socket already: is another sluice serve running?"* ]]
    bad origins
    stop_daemon
}

@test "a socket that a killed daemon left is taken over, and nothing else is" {
    daemon
    kill -KILL "$pid"
    ended 137
    [ -S "$socket" ]
    daemon
    stop_daemon
    echo precious >"$socket"
    run -3 timeout 60 "$SLUICE" serve "${both[@]}"
    [[ $output == *"$socket is there and is not a socket"* ]]
    [ "$(<"$socket")" = precious ]
}

@test "only its owner gets at the socket, its folder and the token" {
    umask 000
    daemon
    [ "$(stat -c %a "$socket")" = 600 ]
    [ "$(stat -c %a sluice)" = 700 ]
    stop_daemon
    daemon_on_port
    [ "$(stat -c %a token)" = 600 ]
    [[ $(<token) =~ ^[0-9a-f]{64}$ ]]
    [ "$(find . -name 'token?*')" = "" ]
}

@test "a token that others may read, or could guess, is refused" {
    listens=("[http]" "listen = 127.0.0.1:0" "token_file = $PWD/token")
    printf '%064d\n' 1 >token
    chmod 640 token
    refuses "others may use the token file $PWD/token, its mode is 640: chmod 600 $PWD/token" "${listens[@]}"
    chmod 600 token
    echo short >token
    refuses "the token in $PWD/token has 5 characters" "${listens[@]}"
    printf 'with a space %064d\n' 1 >token
    refuses "holds a character that is not printable ASCII" "${listens[@]}"
    rm token
    mkdir token
    refuses "the token file $PWD/token is not a regular file" "${listens[@]}"
    rmdir token
    refuses "cannot make the token file" "[http]" "listen = 127.0.0.1:0" "token_file = $PWD/none/token"
}

@test "an address that others can reach wants the token and says what is missing" {
    daemon_on_port
    kill -KILL "$pid"
    ended 137
    settings "[http]" "listen = 0.0.0.0:0" "token_file = $token_file"
    start serve "${both[@]}"
    wait_until has_port
    grep -q "put a TLS proxy in front" err
    bad strangers
    kill -KILL "$pid"
    chmod 644 token
    refuses "others may use the token file" "[http]" "listen = 0.0.0.0:0" "token_file = $token_file"
}

@test "addresses that are none are refused" {
    for address in localhost:80 127.0.0.1 127.0.0.1:65536 127.0.0.1:-1 "[::1:80" unix: "unix:/$(printf %0150d 0)"; do
        settings "[http]" "listen = $address"
        run -2 "$SLUICE" serve --check-config
        [[ $output == *"sluice.ini:2: error: listen: "* ]]
    done
    refuses "cannot listen on 192.0.2.1:80" "[http]" "listen = 192.0.2.1:80"
}

@test "--check-config says all that is wrong and starts nothing" {
    settings "[host]" "workers = many" "[hots]" "[http]" "max_body = 12" "[group:a]"
    run -2 "$SLUICE" serve --check-config
    [[ $output == *"sluice.ini:2: error: "*"sluice.ini:3: error: "*"sluice.ini:5: error: "*"sluice.ini:6: error: "* ]]
    run -3 "$SLUICE" serve --check-config --config none.ini
    [ "$output" = "sluice: cannot read the configuration none.ini: No such file or directory" ]
    run -3 "$SLUICE" serve --check-config --config "$PWD"
    [[ $output == *"not a regular file" ]]
    head -c 4000 "$SLUICE" >binary.ini
    run -2 "$SLUICE" serve --check-config --config binary.ini
    [[ $output == *"error: "* ]]
    head -c 2000000 /dev/zero >large.ini
    run -3 "$SLUICE" serve --check-config --config large.ini
    [[ $output == *"is over 1048576 bytes" ]]
    settings "[host]" "workers = 3"
    run -0 "$SLUICE" serve --check-config
    [ "$output" = "$PWD/sluice.ini: no errors" ]
    run -2 timeout 60 "$SLUICE" serve what
}

@test "what a task keeps secret is told by nobody" {
    daemon
    curl -sSN --max-time 600 --unix-socket "$socket" http://localhost/v1/events >events 2>&1 3>&- &
    listener=$!
    wait_until has_bytes events 1
    submit_task '{type: kinds, id: a, params: {pin: 271828, text: shown}}'
    task_is "$task" succeeded
    for path in "/v1/tasks/$task" "/v1/tasks/$task/why" "/v1/tasks/$task/log" "/v1/jobs/${task%%:*}/tasks" /metrics /v1/dead; do
        api GET "$path"
        expect 200
        [[ $output != *271828* ]]
    done
    get "/v1/tasks/$task" .params.pin
    [ "$output" = "(secret)" ]
    api POST /v1/tasks '{type: kinds, params: {pin: 314159x}}'
    expect 422
    [[ $output != *314159* ]]
    wait_until grep -q '"kinds"' events
    kill "$listener"
    run ! grep -e 271828 -e 314159 err events
}
