# `sluice plugin new`: a folder that builds and passes its own test, with make and with CMake.
# shellcheck disable=SC2154 # run sets variables
load helpers

# made NAME: makes a plugin of that name and goes into its folder.
made() {
    run -0 "$SLUICE" plugin new "$1"
    echo "$output"
    cd "$1" || return 1
}

@test "a new plugin builds and passes its test with one command each" {
    made mail
    make
    [ -f mail.so ]
    run -0 make test
    echo "$output"
    [[ $output == *"mail: 2 tasks: 2 succeeded in "*"mail: all is well" ]]
}

@test "a new plugin builds and passes its test with CMake" {
    made mail
    cmake -B build >cmake.log
    cmake --build build >>cmake.log
    [ -f build/mail.so ]
    run -0 ctest --test-dir build --output-on-failure
    echo "$output"
    [[ $output == *"100% tests passed"* ]]
}

@test "its test fails when the plugin does something else" {
    made mail
    sed -i 's/"hello, %s", p->name) >=/"good night, %s", p->name) >=/' mail.c
    run make test
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *"no task has put out 'hello, world'"* ]]
}

@test "what is printed is what an author does next" {
    run -0 "$SLUICE" plugin new mail
    echo "$output"
    # The lines that begin with two spaces are commands.
    grep '^  ' <<<"$output" >next.sh
    [ "$(wc -l <next.sh)" -eq 3 ]
    run -0 sh -e next.sh
    [[ $output == *"mail: all is well" ]]
}

@test "a name with a dash, a name that CMake knows and a word of C are fine names" {
    for name in in-box_2 test int; do
        cd "$BATS_TEST_TMPDIR"
        made "$name"
        run -0 make test
        cmake -B build >cmake.log
        cmake --build build >>cmake.log
        run -0 ctest --test-dir build
        run -0 "$SLUICE" plugin list --plugins "$PWD"
        echo "$output"
        [[ $output == *"$name "*" active "* ]]
    done
}

@test "nothing is left of the template's own name, and all is under strict warnings" {
    made mail
    run grep -ril -e greet -e '@[a-z]*@' .
    echo "$output"
    [ "$status" -eq 1 ]
    for compiler in gcc clang; do
        $compiler -std=c11 -Wall -Wextra -Wshadow -Wconversion -Wpedantic -Werror -shared -fPIC -I"$SDK_INCLUDE" mail.c -o mail.so
    done
    shellcheck test.sh
}

@test "a name that no plugin can have is refused, and nothing is made" {
    long=$(printf 'x%.0s' {1..65})
    for name in Mail 9mail ../mail a/b -- mail.so "two words" "$long" ""; do
        run -2 "$SLUICE" plugin new -- "$name"
        echo "$output"
        [[ $output == *"'$name' cannot be a plugin's name: a to z first, then a to z, 0 to 9, '_' and '-', at most 64 in all"* ]]
    done
    run -2 "$SLUICE" plugin new
    [[ $output == *"what is the plugin to be called?"* ]]
    [ "$(ls)" = home ]
}

@test "what is there already stays as it is" {
    mkdir mail
    echo mine >mail/mail.c
    run -2 "$SLUICE" plugin new mail
    [ "$output" = "sluice: mail is there already: choose another name, or remove it" ]
    [ "$(cat mail/*)" = mine ]
    ln -s nowhere letter
    run -2 "$SLUICE" plugin new letter
    [[ $output == *"letter is there already"* ]]
}

@test "a place that cannot be written is named" {
    mkdir closed
    cd closed
    rmdir ../closed
    run -3 "$SLUICE" plugin new mail
    echo "$output"
    [[ $output == "sluice: cannot make the folder mail: "* ]]
}

@test "of a folder that could not be filled nothing is left" {
    # A limit on the size of files, below that of the source.
    run -3 bash -c 'trap "" XFSZ; ulimit -f 1; exec "$SLUICE" plugin new mail'
    echo "$output"
    [[ $output == *"sluice: cannot write "*": File too large"* ]]
    [ ! -e mail ]
}

@test "nobody else can write the new folder, whatever the umask" {
    umask 000
    made mail
    [ -z "$(find . -perm /022)" ]
}

@test "with --format json the files are told" {
    run -0 "$SLUICE" plugin new mail --format json
    jq -e '.plugin == "mail" and .folder == "mail"' <<<"$output"
    diff <(jq -r '.files[]' <<<"$output" | sort) <(ls mail | sort)
    grep -qx Makefile <(ls mail)
}
