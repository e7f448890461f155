# SIGHUP has the configuration read again: what is live takes effect while tasks run, what needs a restart is named, and
# a file that is wrong changes nothing.
# shellcheck disable=SC2154 # helpers.bash sets both and pid
load engine

# gates COUNT: a job gates.yaml of so many calls that run until the file open is there.
gates() {
    tasks gates "$1" "type: gate, params: {started: $PWD/started, open: $PWD/open}"
}

# run_gates ARGUMENT...: starts it; the first call has begun.
run_gates() {
    start run --progress off "${both[@]}" --events events "$@" gates.yaml
    wait_until has_bytes started 1
}

# reload LINE...: the configuration says that now, and the run is told.
reload() {
    settings "$@"
    kill -HUP "$pid"
}

# applied: waits until what was read has been applied, too: it has when the same is read once more.
applied() {
    kill -HUP "$pid"
    wait_until says "changed=nothing"
}

# says TEXT: whether standard error has a line with it.
says() {
    grep -qF -- "$1" err
}

# times TEXT COUNT: whether so many lines of standard error have it.
times() {
    [ "$(grep -cF -- "$1" err)" -eq "$2" ]
}

# signals_taken: whether no signal waits for the run.
signals_taken() {
    grep -q "^ShdPnd:.0*$" "/proc/$pid/status"
}

# reloaded COUNT: whether the configuration was read again so many times, and taken over.
reloaded() {
    times "configuration read again" "$1"
}

@test "a larger max_weight lets waiting tasks go" {
    settings "[host]" "max_weight = 1" "[group:g]" "type = gate" "workers = 8"
    gates 6
    run_gates
    reload "[host]" "max_weight = 3" "[group:g]" "type = gate" "workers = 8"
    wait_until has_bytes started 3
    says 'changed="[host] max_weight 1 -> 3"'
    [ "$(bytes started)" -eq 3 ]
    touch open
    ended 0
}

@test "a smaller max_weight holds for what starts afterwards" {
    settings "[host]" "max_weight = 8" "[group:s]" "type = scale" "workers = 8"
    { echo "tasks:"; echo "  - {id: g, type: gate, params: {started: $PWD/started, open: $PWD/open}}"
        repeat 30 "type: scale, needs: [g], weight: 4, params: {load: 2, for: 5ms}"; } | job gates
    run_gates
    reload "[host]" "max_weight = 3" "[group:s]" "type = scale" "workers = 8"
    wait_until reloaded 1
    applied
    touch open
    ended 0
    # A weight of 4 is granted as all there is, so one call is on the scale at a time.
    says "scale: all=2 "
}

@test "a task as heavy as the larger max_weight is read from a stream that was open before" {
    settings "[host]" "max_weight = 1"
    mkfifo pipe
    start run --stream --events events "${both[@]}" pipe
    exec 8>pipe
    printf 'version: 1\ntasks:\n  - {type: count, params: {file: "%s/count"}}\n  - {type: noop}\n' "$PWD" >&8
    wait_until has_bytes count 1
    reload "[host]" "max_weight = 9"
    wait_until reloaded 1
    applied
    printf '  - {type: noop, weight: 9}\n' >&8
    exec 8>&-
    ended 0
    [ "$(of_state succeeded)" -eq 3 ]
}

@test "a larger max_weight of a group lets its tasks go" {
    settings "[group:g]" "type = gate" "workers = 8" "max_weight = 1"
    gates 6
    run_gates
    reload "[group:g]" "type = gate" "workers = 8" "max_weight = 2"
    wait_until has_bytes started 2
    says 'changed="[group:g] max_weight 1 -> 2"'
    [ "$(bytes started)" -eq 2 ]
    reload "[group:g]" "type = gate" "workers = 8"
    wait_until has_bytes started 6
    touch open
    ended 0
}

@test "more workers of a group begin more calls at once" {
    settings "[group:g]" "type = gate" "workers = 1"
    gates 9
    run_gates
    reload "[group:g]" "type = gate" "workers = 5"
    wait_until has_bytes started 5
    says 'changed="[group:g] workers 1 -> 5"'
    [ "$(bytes started)" -eq 5 ]
    touch open
    ended 0
}

@test "more workers of the host hold for each group that does not say how many it has" {
    settings "[host]" "workers = 1" "[group:g]" "type = gate"
    { echo "tasks:"
        repeat 4 "type: gate, params: {started: $PWD/started, open: $PWD/open}"
        repeat 4 "type: deaf_gate, params: {started: $PWD/deaf, open: $PWD/open}"; } | job gates
    run_gates
    wait_until has_bytes deaf 1
    reload "[host]" "workers = 3" "[group:g]" "type = gate"
    wait_until has_bytes started 3
    wait_until has_bytes deaf 3
    says 'changed="[host] workers 1 -> 3, [group:g] workers 1 -> 3"'
    [ "$(bytes started) $(bytes deaf)" = "3 3" ]
    touch open
    ended 0
}

@test "new labels of a group let tasks go that nobody might run" {
    settings "[group:g]" "type = gate" "labels = region=sh" "workers = 4"
    { echo "tasks:"
        repeat 1 "type: gate, labels: {region: sh}, params: {started: $PWD/started, open: $PWD/open}"
        repeat 2 "type: gate, labels: {region: bj}, params: {started: $PWD/started, open: $PWD/open}"; } | job gates
    run_gates
    [ "$(bytes started)" -eq 1 ]
    reload "[group:g]" "type = gate" "labels = region=bj" "workers = 4"
    wait_until has_bytes started 3
    says 'changed="[group:g] labels region=sh -> region=bj"'
    touch open
    ended 0
}

@test "a larger max_pending lets more tasks in" {
    settings "[host]" "max_pending = 1" "[group:g]" "type = gate" "workers = 8"
    gates 6
    run_gates
    reload "[host]" "max_pending = 3" "[group:g]" "type = gate" "workers = 8"
    wait_until has_bytes started 3
    says 'changed="[host] max_pending 1 -> 3"'
    [ "$(bytes started)" -eq 3 ]
    touch open
    ended 0
}

@test "a shorter grace period holds for a call that was asked to end before" {
    settings "[host]" "grace = 1h"
    job deaf <<<"tasks: [{id: d, type: deaf_gate, timeout: 1ms, params: {started: $PWD/started, open: $PWD/never}}]"
    start run "${both[@]}" deaf.yaml
    wait_until has_bytes started 1
    reload "[host]" "grace = 10ms"
    ended 1
    says "task 'd' (deaf_gate) timed out, attempt 1"
    says 'changed="[host] grace 1h -> 10ms"'
}

@test "a shorter max_age holds for a task that waits already" {
    settings "[scheduler]" "max_age = 1h" "[group:g]" "type = gate" "workers = 1"
    # The counted one is due last: when it has run, those of high priority are waiting too.
    {
        echo "tasks:"
        local gate="type: gate, params: {started: $PWD/started, open: $PWD/open}"
        echo "  - {id: first, $gate, priority: 100}"
        echo "  - {id: low, $gate, priority: -100}"
        echo "  - {id: high1, $gate, priority: 100, delay: 100ms}"
        echo "  - {id: high2, $gate, priority: 100, delay: 100ms}"
        echo "  - {id: last, type: count, params: {file: $PWD/count}, delay: 200ms}"
    } | job gates
    run_gates
    wait_until has_bytes count 1
    reload "[scheduler]" "max_age = 1ms" "[group:g]" "type = gate" "workers = 1"
    wait_until reloaded 1
    applied
    says 'changed="[scheduler] max_age 1h -> 1ms"'
    touch open
    ended 0
    [ "$(field task | grep -v last | xargs)" = "first low high1 high2" ]
}

@test "the log level and form change with the next line" {
    settings "[log]" "level = error" "[group:g]" "type = gate" "workers = 1"
    gates 5
    run_gates
    reload "[log]" "level = error" "[group:g]" "type = gate" "workers = 2"
    wait_until has_bytes started 2
    [ ! -s err ]
    reload "[log]" "level = info" "format = json" "[group:g]" "type = gate" "workers = 2"
    wait_until reloaded 1
    grep "configuration read again" err |
        jq -e '.changed == "[log] level error -> info, [log] format logfmt -> json"'
    reload "[log]" "level = error" "[group:g]" "type = gate" "workers = 3"
    wait_until has_bytes started 3
    reloaded 1
    touch open
    ended 0
}

@test "a file with errors changes nothing, and each error is said" {
    settings "[host]" "max_weight = 1" "[group:g]" "type = gate" "workers = 8"
    gates 6
    run_gates
    reload "[host]" "max_weight = 5" "grace = soon" "[log]" "level = debug" "[hots]" "[group:g]" "type = gate"
    wait_until says "the configuration is not valid: nothing of it has changed"
    says "sluice.ini:3: error: grace: 'soon' is not a duration such as 250ms, 30s, 1h30m"
    says "sluice.ini:6: error: unknown section [hots]: did you mean 'host'?"
    reload "[host]" "max_weight = 2" "[group:g]" "type = gate" "workers = 8"
    wait_until has_bytes started 2
    # It was at 1 all the time, and no debug line was written.
    says 'changed="[host] max_weight 1 -> 2"'
    [ "$(bytes started)" -eq 2 ]
    touch open
    ended 0
}

@test "a file that is gone, or is no file any more, changes nothing" {
    settings "[host]" "max_weight = 1"
    gates 2
    run_gates
    rm sluice.ini
    kill -HUP "$pid"
    wait_until times "nothing of it has changed" 1
    says "sluice: cannot read the configuration $PWD/sluice.ini: No such file or directory"
    mkfifo sluice.ini
    kill -HUP "$pid"
    wait_until times "nothing of it has changed" 2
    says "sluice: cannot read the configuration $PWD/sluice.ini: not a regular file"
    touch open
    ended 0
}

@test "weights that do not fit the reserves in force change nothing" {
    settings "[host]" "max_weight = 50" "[group:g]" "type = gate" "reserve = 20"
    gates 1
    run_gates
    reload "[host]" "max_weight = 20" "[group:g]" "type = gate"
    wait_until says "the configuration is not valid: nothing of it has changed"
    says "reserve: the groups keep 20 in all; of the host's max_weight 20 at least 1 must be left"
    touch open
    ended 0
}

@test "a key that needs a restart is named with its old and its new value, and keeps the old one" {
    settings "[host]" "inbound_capacity = 100" "[group:g]" "type = gate"
    gates 1
    run_gates
    for round in 1 2; do
        reload "[host]" "inbound_capacity = 200" "[group:g]" "type = gate" "reserve = 7" "[group:h]" "type = noop" \
            "[plugin:gate]" "password = secret"
        wait_until reloaded $round
        times 'msg="needs a restart; keeps its old value" key="[host] inbound_capacity" old=100 new=200' $round
        times 'key="[group:g] reserve" old=0 new=7' $round
        times 'key=[group:h] new=noop' $round
        times 'key="[plugin:gate] password"' $round
    done
    times "changed=nothing" 2
    run ! says secret
    touch open
    ended 0
}

@test "options of the command line stay on top of a file that is read again" {
    settings "[host]" "max_weight = 50"
    gates 5
    run_gates --max-weight 3 --workers gate=2 -v --plugins "$PLUGINS"
    reload "[host]" "max_weight = 60" "plugin_dir = /nowhere" "[log]" "level = error" \
        "[group:gate]" "type = gate" "workers = 4"
    wait_until reloaded 1
    says "changed=nothing"
    wait_until has_bytes started 2
    [ "$(bytes started)" -eq 2 ]
    touch open
    ended 0
}

@test "a run without a configuration takes one that has come" {
    gates 3
    run_gates --workers gate=3 --max-weight 2
    mkdir -p home/.config/sluice
    printf '[host]\ngrace = 1s\n' >home/.config/sluice/sluice.ini
    kill -HUP "$pid"
    wait_until reloaded 1
    says "file=$HOME/.config/sluice/sluice.ini"
    says 'changed="[host] grace 5s -> 1s"'
    touch open
    ended 0
}

@test "errors that nobody reads hold up no signal" {
    settings "[host]" "max_weight = 1"
    gates 2
    mkfifo pipe
    exec 8<>pipe
    env --default-signal=INT,HUP "$SLUICE" run --progress off "${both[@]}" gates.yaml >out 2>pipe 3>&- &
    pid=$!
    wait_until has_bytes started 1
    # Each is more than a sixth of what a pipe holds; signals of one kind that wait would be one.
    awk 'BEGIN { print "[host]"; for (i = 0; i < 90; i++) printf "wrong%d%0150d = 1\n", i, 0 }' >sluice.ini
    for _ in 1 2 3 4 5 6 7 8; do
        kill -HUP "$pid"
        wait_until signals_taken
    done
    kill -INT "$pid"
    wait_until signals_taken
    kill -INT "$pid"
    ended 130
    exec 8>&-
}
