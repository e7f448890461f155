# Calls that hurt the worker process in which they are made: one attempt is lost, and nothing else.
# seconds: 300
# shellcheck disable=SC2154 # process.bash sets some variables
load process

deaf="did not end when it was cancelled (rule R5): its worker process was killed"

@test "14: a process in which a call has left a thread is not used again" {
    bad wild "id: stray, params: {how: thread}" "id: after"
    [ "$status" -eq 0 ]
    ends stray succeeded
    ends after succeeded
    grep -q 'level=warning msg="plugin left a thread running' err
}

# needs_signals: with the thread sanitizer a process that crashes leaves by _exit in the end.
needs_signals() {
    [ "$SANITIZE" != thread ] || skip "the thread sanitizer has signals of its own"
}

@test "15: a call that crashes costs its attempt, and is told apart from others" {
    needs_signals
    bad wild "id: segv, params: {how: segv}" "id: fpe, params: {how: fpe}" "id: abort, params: {how: abort}" \
        "id: stack, params: {how: stack}" "id: kill, params: {how: kill}" "id: after"
    [ "$status" -eq 1 ]
    ends segv crashed signal "SIGSEGV at 0x0 (address not mapped)"
    ends fpe crashed signal "SIGFPE at 0x"
    ends abort crashed signal "SIGABRT (abort was called)"
    ends kill crashed signal "SIGKILL"
    ends stack crashed signal "SIGSEGV at 0x"
    [ -n "$SANITIZE" ] || grep -q '"task":"stack",.*(stack overflow)' events
    ends after succeeded
    grep -qE 'bad: 1006 tasks: 1001 succeeded, 5 crashed in ' out
}

@test "15: the frames of a crash name the plugin and its build" {
    needs_signals
    bad wild "id: segv, params: {how: segv}"
    jq -r 'select(.task == "segv").message' events |
        grep -xE '#0 wild\.[0-9.a-z]*so \+0x[0-9a-f]+ .*\(build-id [0-9a-f]+\)'
}

# peak ID: what is said of the most memory that its process had.
peak() {
    jq -r --arg id "$1" 'select(.task == $id).message' events | grep '^peak memory '
}

@test "the peak of memory is that of the process, not of its host" {
    [ -z "$SANITIZE" ] || skip "a sanitizer's memory is no measure"
    prepare wild "workers = 1"
    cat >bloat.c <<'EOF'
#include <sluice/plugin.h>
#include <stdlib.h>
#include <string.h>
static enum sluice_status bloat(const struct sluice_call *call, const void *params)
{
    char *volatile memory = malloc(200 << 20);
    if (memory == NULL)
        return sluice_fail(call, "memory", "there is none");
    memset(memory, 1, 200 << 20);
    free(memory);
    return SLUICE_OK;
}
static const struct sluice_type types[] = {
    {SLUICE_TYPE("bloat", "Has 200 MiB for a moment."), .execute = bloat},
    SLUICE_TYPES_END,
};
SLUICE_PLUGIN("bloat", "1.0.0", "bloat", types)
EOF
    cc -shared -fPIC -I "$SDK_INCLUDE" -o plugins/bloat.so bloat.c
    {
        echo "tasks:"
        echo "  - {id: bloated, type: bloat}"
        echo "  - {id: segv, type: wild, needs: [bloated], params: {how: segv}}"
        echo "  - {id: kill, type: wild, needs: [bloated], params: {how: kill}}"
    } | job peak
    run "$SLUICE" run --progress off --plugins plugins --events events peak.yaml
    [ "$status" -eq 1 ]
    ends bloated succeeded
    ends segv crashed signal
    [ "$(peak segv | tr -dc 0-9)" -gt 1000 ]
    [ "$(peak segv | tr -dc 0-9)" -lt $((64 * 1024)) ]
    [[ $(peak kill) == "peak memory at most "* ]]
}

@test "16: a loop that looks at nothing is killed when its time is up and the grace period is over" {
    bad wild "id: loop, timeout: 200ms, params: {how: loop}" "id: stop, timeout: 200ms, params: {how: stop}" "id: after"
    [ "$status" -eq 1 ]
    ends loop timed_out killed "$deaf"
    ends stop timed_out killed "$deaf"
    ends after succeeded
}

@test "17: a call that blocks all signals is killed as well" {
    bad wild "id: deaf, timeout: 200ms, params: {how: deaf}" "id: after"
    ends deaf timed_out killed "$deaf"
    ends after succeeded
}

@test "18: a call that leaves its process is never a success" {
    bad wild "id: exit, params: {how: exit}" "id: leave, params: {how: leave}" "id: after"
    [ "$status" -eq 1 ]
    ends exit crashed exited "its worker process left without a result, by exit(0) (rule R4)"
    ends leave crashed exited "its worker process left without a result, by exit(3) (rule R4)"
    ends after succeeded
}

@test "19: a call that closes descriptors spoils its own process alone" {
    bad wild "id: std, params: {how: close_std}" "id: between" "id: all, params: {how: close_all}" "id: after"
    ends std succeeded
    ends between succeeded
    ends after succeeded
}

@test "20: a hundred megabytes of output hold nobody up" {
    bad wild "id: flood, params: {how: flood}" "id: after"
    [ "$status" -eq 0 ]
    ends flood succeeded
    ends after succeeded
}

@test "21: what a call changes of its process stays in it" {
    bad wild "id: meddle, params: {how: meddle}" "id: after"
    [ "$status" -eq 0 ]
    ends meddle succeeded
    ends after succeeded
    run ! grep -q "signal\|handler" err
}

@test "24: an exception that leaves execute is a crash" {
    needs_signals
    mkdir plugins
    cat >throws.cc <<'EOF'
#include <sluice/plugin.h>
static sluice_status throws(const sluice_call *, const void *) { throw 57; }
static const sluice_type types[] = {
    {SLUICE_TYPE("throws", "Throws."), .flags = SLUICE_PROCESS_ONLY, .execute = throws},
    SLUICE_TYPES_END,
};
SLUICE_PLUGIN("throws", "1.0.0", "throws", types)
EOF
    c++ -std=c++20 -shared -fPIC -I "$SDK_INCLUDE" -o throws.so throws.cc
    prepare wild
    cp throws.so plugins/
    bad throws "id: throw"
    ends throw crashed signal "SIGABRT (abort was called)"
}

@test "26: a process that leaks is recycled before it has too much" {
    [ -z "$SANITIZE" ] || skip "a sanitizer's memory is more than any limit"
    prepare wild "workers = 1" "memory_limit = 100MiB"
    local fields
    mapfile -t fields < <(yes "params: {how: leak}" | head -n 30)
    bad wild "${fields[@]}"
    [ "$status" -eq 0 ]
    grep -qE 'bad: 1030 tasks: 1030 succeeded in ' out
}

@test "26: a call that wants more memory than there may be is told apart from other crashes" {
    [ -z "$SANITIZE" ] || skip "a sanitizer's memory is more than any limit"
    prepare wild "workers = 1" "memory_limit = 64MiB"
    bad wild "id: hog, params: {how: hog}" "id: after" "id: segv, params: {how: segv}"
    ends hog crashed out_of_memory "out of memory: its worker process may have 67108864 bytes; SIGSEGV"
    ends after succeeded
    ends segv crashed signal "SIGSEGV"
}

@test "27: children that a call leaves behind end with its process" {
    bad wild "id: child, params: {how: child, file: $PWD/child}" "id: after"
    [ "$status" -eq 0 ]
    [ -s child ]
}

# has_crashed COUNT: whether so many tasks of $job have.
has_crashed() {
    get "/v1/jobs/$job" .crashed
    [ "$output" -ge "$1" ]
}

# has_descriptors_at_most COUNT: whether the host $first has: the last process goes after its task has ended.
has_descriptors_at_most() {
    [ "$(descriptors "$first")" -le "$1" ]
}

@test "a thousand crashes cost a thousand attempts, no descriptor and no zombie" {
    local count=1000 step=100 first before
    [ -z "$SANITIZE" ] || count=50 step=10
    prepare wild "workers = 2"
    serve
    first=$(host)
    before=$(descriptors "$first")
    { echo "tasks:"; repeat $count "type: wild, params: {how: segv}"; repeat 1000 "type: noop"; } | job crashes
    submit "@crashes.yaml"
    for ((i = step; i <= count; i += step)); do
        wait_until has_crashed $i
    done
    job_is "$job" over
    got .crashed $count
    got .succeeded 1000
    [ "$(host)" = "$first" ]
    [ "$(ps -o stat= --ppid "$first" | grep -c Z)" -eq 0 ]
    # Each of the two workers keeps one descriptor of its own.
    wait_until has_descriptors_at_most $((before + 4))
    stop_daemon
}

@test "what a call that has left its session prints for ever holds nobody up" {
    prepare rogue "workers = 1"
    serve
    submit_task "{type: rogue, params: {how: escape_and_print, file: $PWD/escaped}}"
    task_is "$task" crashed
    submit_task "{type: rogue, params: {how: escape_and_wait, file: $PWD/escaped}}"
    task_is "$task" crashed
    submit_task "{type: rogue}"
    task_is "$task" succeeded
    end_escaped
    stop_daemon
}
