# Plugins whose code says of itself what cannot be, or what its note does not say.

bats_require_minimum_version 1.5.0
load host

# bad VARIANT TYPE REASON
bad() {
    cp "$HOSTILE/$1.so" plugins/bad.so
    refused_when_used bad.so "$2" "$3"
}

@test "7: a plugin without an entry is refused" {
    bad entry_missing entry "no function sluice_plugin_entry"
}

@test "7: an entry that refuses is refused with its text" {
    bad entry_refuses entry "entry refused: the licence ended in 1999"
    bad init_refuses init "init refused: no key"
}

@test "8: an entry that answers NULL without a reason is refused" {
    bad entry entry "entry refused without a reason"
    bad init_silent init "init refused without a reason"
}

@test "8: a descriptor of a size that cannot be is refused" {
    bad descriptor_size_zero descriptor "descriptor: size is 0, allowed is 56 to 4096"
    bad descriptor_size_small descriptor "descriptor: size is 24, allowed is 56 to 4096"
    bad descriptor_size_huge descriptor "descriptor: size is 4294967295, allowed is 56 to 4096"
    bad descriptor_type_size_zero descriptor "type 1: size is 0, allowed is 112 to 4096"
}

@test "8: a descriptor without a name, a version, a table, or an execute is refused, naming the field" {
    bad descriptor_no_name descriptor "descriptor: name is NULL"
    bad descriptor_no_version descriptor "descriptor: version is NULL"
    bad descriptor_no_table descriptor "descriptor: types is NULL"
    bad descriptor_no_execute descriptor "type 'descriptor': execute is NULL"
}

@test "8: weights, jitter, flags and sizes that cannot be are refused, naming the field" {
    bad descriptor_bad_weight descriptor "type 'descriptor': weight is negative"
    bad descriptor_bad_jitter descriptor "type 'descriptor': retry.jitter is not between 0 and 1"
    bad descriptor_flags_unknown descriptor \
        "needs a newer host than 1.2: type 'descriptor' has flags 0x100000"
    bad descriptor_params_size_alone descriptor "type 'descriptor': params_size without params"
}

@test "9: a descriptor without types is refused" {
    bad descriptor_no_types descriptor "descriptor: no types"
}

@test "9: a type that another plugin has refuses the whole second plugin; the first stays" {
    cp "$HOSTILE/descriptor_taken_type.so" plugins/zz.so
    refused_unseen zz.so "type 'noop' belongs to plugins/noop.so already"
    cp "$PLUGINS/sleep.so" plugins/sleep.so
    cp "$PLUGINS/sleep.so" plugins/zz.so
    refused_unseen zz.so "type 'sleep' belongs to plugins/sleep.so already"
}

@test "10: what note and descriptor say differently is refused, naming both" {
    bad descriptor_other_name descriptor \
        "note and descriptor differ: name is 'descriptor' in the note, 'another' in the descriptor"
    bad descriptor_other_version descriptor \
        "note and descriptor differ: version is '1' in the note, '2' in the descriptor"
    bad descriptor_other_abi descriptor \
        "note and descriptor differ: the ABI is 1.2 in the note, 1.3 in the descriptor"
    bad descriptor_other_type descriptor \
        "note and descriptor differ: type 1 is 'descriptor' in the note, 'another' in the descriptor"
    bad descriptor_more_types descriptor \
        "note and descriptor differ: type 'second' is not in the note"
    bad descriptor_fewer_types second \
        "note and descriptor differ: type 'second' is not in the descriptor"
}

@test "11: names and ranges of parameters that cannot be are refused" {
    bad params_bad_name params "type 'params': parameter 'no-dashes': invalid name"
    bad params_twice params "type 'params': parameter 'n': stands twice"
    bad params_min_over_max params "type 'params': parameter 'n': min 11 > max 10"
    bad params_enum_alone params "type 'params': parameter 'n': an enum without choices"
}

@test "11: a default that its own row refuses is refused" {
    bad params_default_outside params \
        "type 'params': default: parameter 'n' is '11', allowed is 1 to 10"
    bad params_default_no_kind params \
        "type 'params': default: parameter 'n' wants an int, found 'many'"
    bad params_required_default params \
        "type 'params': parameter 'n': required, but has a default"
}

@test "11: a parameter outside its struct, or not of its kind, is refused" {
    bad params_offset_outside params \
        "type 'params': parameter 'n': offset 4096 lies outside the struct of 16 bytes"
    bad params_offset_odd params "type 'params': parameter 'n': offset 1 is not aligned to 8"
    bad params_size_of_other params "type 'params': parameter 'n': field_size is 4, int has 8"
    bad params_unknown_kind params "type 'params': parameter 'n': unknown kind 99"
    bad params_struct_huge params "type 'params': params_size is 1048576, allowed is 65536"
    bad params_no_end_size params \
        "type 'params': parameter row 2: size is 0, allowed is 88 to 4096"
}

@test "what a stream has started goes on while a plugin further on is refused" {
    cp "$HOSTILE/entry_refuses.so" plugins/bad.so
    thousand noop 'type: entry' 'type: noop' >job.yaml
    run "$SLUICE" run --stream --plugins plugins job.yaml
    echo "$output"
    [ "$status" -eq 2 ]
    [[ $output == *"job.yaml:1004:12: error: the plugin with task type 'entry' was refused: plugins/bad.so: entry refused: the licence ended in 1999"* ]]
    [[ $output == *"others: 1000 tasks: 1000 succeeded in "* ]]
}
