# SIGHUP: what reloading does to the tasks, to the plugins that behave and to those that do not.
# seconds: 300
# shellcheck disable=SC2154 # helpers.bash sets some variables
load reload

# ended_in ID VERSION: whether that version of its plugin ran the task, and it succeeded.
ended_in() {
    jq -r '[.task, .version, .state] | join(" ")' events | grep -qx "$1 $2 succeeded"
}

# serves TYPE VERSION [PARAMS]: a task of the type runs now, in that version.
served=0
serves() {
    send "id: served-$((++served)), type: $1, params: {${3:-}}"
    wait_until ended_in "served-$served" "$2"
}

# gate_serves VERSION: gates that are open already run in that version.
gate_serves() {
    serves gate "$1" "open: /dev/null"
}

# install_gate VERSION [EXPRESSION]: a build of the gate plugin, whose version has five bytes.
install_gate() {
    install_build "$TEST_PLUGINS/gate.so" "s/1\.0\.0/$1/g;${2:-}"
}

# install_trouble VARIANT VERSION: a build of the plugin that makes trouble at reloads, or of the one that does not.
install_trouble() {
    install_build "$HOSTILE/reload${1:+_$1}.so" "s/1\.000/$2/g" reload.so
}

# hold TYPE: a task named held, which runs until there is a file `go`, has begun.
hold() {
    send "id: held, type: $1, params: {started: $PWD/held, open: $PWD/go}"
    wait_until has_bytes held 1
}

# queue FIELDS...: tasks that are queued for sure: what came after them has run.
queue() {
    send "$@"
    serves noop 1.0.0
}

# reload_twice: a request more, which changes nothing: then the host has seen to what the first one began.
reload_twice() {
    reload
    reload
}

@test "an unchanged folder changes nothing" {
    install_gate 1.0.0
    open_stream
    gate_serves 1.0.0
    reload
    reload
    gate_serves 1.0.0
    [ "$(mapped)" -eq 1 ]
    close_stream 0
    logged_times 0 "plugin reloaded"
    logged_times 2 "kept=1 replaced=0 added=0 removed=0 refused=0"
}

@test "requests that come while the host is busy with one become one" {
    export RELOAD_GO=$PWD/go
    touch go
    install_trouble constructor 1.000
    open_stream
    serves reload 1.000
    rm go
    install_trouble constructor 1.001
    kill -HUP "$pid"
    wait_until has_mapped 2 # the second build is held in its constructor
    for ((i = 0; i < 300; i++)); do
        kill -HUP "$pid"
    done
    serves reload 1.000
    [ "$(looked)" -eq 0 ]
    touch go
    wait_until has_looked 1
    reload
    serves reload 1.001
    close_stream 0
    # The first, the one that the three hundred became or two if the last of them was late, and the last.
    [ "$(looked)" -ge 3 ]
    [ "$(looked)" -le 4 ]
}

@test "the running generation does not notice what becomes of its file" {
    install_gate 1.0.0
    open_stream --workers gate=4
    hold gate
    gate_serves 1.0.0
    cp "$PLUGINS/noop.so" plugins/gate.so
    gate_serves 1.0.0
    : >plugins/gate.so
    gate_serves 1.0.0
    rm plugins/gate.so
    gate_serves 1.0.0
    install_gate 1.0.1
    gate_serves 1.0.0
    reload
    logged_times 1 'msg="plugin reloaded" plugin=gate version=1.0.1 generation=2'
    gate_serves 1.0.1
    touch go
    wait_until ended_in held 1.0.0
    close_stream 0
}

@test "a file that is still being written is refused, and picked up when it is whole" {
    install_gate 1.0.0
    open_stream
    gate_serves 1.0.0
    install_gate 1.0.1
    mv plugins/gate.so whole
    local part
    for part in 0 100 $(($(bytes whole) / 2)) $(($(bytes whole) - 1)); do
        head -c "$part" whole >plugins/gate.so
        reload
        tail -n 1 err | grep -q "kept=1 replaced=0 added=0 removed=0 refused=1"
        gate_serves 1.0.0
    done
    logged_times 4 "plugin refused; the running generation stays"
    cat whole >plugins/gate.so
    reload
    gate_serves 1.0.1
    close_stream 0
}

@test "a plugin that is removed drains; put back, it serves again what waited" {
    install_gate 1.0.0
    open_stream --workers gate=1
    hold gate
    queue "id: a, type: gate, params: {open: /dev/null}" "id: b, type: gate, params: {open: /dev/null}"
    mv plugins/gate.so away
    reload_twice
    log_has 'msg="plugin removed" plugin=gate version=1.0.0 generation=1'
    touch go
    wait_until ended_in held 1.0.0
    serves noop 1.0.0
    wait_until has_mapped 1 # noop; the reader looks for the types of its tasks anew
    [ "$(field task | grep -cx "[ab]")" -eq 0 ]
    mv away plugins/gate.so
    reload
    wait_until ended_in a 1.0.0
    wait_until ended_in b 1.0.0
    gate_serves 1.0.0
    close_stream 0
}

# drop_a_type: the new build has the type of the tasks a and b no more, which wait behind the held one.
drop_a_type() {
    install_gate 1.0.0
    open_stream --workers deaf_gate=1
    hold deaf_gate
    queue "id: a, type: deaf_gate, params: {open: /dev/null}" "id: b, type: deaf_gate, params: {open: /dev/null}"
    install_gate 1.0.1 "s/deaf_gate/dear_gate/g"
    reload_twice
    touch go
}

@test "tasks of a type that a new build has dropped wait until it returns" {
    drop_a_type
    wait_until ended_in held 1.0.0
    gate_serves 1.0.1
    serves dear_gate 1.0.1 "open: /dev/null"
    [ "$(field task | grep -cx "[ab]")" -eq 0 ]
    install_gate 1.0.2
    reload
    wait_until ended_in a 1.0.2
    wait_until ended_in b 1.0.2
    close_stream 0
}

@test "tasks of a type that does not return are skipped when nothing else is left" {
    drop_a_type
    close_stream 1
    [[ $(cat out) == "stream: 5 tasks: 3 succeeded, 2 skipped in "* ]]
    [ "$(jq -r 'select(.state == "skipped") | .reason' events | uniq -c | tr -s ' ')" = " 2 parked" ]
}

@test "parameters that the new build refuses fail their task for good" {
    install_gate 1.0.0
    open_stream --workers gate=1
    hold gate
    queue "id: a, type: gate, params: {started: $PWD/a, open: /dev/null}" \
        "id: b, type: gate, params: {open: /dev/null}"
    install_gate 1.0.1 "s/started/starter/g"
    reload_twice
    touch go
    wait_until ended_in b 1.0.1
    close_stream 1
    [ "$(jq -c 'select(.task == "a") | [.state, .attempt, .reason, .message, .version]' events)" = \
        '["failed",1,"params_rejected","unknown parameter '"'started'"'","1.0.1"]' ]
    [ ! -e a ]
}

@test "fifty builds of a plugin that cannot be unmapped work; one too many is refused" {
    install_trouble nodelete 1.000
    open_stream
    local version
    serves reload 1.000
    for ((i = 1; i <= 64; i++)); do
        printf -v version 1.%03d $i
        install_trouble nodelete "$version"
        reload
        serves reload "$version"
        wait_until logged_times $i "plugin stays mapped after dlclose"
    done
    [ "$(mapped)" -eq 65 ]
    install_trouble nodelete 1.065
    reload
    log_has "plugin refused; the running generation stays" "64 older builds are still mapped, at most 64 may be"
    serves reload 1.064
    [ "$(mapped)" -eq 65 ]
    close_stream 0
}

@test "builds with an object that may be there only once work, and stay mapped" {
    install_trouble unique 1.000
    open_stream
    serves reload 1.000
    install_trouble unique 1.001
    reload
    serves reload 1.001
    wait_until logged_times 1 "plugin stays mapped after dlclose"
    install_trouble unique 1.002
    reload
    serves reload 1.002
    [ "$(mapped)" -ge 2 ] # the first and the last at least
    close_stream 0
}

@test "the thread-local objects of a build are destroyed while its code is mapped" {
    export RELOAD_FAREWELLS=$PWD/farewells
    install_trouble thread_local 1.000
    open_stream --workers reload=1
    serves reload 1.000
    install_trouble thread_local 1.001
    reload
    serves reload 1.001
    wait_until has_mapped 1
    grep -qx 1.000 farewells
    close_stream 0
    grep -qx 1.001 farewells
}

@test "an init that takes long holds up neither tasks nor other reloads" {
    touch go
    install_build "$HOSTILE/reload_slow.so" "" slow.so
    install_gate 1.0.0
    settings "[plugin:slow]" "go = $PWD/go"
    open_stream
    serves slow 1.000
    gate_serves 1.0.0
    rm go
    install_build "$HOSTILE/reload_slow.so" "s/1\.000/1.001/g" slow.so
    kill -HUP "$pid"
    wait_until has_mapped 3
    serves slow 1.000
    install_gate 1.0.1
    kill -HUP "$pid"
    wait_until log_has "plugin=gate version=1.0.1 generation=2"
    gate_serves 1.0.1
    serves slow 1.000
    logged_times 0 "plugin=slow version=1.001"
    touch go
    wait_until log_has "plugin=slow version=1.001 generation=2"
    serves slow 1.001
    close_stream 0
}

@test "an init that fails on reload leaves the old generation, and says why" {
    install_trouble "" 1.000
    open_stream
    serves reload 1.000
    install_trouble refuses 1.001
    reload
    log_has 'msg="plugin refused; the running generation stays" file=plugins/reload.so' "init refused: no licence"
    serves reload 1.000
    [ "$(mapped)" -eq 1 ]
    install_trouble "" 1.002
    reload
    serves reload 1.002
    close_stream 0
}

@test "a deinit that hangs keeps its generation mapped after a limit, and nobody waits for it" {
    install_trouble deinit_hangs 1.000
    open_stream
    serves reload 1.000
    install_trouble "" 1.001
    reload
    serves reload 1.001
    wait_until log_has 'msg="deinit does not end: the plugin stays mapped"' "deinit takes longer than 10s"
    install_trouble "" 1.002
    reload
    serves reload 1.002
    wait_until has_mapped 2
    close_stream 0
}

@test "a generation that left a thread running stays mapped" {
    install_trouble thread 1.000
    open_stream
    serves reload 1.000
    install_trouble "" 1.001
    reload
    serves reload 1.001
    wait_until log_has "plugin left a thread running: it stays mapped (rule R3)"
    install_trouble "" 1.002
    reload
    serves reload 1.002
    wait_until has_mapped 2
    close_stream 0
}

@test "a call that is stuck keeps its generation mapped until it returns; the next one takes over" {
    settings "[host]" "grace = 50ms"
    install_gate 1.0.0
    open_stream --workers deaf_gate=1
    send "id: held, type: deaf_gate, timeout: 50ms, params: {open: $PWD/go}"
    wait_until grep -qs '"timed_out"' events
    install_gate 1.0.1
    reload
    wait_until log_has 'msg="plugin stays mapped: calls in it are stuck" plugin=gate version=1.0.0 generation=1'
    serves deaf_gate 1.0.1 "open: /dev/null"
    gate_serves 1.0.1
    [ "$(mapped)" -eq 2 ]
    touch go
    wait_until has_mapped 1
    close_stream 1
}

# dispositions: what the run does with each signal.
dispositions() {
    grep -E '^Sig(Ign|Cgt)' "/proc/$pid/status"
}

@test "signal handlers that a build has changed are put back, and reported" {
    install_trouble "" 1.000
    open_stream
    serves reload 1.000
    local before
    before=$(dispositions)
    install_trouble meddles 1.001
    reload
    serves reload 1.001
    [ "$(dispositions)" = "$before" ]
    logged_times 1 'msg="plugin changed the handler of a signal: put back (rule R3)" signal=USR1 '
    logged_times 1 'msg="plugin changed the handler of a signal: put back (rule R3)" signal=USR2 '
    log_has 'msg="plugin changed the signal mask: put back (rule R3)" plugin=reload'
    close_stream 0
}
