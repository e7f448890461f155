# What somebody sees who sits before it: a screen of tmux, with a server of its own, which is ended by its pid.
# shellcheck disable=SC2030,SC2031,SC2154 # each test has variables of its own; helpers.bash sets both
load helpers

# The socket's path must be short.
setup_file() {
    SCREEN=$(mktemp -d /tmp/sluice-screen-XXXXXX)
    export SCREEN
}

teardown_file() {
    rm -rf "$SCREEN"
}

# tmux_do COMMAND...: tells the server of this test.
tmux_do() {
    tmux -S "$SCREEN/$BATS_TEST_NUMBER" -f /dev/null "$@" 3>&-
}

# on_screen COLUMNS ARGUMENT...: `sluice ARGUMENT...` on a screen so wide; then its exit code, and the screen stays.
on_screen() {
    local columns=$1
    shift
    printf 'trap : INT; %s; echo "exit $?"; exec cat\n' "${*@Q}" >on_screen.sh
    tmux_do new-session -d -x "$columns" -y 40 'sh on_screen.sh' \; set-option -g window-size manual
    server=$(tmux_do display-message -p '#{pid}')
}

teardown() {
    if [ -n "${server:-}" ]; then
        kill -KILL "$server"
    fi
}

# screen: what is on it, without the empty lines at its end; lines that were wrapped are whole again.
screen() {
    tmux_do capture-pane -p -J | sed 's/ *$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

# shows PATTERN...: whether each line of the screen is as these, in order, and there is no other.
shows() {
    local lines i
    mapfile -t lines < <(screen)
    [ ${#lines[@]} -eq $# ] || return 1
    for i in "${!lines[@]}"; do
        [[ ${lines[i]} =~ ^$1$ ]] || return 1
        shift
    done
}

# appears PATTERN...: waits until the screen is so; says what it was else.
appears() {
    wait_until shows "$@" || { screen >&2; return 1; }
}

# gate: the fields of a task that runs until the file open is there.
gate() {
    echo "type: gate, params: {started: $PWD/started, open: $PWD/open}"
}

counts='[0-9.]+/s, 1 running'
left='[0-9.]+ (s|min|h) left'

@test "the progress line tells what is done, how fast, what failed, and how long it takes" {
    job live <<JOB
tasks:
  - {type: noop}
  - {type: noop}
  - {id: gate, $(gate)}
JOB
    on_screen 80 "$SLUICE" run "${both[@]}" live.yaml
    appears "2/3 done, $counts, 0 failed, $left"
    touch open
    appears 'live: 3 tasks: 3 succeeded in [0-9.]+ s' 'exit 0'
}

@test "a failure is shown when it happens, with the place of its task, above the progress line" {
    job live <<JOB
tasks:
  - {id: gate, $(gate)}
  - id: bad
    type: fail
    params: {code: not_found, message: "no such file: x"}
JOB
    on_screen 80 "$SLUICE" run "${both[@]}" live.yaml
    failure="live.yaml:4: task 'bad' \(fail\) failed, attempt 1: not_found: no such file: x"
    appears "$failure" "1/2 done, $counts, 1 failed, $left"
    touch open
    appears "$failure" 'live: 2 tasks: 1 succeeded, 1 failed in [0-9.]+ s' 'exit 1'
}

@test "a failure longer than the window wraps, and nothing of it or of the progress line is lost or left" {
    local words
    words=$(printf 'word%02d ' {1..40})
    { echo "tasks:"; echo "  - {id: gate, $(gate)}"
        for i in 1 2 3; do echo "  - {id: f$i, type: fail, params: {message: '${words% }'}, weight: auto}"; done; } | job live
    on_screen 50 "$SLUICE" run --workers fail=1 "${both[@]}" live.yaml
    failure="live.yaml:[456]: task 'f[123]' \(fail\) failed, attempt 1: [a-z]+: ${words% }"
    # What of the line has no room is cut.
    appears "$failure" "$failure" "$failure" "3/4 done, $counts, 3 failed, [0-9a-z. ]*"
    touch open
    appears "$failure" "$failure" "$failure" 'live: 4 tasks: 1 succeeded, 3 failed in [0-9.]+ s' 'exit 1'
}

@test "the screen is clean when the window becomes narrower, and wider again" {
    job live <<JOB
tasks:
  - {type: noop}
  - {id: gate, $(gate)}
JOB
    on_screen 80 "$SLUICE" run "${both[@]}" live.yaml
    appears "1/2 done, $counts, 0 failed, $left"
    tmux_do resize-window -x 30
    appears "1/2 done, [0-9a-z./, ]{1,19}"
    tmux_do resize-window -x 9
    appears "1/2 done"
    tmux_do resize-window -x 100
    appears "1/2 done, $counts, 0 failed, $left"
    touch open
    appears 'live: 2 tasks: 2 succeeded in [0-9.]+ s' 'exit 0'
}

@test "an interrupted run leaves no progress line" {
    job live <<JOB
tasks:
  - {id: gate, $(gate)}
  - {id: behind, $(gate)}
JOB
    printf '[host]\ngrace = 10ms\n' >sluice.ini
    on_screen 80 "$SLUICE" run --config sluice.ini --workers gate=1 "${both[@]}" live.yaml
    appears "0/2 done, 0.0/s, 1 running, 0 failed"
    tmux_do send-keys C-c
    appears '(\^C)?time=.* msg="stopping: .*' 'live: 2 tasks: 0 succeeded, 2 cancelled in [0-9.]+ s' 'exit 130'
}
