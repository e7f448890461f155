# The layer rule: which room of core may include what, and that a header includes what it needs.

setup() {
    core=$BATS_TEST_TMPDIR/core
}

# wrong_include FILE HEADER: a scratch copy of core, with one more include in one file.
wrong_include() {
    cp -r "$SOURCE_DIR/core" "$core"
    mkdir -p "$(dirname "$core/$1")"
    echo "#include \"$2\"" >>"$core/$1"
    run sh "$SOURCE_DIR/tests/layers.sh" "$core"
    [ "$status" -eq 1 ]
    [[ $output == *"core/$1:"*"may not include \"$2\""* ]]
    [ "${#lines[@]}" -eq 1 ]
}

@test "every room of core includes only what its layer allows" {
    run sh "$SOURCE_DIR/tests/layers.sh" "$SOURCE_DIR/core"
    echo "$output"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "support that includes a stage is found" {
    wrong_include support/planted.c accept/task.h
}

@test "a side room that includes a stage is found" {
    wrong_include plugin/planted.c execute/group.h
}

@test "a stage that includes an earlier stage's inside is found" {
    wrong_include outcome/planted.c dispatch/router.h
}

@test "a stage that includes the stage after the next is found" {
    wrong_include dispatch/planted.h outcome/outcome.h
}

@test "a client module that includes a command is found" {
    wrong_include client/planted.c cli/output.h
}

@test "a stage that includes the configuration is found" {
    wrong_include accept/planted.c config.h
}

@test "a room that the table does not know is found" {
    wrong_include newroom/planted.c support/error.h
}

@test "the command line may see everything" {
    cp -r "$SOURCE_DIR/core" "$core"
    mkdir -p "$core/cli"
    echo '#include "dispatch/router.h"' >"$core/cli/planted.c"
    sh "$SOURCE_DIR/tests/layers.sh" "$core"
}

@test "every header of core compiles alone" {
    cd "$SOURCE_DIR/core"
    while read -r header; do
        echo "#include \"$header\"" | cc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror \
            -I. -I"$SDK_INCLUDE" -fsyntax-only -x c -
    done < <(find . -name '*.h')
}
