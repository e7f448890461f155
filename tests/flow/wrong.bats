# Wrong job files. Each wrong/NAME.yaml is checked in its folder (stream_*: run with --stream) and
# must give exactly wrong/NAME.expected; its first line names the codes of its errors in order, and whether the JSON
# Schema refuses it as well: (structural), see schema.bats.
# UPDATE=1 writes what comes instead; then read the difference.
# shellcheck disable=SC2154 # run --separate-stderr sets stderr and stderr_lines

setup_file() {
    export FOLDER=$BATS_FILE_TMPDIR/plugins
    mkdir -m 755 "$FOLDER"
    cp "$PLUGINS"/{noop,sleep,exec,hash}.so "$TEST_PLUGINS"/{kinds,locked}.so "$FOLDER"
}

setup() {
    cd "$SOURCE_DIR/tests/flow/wrong" || exit
    unset SLUICE_CONFIG
    export HOME=$BATS_TEST_TMPDIR
}

# sluice_read FILE [OPTION...]: reads a file as its name says; the status goes to $status, what it says about the file
# to $output.
sluice_read() {
    local file=$1
    shift
    case $file in
    stream_*) set -- run --stream --progress off "$@" ;;
    *) set -- check "$@" ;;
    esac
    run --separate-stderr "$SLUICE" "$1" "$file" --plugins "$FOLDER" "${@:2}"
}

# said: the diagnostics alone, without the log, the same wherever the plugins are.
said() {
    sed -e '/^time=/d' -e "s|$FOLDER|PLUGINS|g" <<<"$stderr"
}

# generated NAME: checks the file NAME in the test's own folder; its codes must be the rest.
generated() {
    cd "$BATS_TEST_TMPDIR" || return
    sluice_read "$1" --format json
    [ "$status" -eq 2 ]
    [ "$(codes)" = "$2" ]
}

codes() {
    grep -oE '"code": ?"[a-z_]+"' <<<"$output" | cut -d'"' -f4 | paste -sd' '
}

bats_require_minimum_version 1.5.0

@test "each wrong file gives exactly the expected errors" {
    failed=
    for file in *.yaml; do
        sluice_read "$file"
        [ "$status" -eq 2 ] || failed+=" $file(exit $status)"
        expected=${file%.yaml}.expected
        [ -z "${UPDATE-}" ] || said >"$expected"
        diff -u "$expected" <(said) || failed+=" $file"
    done
    echo "wrong:$failed"
    [ -z "$failed" ]
}

@test "the errors of each wrong file have the codes that its first line names" {
    failed=
    for file in [!s]*.yaml s[!t]*.yaml; do
        wanted=$(sed -n '1s/^# codes: \([a-z_ ]*[a-z]\).*/\1/p' "$file" | tr -d '\0')
        [ -n "$wanted" ] || continue
        sluice_read "$file" --format json
        [ "$(codes)" = "$wanted" ] || failed+=" $file($(codes))"
    done
    echo "wrong:$failed"
    [ -z "$failed" ]
}

@test "every code of errors.def occurs in a wrong file" {
    cat ./*.yaml ../wrong.bats | tr -d '\0' | grep -a '# codes: ' | tr ' ' '\n' | sort -u >"$BATS_TEST_TMPDIR/there"
    missing=
    while read -r word; do
        grep -qx "$word" "$BATS_TEST_TMPDIR/there" || missing+=" $word"
    done < <(sed -n 's/^ERROR([A-Z_]*, "\([a-z_]*\)".*/\1/p' "$SOURCE_DIR/core/accept/errors.def")
    echo "missing:$missing"
    [ -z "$missing" ]
}

@test "a folder is not read as a file" {
    mkdir "$BATS_TEST_TMPDIR/folder.yaml"
    generated folder.yaml read # codes: read
}

@test "a text over 1 MiB is refused" {
    { printf 'version: 1\ntasks: [{type: exec, params: {shell: "' && head -c 1048577 /dev/zero | tr '\0' x &&
        printf '"}}]\n'; } >"$BATS_TEST_TMPDIR/text.yaml"
    generated text.yaml too_large
}

@test "a text that never ends is refused before it fills the memory" {
    { printf 'version: 1\nname: "' && head -c 40000000 /dev/zero | tr '\0' x; } >"$BATS_TEST_TMPDIR/endless.yaml"
    generated endless.yaml too_large
}

@test "a file over 1 GiB is refused unread" {
    truncate -s 1073741825 "$BATS_TEST_TMPDIR/file.yaml"
    generated file.yaml too_large
}

@test "more than 10,000 documents are refused" {
    yes -- $'---\nversion: 1\ntasks: [{type: noop}]' | head -n 30003 >"$BATS_TEST_TMPDIR/documents.yaml"
    generated documents.yaml documents # codes: documents
}

@test "anchors over a million nodes are refused" {
    { printf 'version: 1\ntasks: &all\n' && yes -- '- {type: noop, params: {n: 1}}' | head -n 200000; } >"$BATS_TEST_TMPDIR/anchors.yaml"
    generated anchors.yaml too_large
}

@test "a streamed task that needs what stands more than 65,536 tasks before is outside the stream window" {
    { printf 'version: 1\ntasks:\n- {id: a, type: noop}\n' && yes -- '- {type: noop}' | head -n 65536 &&
        echo '- {id: z, type: noop, needs: [a]}'; } >"$BATS_TEST_TMPDIR/stream_far.yaml"
    cd "$BATS_TEST_TMPDIR" || return
    sluice_read stream_far.yaml # codes: stream_window
    [ "$status" -eq 2 ]
    [ "${stderr_lines[0]}" = "stream_far.yaml:65540:31: error: 'a' is outside the stream window: 65537 tasks back, \
at most 65536 are known" ]
}

@test "a hundred errors are shown and the rest is counted" {
    { printf 'version: 1\ntasks:\n' && yes -- '- {type: nop}' | head -n 150; } >"$BATS_TEST_TMPDIR/many.yaml"
    cd "$BATS_TEST_TMPDIR" || return
    sluice_read many.yaml
    [ "$status" -eq 2 ]
    [ "$(grep -c ': error: ' <<<"$stderr")" -eq 100 ]
    [ "${stderr_lines[-1]}" = "many.yaml: 50 more errors not shown" ]
}

@test "standard input is checked like a file, with the lines of its errors" {
    run --separate-stderr "$SLUICE" check - --plugins "$FOLDER" < <(cat unknown_key.yaml)
    [ "$status" -eq 2 ]
    [ "$(grep -c '' <<<"$stderr")" -eq "$(grep -c '' unknown_key.expected)" ]
    [ "${stderr_lines[1]}" = "    3 | nmae: nightly" ]
}

@test "a streamed pipe shows the line of its error" {
    run --separate-stderr "$SLUICE" run --stream --progress off - --plugins "$FOLDER" < <(cat stream_stops.yaml)
    [ "$status" -eq 2 ]
    [ "${stderr_lines[1]}" = "    5 |   - {type: noop, colour: red, weight: 0}" ]
}
