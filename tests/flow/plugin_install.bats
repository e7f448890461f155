# `sluice plugin install`: a plugin comes into the plugin folder whole or not at all.
# shellcheck disable=SC2034,SC2154 # others read variables, run sets some
load daemon

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    umask 022
    "$SLUICE" plugin new mail
    build mail 1.0.0
    build mail 2.0.0
}

# build NAME VERSION: mail.so of another version, as VERSION/mail.so.
build() {
    mkdir "$2"
    sed -i "s/\"mail\", \"[0-9.]*\"/\"mail\", \"$2\"/" "mail/mail.c"
    make -s -C mail
    mv mail/mail.so "$2/mail.so"
}

# installs FILE ARGUMENT...: it is installed.
installs() {
    run -0 --separate-stderr "$SLUICE" plugin install "$@"
    echo "$output" "$stderr"
}

# refuses CODE TEXT ARGUMENT...: it is not installed, and why.
refuses() {
    run "-$1" "$SLUICE" plugin install "${@:3}"
    echo "$output"
    [[ $output == *"$2"* ]]
}

# clean FOLDER: whether nothing is left in the folder but plugins.
clean() {
    [ -z "$(find "$1" -mindepth 1 ! -name '[a-z]*.so')" ]
}

old=$BATS_FILE_TMPDIR/1.0.0/mail.so
new=$BATS_FILE_TMPDIR/2.0.0/mail.so

@test "a plugin is installed under the name that it gives itself, and its job runs" {
    mkdir plugins
    cp "$old" download.so
    installs download.so --to plugins
    [ "${lines[0]}" = "mail 1.0.0 is installed: $PWD/plugins/mail.so" ]
    cmp plugins/mail.so "$old"
    clean plugins
    run -0 "$SLUICE" run "$BATS_FILE_TMPDIR/mail/mail.yaml" --plugins plugins
    [[ $output == *"mail: 2 tasks: 2 succeeded in "* ]]
}

@test "a daemon goes on with what it has, and takes the new version when it is told to" {
    mkdir plugins
    installs "$old" --plugins plugins
    plugins_of_daemon=(--plugins plugins)
    serve
    printf 'version: 1\ntasks: [{type: mail}]\n' >job.yaml
    run -0 "$SLUICE" submit --wait job.yaml
    installs "$new" --plugins plugins
    [ "$output" = "mail 2.0.0 is installed: $PWD/plugins/mail.so
before it was 1.0.0
a running daemon takes it with: sluice reload" ]
    get /v1/plugins '.plugins[] | select(.state == "active").version'
    [ "$output" = 1.0.0 ]
    run -0 "$SLUICE" reload
    [[ $output == *" 1 replaced"* ]]
    get /v1/plugins '.plugins[] | select(.state == "active").version'
    [ "$output" = 2.0.0 ]
    stop_daemon
}

@test "the new file takes the old one's name: who has the old one open keeps all of it" {
    mkdir plugins
    installs "$old" --to plugins
    exec {held}<plugins/mail.so
    installs "$new" --to plugins
    cmp "$old" - <&"$held"
    cmp "$new" plugins/mail.so
    installs "$new" --to plugins
    [[ $output == *"before it was 2.0.0, the very same build"* ]]
}

@test "an installation that fails leaves what was there, and nothing else" {
    mkdir plugins
    installs "$old" --to plugins
    # The state folder is too small for the copy that is looked at.
    run -1 bash -c 'trap "" XFSZ; ulimit -f 8; exec "$SLUICE" plugin install "$1" --to plugins' bash "$new"
    echo "$output"
    [[ $output == *"FAILED  copy      cannot be copied: File too large"* ]]
    cmp "$old" plugins/mail.so
    clean plugins
    rm plugins/mail.so
    mkdir plugins/mail.so
    refuses 3 "cannot write $PWD/plugins/mail.so: Is a directory" "$new" --to plugins
    clean plugins
}

@test "without --to it is the first folder that is safe and can be written" {
    mkdir open first second
    chmod 777 open
    installs "$old" --plugins missing --plugins open --plugins first --plugins second
    [ "${lines[0]}" = "mail 1.0.0 is installed: $PWD/first/mail.so" ]
    installs "$old" --plugins "$PLUGINS" --to second
    [[ $output == *"$PWD/second/mail.so"*"that is none of the plugin folders: name it by plugin_dir or --plugins" ]]
    refuses 3 "no plugin folder to install in: cannot open missing: No such file or directory; $PWD/open is writable by everybody: chmod o-w $PWD/open" \
        "$old" --plugins missing --plugins open
    refuses 3 "$PWD/open is writable by everybody" "$old" --to open
    refuses 3 "cannot open nowhere: No such file or directory" "$old" --to nowhere
}

@test "what the host would refuse is not installed" {
    mkdir plugins
    echo "no plugin" >text.so
    head -c 9000 "$old" >cut.so
    cp "$old" open.so
    chmod 666 open.so
    cp "$old" mail.so.new
    ln -s "$old" link.so
    refuses 1 "FAILED  image     not an ELF shared object" text.so --to plugins
    refuses 1 "FAILED  image     truncated" cut.so --to plugins
    refuses 1 "FAILED  path      ./open.so is writable by everybody: chmod o-w ./open.so" open.so --to plugins
    refuses 1 "sluice: open.so is not installed" open.so --to plugins
    refuses 1 "FAILED  path      a symbolic link, not a regular file" link.so --to plugins
    refuses 1 "FAILED  path      mail.so.new: plugins are called *.so, without a dot in front" mail.so.new --to plugins
    refuses 1 "FAILED  path      cannot be opened: No such file or directory" missing.so --to plugins
    refuses 1 "FAILED  note      no Sluice note: not a plugin, or built without the SDK" "$BUILD_DIR/lib/client.so" --to plugins
    [ -z "$(ls plugins)" ]
}

@test "a plugin that would be refused beside another one, or would remove it, is not installed" {
    mkdir plugins later
    cp "$old" plugins/post.so
    refuses 3 "plugins/post.so has 'mail' already, and the host takes only one of them: remove it first" "$new" --to plugins --plugins plugins
    rm plugins/post.so
    cp "$PLUGINS/noop.so" plugins/mail.so
    refuses 3 "plugins/mail.so holds another plugin, 'noop': remove it first if it is to go" "$new" --to plugins
    rm plugins/mail.so
    cp "$old" later/mail.so
    installs "$new" --plugins plugins --plugins later
    [[ $output == *"it takes the place of later/mail.so when a daemon starts anew"* ]]
    refuses 3 "plugins/mail.so has 'mail' already" "$new" --plugins plugins --plugins later --to later
}

@test "wrong usage is told, and with --format json all is one object" {
    refuses 2 "which FILE.so?"
    refuses 2 "one FILE.so at a time" a.so b.so
    mkdir plugins
    installs "$old" --to plugins
    run -0 --separate-stderr "$SLUICE" plugin install "$new" --to plugins --format json
    jq -e --arg file "$PWD/plugins/mail.so" '.plugin == "mail" and .version == "2.0.0" and .file == $file and .before == "1.0.0"
        and all(.checks[]; .result == "ok")' <<<"$output"
    echo "no plugin" >text.so
    run -1 --separate-stderr "$SLUICE" plugin install text.so --to plugins --format json
    jq -e '.plugin == null and (.checks[-1] | .check == "image" and .result == "failed" and .text == "not an ELF shared object")' <<<"$output"
}
