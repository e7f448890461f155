# ELF notes that are missing, malformed, or of another ABI.

bats_require_minimum_version 1.5.0
load host

# bad_note VARIANT REASON
bad_note() {
    cp "$HOSTILE/$1.so" plugins/bad.so
    refused_unseen bad.so "$2"
}

@test "5: a shared object without a note is not a plugin" {
    bad_note note "no Sluice note: not a plugin, or built without the SDK"
}

@test "5: two notes, or one of a size that cannot be, are malformed" {
    bad_note note_two "malformed note: there are two"
    bad_note note_huge "malformed note: its sizes leave its segment"
    bad_note note_short "malformed note: its size cannot be"
    bad_note note_unterminated "malformed note: its texts do not end where it ends"
    bad_note note_other_magic "malformed note: wrong magic"
}

@test "6: another major ABI is refused, naming both" {
    bad_note note_other_major "needs Sluice ABI 2, this host offers 1.2"
}

@test "6: a plugin of each older minor ABI works as before" {
    for minor in 0 1; do
        [ "$minor" -eq 1 ] && cp "$HOSTILE/older.so" plugins/ || cp "$HOSTILE/older_1_$minor.so" plugins/older.so
        thousand noop 'type: older, params: {word: hello}' >job.yaml
        run "$SLUICE" run --plugins plugins job.yaml
        echo "$output"
        [ "$status" -eq 1 ]
        [[ $output == *"got: 1.$minor: hello 7"*"1000 succeeded, 1 failed"* ]]
    done
}

@test "6: a newer minor ABI whose larger structs end in zeros is taken" {
    for variant in descriptor_tail_zero descriptor_type_tail_zero; do
        cp "$HOSTILE/$variant.so" plugins/newer.so
        thousand noop 'type: descriptor' >job.yaml
        run "$SLUICE" run --plugins plugins job.yaml
        echo "$output"
        [ "$status" -eq 0 ]
        [[ $output == *"1001 succeeded"* ]]
    done
}

@test "6: a newer minor ABI that uses what this host does not know needs a newer host" {
    cp "$HOSTILE/descriptor_tail_set.so" plugins/newer.so
    refused_when_used newer.so descriptor \
        "needs a newer host than 1.2: descriptor uses what this one does not know"
    cp "$HOSTILE/descriptor_type_tail_set.so" plugins/newer.so
    refused_when_used newer.so descriptor \
        "needs a newer host than 1.2: type 1 uses what this one does not know"
    cp "$HOSTILE/params_tail_set.so" plugins/newer.so
    refused_when_used newer.so params \
        "type 'params': needs a newer host than 1.2: parameter row uses what this one does not know"
}

@test "9: a note without types, or with a type twice, is refused" {
    bad_note note_no_types "no types"
    bad_note note_type_twice "type 'note' stands twice"
}

@test "11: a type name that cannot be is refused" {
    bad_note note_bad_type "invalid type name 'Note'"
}
