# The standard plugins inside the real program.

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
}

# job TASK...: runs a job of these tasks (flow mappings) with events in events.jsonl.
job() {
    { printf 'version: 1\nname: job\ntasks:\n' && printf '  - {%s}\n' "$@"; } >job.yaml
    rm -f events.jsonl
    run "$SLUICE" run job.yaml --events events.jsonl
    echo "$output"
}

# event TASK PATTERN: the event of this task matches an extended regular expression.
event() {
    grep -F "\"task\":\"$1\"" events.jsonl | grep -qE -- "$2"
}

@test "all of them are listed with their version and types" {
    run "$SLUICE" plugin list
    [ "$status" -eq 0 ]
    for name in noop sleep exec hash; do
        [[ $output == *"$name"*1.0.0* ]]
    done
}

@test "the READMEs name exactly the parameters that the types have" {
    for name in noop sleep exec hash; do
        "$SLUICE" plugin info $name | sed -n '/^PARAMETER/,/^$/s/^\([a-z]*\) .*/\1/p' | sort >ours
        awk -F'|' '/^\| parameter/ { on = 1; next } /^$/ { on = 0 } on { print $2 }' \
            "$SOURCE_DIR/plugins/$name/README.md" | grep -o '[a-z]*' | sort >theirs
        [ -s ours ]
        diff ours theirs
    done
}

@test "the examples of their READMEs are valid job files" {
    for name in noop sleep exec hash; do
        sed -n '/^```yaml$/,/^```$/{/^```/!p;}' "$SOURCE_DIR/plugins/$name/README.md" >$name.yaml
        [ -s $name.yaml ]
        run "$SLUICE" check $name.yaml
        echo "$output"
        [ "$status" -eq 0 ]
    done
}

@test "noop takes a number or nothing" {
    job 'type: noop' 'type: noop, params: {n: 7}'
    [ "$status" -eq 0 ]
    [[ $output == *"job: 2 tasks: 2 succeeded"* ]]
}

@test "sleep sleeps, and its timeout ends it" {
    job 'id: short, type: sleep, params: {for: 10ms}' 'id: long, type: sleep, params: {for: 1h}, timeout: 100ms'
    [ "$status" -eq 1 ]
    event short '"state":"succeeded"'
    event long '"state":"timed_out"'
}

@test "exec hands over both streams and the exit code" {
    job 'id: a, type: exec, params: {shell: "echo out; echo err >&2"}'
    [ "$status" -eq 0 ]
    event a '"stdout":"out"'
    event a '"stderr":"err"'
    event a '"exit_code":"0"'
}

@test "exec takes arguments, folder, variables and input from the job file" {
    job 'id: a, type: exec, params: {argv: [echo, "two words", "*"]}' \
        'id: b, type: exec, params: {argv: [pwd], cwd: /usr}' \
        'id: c, type: exec, params: {argv: [printenv, COLOUR], env: {COLOUR: no}}' \
        'id: d, type: exec, params: {argv: [tac], stdin: "1\n2\n"}'
    [ "$status" -eq 0 ]
    event a '"stdout":"two words \*"'
    event b '"stdout":"/usr"'
    event c '"stdout":"no"'
    event d '"stdout":"2\\n1"'
}

@test "exec says how a command failed" {
    job 'id: a, type: exec, params: {shell: "echo the disk is full >&2; exit 3"}' \
        'id: b, type: exec, params: {shell: "kill -SEGV $$"}' \
        'id: c, type: exec, params: {argv: [no-such-program]}'
    [ "$status" -eq 1 ]
    [[ $output == *"exited with 3: the disk is full"* ]]
    [[ $output == *"killed by signal 11 (Segmentation fault)"* ]]
    [[ $output == *"cannot start 'no-such-program': No such file or directory"* ]]
    event a '"exit_code":"3"'
}

@test "exec kills the whole group when its time is over" {
    job 'id: a, type: exec, timeout: 300ms, params: {shell: "sleep 1234 & echo $!; wait"}'
    [ "$status" -eq 1 ]
    event a '"state":"timed_out"'
    pid=$(sed -n 's/.*"stdout":"\([0-9]*\)".*/\1/p' events.jsonl)
    [ -n "$pid" ]
    for _ in $(seq 500); do
        grep -qs '^State:.[RSDT]' "/proc/$pid/status" || return 0
        read -r -t 0.01 <> <(:) || :
    done
    return 1
}

@test "exec keeps a bounded part of a great output and says what it dropped" {
    job 'id: a, type: exec, params: {shell: "head -c 10000000 /dev/zero"}'
    [ "$status" -eq 0 ]
    [ "$(wc -c <events.jsonl)" -lt 70000 ]
    event a '"stdout_dropped":"9935488"'
    [[ $output == *"kept the first 64512 bytes, dropped 9935488"* ]]
}

@test "hash agrees with coreutils in several algorithms" {
    for algorithm in md5 sha1 sha256 sha512; do
        job "id: a, type: hash, params: {path: $SLUICE, algorithm: $algorithm}"
        [ "$status" -eq 0 ]
        event a "\"digest\":\"$(${algorithm}sum "$SLUICE" | cut -d' ' -f1)\""
    done
}

@test "hash compares with what is expected" {
    printf abc >abc
    job "id: a, type: hash, params: {path: $PWD/abc, algorithm: md5, expect: 900150983cd24fb0d6963f7d28e17f72}" \
        "id: b, type: hash, params: {path: $PWD/abc, algorithm: md5, expect: 900150983cd24fb0d6963f7d28e17f73}"
    [ "$status" -eq 1 ]
    event a '"state":"succeeded"'
    [[ $output == *"digest is 900150983cd24fb0d6963f7d28e17f72, expected 900150983cd24fb0d6963f7d28e17f73"* ]]
}

@test "hash names what it cannot read" {
    mkfifo pipe
    job "type: hash, params: {path: $PWD/none}" "type: hash, params: {path: $PWD/pipe}" \
        "type: hash, params: {path: $PWD/job.yaml, algorithm: sha257}"
    [ "$status" -eq 1 ]
    [[ $output == *"cannot open '$PWD/none': No such file or directory"* ]]
    [[ $output == *"'$PWD/pipe' is not a regular file"* ]]
    [[ $output == *"unknown algorithm 'sha257'"* ]]
}
