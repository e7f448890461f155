# Every job file of configs/jobs runs, and ends as it says.

setup() {
    jobs=$SOURCE_DIR/configs/jobs
    cd "$BATS_TEST_TMPDIR" || exit
}

# run_job FILE: runs it with events in events.jsonl.
run_job() {
    run "$SLUICE" run "$1" --events events.jsonl
    echo "$output"
}

# output_of TASK NAME: an output of a task without escapes in it.
output_of() {
    grep -F "\"task\":\"$1\"" events.jsonl | sed -n "s/.*\"$2\":\"\([^\"]*\)\".*/\1/p"
}

@test "every job file is valid and has its line in the README" {
    for file in "$jobs"/*.yaml "$SOURCE_DIR"/sdk/template/*.yaml; do
        case $file in *template*) continue ;; esac
        run "$SLUICE" check "$file"
        echo "$output"
        [ "$status" -eq 0 ]
        grep -q "\`${file##*/}\`" "$jobs/README.md"
    done
}

@test "needs.yaml: the copy is skipped and says why, the alarm and the tidying run" {
    run_job "$jobs/needs.yaml"
    [ "$status" -eq 1 ]
    [[ $output == *"task 'copy' (exec) skipped: dependency_failed: not started: it needs 'mount', which failed"* ]]
    [[ $output == *"needs: 6 tasks: 4 succeeded, 1 failed, 1 skipped in "* ]]
    [ "$(output_of alarm stdout)" = "no backup tonight" ]
    [ "$(output_of unmount stdout)" = "unmounted" ]
}

@test "hello.yaml: twelve tasks succeed and the greeting is there" {
    run_job "$jobs/hello.yaml"
    [ "$status" -eq 0 ]
    [[ $output == *"hello: 12 tasks: 12 succeeded in "* ]]
    [ "$(output_of greeting stdout)" = "hello from Sluice" ]
    [ "$(output_of words stdout)" = "ONE JOB FILE, MANY PLUGINS" ]
    [ "$(output_of machine stdout)" = "$(uname -sm)" ]
    [ "$(output_of release digest)" = "$(sha256sum /etc/os-release | cut -d' ' -f1)" ]
    [ "$(output_of passwd digest)" = "$(sha512sum /etc/passwd | cut -d' ' -f1)" ]
    [ "$(output_of shell digest)" = "$(sha256sum /bin/sh | cut -d' ' -f1)" ]
}

@test "commands.yaml: each command prints what it should" {
    run_job "$jobs/commands.yaml"
    [ "$status" -eq 0 ]
    [ "$(output_of program stdout)" = 'no shell sees $HOME or *' ]
    [ "$(output_of environment stdout)" = green ]
    [ "$(output_of input stdout)" = 'third\nsecond\nfirst' ]
}

@test "order.yaml: all succeed, the urgent before the low, the delayed not before its time" {
    run_job "$jobs/order.yaml"
    [ "$status" -eq 0 ]
    [[ $output == *"order: 5 tasks: 5 succeeded"* ]]
    grep -o '"task":"[^"]*"' events.jsonl >ended
    line() { grep -n "\"$1\"" ended | cut -d: -f1; }
    [ "$(line urgent)" -lt "$(line low)" ]
    [[ $(grep -F '"task":"delayed"' events.jsonl) =~ \"wait_seconds\":([0-9]+\.[0-9]+) ]]
    awk -v waited="${BASH_REMATCH[1]}" 'BEGIN { exit !(waited >= 0.1) }'
}

@test "vars.yaml: variables are put in, and --set wins" {
    run_job "$jobs/vars.yaml"
    [ "$status" -eq 0 ]
    [ "$(output_of greeting stdout)" = "hello, world" ]
    [ "$(output_of literal stdout)" = 'a dollar and a brace: ${vars.who}' ]
    run "$SLUICE" run "$jobs/vars.yaml" --set vars.who='$HOME' --events events.jsonl
    [ "$(output_of greeting stdout)" = 'hello, $HOME' ]
    [ "$(output_of shell stdout)" = 'hello, $HOME' ]
}

@test "retry.yaml: the third attempt succeeds and leaves nothing behind" {
    run_job "$jobs/retry.yaml"
    [ "$status" -eq 0 ]
    [[ $output == *"retry: 2 tasks: 2 succeeded in "* ]]
    [ "$(grep -F '"task":"third-time"' events.jsonl | grep -o '"attempt":[0-9]*' | paste -sd' ')" = \
        '"attempt":1 "attempt":2 "attempt":3' ]
    [ ! -e third-time.marks ]
}

@test "each.yaml: a task for every combination, line and row" {
    run_job "$jobs/each.yaml"
    [ "$status" -eq 0 ]
    [[ $output == *"each: 11 tasks: 11 succeeded"* ]]
    [ "$(output_of 'convert[3]' stdout)" = "b.png -quality 95" ]
    [ "$(output_of 'word[2]' stdout)" = weir ]
    [ "$(output_of 'greet[1]' stdout)" = "good morning, Grace" ]
}

@test "results.yaml: each count gets what its fetch has printed" {
    run_job "$jobs/results.yaml"
    [ "$status" -eq 0 ]
    [[ $output == *"results: 7 tasks: 7 succeeded"* ]]
    [ "$(output_of 'count[2]' stdout)" = 10 ]
    [ "$(output_of report stdout)" = "succeeded: 8 letters" ]
}

@test "failures.yaml: five fail, each with its reason, and the last succeeds" {
    run_job "$jobs/failures.yaml"
    [ "$status" -eq 1 ]
    [[ $output == *"exited with 3: the disk is full"* ]]
    [[ $output == *"killed by signal 11 (Segmentation fault)"* ]]
    [[ $output == *"cannot start 'no-such-program': No such file or directory"* ]]
    [[ $output == *"cannot open '/no/such/file': No such file or directory"* ]]
    [[ $output == *"failures: 6 tasks: 1 succeeded, 4 failed, 1 timed out in "* ]]
}

@test "a few thousand files of this machine have the digests that sha256sum prints" {
    sh "$jobs/make-hash-job.sh" /usr/share 3000 >hash.yaml
    run_job hash.yaml
    [ "$status" -eq 0 ]
    sed -n "s/^  - {type: hash, params: {path: '\(.*\)'}}$/\1/p" hash.yaml | sed "s/''/'/g; s/\\\$\\\${/\${/g" >paths
    count=$(wc -l <paths)
    [ "$count" -ge 1000 ]
    [[ $output == *"hash: $count tasks: $count succeeded"* ]]
    # Task hash-N is line N of the paths.
    sed 's/.*"task":"hash-\([0-9]*\)".*"digest":"\([0-9a-f]*\)".*/\1 \2/' events.jsonl | sort -n | cut -d' ' -f2 >ours
    tr '\n' '\0' <paths | xargs -0 sha256sum | cut -c1-64 >theirs
    [ "$(wc -l <ours)" -eq "$count" ]
    cmp ours theirs
}

@test "make-hash-job.sh quotes every path so that the job means that file" {
    mkdir -p "it's \${odd}: #1"
    printf x >"it's \${odd}: #1/{a, b} \"c\"\\d"
    sh "$jobs/make-hash-job.sh" . >hash.yaml.new
    mv hash.yaml.new hash.yaml
    rm -f events.jsonl
    sed -i '/hash\.yaml/d' hash.yaml
    run_job hash.yaml
    [ "$status" -eq 0 ]
    [ "$(output_of hash-1 digest)" = "$(printf x | sha256sum | cut -d' ' -f1)" ]
}

@test "make-hash-job.sh refuses what is no folder" {
    run sh "$jobs/make-hash-job.sh" /no/such/folder
    [ "$status" -eq 2 ]
    [[ $output == usage:* ]]
}
