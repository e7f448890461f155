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
# shellcheck disable=SC2154 # both is of helpers.bash
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
