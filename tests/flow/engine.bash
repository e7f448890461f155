# shellcheck shell=bash
# What the tests of the engine share, beyond helpers.bash: `load engine` brings both.
load helpers

# settings LINE...: a configuration, found by $SLUICE_CONFIG.
settings() {
    printf '%s\n' "$@" >sluice.ini
    export SLUICE_CONFIG=$PWD/sluice.ini
}

# repeat COUNT FIELDS: the lines of so many tasks with the same fields.
repeat() {
    awk -v count="$1" -v fields="$2" 'BEGIN { for (i = 0; i < count; i++) printf "  - {%s}\n", fields }'
}

# tasks NAME COUNT FIELDS: a job NAME.yaml of so many tasks with the same fields.
tasks() {
    { echo "tasks:"; repeat "$2" "$3"; } | job "$1"
}

# sluice_run ARGUMENT...: runs to the end, within a generous limit; see the files out, err and events.
# A run that hangs is ended by SIGKILL and shows as status 137.
sluice_run() {
    status=0
    timeout -s KILL "${limit:-120}" "$SLUICE" run "${both[@]}" --events events "$@" >out 2>err 3>&- || status=$?
    echo "exit $status: $(tail -n 3 out) $(tail -n 20 err)"
}

# field NAME: that field of every event, in the order in which the tasks ended.
field() {
    jq -r ".$1" events
}

# of_state STATE: how many tasks ended in it.
of_state() {
    jq -r .state events | grep -cx "$1" || true
}

# worst PERCENT TYPE: the latency in microseconds, from submission to end, that PERCENT of the tasks of a type kept.
worst() {
    jq -r "select(.type == \"$2\") | (.wait_seconds + .run_seconds) * 1e6 | floor" events | sort -n |
        awk -v p="$1" '{v[NR] = $1} END {i = int(NR * p / 100); print v[i < 1 ? 1 : i]}'
}
