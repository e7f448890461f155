#!/usr/bin/env bats
# shellcheck disable=SC2154 # status, output, pid and both are set by bats and the helpers
# A plugin that crashes on a thread of the host: what is said before that ends.

load serve

setup_file() {
    ulimit -c 0
}

# crashes SIGNAL-NUMBER TYPE: a run of the type dies of this signal, having said what $output then holds.
crashes() {
    printf 'tasks: [{id: boom, type: %s}]\n' "$2" | job nightly
    run "$SLUICE" run "${both[@]}" nightly.yaml
    echo "$output"
    [ "$status" -eq $((128 + $1)) ]
    [[ $output == *" in plugin 'crash' 1.2.3, task 'boom' of type '$2'"$'\n'* ]]
    [[ $output == *$'\n'"  to run it in a process of its own: sluice run --isolation process nightly.yaml"$'\n'* ]]
}

@test "a fault in a plugin ends the run by its signal and names plugin, task, place and remedy" {
    crashes 11 crash.fault
    [[ $output == "sluice: crashed: SIGSEGV at 0x0 (address not mapped) in plugin 'crash' 1.2.3"* ]]
    [[ $output =~ $'\n'"  #0 crash.1.so +0x"[0-9a-f]+" (build-id "[0-9a-f]{40}")" ]]
    [[ $output =~ $'\n'"  #"[1-9]" sluice +0x" ]]
}

@test "the offset of a frame leads to the function in the plugin's file" {
    crashes 11 crash.fault
    offset=$(sed -n 's/^  #0 crash.1.so +\(0x[0-9a-f]*\) .*/\1/p' <<<"$output")
    nm "$TEST_PLUGINS/crash.so" >symbols
    grep -q ' t crash_fault$' symbols || skip "the plugin has no symbols"
    start_of=$((16#$(sed -n 's/ t crash_fault$//p' symbols)))
    [ $((offset)) -ge "$start_of" ] && [ $((offset)) -lt $((start_of + 200)) ]
}

@test "an abort, a division by zero and a stack overflow say what they are" {
    crashes 6 crash.abort
    [[ $output == "sluice: crashed: SIGABRT (abort was called) in plugin"* ]]
    crashes 8 crash.divide
    [[ $output == "sluice: crashed: SIGFPE at 0x"*" (integer divided by zero, or out of range) in plugin"* ]]
    crashes 11 crash.stack
    [[ $output == "sluice: crashed: SIGSEGV at 0x"*" (stack overflow) in plugin"* ]]
}

@test "a crash outside of a call blames no task" {
    printf 'tasks: [{id: fine, type: crash.exit}]\n' | job nightly
    run "$SLUICE" run "${both[@]}" nightly.yaml
    echo "$output"
    [ "$status" -eq 139 ]
    [[ $output == *"sluice: crashed: SIGSEGV at 0x0 (address not mapped) in plugin 'crash' 1.2.3 or the host, between two tasks"$'\n'* ]]
    [[ $output == *$'\n'"  #0 crash.1.so +0x"* ]]
}

@test "a crash in init names the plugin" {
    printf '[plugin:crash]\ndies = yes\n' >sluice.ini
    printf 'tasks: [{type: crash.fault}]\n' | job nightly
    run "$SLUICE" run --config sluice.ini "${both[@]}" nightly.yaml
    echo "$output"
    [ "$status" -eq 139 ]
    [[ $output == *"sluice: crashed: SIGSEGV at 0x0 (address not mapped) in the init of plugin 'crash'"$'\n'* ]]
}

@test "a signal from outside crashes the host itself" {
    # It may come in the midst of the thread sanitizer's own code, which then waits for itself.
    [ "$SANITIZE" != thread ] || skip "the thread sanitizer has signals of its own"
    printf 'tasks: [{type: sleep, params: {for: 60s}}]\n' | job nightly
    start run "${both[@]}" --events events nightly.yaml
    wait_until [ -e events ]
    kill -SEGV "$pid"
    ended 139
    grep -qxF 'sluice: crashed: SIGSEGV (sent by a process) in the host itself' err
    ! grep -q 'process of its own' err
}

@test "a plugin that takes the handler away is found out, and its crash is told all the same" {
    printf '[plugin:crash]\nignores = yes\n' >sluice.ini
    printf 'tasks: [{id: boom, type: crash.fault}]\n' | job nightly
    run "$SLUICE" run --config sluice.ini "${both[@]}" nightly.yaml
    echo "$output"
    [ "$status" -eq 139 ]
    [[ $output == *'plugin changed the handler of a signal: put back (rule R3)" signal=SEGV'* ]]
    [[ $output == *"sluice: crashed: SIGSEGV at 0x0 (address not mapped) in plugin 'crash'"* ]]
}

@test "nobody who does not read what is said keeps a host from its end" {
    printf 'tasks: [{id: boom, type: crash.fault}]\n' | job nightly
    mkfifo full
    exec 4<>full
    dd if=/dev/zero of=full oflag=nonblock bs=65536 count=1 status=none
    run timeout 30 bash -c '"$@" 2>full' - "$SLUICE" run "${both[@]}" nightly.yaml
    [ "$status" -eq 139 ]
}

@test "in a daemon the remedy is a line of its configuration" {
    serve --no-monitor
    printf 'tasks: [{id: boom, type: crash.abort}]\n' | job nightly
    "$SLUICE" submit nightly.yaml || true # it may be gone before it has answered
    ended 134
    cat err
    says "sluice: crashed: SIGABRT (abort was called) in plugin 'crash' 1.2.3, task 'boom' of type 'crash.abort'"
    says '  to run it in a process of its own: [group:crash.abort] isolation = process'
}
