# The README's first job file does what the README shows.

setup() {
    readme=$SOURCE_DIR/README.md
    cd "$BATS_TEST_TMPDIR"
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

@test "every file and folder that the README links is there" {
    while read -r link; do
        [ -e "$SOURCE_DIR/$link" ]
    done < <(grep -o '](\([^)]*\))' "$readme" | sed 's/^](//; s/)$//' | grep -v '^http')
}
