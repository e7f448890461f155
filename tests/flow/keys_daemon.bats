# An Idempotency-Key outlives the daemon: what is sent again after a restart, or a crash, runs once.
# shellcheck disable=SC2154 # helpers.bash and daemon.bash set variables
load daemon

# send KEY PATH BODY: sends it with a key.
send() {
    api POST "$2" "$3" -H "Idempotency-Key: $1"
}

# same WHAT ANSWER: that the last answer is that one.
same() {
    [ "$(<answer)" = "$2" ] || { echo "$1: $(<answer), not $2" >&2; return 1; }
}

# known: how many jobs the daemon knows.
known() {
    get "/v1/jobs?limit=1000" '.jobs | length'
}

@test "what was sent before a restart is answered as it was, and runs once" {
    serve
    declare -A first
    three=$(for name in a b c; do printf 'version: 1\nname: %s\ntasks: [{type: noop}, {type: noop}]\n---\n' "$name"; done)
    again() {
        send 'k 1' /v1/tasks "{id: '-', type: noop}"
        expect 202
        first[task]=${first[task]-$(<answer)}
        same task "${first[task]}"
        send 'k 1' /v1/jobs "{version: 1, name: one, tasks: [{type: noop}]}"
        expect 202
        first[job]=${first[job]-$(<answer)}
        same job "${first[job]}"
        send 'k 3' /v1/jobs "$three"
        expect 202
        got '.jobs | map("\(.name) \(.tasks)") | join(", ")' "a 2, b 2, c 2"
        first[three]=${first[three]-$(<answer)}
        same three "${first[three]}"
    }
    again
    for signal in TERM KILL KILL; do
        end $signal
        serve
        again
        send 'k 1' /v1/tasks "{id: '-', type: noop, priority: 1}"
        fails_with 422 idempotency_conflict
        send 'k 3' /v1/jobs "{version: 1, tasks: [{type: noop}]}"
        fails_with 422 idempotency_conflict
    done
    known
    [ "$output" = 5 ]
}

@test "what a crash takes the answer from is known when it is there, and only then" {
    serve
    for i in 1 2 3 4 5 6; do
        send_aside() {
            curl -sS --unix-socket "$socket" -H "Idempotency-Key: $1" -H Content-Type: --data "$2" http://localhost/v1/tasks >>aside 2>&1 3>&- || true
        }
        send_aside "$i" "{id: t$i, type: noop}" &
        sender=$!
        end KILL
        wait "$sender"
        serve
        send "$i" /v1/tasks "{id: t$i, type: noop}"
        expect 202
        task_is "$(jq -r .task answer)" succeeded
        known
        [ "$output" = "$i" ]
    done
}

@test "jobs that came together are there after a crash if the first is, and it comes last" {
    serve
    gated="tasks: [{type: gate, params: {open: $PWD/open}}]"
    two=$(printf 'version: 1\nname: a\n%s\n---\nversion: 1\nname: b\n%s\n' "$gated" "$gated")
    send both /v1/jobs "$two"
    expect 202
    lost=$(jq -r '.jobs[0].id' answer)
    end KILL
    # As if the daemon had died a moment earlier.
    python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
assert db.execute("UPDATE job SET sealed = 0 WHERE id = ?", (sys.argv[2],)).rowcount == 1
db.commit()' sluice/sluice.db "$lost"
    serve
    known
    [ "$output" = 0 ]
    send both /v1/jobs "$two"
    expect 202
    [ "$(jq -r '.jobs[0].id' answer)" != "$lost" ]
    known
    [ "$output" = 2 ]
    let_go
}

@test "a key that came to nothing is free after a restart" {
    serve
    send k /v1/jobs "{version: 1, tasks: [{type: nothing}]}"
    expect 422
    restart KILL
    send k /v1/jobs "{version: 1, tasks: [{type: noop}]}"
    expect 202
}
