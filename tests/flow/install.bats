# An installed prefix: the program in it, and plugins built against it as an author would build them.

setup_file() {
    export PREFIX=$BATS_FILE_TMPDIR/prefix
    cmake --install "$BUILD_DIR" --prefix "$PREFIX" >"$BATS_FILE_TMPDIR/install.log"
    chmod -R go-w "$PREFIX"
    PKG_CONFIG_PATH=$(dirname "$(find "$PREFIX" -name sluice-plugin.pc)")
    export PKG_CONFIG_PATH
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    "$PREFIX/bin/sluice" plugin new greet >new.log
    cd greet
}

# greets PREFIX FOLDER: the program of the prefix runs the template's job with the plugin in the folder.
greets() {
    run "$1/bin/sluice" run greet.yaml --plugins "$2"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"greet: 2 tasks: 2 succeeded"* ]]
}

@test "the installed program runs the installed example with the installed plugins" {
    run "$PREFIX/bin/sluice" run "$PREFIX/share/doc/sluice/examples/jobs/hello.yaml"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"hello: "*" succeeded in "* ]]
}

@test "the program takes its plugins from its own prefix, not from the build" {
    run "$PREFIX/bin/sluice" plugin list
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *hash* ]]
    [[ $output != *"$BUILD_DIR"* ]]
}

@test "the service is installed where systemd looks for it, and starts the program" {
    unit=$PREFIX/lib/systemd/system/sluice.service
    # Without a path systemd looks for the program in the folders of /usr/local and /usr.
    grep -qx "ExecStart=sluice serve" "$unit"
    [ -x "$PREFIX/bin/sluice" ]
}

@test "the program talks to a daemon through the module of its own prefix" {
    export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
    run "$PREFIX/bin/sluice" status
    [ "$status" -eq 3 ]
    [[ $output == *"no daemon at "* ]]
    rm "$(find "$PREFIX" -name client.so)"
    run "$PREFIX/bin/sluice" status
    [ "$status" -eq 3 ]
    [[ $output == *"cannot load "*"$PREFIX"*"client.so"* ]]
}

@test "a new plugin is made from the installed template, builds and passes its test" {
    make
    run make test
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"greet: all is well" ]]
    run grep -rl "$BUILD_DIR" .
    [ "$status" -eq 1 ]
    cmake -B build >cmake.log
    cmake --build build >>cmake.log
    ctest --test-dir build
}

@test "a new plugin's Makefile falls back on what is installed elsewhere" {
    sed -i "s|$PREFIX|/nowhere|g" Makefile
    PATH=$PREFIX/bin:$PATH make test
}

@test "the template builds with one line through pkg-config, and runs" {
    # shellcheck disable=SC2046 # the flags are words
    cc -shared -fPIC greet.c -o greet.so $(pkg-config --cflags --libs sluice-plugin)
    greets "$PREFIX" .
}

@test "the template builds with find_package, and runs" {
    sed -i 's/ HINTS .*)/)/' CMakeLists.txt
    cmake -B build -DCMAKE_PREFIX_PATH="$PREFIX" >cmake.log
    cmake --build build >>cmake.log
    [ -f build/greet.so ]
    greets "$PREFIX" build
}

@test "a plugin asks for a version of the SDK, and a newer major one is not found" {
    sed -i 's/SluicePlugin REQUIRED HINTS .*)/SluicePlugin 1.0 REQUIRED)/' CMakeLists.txt
    cmake -B build -DCMAKE_PREFIX_PATH="$PREFIX" >cmake.log
    sed -i 's/SluicePlugin 1.0 REQUIRED/SluicePlugin 2.0 REQUIRED/' CMakeLists.txt
    run cmake -B build2 -DCMAKE_PREFIX_PATH="$PREFIX"
    [ "$status" -ne 0 ]
    [[ $output == *"requested version \"2.0\""* ]]
}

@test "a prefix that was moved still works" {
    cp -r "$PREFIX" "$BATS_TEST_TMPDIR/moved"
    PKG_CONFIG_PATH=${PKG_CONFIG_PATH/"$PREFIX"/"$BATS_TEST_TMPDIR/moved"}
    # shellcheck disable=SC2046
    cc -shared -fPIC greet.c -o greet.so $(pkg-config --cflags --libs sluice-plugin)
    # shellcheck disable=SC2046
    cc -H -fsyntax-only greet.c $(pkg-config --cflags sluice-plugin) 2>&1 | grep -q "moved/.*sluice/plugin.h"
    greets "$BATS_TEST_TMPDIR/moved" .
    run "$BATS_TEST_TMPDIR/moved/bin/sluice" plugin list
    [[ $output == *hash* ]]
}
