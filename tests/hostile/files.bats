# Files that are no plugins, or whose place is not to be trusted. Numbers are those of the cases in
# the table of bad plugins.

bats_require_minimum_version 1.5.0
load host

@test "1: an empty file, a text, and a bare ELF magic are no ELF shared objects" {
    : >plugins/empty.so
    echo "not a plugin" >plugins/text.so
    printf '\177ELF' >plugins/magic.so
    for name in empty text magic; do
        refused_unseen $name.so "not an ELF shared object"
    done
}

# needed: how many bytes the message of the last cut plugin asks for.
needed() {
    "$SLUICE" plugin list --plugins plugins --format json 2>/dev/null |
        sed -n 's/.*truncated: has [0-9]* bytes, needs \([0-9]*\)".*/\1/p'
}

@test "2: a plugin that is cut anywhere is truncated" {
    size=$(stat -c %s "$PLUGINS/hash.so")
    for part in $((size / 4)) $((size / 2)) $((size * 3 / 4)) $((size * 99 / 100)) $((size - 1)); do
        head -c "$part" "$PLUGINS/hash.so" >plugins/hash.so
        listed hash.so "truncated: has $part bytes, needs $(needed)"
    done
    others_work
}

@test "3: a plugin for another machine is refused, naming both" {
    cp "$PLUGINS/hash.so" plugins/
    host=$(uname -m | tr _ -)
    if [ "$host" = aarch64 ]; then other='x86-64' bytes='\076\000'; else other=aarch64 bytes='\267\000'; fi
    patch plugins/hash.so 18 "$bytes"
    refused_unseen hash.so "built for $other, host is $host"
}

@test "3: a plugin of another class or byte order is refused, naming both" {
    cp "$PLUGINS/hash.so" plugins/
    patch plugins/hash.so 4 '\001'
    refused_unseen hash.so "built for 32 bit, host is 64 bit"
    patch plugins/hash.so 4 '\002\002'
    refused_unseen hash.so "built for big-endian, host is little-endian"
}

@test "4: an object file is no shared object" {
    cc -c -fPIC -I"$SDK_INCLUDE" -o plugins/object.so "$SOURCE_DIR/plugins/noop/noop.c"
    refused_unseen object.so "not a shared object: an object file"
}

@test "4: an executable is no shared object" {
    cp "$SLUICE" plugins/program.so
    refused_unseen program.so "not a shared object: an executable"
    cp "$PLUGINS/hash.so" plugins/program.so
    patch plugins/program.so 16 '\002'
    refused_unseen program.so "not a shared object: an executable"
}

@test "28: a file that everybody can write is refused with what mends it" {
    cp "$PLUGINS/hash.so" plugins/
    chmod o+w plugins/hash.so
    reason="plugins/hash.so is writable by everybody: chmod o-w plugins/hash.so"
    refused_unseen hash.so "$reason"
    told hash.so hash "$reason"
}

@test "28: a file of another user is refused" {
    [ "$(id -u)" -eq 0 ] || skip "only root can give files away"
    cp "$PLUGINS/hash.so" plugins/
    chown 65534 plugins/hash.so
    reason="plugins/hash.so is owned by uid 65534, neither root nor the user who runs this: chown 0 plugins/hash.so"
    refused_unseen hash.so "$reason"
    told hash.so hash "$reason"
}

@test "28: a folder above that a group can write is named, with what mends it" {
    [ "$(id -u)" -eq 0 ] || skip "only root has other groups for sure"
    mkdir -p open/plugins
    cp "$PLUGINS/hash.so" open/plugins/
    chgrp 1 open
    chmod g+w open
    printf 'version: 1\ntasks: [{type: hash}]\n' >job.yaml
    run "$SLUICE" run --plugins plugins --plugins open/plugins job.yaml
    echo "$output"
    [ "$status" -eq 2 ]
    [[ $output == *"was refused: open/plugins/hash.so: $PWD/open is writable by group 1, which is not private to its owner: chmod g-w $PWD/open"* ]]
    run "$SLUICE" run --plugins plugins --plugins open/plugins others.yaml
    [ "$status" -eq 0 ]
    [[ $output == *"others: 1000 tasks: 1000 succeeded in "* ]]
}

@test "28: whoever owns the program may own its plugins" {
    [ "$(id -u)" -eq 0 ] || skip "only root can give files away"
    mkdir own
    cp -r "$SLUICE" plugins own/
    chown -R 65534 own
    run own/sluice run --plugins own/plugins others.yaml
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"others: 1000 tasks: 1000 succeeded in "* ]]
}

@test "28: a private group may write" {
    [ "$(id -u)" -eq 0 ] || skip "only root's group is known to be private"
    cp "$PLUGINS/hash.so" plugins/
    chgrp 0 plugins plugins/hash.so
    chmod g+w plugins plugins/hash.so
    run "$SLUICE" plugin info hash --plugins plugins
    echo "$output"
    [ "$status" -eq 0 ]
}

# skipped FILE KIND: one line, and nothing hangs.
skipped() {
    run timeout 60 "$SLUICE" run --plugins plugins others.yaml
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"msg=\"plugin file skipped\" folder=plugins file=$1 reason=\"$2, not a regular file\""* ]]
    [[ $output == *"others: 1000 tasks: 1000 succeeded in "* ]]
}

@test "29: a symbolic link, a FIFO, a folder and a device are skipped with a line" {
    cp "$PLUGINS/hash.so" .
    ln -s "$PWD/hash.so" plugins/link.so
    mkfifo plugins/fifo.so
    mkdir plugins/folder.so
    skipped link.so "a symbolic link"
    skipped fifo.so "a FIFO"
    skipped folder.so "a folder"
    if mknod plugins/device.so c 1 3 2>/dev/null; then
        skipped device.so "a device"
    fi
}

@test "29: a socket is skipped with a line" {
    command -v python3 >/dev/null || skip "python3 is not there to make one"
    (cd plugins && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket.so")')
    skipped socket.so "a socket"
}

@test "29: ten thousand files are looked at without ten thousand lines" {
    for i in $(seq 10000); do
        : >"plugins/x$i.so"
    done
    run timeout 120 "$SLUICE" run --plugins plugins others.yaml
    [ "$status" -eq 0 ]
    [[ $output == *"others: 1000 tasks: 1000 succeeded in "* ]]
    [ "$(grep -c 'not an ELF shared object' <<<"$output")" -eq 100 ]
    [[ $output == *'msg="more plugin files refused or skipped" folder=plugins count=9'* ]]
    [[ $output == *'msg="too many files in the plugin folder" folder=plugins most=10000 not_looked_at=1'* ]]
}

@test "a plugin folder that is not there is named; the others are used" {
    run "$SLUICE" run --plugins missing --plugins plugins others.yaml
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"cannot open missing: No such file or directory"* ]]
    run "$SLUICE" run --plugins missing others.yaml
    [ "$status" -eq 3 ]
    [[ $output == *"cannot open missing: No such file or directory"* ]]
}
