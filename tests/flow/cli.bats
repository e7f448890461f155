# The command line: commands, help, plugins, versions.
# shellcheck disable=SC2034,SC2154 # run sets variables, helpers.bash uses and sets some
load helpers

@test "help lists every command and an example" {
    run -0 "$SLUICE" --help
    for words in "run JOB.yaml" "serve " "check JOB.yaml" "fsck [FILE]" "plugin list" "plugin info TYPE" "plugin new NAME" "plugin check FILE.so" "plugin install FILE.so" "version" "sluice run nightly.yaml"; do
        [[ $output == *"$words"* ]]
    done
}

@test "every command has help of its own" {
    for command in run serve check fsck "plugin list" "plugin info" "plugin new" "plugin check" "plugin install" version; do
        # shellcheck disable=SC2086 # two words are two arguments
        run -0 "$SLUICE" $command --help
        [[ $output == "Usage: sluice $command [OPTION...]"* ]]
        [[ $output == *"Common options:"* ]]
    done
}

@test "no command at all is wrong usage, and help goes to standard error" {
    run -2 --separate-stderr "$SLUICE"
    [ -z "$output" ]
    [[ $stderr == "Usage: sluice"* ]]
}

@test "an unknown command is told with the nearest one" {
    run -2 "$SLUICE" rnu
    [ "$output" = "sluice: unknown command 'rnu': did you mean 'run'?" ]
    run -2 "$SLUICE" plugin lits
    [ "$output" = "sluice: unknown command 'plugin lits': did you mean 'plugin list'?" ]
}

@test "a command that this version does not have is unknown" {
    run -2 "$SLUICE" upgrade
    [ "$output" = "sluice: unknown command 'upgrade': see \`sluice --help'" ]
}

@test "unknown options and wrong values are wrong usage" {
    for wrong in "run --bogus x" "run --format xml x" "run --workers noop x" "run --workers noop=0 x" \
        "run --max-weight 0 x" "run --progress maybe x" "check" "run" "plugin info" "version extra"; do
        # shellcheck disable=SC2086 # several words are several arguments
        run -2 "$SLUICE" $wrong
    done
}

@test "common options may stand before the command or behind it" {
    "$SLUICE" --format json version | jq -e '.version and .abi and .libraries.libyaml'
    "$SLUICE" version --format json | jq -e '.version and .abi and .libraries.libyaml'
}

@test "version says what the program, the SDK and the libraries are" {
    run -0 "$SLUICE" version
    [[ ${lines[0]} =~ ^sluice\ +[0-9]+\.[0-9]+\.[0-9]+$ ]]
    [[ ${lines[1]} =~ ^ABI\ +[0-9]+\.[0-9]+$ ]]
    [[ $output == *"libyaml "* ]]
}

@test "plugin list shows every standard plugin as active" {
    run -0 "$SLUICE" plugin list
    for plugin in exec hash noop sleep; do
        grep -E "^$plugin +[0-9.]+ +1 +active +$plugin +.*/$plugin.so$" <<<"$output"
    done
}

@test "plugin list shows what is refused, and why" {
    mkdir -m 700 plugins
    cp "$PLUGINS/noop.so" plugins/
    echo "no plugin" >plugins/text.so
    run -0 "$SLUICE" plugin list --plugins "$PWD/plugins"
    [[ $output == *"active"*"noop"*"rejected"*"text.so"* ]]
    [[ $output == *"not an ELF shared object"* ]]
    "$SLUICE" plugin list --plugins "$PWD/plugins" --format json |
        jq -e '.plugins | length == 2 and .[0].types == ["noop"] and .[1].state == "rejected" and (.[1].reason | contains("ELF"))'
}

@test "plugin list says which files are skipped and which folders are missing" {
    mkdir -m 700 plugins
    ln -s "$PLUGINS/noop.so" plugins/link.so
    echo "no plugin" >plugins/text.so
    run -0 --separate-stderr "$SLUICE" plugin list --plugins missing --plugins plugins
    [[ $stderr == *"cannot open missing: No such file or directory"* ]]
    [[ $stderr == *"file=link.so reason=\"a symbolic link, not a regular file\""* ]]
    [[ $stderr != *text.so* && $output == *text.so* ]]
    mkdir -m 700 empty
    run -0 "$SLUICE" plugin list --plugins empty
    [ "$output" = "no plugins" ]
}

@test "plugin info tells parameters with kind, default and help" {
    run -0 "$SLUICE" plugin info hash
    [[ ${lines[0]} == "hash: "* ]]
    grep -E "^path +string +yes +.*file" <<<"$output"
    grep -E "^algorithm +string +sha256" <<<"$output"
    "$SLUICE" plugin info hash --format json |
        jq -e '.type == "hash" and (.params[] | select(.name == "path") | .required and .kind == "string")'
}

@test "plugin info tells of which parameters exactly one is given" {
    run -0 "$SLUICE" plugin info exec
    [[ $output == *"Exactly one is given of 'argv', 'shell'."* ]]
    [ "$("$SLUICE" plugin info exec --format json | jq -c '[.params[].one_of]')" = '["command","command",null,null,null]' ]
}

@test "plugin info shows ranges and flags" {
    run -0 "$SLUICE" plugin info try_again "${both[@]}"
    grep -E "^until +int +3 +1 to 1000 +its size" <<<"$output"
    run -0 "$SLUICE" plugin info exec
    grep -E "^argv +list +one of +1 or more items +program" <<<"$output"
    "$SLUICE" plugin info exec --format json | jq -e '.params | map(.min_items) == [1, null, null, null, null]'
    run -0 "$SLUICE" plugin info noop
    [[ $output == *"flags    idempotent"* ]]
}

@test "the example of every type is a valid job file" {
    for type in exec hash noop sleep fail try_again gate; do
        "$SLUICE" plugin info "$type" "${both[@]}" --format json | jq -r .example >"$type.yaml"
        run -0 "$SLUICE" check "$type.yaml" "${both[@]}"
        [ "$output" = "$type.yaml: 1 task, no errors" ]
    done
}

@test "an unknown type is told with the nearest one" {
    run -2 "$SLUICE" plugin info hsah
    [ "$output" = "sluice: unknown task type 'hsah': did you mean 'hash'?" ]
}

@test "check counts the tasks of valid files" {
    job one <<<'tasks: [{type: noop}]'
    job two <<<'tasks: [{type: noop}, {type: sleep, params: {for: 1s}}]'
    run -0 "$SLUICE" check one.yaml two.yaml
    [ "${lines[0]}" = "one.yaml: 1 task, no errors" ]
    [ "${lines[1]}" = "two.yaml: 2 tasks, no errors" ]
}

@test "check reports every error of every file, and a file that is not there" {
    job good <<<'tasks: [{type: noop}]'
    job bad <<<'tasks: [{type: noop, prio: 1}, {type: nop}]'
    run -2 --separate-stderr "$SLUICE" check bad.yaml missing.yaml good.yaml
    [ "$output" = "good.yaml: 1 task, no errors" ]
    [[ $stderr == *"bad.yaml:2:"*"error: "*"prio"*"bad.yaml:2:"*"error: "*"nop"*"did you mean 'noop'"* ]]
    [[ $stderr == *"missing.yaml: error: No such file or directory"* ]]
}

@test "check --format json is one object with places and codes" {
    job good <<<'tasks: [{type: noop}]'
    job bad <<<'tasks: [{type: nop}]'
    run -2 --separate-stderr "$SLUICE" check --format json good.yaml bad.yaml
    [ -z "$stderr" ]
    jq -e '.files[0] == {"file":"good.yaml","tasks":1,"errors":[]}' <<<"$output"
    jq -e '.files[1].errors[0] | .line == 2 and .code == "unknown_type" and (.hint | contains("noop"))' <<<"$output"
}
