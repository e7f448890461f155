#!/bin/sh
# test.sh [FOLDER]: tries the greet.so of the folder, runs greet.yaml with it, and looks at what comes out. $SLUICE
# names the program.
set -eu
here=$(dirname "$0")
folder=${1:-.}
sluice=${SLUICE:-sluice}
events=$(mktemp)
trap 'rm -f "$events"' EXIT

"$sluice" plugin check "$folder/greet.so"
"$sluice" run "$here/greet.yaml" --plugins "$folder" --events "$events"
# One line for each task that has ended, its outputs among the rest.
for card in "hello, world" "hello, everybody"; do
    grep -qF "\"card\":\"$card\"" "$events" || { echo "no task has put out '$card'" >&2; exit 1; }
done
echo "greet: all is well"
