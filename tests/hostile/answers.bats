# Plugins that answer or put out what they should not.

bats_require_minimum_version 1.5.0
load host

# beside TASK...: the tasks run together with 1000 others, events in events.jsonl.
beside() {
    cp "$HOSTILE/answers.so" plugins/
    thousand noop "$@" >job.yaml
    run "$SLUICE" run --plugins plugins --events events.jsonl job.yaml
    echo "$output"
    [ "$(grep -c '"type":"noop","state":"succeeded"' events.jsonl)" -eq 1000 ]
}

@test "25: an output that is set twice keeps the last value, with a warning" {
    beside 'type: output.twice'
    [ "$status" -eq 0 ]
    [[ $output == *'msg="output set twice: the last one wins" output=name task=output.twice-1001 type=output.twice'* ]]
    grep -q '"task":"output.twice-1001".*"outputs":{"name":"last"}' events.jsonl
}

@test "25: an output of four gigabytes is too big" {
    beside 'type: output.huge'
    [ "$status" -eq 1 ]
    [[ $output == *"task 'output.huge-1001' (output.huge) failed, attempt 1: too_big: the host refused: too big"* ]]
}

@test "25: a status that does not exist fails the task" {
    beside 'type: status.57'
    [ "$status" -eq 1 ]
    [[ $output == *"task 'status.57-1001' (status.57) failed, attempt 1: invalid_status: invalid status 57"* ]]
}
