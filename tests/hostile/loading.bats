# Code that cannot be loaded, or that must not be.

bats_require_minimum_version 1.5.0
load host

@test "12: an undefined symbol is refused when the plugin is loaded" {
    cp "$HOSTILE/undefined_symbol.so" plugins/bad.so
    refused_when_used bad.so undefined \
        "cannot be loaded: undefined symbol: nobody_has_this_function"
}

@test "23: an executable stack is refused" {
    cp "$HOSTILE/exec_stack.so" plugins/bad.so
    refused_unseen bad.so "wants an executable stack"
}

@test "23: a segment that is writable and executable is refused" {
    cp "$HOSTILE/rwx_segment.so" plugins/bad.so
    refused_unseen bad.so "has a segment that is writable and executable"
}

@test "23: text relocations are refused" {
    cp "$HOSTILE/text_relocation.so" plugins/bad.so
    refused_unseen bad.so "has text relocations: build it with -fPIC"
}

@test "a library that is not the system's is refused" {
    echo 'int helper(void); int helper(void) { return 0; }' >helper.c
    cc -shared -fPIC -Wl,-soname,libhelper.so -o libhelper.so helper.c
    cc -shared -fPIC -I"$SDK_INCLUDE" -o plugins/bad.so "$SOURCE_DIR/tests/hostile/plugins/answers.c" \
        -Wl,--no-as-needed -L. -lhelper -Wl,-rpath,"$PWD"
    refused_unseen bad.so "needs 'libhelper.so', which is no system library: link it statically"
}

@test "a library of the system that a search path replaces is refused" {
    echo 'int helper(void); int helper(void) { return 0; }' >helper.c
    cc -shared -fPIC -Wl,-soname,libcrypt.so.1 -o libcrypt.so.1 helper.c
    ln -s libcrypt.so.1 libhelper.so
    cc -shared -fPIC -I"$SDK_INCLUDE" -o plugins/bad.so "$SOURCE_DIR/tests/hostile/plugins/answers.c" \
        -Wl,--no-as-needed -L. -lhelper -Wl,-rpath,"$PWD"
    refused_unseen bad.so "needs 'libcrypt.so.1' from its own search path $PWD: only system libraries are allowed, link it statically"
}

# tried FILE TYPE REASON: a job that names the type is told that its plugin was refused for a reason that begins so;
# `plugin list` says the same, and nobody else is concerned.
tried() {
    printf 'version: 1\ntasks: [{type: %s}]\n' "$2" >job.yaml
    run timeout 60 "$SLUICE" run --plugins plugins job.yaml
    echo "$output"
    [ "$status" -eq 2 ]
    [[ $output == *"job.yaml:2:16: error: the plugin with task type '$2' was refused: plugins/$1: $3"* ]]
    run --separate-stderr "$SLUICE" plugin list --plugins plugins --format json
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"\"state\":\"rejected\","*"\"file\":\"plugins/$1\",\"reason\":\"$3"* ]]
    [[ $output == *"{\"plugin\":\"noop\",\"version\":\"1.0.0\",\"generation\":1,\"state\":\"active\""* ]]
    others_work
}

@test "13: a constructor that crashes costs a process of its own, and is named" {
    [ "$SANITIZE" != thread ] || skip "the thread sanitizer has signals of its own"
    cp "$HOSTILE/constructor_crashes.so" plugins/bad.so
    tried bad.so constructor "its constructor or entry crashed: SIGSEGV at 0x0 (address not mapped) #0 constructor.1.so +0x"
    [[ $output != *"bad.so"* ]]
}

@test "13: a constructor that exits is refused, even with 0" {
    cp "$HOSTILE/constructor_exits.so" plugins/bad.so
    tried bad.so constructor "left by exit(0) while it was loaded"
}

@test "13: a constructor that loops is refused after its time" {
    cp "$HOSTILE/constructor_loops.so" plugins/bad.so
    tried bad.so constructor "its constructor or entry did not end within 5s"
}

@test "13: an entry that crashes is refused, and named by its function" {
    [ "$SANITIZE" != thread ] || skip "the thread sanitizer has signals of its own"
    cp "$HOSTILE/entry_crashes.so" plugins/bad.so
    tried bad.so entry "its constructor or entry crashed: SIGABRT (abort was called) #"
    run "$SLUICE" run --plugins plugins job.yaml
    [[ $output =~ "(abort was called) #"[0-9]+" entry.1.so +0x"[0-9a-f]+" sluice_plugin_entry (build-id "[0-9a-f]{40}")" ]]
}

@test "13: an entry that exits is refused" {
    cp "$HOSTILE/entry_exits.so" plugins/bad.so
    tried bad.so entry "left by exit(3) while it was loaded"
}

@test "13: an entry that hangs is refused after its time" {
    cp "$HOSTILE/entry_hangs.so" plugins/bad.so
    tried bad.so entry "its constructor or entry did not end within 5s"
}

@test "13: plugins are tried at the same time" {
    for i in 1 2 3 4; do
        sed "s/constructor/construct_$i/g" "$HOSTILE/constructor_loops.so" >"plugins/bad$i.so"
    done
    run --separate-stderr timeout 19 "$SLUICE" plugin list --plugins plugins --format json
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -oF '"reason":"its constructor or entry did not end within 5s"' <<<"$output" | wc -l)" -eq 4 ]
}

# is_gone PID: whether the process has ended, reaped or not.
is_gone() {
    local rest
    ! rest=$(cat "/proc/$1/stat" 2>/dev/null) || [[ ${rest##*) } == Z* ]]
}

@test "27: what a constructor has started is killed with the process in which it was tried" {
    [ "$SANITIZE" != thread ] || skip "the thread sanitizer has signals of its own"
    cp "$HOSTILE/constructor_forks.so" plugins/bad.so
    tried bad.so constructor "its constructor or entry crashed: SIGABRT (abort was called)"
    [ -s left.pid ]
    is_gone "$(cat left.pid)"
}

@test "an init that hangs is refused after its time, and the program ends" {
    cp "$HOSTILE/init_hangs.so" plugins/bad.so
    printf 'version: 1\ntasks: [{type: init}]\n' >job.yaml
    run timeout 60 "$SLUICE" run --plugins plugins job.yaml
    echo "$output"
    [ "$status" -eq 2 ]
    [[ $output == *"was refused: plugins/bad.so: init takes longer than 10s"* ]]
    others_work
}

@test "a state folder that others can write stops the host, naming what mends it" {
    mkdir -p state/code
    chmod o+w state/code
    printf '[host]\nstate_dir = %s/state\n' "$PWD" >sluice.ini
    run "$SLUICE" run --config sluice.ini --plugins plugins others.yaml
    echo "$output"
    [ "$status" -eq 3 ]
    [[ $output == *"$PWD/state/code is writable by everybody: chmod o-w $PWD/state/code"* ]]
}

@test "what was loaded is gone from the cache folder when the program has ended" {
    others_work
    [ -d cache/sluice/code ]
    [ -z "$(find cache -name '*.so')" ]
}
