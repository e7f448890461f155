# `sluice plugin check`: what the host looks at, and what is left of a plugin that was loaded, called and unloaded.
# shellcheck disable=SC2154 # run sets variables
load helpers

# check CODE FILE ARGUMENT...: checks it; $output is what was found, $stderr all else.
check() {
    run "-$1" --separate-stderr "$SLUICE" plugin check "${@:2}"
    printf '%s\n' "$output" "$stderr"
}

# task WORD: a task that breaks the rule.
task() {
    printf '{type: misbehave, params: {what: %s}}' "$1"
}

# finds TEXT...: each is a line of what was found, or its beginning.
finds() {
    local text
    for text in "$@"; do
        grep -qE "^$text" <<<"$output" || { echo "not found: $text" >&2; return 1; }
    done
}

# failures N: so many checks have failed.
failures() {
    [ "$(grep -c ^FAILED <<<"$output" || true)" -eq "$1" ]
}

bad=$HOSTILE/misbehave.so

@test "of a good plugin everything is ok" {
    check 0 "$PLUGINS/noop.so"
    finds "ok +path" "ok +image +a shared object of .* for this machine" "ok +note +noop 1.0.0, ABI 1.2, type noop" \
        "ok +load" "ok +task +noop: succeeded in " "ok +unload +twice, and nothing of it stays mapped" \
        "ok +threads" "ok +files" "ok +stdio" "ok +handlers" "ok +mask" "ok +folder" "ok +umask" "ok +locale" "ok +environ"
    [ "$(grep -vc ^ok <<<"$output" || true)" -eq 0 ]
    check 0 "$bad"
    failures 0
}

@test "the standard plugins keep the rules with a task of each" {
    check 0 "$PLUGINS/exec.so" --task '{type: exec, params: {argv: [echo, hello]}}'
    finds "ok +task +exec: succeeded in [0-9.]* ms, outputs: [1-9]"
    check 0 "$PLUGINS/hash.so" --task '{type: hash, params: {path: /bin/sh}}'
    finds "ok +task +hash: succeeded in "
    check 0 "$PLUGINS/sleep.so" --task '{type: sleep, params: {for: 1ms}}' --task '{"type": "sleep", "params": {"for": "2ms"}}'
    [ "$(grep -c "^ok *task *sleep: succeeded in " <<<"$output")" -eq 2 ]
}

@test "a type is not run with values that nobody gave" {
    check 0 "$PLUGINS/exec.so"
    finds "skipped +task +exec: not run, 'argv' has to be given: --task '\{type: exec, params: \{argv: ...\}\}'"
    check 0 "$PLUGINS/hash.so"
    finds "skipped +task +hash: not run, 'path' has to be given"
}

@test "a file that the host would refuse is told why, and nothing of it runs" {
    head -c 9000 "$PLUGINS/noop.so" >cut.so
    echo "no plugin" >text.so
    cp "$bad" open.so
    chmod o+w open.so
    check 1 cut.so
    finds "FAILED +image +truncated: has 9000 bytes, needs "
    check 1 text.so
    finds "FAILED +image +not an ELF shared object"
    check 1 open.so --set what=crash
    finds "FAILED +path +./open.so is writable by everybody: chmod o-w ./open.so" "ok +image" "ok +note +misbehave 1.0.0"
    failures 1
    check 1 "$HOSTILE/note_other_major.so"
    finds "ok +image" "FAILED +note +needs Sluice ABI "
    check 1 "$HOSTILE/descriptor_other_version.so"
    finds "ok +note" "FAILED +load +"
    check 1 "$HOSTILE/entry_missing.so"
    finds "FAILED +load +no function sluice_plugin_entry"
    check 1 "$HOSTILE/init_refuses.so"
    finds "FAILED +load +init refused: "
}

@test "what a task leaves behind is found, and the rule is cited" {
    declare -A left=(
        [thread]="threads +after a task of misbehave: new: thread [0-9]+ 'leftover' \(R3: "
        [stdio]="stdio +after a task of misbehave: gone: 0 is /dev/null \(R3: "
        [handler]="handlers +after a task of misbehave: new: SIGUSR2 is handled in misbehave.*\.so at .* \(R3: "
        [mask]="mask +a task of misbehave changes what is there \(R3: "
        [folder]="folder +after a task of misbehave: new: /; gone: $PWD \(R3: "
        [umask]="umask +after a task of misbehave: new: 0000; gone: 0[0-9]+ \(R3: "
        [locale]="locale +after a task of misbehave: new: C.UTF-8; gone: C \(R3: "
        [environ]="environ +after a task of misbehave: new: MISBEHAVED$"
        [file]="files +after it was unloaded: new: 77 is "
    )
    for what in "${!left[@]}"; do
        check 1 "$bad" --task "$(task "$what")"
        finds "ok +task +misbehave: succeeded" "FAILED +${left[$what]}"
        [[ $output != *secret* ]]
        failures 1
    done
}

@test "what is changed while a plugin is loaded is found too" {
    declare -A left=(
        [thread]="threads +after it was unloaded: new: thread [0-9]+ 'leftover' \(R3: "
        [file]="files +after it was unloaded: new: 77 is "
        [stdio]="stdio +after it was unloaded: gone: 0 is /dev/null \(R3: "
        [handler]="handlers +entry, init or deinit changes what is there \(R3: "
        [mask]="mask +entry, init or deinit changes what is there \(R3: "
        [umask]="umask +after it was unloaded: new: 0000; gone: "
    )
    umask 022
    for what in "${!left[@]}"; do
        check 1 "$bad" --set what="$what"
        finds "FAILED +${left[$what]}"
        failures 1
    done
}

@test "a crash, an exit and a loop hurt nobody, and it is told when they happened" {
    check 1 "$bad" --task "$(task crash)"
    finds "FAILED +task +crashed by SIGABRT while a task of misbehave ran$"
    check 1 "$bad" --set what=crash
    finds "FAILED +load +crashed by SIGABRT while it was loaded: constructors, entry, init$"
    check 1 "$bad" --task "$(task exit)"
    finds "FAILED +task +left the process with exit code 0 while a task of misbehave ran \(R4: "
    check 1 "$bad" --task '{type: misbehave, timeout: 100ms, params: {what: loop}}'
    finds "FAILED +task +misbehave: does not come back, although it was cancelled a second ago \(R5: "
    check 1 "$bad" --task "$(task close)"
    finds "FAILED +"
}

@test "what a task answers is told: a given one has to succeed, one that fails by its defaults is a warning" {
    check 1 "$bad" --task "$(task status)"
    finds "FAILED +task +misbehave: invalid status 57"
    check 1 "$bad" --task "$(task fail)"
    finds "FAILED +task +misbehave: failed with 'not_today': the server said no"
    check 0 "$bad" --task '{type: misbehave, timeout: 50ms, params: {pause: 1h}}'
    finds "ok +task +misbehave: was cancelled after 50ms, and then came to an end"
    sed 's/.def = "nothing"/.def = "fail"/' "$SOURCE_DIR/tests/hostile/plugins/misbehave.c" >fails.c
    cc -D_GNU_SOURCE -shared -fPIC -I"$SDK_INCLUDE" fails.c -o fails.so
    check 0 fails.so
    finds "warning +task +misbehave: failed with 'not_today': the server said no"
}

@test "a task that is not right is told what is wrong with it" {
    check 1 "$bad" --task '{type: misbehave, params: {wat: thread}}'
    finds "FAILED +task +.*: unknown parameter 'wat' for type 'misbehave': did you mean 'what'\?"
    check 1 "$bad" --task '{type: noop}'
    finds "FAILED +task +\{type: noop\}: no plugin has the task type 'noop'"
    check 1 "$bad" --task 'a: [b'
    finds "FAILED +task +a: \[b: "
}

@test "a plugin that stays mapped is a warning: a reload leaves a copy of it" {
    cc -shared -fPIC -Wl,-z,nodelete -I"$SDK_INCLUDE" "$SOURCE_DIR/sdk/template/greet.c" -o stays.so
    check 0 stays.so
    finds "warning +unload +stays mapped after dlclose" "ok +task +greet: succeeded"
}

@test "init gets the settings of the configuration, and those of the command over them" {
    printf '[plugin:misbehave]\nwhat = umask\n' >sluice.ini
    umask 022
    check 1 "$bad" --config sluice.ini
    finds "FAILED +umask"
    check 0 "$bad" --config sluice.ini --set what=nothing
    check 1 "$bad" --set wat=mask
    finds "FAILED +load +init refused: no setting wat=mask"
}

@test "what the plugin logs is shown with -v, on standard error" {
    check 0 "$bad"
    [ -z "$stderr" ]
    check 0 "$bad" -v
    [[ $stderr == *"about to misbehave"* ]]
}

@test "with --format json all is one object, with --quiet only failures are printed" {
    check 1 "$bad" --task "$(task thread)" --format json
    jq -e '.plugin == "misbehave" and .version == "1.0.0" and .ok == false
        and (.checks | map(select(.result == "failed")) | length == 1 and .[0].check == "threads" and .[0].rule == "R3")' <<<"$output"
    check 0 "$PLUGINS/noop.so" --format json
    jq -e '.ok and all(.checks[]; .result == "ok")' <<<"$output"
    check 0 "$PLUGINS/noop.so" --quiet
    [ -z "$output" ]
    check 1 "$bad" --task "$(task umask)" --quiet
    [ "$(wc -l <<<"$output")" -eq 1 ]
}

# trials: the processes of trials that this very test has begun, if they live.
trials() {
    local one
    for one in $(pgrep -f "^sluice-trial"); do
        ! grep -qzxF "XDG_STATE_HOME=$PWD" "/proc/$one/environ" 2>/dev/null || echo "$one"
    done
}

@test "nothing is left of a check: no process, no copy" {
    export XDG_STATE_HOME=$PWD
    check 1 "$bad" --task "$(task loop | sed 's/params/timeout: 10ms, params/')"
    check 0 "$PLUGINS/noop.so"
    [ -z "$(find sluice/code -name '*.so')" ]
    [ -z "$(trials)" ]
}

@test "what is broken is not installed, and no task runs before it is" {
    mkdir plugins
    printf '[plugin:misbehave]\nwhat = thread\n' >sluice.ini
    run -1 "$SLUICE" plugin install "$bad" --to plugins --config sluice.ini
    [[ $output == *"FAILED  threads   after it was unloaded: "* ]]
    [ -z "$(ls plugins)" ]
    sed 's/.def = "nothing"/.def = "crash"/' "$SOURCE_DIR/tests/hostile/plugins/misbehave.c" >crash.c
    cc -D_GNU_SOURCE -shared -fPIC -I"$SDK_INCLUDE" crash.c -o crash.so
    run -0 "$SLUICE" plugin install crash.so --to plugins
    [ -f plugins/misbehave.so ]
}

@test "wrong usage is told" {
    check 2
    [[ $stderr == *"which FILE.so?"* ]]
    check 2 a.so b.so
    check 2 "$bad" --set what
    [[ $stderr == *"--set: 'what' is not KEY=VALUE"* ]]
}
