# What the host gives to a plugin: parameters of every kind, the services of a call, settings.

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
}

# job TASK...: runs these tasks (flow mappings) with witness.so, events in events.jsonl, configuration sluice.ini.
job() {
    { printf 'version: 1\nname: job\ntasks:\n' && printf '  - {%s}\n' "$@"; } >job.yaml
    [ -e sluice.ini ] || : >sluice.ini
    rm -f events.jsonl
    run "$SLUICE" run job.yaml --config sluice.ini --plugins "$TEST_PLUGINS" --events events.jsonl
    echo "$output"
}

# says TASK NAME TEXT: the task has this output (no escapes in it).
says() {
    got=$(grep -F "\"task\":\"$1\"" events.jsonl | sed -n "s/.*\"outputs\":{.*\"$2\":\"\([^\"]*\)\".*/\1/p")
    [ "$got" = "$3" ] || {
        echo "$1: $2 is '$got', not '$3'"
        return 1
    }
}

@test "parameters of every kind arrive in the plugin's own struct" {
    job 'id: a, type: witness.params, params: {flag: true, count: 0x10, ratio: 0.25, text: no, pause: 250ms, room: 64KiB,
         colour: blue, list: [one, 2, 1:30], map: {k: v, l: w}}'
    [ "$status" -eq 0 ]
    says a flag 1
    says a count 16
    says a thousandths 250
    says a text no
    says a pause_ms 250
    says a room 65536
    says a colour blue
    says a items 3
    says a last_item 1:30
    says a pairs 2
    says a first_key k
    says a first_value v
}

@test "what is absent is the default, or zero, NULL, empty" {
    job 'id: a, type: witness.params'
    [ "$status" -eq 0 ]
    says a flag 0
    says a count -7
    says a thousandths 0
    says a text '(none)'
    says a pause_ms 90000
    says a room 0
    says a colour green
    says a items 0
    says a pairs 0
    says a json '(none)'
}

@test "a parameter of kind any arrives as JSON" {
    job 'id: a, type: witness.params, params: {json: {key: [1, two, null]}}'
    [ "$status" -eq 0 ]
    tr -d ' ' <events.jsonl | grep -qF '"json":"{\"key\":[1,\"two\",null]}"'
}

@test "a call knows its task and can use every service" {
    printf '[group:here]\ntype=witness.call\nlabels=region=sh\n' >sluice.ini
    job 'id: a, type: witness.call, labels: {region: sh}, timeout: 30s'
    [ "$status" -eq 0 ]
    says a task a
    says a job_id_length 26
    says a attempt 1
    says a region sh
    says a zone '(none)'
    says a deadline_is_set 1
    says a cancel_fd_ready 0
    says a cancelled 0
    says a memory_is_zero 1
    says a worker 'made by worker_init'
    grep -qE '"node_length":"[1-9]' events.jsonl
}

@test "the idempotency key differs between tasks" {
    job 'id: a, type: witness.call' 'id: b, type: witness.call'
    [ "$status" -eq 0 ]
    [ "$(grep -o '"key":"[^"]*"' events.jsonl | sort -u | wc -l)" -eq 2 ]
}

@test "a task that a plugin gives back runs again and is not charged for it" {
    job 'id: a, type: witness.again'
    [ "$status" -eq 0 ]
    says a attempt 1
}

@test "init gets the settings of its section" {
    printf '[plugin:witness]\ngreeting=good morning\nother=x\n' >sluice.ini
    job 'id: a, type: witness.call'
    [ "$status" -eq 0 ]
    says a self 'good morning'
    [[ $output == *"witness has 2 settings"* ]]
}

@test "a plugin whose init refuses is refused with its reason, and the others work" {
    printf '[plugin:witness]\nrefuse=no key\n' >sluice.ini
    job 'type: witness.call'
    [ "$status" -ne 0 ]
    [[ $output == *witness.so*"told to refuse: no key"* ]]
    printf 'version: 1\ntasks: [{type: noop}]\n' >job.yaml
    run "$SLUICE" run job.yaml --config sluice.ini --plugins "$TEST_PLUGINS" --plugins "$PLUGINS"
    echo "$output"
    [ "$status" -eq 0 ]
}
