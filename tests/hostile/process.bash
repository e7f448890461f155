# shellcheck shell=bash disable=SC2034,SC2154 # what daemon.bash sets and reads
# What the tests of worker processes share, beyond those of the daemon in ../flow: bad calls in worker processes
# beside good ones in threads of the same host.
here=$BATS_TEST_DIRNAME
BATS_TEST_DIRNAME=$here/../flow
load daemon
BATS_TEST_DIRNAME=$here
plugins_of_daemon=(--plugins plugins)

# What a plugin does to its own process is no sanitizer's business.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:handle_segv=0:handle_abort=0:handle_sigfpe=0:handle_sigill=0:detect_leaks=0
export ASAN_OPTIONS=$ASAN_OPTIONS:allocator_may_return_null=1
export TSAN_OPTIONS=${TSAN_OPTIONS:-}:handle_segv=0:handle_abort=0:handle_sigfpe=0:handle_sigill=0:report_thread_leaks=0

# prepare TYPE [LINE...]: the type's plugin beside noop, and a configuration in which the type alone has a worker
# process, with more lines in its group.
prepare() {
    export XDG_STATE_HOME=$PWD/cache
    mkdir -p plugins
    cp "$PLUGINS/noop.so" "$TEST_PLUGINS/gate.so" "$HOSTILE/$1.so" plugins/
    settings "[host]" "grace = 300ms" "[group:$1]" "type = $1" "isolation = process" "${@:2}"
}

# bad TYPE FIELDS...: such tasks run beside 1000 of another type, all of which succeed, by one run, of which no
# process is left.
bad() {
    local type=$1
    [ -e sluice.ini ] || prepare "$type" "workers = 1"
    {
        echo "tasks:"
        repeat 1000 "type: noop"
        printf "  - {type: $type, %s}\n" "${@:2}"
    } | job bad
    status=0
    MARK=$PWD timeout -s KILL "${limit:-100}" "$SLUICE" run --progress off --plugins plugins --events events bad.yaml \
        >out 2>err || status=$?
    echo "exit $status: $(cut -c1-300 out) $(tail -n 20 err | cut -c1-300)"
    [ "$(grep -c '"type":"noop","state":"succeeded"' events)" -eq 1000 ]
    nothing_left
}

# left: the processes that were started with MARK, and what they have started.
left() {
    grep -lsz "^MARK=$PWD\$" /proc/[0-9]*/environ | tr -dc '0-9\n'
}

nothing_left() {
    wait_until nothing
}

nothing() {
    [ -z "$(left)" ]
}

# ends ID STATE [REASON [MESSAGE]]: the task has one end; its message begins so.
ends() {
    local found
    found=$(jq -r --arg id "$1" 'select(.task == $id) | .state, .reason, (.message | split("\n")[0])' events)
    echo "$1: $found"
    [ "$(head -n 1 <<<"$found")" = "$2" ]
    [ "$(wc -l <<<"$found")" -eq 3 ]
    [ $# -lt 3 ] || [ "$(sed -n 2p <<<"$found")" = "$3" ]
    [ $# -lt 4 ] || [[ $(sed -n 3p <<<"$found") == "$4"* ]]
}

# worker_of ID: the id of the process in which a rogue's call was made.
worker_of() {
    jq -r --arg id "$1" 'select(.task == $id).outputs.pid' events
}

# descriptors PID: how many a process has.
descriptors() {
    find "/proc/$1/fd" -mindepth 1 | wc -l
}

# end_escaped: ends those that have left their session on purpose.
end_escaped() {
    local one
    while read -r one; do
        kill -KILL "$one" || true
    done <escaped
}
