# Admission: what runs at once is never more than the weights allow. Every call of type scale puts its weight on a
# scale, which tells at the end how much lay on it at most.
# run alone
# shellcheck disable=SC2154 # helpers.bash sets both
load engine

# light_and_heavy UNTIL: 100 weights of 1, 3 and 7 in turn on the pans a, b and c, in three groups; each stays until so
# much has lain on the scale at once.
light_and_heavy() {
    awk -v until="$1" 'BEGIN {
        split("1 3 7", weights, " "); split("a b c", pans, " "); split("scale scale.b scale.c", types, " ")
        print "tasks:"
        for (i = 0; i < 100; i++)
            printf "  - {type: %s, weight: %d, timeout: 30s, params: {load: %d, pan: %s, for: 2ms, until: %d}}\n",
                types[i % 3 + 1], weights[i % 3 + 1], weights[i % 3 + 1], pans[i % 3 + 1], until
    }'
}

# on_scale PAN: the most that lay on it.
on_scale() {
    sed -n "s/.*[ \"]$1=\([0-9]*\)[ .].*/\1/p" err
}

@test "the weight in use comes up to max_weight and never exceeds it" {
    for most in 10 23 100; do
        light_and_heavy $((most - 6)) | job weights # with more room than that even a 7 fits in
        sluice_run --max-weight $most --workers scale=40 --workers scale.b=40 --workers scale.c=40 weights.yaml
        [ "$status" -eq 0 ]
        [ "$(on_scale all)" -le $most ]
        [ "$(on_scale all)" -ge $((most - 6)) ]
    done
}

@test "weights are kept when batches of quick tasks share a grant" {
    { echo "tasks:"; repeat 3000 "type: scale, weight: 3, params: {load: 3}"
        repeat 3000 "type: scale.b, weight: 2, params: {load: 2}"; } | job quick
    sluice_run --max-weight 6 --workers scale=8 --workers scale.b=8 quick.yaml
    [ "$status" -eq 0 ]
    [ "$(on_scale all)" -le 6 ]
}

@test "the cap of a job holds, and other jobs use what it leaves" {
    { echo "max_weight: 10"; light_and_heavy 0 | sed 's/pan: [abc]/pan: a/'; } | job capped
    light_and_heavy 44 | sed 's/pan: [abc]/pan: b/' | job free
    sluice_run --max-weight 50 --workers scale=40 --workers scale.b=40 --workers scale.c=40 capped.yaml free.yaml
    [ "$status" -eq 0 ]
    [ "$(on_scale a)" -le 10 ]
    [ "$(on_scale b)" -gt 10 ]
    [ "$(on_scale all)" -le 50 ]
}

@test "the cap of a group holds, and other groups use what it leaves" {
    settings "[group:capped]" "type = scale" "workers = 40" "max_weight = 4" \
        "[group:free]" "type = scale.*" "workers = 40"
    light_and_heavy 44 | job weights
    sluice_run --max-weight 50 weights.yaml
    [ "$status" -eq 0 ]
    [ "$(on_scale a)" -le 4 ]
    [ "$(on_scale a)" -ge 2 ]
    [ "$(on_scale all)" -le 50 ]
    [ "$(on_scale all)" -gt 20 ]
}

@test "a task as heavy as everything is not starved by light ones" {
    # While the heavy one waits, light ones go on coming in another group.
    { echo "tasks:"; repeat 100 "type: scale, weight: 5, params: {load: 5, for: 2ms}"
        echo "  - {id: heavy, type: scale.b, weight: 20, params: {load: 20, for: 2ms}}"
        repeat 2000 "type: scale, weight: 5, params: {load: 5, for: 2ms}"; } | job heavy
    sluice_run --max-weight 20 --workers scale=16 heavy.yaml
    [ "$status" -eq 0 ]
    [ "$(on_scale all)" -eq 20 ]
    # All light ones take 2100 / 4 * 2 ms; the heavy one is among the first to end.
    local place
    place=$(field task | grep -nx heavy | cut -d: -f1)
    echo "the heavy one was number $place of 2101"
    [ "$place" -lt 700 ]
}

@test "a task as heavy as what is not reserved runs although a group keeps a reserve" {
    settings "[group:kept]" "type = scale.b" "workers = 4" "reserve = 5"
    { echo "tasks:"; repeat 5 "type: scale, weight: 20, params: {load: 20, pan: a, for: 5ms}"
        repeat 50 "type: scale.b, weight: 5, params: {load: 5, pan: b, for: 5ms}"; } | job heavy
    sluice_run --max-weight 20 heavy.yaml
    [ "$status" -eq 0 ]
    [ "$(of_state succeeded)" -eq 55 ]
    # A weight above what it can ever get is granted as all there is beside the reserve.
    [ "$(on_scale b)" -le 20 ]
}

@test "a group that its own cap blocks does not hold up others" {
    settings "[group:narrow]" "type = scale" "workers = 8" "max_weight = 1"
    { echo "tasks:"; repeat 40 "type: scale, params: {for: 20ms}"
        repeat 40 "type: scale.b, params: {for: 1ms}"; } | job narrow
    sluice_run --max-weight 4 --workers scale.b=2 narrow.yaml
    [ "$status" -eq 0 ]
    # The narrow group takes 0.8 s; all the others have ended long before.
    [ "$(field type | head -n 60 | grep -cx scale.b)" -eq 40 ]
}

@test "a job that its own cap blocks does not hold up another job's types" {
    { echo "max_weight: 1"; echo "tasks:"; repeat 40 "type: scale, params: {for: 20ms}"; } | job narrow
    { echo "tasks:"; repeat 40 "type: scale.b, params: {for: 1ms}"; } | job wide
    sluice_run --max-weight 4 narrow.yaml wide.yaml
    [ "$status" -eq 0 ]
    [ "$(field type | head -n 60 | grep -cx scale.b)" -eq 40 ]
}

@test "a weight that follows the run time is measured and bounded" {
    # The first task says how long such tasks take: 50 ms are a weight of 5 or more, a quarter of 40 at most.
    {
        echo "tasks:"
        echo "  - {id: first, type: scale, weight: auto, params: {for: 50ms}}"
        repeat 60 "type: scale.b, needs: [first], weight: auto, delay: 100ms, params: {for: 0s}"
        repeat 60 "type: scale, needs: [first], weight: auto, delay: 100ms, params: {pan: a, for: 50ms}"
    } | job auto
    sluice_run --max-weight 40 --workers scale=60 auto.yaml
    [ "$status" -eq 0 ]
    [ "$(on_scale a)" -le 8 ]
    [ "$(on_scale a)" -ge 4 ]
}

@test "a weight over the capacity is an error, and nothing runs" {
    { echo "tasks:"; echo "  - {type: scale, weight: 11}"; echo "  - {type: scale}"; } | job heavy
    sluice_run --max-weight 10 heavy.yaml
    [ "$status" -eq 2 ]
    grep -q "heavy.yaml:3:27: error: .*weight" err
    [ ! -s events ]
    sluice_run --max-weight 11 heavy.yaml
    [ "$status" -eq 0 ]
}

@test "a job that its own cap blocks does not hold up another job in the same group" {
    settings "[group:one]" "type = gate" "workers = 4"
    { echo "max_weight: 1"; echo "tasks:"
        repeat 20 "type: gate, params: {started: $PWD/narrow, open: $PWD/open}"; } | job narrow
    tasks wide 3 "type: gate, params: {started: $PWD/wide, open: $PWD/open}"
    start run --progress off "${both[@]}" --events events narrow.yaml wide.yaml
    wait_until has_bytes wide 3
    wait_until has_bytes narrow 1
    [ "$(bytes narrow)" -eq 1 ]
    touch open
    ended 0
    # Those that had stepped aside have come back in their order.
    [ "$(jq -r 'select(.job == "narrow").task' events)" = "$(jq -r 'select(.job == "narrow").task' events | sort -V)" ]
}
