# Files that nobody means to be job files, or that somebody means to do harm: each gives an error with its place or a
# run, never a crash, and never takes more memory than a job file may.
# shellcheck disable=SC2154 # run --separate-stderr sets stderr
load helpers

SEED=20261
MUTATIONS=1000

setup_file() {
    export FOLDER=$BATS_FILE_TMPDIR/plugins
    mkdir -m 755 "$FOLDER"
    cp "$PLUGINS/noop.so" "$TEST_PLUGINS/kinds.so" "$FOLDER"
}

# sluice ARGUMENT...: runs it with the memory that a job file may take and some more; a sanitizer needs a lot of its own.
sluice() {
    local limit=hard_rss_limit_mb=3000
    ASAN_OPTIONS=${ASAN_OPTIONS-}:$limit TSAN_OPTIONS=${TSAN_OPTIONS-}:$limit bash -c '
        [ -n "$SANITIZE" ] || ulimit -v $((1536 * 1024))
        exec timeout -s KILL 120 "$SLUICE" "$1" --plugins "$FOLDER" "${@:2}"' - "$@"
}

# check FILE...: checks them; fails unless each is right or has errors of which each says what and where. What was found
# goes to the file found, a line a file: its name, then LINE:COLUMN CODE of each error.
check() {
    local code=0
    sluice check --format json "$@" >json 2>err || code=$?
    [ "$code" -eq 0 ] || [ "$code" -eq 2 ] || { echo "exit code $code" >&2; cat err >&2; return 1; }
    jq -r '.files[] | .file + (.errors | map(" \(.line):\(.column) \(.code)") | join(","))' json >found
    [ "$(wc -l <found)" -eq $# ]
    jq -e 'all(.files[]; .tasks > 0 or .errors != []) and all(.files[].errors[]; .message != "" and
        (.line > 0 or (.code | IN("empty", "read", "encoding", "too_large", "unknown_var"))))' json
}

# checked FILE: what was found in it: the errors, or nothing.
checked() {
    awk -v file="$1" '$1 == file { sub(/^[^ ]* */, ""); print }' found
}

# wrong CODE FILE...: each must have an error with this code.
wrong() {
    local code=$1 file
    shift
    check "$@"
    for file in "$@"; do
        [[ $(checked "$file"), == *" $code,"* ]] || { echo "$file: $(checked "$file")" >&2; return 1; }
    done
}

# right FILE...: each must be right, and runs.
right() {
    check "$@"
    sed 's/ .*//' found | diff - found >&2
    sluice run "$@" >out
    [ "$(wc -l <out)" -eq $# ]
}

# repeat COUNT TEXT: so many of them.
repeat() {
    perl -e 'print $ARGV[1] x $ARGV[0]' "$@"
}

# file NAME TEXT...: the file NAME.yaml of these texts, as printf %b writes them, behind the version.
file() {
    printf 'version: 1\n%b' "$(printf %s "${@:2}")" >"$1.yaml"
}

@test "what YAML does not allow is an error where it stands" {
    cases=$SOURCE_DIR/tests/flow/bad_input/yaml_cases
    names=()
    while IFS='|' read -r name expected text; do
        [[ $name != '#'* ]] || continue
        printf %b "$text" >"$name.yaml"
        names+=("$name.yaml")
        printf '%s.yaml %s\n' "$name" "$expected" >>expected
    done <"$cases"
    [ ${#names[@]} -ge 100 ]
    check "${names[@]}"
    # The last error is the one that ended the reading.
    sed -e 's/^\([^ ]*\)$/\1 right/' -e 's/ .*, / /' found | diff expected -
}

@test "a thousand mutated files have errors with places, or run" {
    cat >base.yaml <<'JOB'
version: 1
name: nightly
vars: {out: /srv/out, copy: "${vars.out}/copy"}
defaults: {priority: 3, weight: 2, timeout: 30s}
max_weight: 50
fail_fast: false
tasks:
  - &first
    id: first
    type: noop
    priority: -5
  - {<<: *first, id: second, params: {n: 0x10}}
  - type: kinds
    params:
      flag: true
      text: "caf\u00e9 \ud83d\ude00 ${vars.copy} $${x}"
      list: [a, 'it''s', 3]
      map: {k: v}
      any: {deep: [1, 2.5, null, {x: y}]}
    weight: auto
  - type: kinds
    params:
      text: |
        one
          two
      list:
        - >-
          folded
          text
        - plain text
JOB
    printf 'version: 1\ntasks:\n  - {type: noop}\n  - {id: b, type: noop, priority: 1}\n' >small.yaml
    mkdir mutated
    echo "seed $SEED"
    perl "$SOURCE_DIR/tests/flow/bad_input/mutate.pl" "$SEED" "$MUTATIONS" mutated base.yaml small.yaml base.yaml \
        small.yaml base.yaml small.yaml "$SOURCE_DIR"/configs/jobs/*.yaml
    check mutated/*.yaml
    grep -v ' ' found >right
    [ "$(wc -l <right)" -ge 10 ]
    xargs "$SLUICE" run --plugins "$FOLDER" --progress off <right >out
    [ "$(wc -l <out)" -eq "$(wc -l <right)" ]
    # A stream runs what comes before the error.
    for name in mutated/*00.yaml mutated/*33.yaml; do
        code=0
        "$SLUICE" run --stream --progress off --plugins "$FOLDER" - <"$name" >out 2>err || code=$?
        [ "$code" -le 2 ] || { echo "$name: exit code $code" >&2; cat err >&2; return 1; }
    done
}

@test "what is nested a hundred thousand deep is refused" {
    local deep=100000
    file flow_lists 'tasks: ' "$(repeat $deep '[')"
    file flow_maps 'tasks: ' "$(repeat $deep '{a: ')"
    file closed 'x: ' "$(repeat $deep '[')" "$(repeat $deep ']')" '\n'
    file block_lists 'tasks:\n' "$(repeat $deep '- ')" '\n'
    file block_keys "$(repeat $deep '? ')" '\n'
    file in_any 'tasks: [{type: kinds, params: {any: ' "$(repeat $deep '[{a: ')"
    file indented 'x:\n' "$(perl -e 'print " " x $_, "a:\\n" for 1 .. 1000')"
    wrong too_large ./*.yaml
}

@test "an alias bomb is refused, whatever it multiplies" {
    local text
    text=$(repeat 1000000 a)
    bomb() { # levels of lists of ten: the last stands for ten to the levels
        perl -e 'print join ", ", map { "&a$_ [" . ($_ ? join(", ", ("*a" . ($_ - 1)) x 10) : "x") . "]" } 0 .. $ARGV[0]' "$1"
    }
    file any "tasks: [{type: kinds, params: {any: [$(bomb 9)]}}]\n"
    file list "tasks: [{type: kinds, params: {list: [$(bomb 9)]}}]\n"
    file unknown "x: [$(bomb 9)]\n"
    file keys "tasks: [{type: kinds, params: {any: [&a {$(perl -e 'print "? k$_ : x," for 1 .. 2000')}, $(repeat 600 '*a, ')]}}]\n"
    file tasks "tasks: [&t {type: noop, params: {n: 1}}, $(repeat 400000 '*t, ')]\n"
    file merges "tasks: [&a0 {type: noop}, $(perl -e 'print "&a$_ {<<: [", join(", ", ("*a" . ($_ - 1)) x 9), "]}, " for 1 .. 9')]\n"
    file texts "tasks: [{type: kinds, params: {text: &x \"$text\", list: [$(repeat 2000 '*x, ')]}}]\n"
    file inside "tasks: [{type: kinds, params: {any: &a [*a, *a]}}]\n"
    file vars "vars: {x: \"$text\"}\ntasks:\n$(repeat 11 "- {weight: 0, type: kinds, params: {list: [$(repeat 100 '"${vars.x}", ')]}}\n")"
    file var_of_vars "vars: {a0: abc, $(perl -e 'print "a$_: \"\${vars.a", $_ - 1, "}\${vars.a", $_ - 1, "}\", " for 1 .. 40')}\n"
    wrong too_large any.yaml list.yaml unknown.yaml keys.yaml tasks.yaml merges.yaml texts.yaml vars.yaml var_of_vars.yaml
    wrong alias inside.yaml
}

@test "a key of 1 MiB is no harm, wherever it stands" {
    local key
    key=$(repeat 1048576 k)
    file plain "$key: x\n"
    file quoted "\"$key\": x\n"
    wrong syntax plain.yaml quoted.yaml
    file top "? $key\n: x\n"
    file task "tasks: [{type: noop, ? $key : x}]\n"
    wrong unknown_key top.yaml task.yaml
    file param "tasks: [{type: noop, params: {? $key : x}}]\n"
    wrong unknown_param param.yaml
    file label "tasks: [{type: noop, labels: {? $key : x}}]\n"
    file var "vars: {? $key : x}\ntasks: [{type: noop}]\n"
    wrong out_of_range label.yaml var.yaml
    file map_over "tasks: [{type: kinds, params: {map: {? ${key}k : x}}}]\n"
    wrong too_large map_over.yaml
    file map "tasks: [{type: kinds, params: {map: {? $key : x}}}]\n"
    file any "tasks: [{type: kinds, params: {any: {? $key : x}}}]\n"
    right map.yaml any.yaml
    file id "tasks: [{type: noop, id: $key}]\n"
    file type "tasks: [{type: $key}]\n"
    file anchor "x: &$key 1\ny: *$key\n"
    file tag "x: !$key y\n"
    check id.yaml type.yaml anchor.yaml tag.yaml
}

@test "very many of anything small are an error or run" {
    many() { # COUNT FORMAT: so many, each with its number
        perl -e 'printf $ARGV[1], $_ for 1 .. $ARGV[0]' "$1" "$2"
    }
    file keys "$(many 20000 'k%d: x\n')"
    file params "tasks: [{type: noop, params: {$(many 20000 'k%d: x, ')}}]\n"
    file labels "tasks: [{type: noop, labels: {$(many 20000 'k%d: x, ')}}]\n"
    file anchors "x: [$(many 20000 '&k%d x, ')]\n"
    file merges "tasks: [{type: noop, $(repeat 2000 '<<: {}, ')}]\n"
    file vars "vars: {$(many 2000 'k%d: x, ')}\n"
    wrong unknown_key keys.yaml anchors.yaml
    wrong unknown_param params.yaml
    wrong too_large labels.yaml vars.yaml
    check merges.yaml
    file map "tasks: [{type: kinds, params: {map: {$(many 20000 'k%d: x, ')}}}]\n"
    file any "tasks: [{type: kinds, params: {any: {$(many 20000 'k%d: x, ')}}}]\n"
    file lines "$(repeat 1000000 '\n')tasks: [{type: noop}]\n"
    file comment "#$(repeat 3000000 x)\ntasks: [{type: noop}]\n"
    right map.yaml any.yaml lines.yaml comment.yaml
}

@test "a NUL byte is an error at its place, wherever it stands" {
    file text 'name: a\0b\ntasks: [{type: noop}]\n'
    file quoted 'name: "a\0b"\n'
    file comment '# a\0b\n'
    file key 'na\0me: x\n'
    file line 'name: x\n\0\ntasks: []\n'
    file last 'tasks: [{type: noop}]\n\0'
    file escaped 'name: "a\\0b"\n'
    printf '\0version: 1\n' >first.yaml
    head -c 100000 /dev/zero >only.yaml
    wrong encoding ./*.yaml
    for place in "text 2:8" "quoted 2:9" "comment 2:4" "key 2:3" "line 3:1" "last 3:1" "escaped 2:7" "first 1:1" "only 1:1"; do
        grep -q "^./${place% *}.yaml.* ${place#* } encoding" found
    done
}

@test "bytes that are not UTF-8 are an error at their place, wherever they stand" {
    local bytes number=0
    # Alone, too long, half of a pair, beyond the last character, cut, and in another encoding.
    for bytes in '\x80' '\xbf' '\xc0\xaf' '\xe0\x80\xaf' '\xf0\x80\x80\xaf' '\xed\xa0\x80' '\xed\xbf\xbf' '\xf4\x90\x80\x80' \
        '\xf8\x88\x80\x80\x80' '\xfe' '\xff' '\xc3' '\xe2\x82' '\xf0\x9f\x98' '\xe4\xf6\xfc'; do
        number=$((number + 1))
        file "text$number" "name: ab${bytes}cd\n"
        file "quoted$number" "name: \"é${bytes}\"\n"
        file "comment$number" "# abcdef${bytes}\n"
        file "key$number" "na${bytes}me: x\n"
        file "end$number" "name: ab${bytes}"
    done
    wrong encoding ./*.yaml
    run ! grep -v -e '^./text[0-9]*.yaml 2:9 encoding$' -e '^./quoted[0-9]*.yaml 2:9 encoding$' \
        -e '^./comment[0-9]*.yaml 2:9 encoding$' -e '^./key[0-9]*.yaml 2:3 encoding$' -e '^./end[0-9]*.yaml 2:9 encoding$' found
}

@test "lines may end as on Windows, and errors keep their places" {
    printf 'version: 1\r\ntasks:\r\n  - {type: noop}\r\n  - type: kinds\r\n    params:\r\n      text: |\r\n        a\r\n' >crlf.yaml
    printf 'version: 1\rtasks: [{type: noop}]\r' >cr.yaml
    right crlf.yaml cr.yaml
    printf 'version: 1\r\ntasks:\r\n  - {type: noop, colour: red}\r\n' >wrong.yaml
    run -2 --separate-stderr sluice check wrong.yaml
    [ "$stderr" = "wrong.yaml:3:18: error: unknown key 'colour' in a task
    3 |   - {type: noop, colour: red}
      |                  ^~~~~~" ]
}

@test "a byte order mark is not a part of the file; UTF-16 is refused" {
    printf '\xef\xbb\xbfversion: 1\ntasks: [{type: noop}]\n' >mark.yaml
    right mark.yaml
    printf '\xef\xbb\xbfvresion: 1\n' >wrong.yaml
    check wrong.yaml
    [[ $(checked wrong.yaml) == *"1:1 unknown_key"* ]]
    printf '\xef\xbb\xbf\xef\xbb\xbfversion: 1\ntasks: [{type: noop}]\n' >twice.yaml
    printf 'version: 1\ntasks: [{type: \xef\xbb\xbfnoop}]\n' >inside.yaml
    check twice.yaml inside.yaml
    printf '\xef\xbb\xbf' >only.yaml
    wrong empty only.yaml
    for encoding in UTF-16 UTF-16LE UTF-16BE UTF-32; do
        printf 'version: 1\n' | iconv -t $encoding >$encoding.yaml
    done
    wrong encoding UTF-*.yaml
}

@test "an empty file, and one without a task, are errors" {
    : >empty.yaml
    printf '\n\n  \n' >spaces.yaml
    printf '# nothing\n' >comment.yaml
    printf -- '---\n' >mark.yaml
    printf -- '---\n...\n' >marks.yaml
    printf -- '%%YAML 1.1\n---\n' >directive.yaml
    wrong empty ./*.yaml
    file list 'tasks: []\n'
    wrong empty list.yaml
    file map 'tasks: {}\n'
    file nothing 'tasks:\n'
    file null 'tasks: ~\n'
    file text 'tasks: noop\n'
    file items 'tasks: [, ]\n'
    file item 'tasks: [{}]\n'
    printf '{}' >keyless.yaml
    printf '[]' >no_map.yaml
    printf 'hello' >hello.yaml
    check map.yaml nothing.yaml null.yaml text.yaml items.yaml item.yaml keyless.yaml no_map.yaml hello.yaml
    run ! grep -v ' ' found
}

@test "what is no file is an error" {
    mkdir folder.yaml
    ln -s loop.yaml loop.yaml
    check folder.yaml loop.yaml missing.yaml /dev/null
    [ "$(checked folder.yaml)" = "0:0 read" ]
    [ "$(checked loop.yaml)" = "0:0 read" ]
    [ "$(checked missing.yaml)" = "0:0 read" ]
    [ "$(checked /dev/null)" = "0:0 empty" ]
}

@test "a task in 300,000 circles has a hundred of them shown, and is read like another" {
    {
        printf 'version: 1\ntasks:\n  - {id: hub, type: noop, needs: ['
        seq -s ', ' -f 'leaf-%.0f' 300000
        printf ']}\n'
        seq -f '  - {id: leaf-%.0f, type: noop, needs: [hub]}' 300000
    } >star.yaml
    run -2 --separate-stderr sluice check star.yaml
    [[ $stderr == *"star.yaml:3:35: error: tasks need each other in a circle: hub -> leaf-1 -> hub"* ]]
    [[ $stderr == *"star.yaml: 299900 more errors not shown" ]]
}

@test "a task that refers to 200,000 others, which it needs, is read like another" {
    {
        printf 'version: 1\ntasks:\n'
        seq -f '  - {id: a-%.0f, type: noop}' 200000
        printf '  - {id: all, type: noop, needs: ['
        seq -s ', ' -f 'a-%.0f' 200000
        printf ']}\n  - {id: text, type: kinds, needs: [all], params: {list: ['
        seq -s ', ' -f '"${tasks.a-%.0f.status}"' 200000
        printf ']}}\n'
    } >many.yaml
    check many.yaml
    [ -z "$(checked many.yaml)" ]
}
