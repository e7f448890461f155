#!/bin/sh
# layers.sh CORE: checks that the includes of CORE go one way, as core/README.md draws it. Prints every include that
# its room does not allow, and then exits 1. Files at the top of CORE, cli/ and serve/ see everything.
set -eu
core=${1:?usage: layers.sh CORE}

# room_allows ROOM: the headers that a room may include, as patterns. What every stage holds is a task, with its chunk,
# its job, what it refers to and the room that it takes; a stage hands on through the front headers of the next one.
room_allows() {
    stage='accept/task.h accept/chunk.h accept/job.h accept/late.h accept/past.h accept/room.h accept/figures.h plugin/* store/* support/*'
    case $1 in
    support) echo 'support/*' ;;
    plugin) echo 'plugin/* store/* support/*' ;;
    store) echo 'store/* plugin/* support/*' ;;
    accept) echo 'accept/* plugin/* store/* support/*' ;;
    dispatch) echo "dispatch/* accept/inbound.h execute/executor.h execute/group.h execute/gate.h $stage" ;;
    execute) echo "execute/* outcome/outcome.h $stage" ;;
    outcome) echo "outcome/* $stage" ;;
    client) echo 'client/* support/*' ;;
    cli | serve) echo '*' ;;
    *) echo '' ;;
    esac
}

# header_allowed HEADER PATTERN...: true if a pattern fits; a header of the SDK is public to all.
header_allowed() {
    header=$1
    shift
    case $header in sluice/*) return 0 ;; esac
    for pattern in "$@"; do
        # shellcheck disable=SC2254 # the pattern is meant as a pattern
        case $header in $pattern) return 0 ;; esac
    done
    return 1
}

cd "$core"
set -f
found=$(mktemp)
trap 'rm -f "$found"' EXIT
grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' --include='*.[ch]' --include='*.def' . >"$found" || true
wrong=0
while IFS=: read -r file line include; do
    file=${file#./}
    case $file in
    */*) room=${file%%/*} ;;
    *) continue ;;
    esac
    header=${include#*\"}
    header=${header%%\"*}
    # shellcheck disable=SC2046 # one word a pattern
    header_allowed "$header" $(room_allows "$room") && continue
    echo "core/$file:$line: $room may not include \"$header\""
    wrong=1
done <"$found"
exit "$wrong"
