# The configuration file: where it is looked for, what is wrong in it, what it changes.
# shellcheck disable=SC2034,SC2154 # run sets variables, helpers.bash uses and sets some
load helpers

setup_job() {
    job one <<<'tasks: [{type: noop}]'
}

@test "all errors of a configuration are reported at once, and nothing runs" {
    setup_job
    printf '[host]\nworkers = 0\n\ninbond_capacity = 5\n[hots]\n' >sluice.ini
    run -2 --separate-stderr "$SLUICE" run --config sluice.ini one.yaml
    [ -z "$output" ]
    [ "${stderr_lines[0]}" = "sluice.ini:2: error: workers: 0 is not between 1 and 1024" ]
    [ "${stderr_lines[1]}" = "sluice.ini:4: error: unknown key 'inbond_capacity' in [host]: did you mean 'inbound_capacity'?" ]
    [ "${stderr_lines[2]}" = "sluice.ini:5: error: unknown section [hots]: did you mean 'host'?" ]
}

@test "a named configuration that is not there or cannot be read is an error" {
    setup_job
    run -3 "$SLUICE" run --config missing.ini one.yaml
    [ "$output" = "sluice: cannot read the configuration missing.ini: No such file or directory" ]
    SLUICE_CONFIG=missing.ini run -3 "$SLUICE" run one.yaml
    [ "$output" = "sluice: cannot read the configuration missing.ini: No such file or directory" ]
    mkdir folder.ini
    run -3 "$SLUICE" run --config folder.ini one.yaml
    [ "$output" = "sluice: cannot read the configuration folder.ini: not a regular file" ]
}

@test "a configuration in the current folder is never read" {
    setup_job
    echo "nonsense" >sluice.ini
    mkdir -p .config/sluice
    echo "nonsense" >.config/sluice/sluice.ini
    run -0 "$SLUICE" run one.yaml
}

@test "the user's configuration is read, then one in the environment wins, then the option" {
    setup_job
    mkdir -p home/.config/sluice xdg/sluice
    echo "user" >home/.config/sluice/sluice.ini
    run -2 "$SLUICE" check one.yaml
    [ "$output" = "$HOME/.config/sluice/sluice.ini:1: error: expected key = value" ]
    echo "xdg" >xdg/sluice/sluice.ini
    XDG_CONFIG_HOME=$PWD/xdg run -2 "$SLUICE" check one.yaml
    [[ $output == "$PWD/xdg/sluice/sluice.ini:1: error:"* ]]
    echo "environment" >env.ini
    SLUICE_CONFIG=env.ini run -2 "$SLUICE" check one.yaml
    [[ $output == "env.ini:1: error:"* ]]
    echo "# fine" >option.ini
    SLUICE_CONFIG=env.ini run -0 "$SLUICE" check --config option.ini one.yaml
}

@test "the configuration with every key, as it is shipped, is valid" {
    setup_job
    run -0 "$SLUICE" run --config "$SOURCE_DIR/configs/sluice.ini" one.yaml
}

@test "a plugin folder that is not there is an error with a line" {
    setup_job
    run -3 --separate-stderr "$SLUICE" run --plugins "$PWD/nowhere" one.yaml
    [ -z "$output" ]
    [[ ${stderr_lines[-1]} == "sluice: "*"$PWD/nowhere"*"No such file or directory"* ]]
}

@test "plugin folders of the configuration are used, and the option replaces them" {
    job two <<<"tasks: [{type: noop}, {type: count, params: {file: $PWD/count}}]"
    printf '[host]\nplugin_dir = %s:%s\n' "$PLUGINS" "$TEST_PLUGINS" >sluice.ini
    run -0 "$SLUICE" run --config sluice.ini two.yaml
    run -2 "$SLUICE" run --config sluice.ini --plugins "$PLUGINS" two.yaml
    [[ $output == *"no plugin has the task type 'count'"* ]]
}

@test "private copies of plugins go to the configured state folder, and are gone afterwards" {
    setup_job
    printf '[host]\nstate_dir = %s/state\n' "$PWD" >sluice.ini
    run -0 "$SLUICE" run --config sluice.ini one.yaml
    [ -d state/code ]
    [ -z "$(find state -name '*.so')" ]
}

@test "without a home everything works and leaves nothing behind" {
    setup_job
    mkdir tmp
    run -0 env -u HOME TMPDIR="$PWD/tmp" "$SLUICE" run one.yaml
    [ -z "$(ls tmp)" ]
    HOME=/nonexistent TMPDIR="$PWD/tmp" run -0 "$SLUICE" run one.yaml
    [ -z "$(ls tmp)" ]
}

@test "labels of a group are needed by a task that asks for them" {
    job sh <<<'tasks: [{id: a, type: noop, labels: {region: sh}}]'
    run -1 "$SLUICE" run sh.yaml
    [[ $output == *$'\n'"sh.yaml:2: task 'a' (noop) skipped: "*"region=sh"* ]]
    [[ ${lines[-1]} == "sh: 1 task: 0 succeeded, 1 skipped in "* ]]
    printf '[group:sh]\ntype = noop\nlabels = region=sh\n' >sluice.ini
    run -0 "$SLUICE" run --config sluice.ini sh.yaml
}

@test "the log level and form come from the configuration" {
    job talk <<<"tasks: [{type: fail_ugly}]"
    printf '[log]\nformat = json\nlevel = debug\n' >sluice.ini
    run -1 --separate-stderr "$SLUICE" run --config sluice.ini "${both[@]}" talk.yaml
    grep '^{' <<<"$stderr" | jq -es 'length > 0 and all(.[]; .time and .level and .msg)'
}

@test "the keys of a plugin's section are handed to its init" {
    job ask <<<'tasks: [{type: settings}]'
    printf '[plugin:settings]\ncity = Shanghai\nproxy = http://p:3128/?a=b\n[plugin:other]\ncity = Beijing\n' >sluice.ini
    run -0 "$SLUICE" run --config sluice.ini --events events "${both[@]}" ask.yaml
    jq -es '.[0].outputs == {"city": "Shanghai", "proxy": "http://p:3128/?a=b"}' events
}

@test "a home that belongs to somebody else has no configuration, and that is fine" {
    [ "$(id -u)" -eq 0 ] || skip "only root can be somebody else"
    mkdir -p theirs/.config/sluice ours
    echo "[wrong" >theirs/.config/sluice/sluice.ini
    chmod 700 theirs
    chmod 755 . && chown 65534 ours
    run setpriv --reuid=65534 --regid=65534 --clear-groups env -u XDG_CONFIG_HOME HOME="$PWD/theirs" \
        XDG_STATE_HOME="$PWD/ours" "$SLUICE" version
    [ "$status" -eq 0 ]
}

@test "sections for plugins and types that are not there are said with their lines, and no others" {
    job one <<<'tasks: [{type: noop}]'
    printf '%s\n' '[plugin:noop]' 'a = 1' 'b = 2' '[plugin:exce]' 'a = 1' 'b = 2' '[group:all]' 'type = *' \
        '[group:mail]' 'type = nopo' '[group:web]' 'type = http.*' >sluice.ini
    for command in run check; do
        run --separate-stderr -0 "$SLUICE" $command --config sluice.ini --plugins "$PLUGINS" one.yaml
        diff <(sed 's/.*level=//' <<<"$stderr") - <<END
warning msg="a section is for a plugin that is not there" name=exce place=sluice.ini:4 hint="did you mean 'exec'?"
warning msg="a group is for types that no plugin has" name=nopo place=sluice.ini:9 hint="did you mean 'noop'?"
warning msg="a group is for types that no plugin has" name=http.* place=sluice.ini:11
END
    done
}
