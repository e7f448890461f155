# Reloads of ever another build, while tasks run as fast as they can: none is lost, none runs twice, nothing piles up.
# seconds: 300
# shellcheck disable=SC2154 # helpers.bash sets some variables
load reload

# A sanitizer makes everything slow, dlopen most of all.
reloads=${RELOADS:-1000}
[ -z "$SANITIZE" ] || reloads=${RELOADS:-100}
most=20000000

# Task after task, until there is a file `stop`; then their count is in the file `count`.
write_numbers() {
    awk -v most=$most 'BEGIN {
        print "version: 1\nname: numbers\ntasks:"
        for (n = 0; n < most && (n % 100 || (getline line <"stop") < 0); n++)
            printf "- {type: tally, params: {n: %d}}\n", n
        print n >"count"
    }' >pipe
}

# until_logged TEXT: reads the log from the pipe on descriptor 7 until a line has the text.
until_logged() {
    local line
    while read -rt 30 -u 7 line; do
        printf '%s\n' "$line" >&9
        [[ $line != *"$1"* ]] || return 0
    done
    echo "never logged: $1" >&2
    return 1
}

# next_build NUMBER: installs it and has it loaded. Four builds may be alive at once; if the old ones have not come to
# their end yet it is refused, and asked for again.
next_build() {
    local version line
    printf -v version '0.%04d' "$1"
    install_build "$TEST_PLUGINS/tally.so" "s/0\.0000/$version/g"
    until
        kill -HUP "$pid"
        until_logged "plugins looked at again" && [[ $(tail -n 1 log) == *" replaced=1 "* ]]
    do
        tail -n 2 log | grep -q "which is the most: waits for the end of"
    done
}

# read_marks: reads what the tasks have left: sets tasks, sum, wrong (numbers that did not run exactly once) and
# versions (how many different ones ran).
read_marks() {
    tasks=$(cat count)
    sum=$(od -An -v -t d8 -N 8 marks | tr -d ' ')
    read -r wrong versions < <(od -An -v -t u4 -w4 -j 8 marks | awk -v count="$tasks" '
        { wrong += $1 % 65536 != (NR <= count) }
        NR <= count && !seen[int($1 / 65536)]++ { versions++ }
        END { print wrong + 0, versions + 0 }')
}

@test "a thousand builds replace each other under full load, and every task runs exactly once" {
    install_build "$TEST_PLUGINS/tally.so" ""
    settings "[plugin:tally]" "file = $PWD/marks" "most = $most" "spin_us = 20"
    mkfifo pipe log_pipe
    exec 7<>log_pipe 9>log
    "$SLUICE" run --stream --plugins plugins --progress off pipe >out 2>log_pipe 3>&- 7>&- 9>&- &
    pid=$!
    write_numbers 3>&- 7>&- 9>&- &
    wait_until test -s marks
    local begun=$SECONDS copies_most=0 copies
    for ((build = 1; build <= reloads; build++)); do
        next_build $build
        ((build % 10 != 0)) || copies=$(mapped)
        ((copies <= copies_most)) || copies_most=$copies
        ((build != reloads / 10)) || early_memory=$(anonymous) early_descriptors=$(descriptors)
    done
    late_memory=$(anonymous) late_descriptors=$(descriptors)
    echo "seconds $((SECONDS - begun)), refused first $(grep -c "refused;" log)"
    echo "copies at most $copies_most"
    echo "memory $early_memory, then $late_memory KiB; descriptors $early_descriptors, then $late_descriptors"
    touch stop
    ended 0
    exec 7<&-
    read_marks
    echo "tasks $tasks, wrong $wrong, sum $sum, versions $versions"
    [ "$wrong" -eq 0 ]
    [ "$sum" -eq $((tasks * (tasks - 1) / 2)) ]
    [ "$versions" -ge $((reloads * 9 / 10)) ]
    [ "$copies_most" -ge 1 ]
    [ "$copies_most" -le 5 ]
    # One more descriptor may be open for a moment while a worker or a copy is made.
    [ "$late_descriptors" -le $((early_descriptors + 2)) ]
    # What a new thread's allocator sets aside comes and goes; five KiB lost at each reload would be more. Sanitizers
    # keep what was freed, and look for leaks themselves.
    [ -n "$SANITIZE" ] || [ "$late_memory" -le $((early_memory + 4096)) ]
}
