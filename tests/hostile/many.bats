# A hundred thousand calls, of which thousands hurt their worker process: each costs itself alone, and is told as what it was.
# seconds: 180
# shellcheck disable=SC2154 # process.bash sets some variables
load process

# mixed COUNT: a job of so many calls; of each hundred one crashes, one hangs and one leaves its process, far from each
# other, and the name of each says which.
mixed() {
    local crash=crash
    [ "$SANITIZE" != thread ] || crash="kill" # the thread sanitizer has signals of its own
    awk -v count="$1" -v crash="$crash" 'BEGIN {
        how[20] = crash; how[50] = "hang"; how[80] = "exit"
        print "tasks:"
        for (i = 0; i < count; i++) {
            word = i % 100 in how ? how[i % 100] : "fine"
            printf "  - {id: %s-%d, type: mixed, params: {how: %s}%s}\n", word == "kill" ? "crash" : word, i, word,
                word == "hang" ? ", timeout: 20ms" : ""
        }
    }' | job mixed
}

# counted: how many tasks of which kind ended in which way.
counted() {
    jq -r '"\(.task | sub("-.*"; "")) \(.state) \(.reason)"' events | sort | uniq -c | sed 's/^ *//; s/ $//'
}

@test "of 100,000 calls each hundredth crashes, hangs and exits: every one ends once, as what it was, and the neighbour well" {
    local hundreds=1000
    [ -z "$SANITIZE" ] || hundreds=100
    prepare mixed "workers = 8" "[group:steady]" "type = steady" "workers = 1"
    sed -i 's/^grace = .*/grace = 10ms/' sluice.ini
    mixed $((hundreds * 100))
    { echo "tasks:"; for ((i = 0; i < hundreds * 10; i++)); do echo "  - {id: steady-$i, type: steady}"; done; } | job steady
    status=0
    MARK=$PWD timeout -s KILL 600 "$SLUICE" run --progress off --format json --plugins plugins --events events \
        mixed.yaml steady.yaml >out 2>err || status=$?
    echo "exit $status: $(cut -c1-200 out) $(tail -n 5 err | cut -c1-300)"
    [ "$status" -eq 1 ]
    counted | tee /dev/stderr | diff - <(
        echo "$hundreds crash crashed signal"
        echo "$hundreds exit crashed exited"
        echo "$((hundreds * 97)) fine succeeded"
        echo "$hundreds hang timed_out killed"
        echo "$((hundreds * 10)) steady succeeded"
    )
    [ "$(jq -r '.task' events | sort | uniq -d)" = "" ]
    [ "$(jq -rs '.[] | "\(.tasks) \(.succeeded) \(.failed) \(.timed_out) \(.crashed) \(.cancelled) \(.skipped)"' out)" = \
        "$((hundreds * 100)) $((hundreds * 97)) 0 $hundreds $((hundreds * 2)) 0 0
$((hundreds * 10)) $((hundreds * 10)) 0 0 0 0 0" ]
    nothing_left
}
