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
