# The README's first job file does what the README shows.

setup() {
    readme=$SOURCE_DIR/README.md
    cd "$BATS_TEST_TMPDIR"
    export HOME=$BATS_TEST_TMPDIR/home # nothing of the user's takes part
    unset SLUICE_CONFIG XDG_CONFIG_HOME XDG_STATE_HOME
    # The text between ```yaml and the next ```.
    sed -n '/^```yaml$/,/^```$/{/^```/d;p}' "$readme" >first.yaml
    PATH=$(dirname "$SLUICE"):$PATH
}

# shown COMMAND: what the README shows below `$ COMMAND`, until the block ends; times as T.
shown() {
    awk -v line="\$ $1" '$0 == line { on = 1; next } on && /^```$/ { exit } on' "$readme" | times_hide
}

# times_hide: the time that a run took, as T.
times_hide() {
    sed -E 's/ in [0-9.]+ s$/ in T s/'
}

@test "the first job file prints what the README shows" {
    expected=$(shown "sluice run first.yaml --events events.jsonl")
    [ -n "$expected" ]
    run sluice run first.yaml --events events.jsonl
    [ "$status" -eq 1 ]
    diff <(echo "$expected") <(echo "$output" | times_hide)
    grep -qF '"outputs":{"stdout":"hello from Sluice","stderr":"","exit_code":"0"}' events.jsonl
}

@test "the wrong job file is reported as the README shows" {
    eval "$(sed -n 's/^\$ sed/sed/p' "$readme")"
    expected=$(shown "sluice run second.yaml")
    [ -n "$expected" ]
    run sluice run second.yaml
    [ "$status" -eq 2 ]
    diff <(echo "$expected") <(echo "$output")
}

teardown() {
    if [ -n "${daemon:-}" ] && kill -0 "$daemon" 2>/dev/null; then
        kill -KILL "$daemon"
    fi
}

# session_hide: what is another one each time: ids of jobs, times, the process.
session_hide() {
    sed -E 's/01[0-9A-HJKMNP-TV-Z]{24}/ID/g; s/pid [0-9]+, up [0-9a-z]+/pid P, up T/' | times_hide
}

@test "a session with the daemon goes as the README shows" {
    export XDG_RUNTIME_DIR=$PWD
    sed -n '/^\$ sluice serve/,/^```$/{/^```$/d;p}' "$readme" >session
    shown_job=$(sed -n 's/^first: 5 tasks: //p' session | head -n 1)
    sed -n 's/^\$ //p' session >commands
    while read -r command; do
        echo "\$ $command"
        if [[ $command == *'&' ]]; then
            env bash -c "exec ${command% &}" 3>&- &
            daemon=$!
            for ((look = 0; look < 1500; look++)); do
                ! grep -qs 'msg="ready"' serve.log || break
                read -rt 0.02 <> <(:) || true
            done
            continue
        fi
        job=$(sed -n 's/^first: 5 tasks: \(01.*\)/\1/p' got)
        eval "${command//$shown_job/$job}" 2>&1 || true
    done <commands >got
    cat got
    diff <(session_hide <session) <(session_hide <got)
    wait "$daemon"
}

@test "every file and folder that the README links is there" {
    while read -r link; do
        [ -e "$SOURCE_DIR/$link" ]
    done < <(grep -o '](\([^)]*\))' "$readme" | sed 's/^](//; s/)$//' | grep -v '^http')
}
