#!/bin/bash
# run.sh [--pairs N] [--tasks N] [--rate N] [--only GOAL] [--program FILE]: measures build/release against its goals and
# prints a table. Never fails a build: it exits 0 whatever it measured, 3 if it could not measure. README.md says how to
# read it.
# shellcheck disable=SC2034 # most variables are for the files that it sources
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=configs/steps.sh
. "$root/configs/steps.sh"
# shellcheck source=tests/bench/measure.sh
. "$here/measure.sh"

goals=(P1 P2 P2_NEEDS P4 P5 P6 P7 P8 P9 P10 SCHEDULERS SERVE DURABLE)
pairs=11 tasks=1000000 rate='' only='' program=''
while [ $# -gt 0 ]; do
    case $1 in
    --pairs) pairs=$2 ;;
    --tasks) tasks=$2 ;;
    --rate) rate=$2 ;;
    --only) only=$2 ;;
    --program) program=$2 ;;
    *) echo "usage: run.sh [--pairs N] [--tasks N] [--rate N] [--only GOAL] [--program FILE]" >&2 && exit 2 ;;
    esac
    shift 2
done
case " ${goals[*]} " in
*" ${only:-P1} "*) ;;
*) echo "run.sh: --only takes one of ${goals[*]}" >&2 && exit 2 ;;
esac

# build_all: the program, its plugins, the driver and the probe as they stand in the tree now.
build_all() {
    packages_install build bench
    [ -f "$root/build/release/Makefile" ] ||
        step_run "configure release" configure-release cmake -S "$root" --preset release -DBUILD_TESTING=OFF
    step_run "build release" build-release cmake --build "$root/build/release" --parallel "$(nproc)" --target bench
}

# machine_say: where and when; a load above 1 before we begin means that the figures are shared with others.
machine_say() {
    local load
    read -r load _ </proc/loadavg
    printf '%s, %s, %s x %s, Linux %s, load %s\n' "$(date +%F)" "$(git -C "$root" describe --always --dirty)" "$(nproc)" \
        "$(sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo)" "$(uname -r)" "$load"
}

build_all
machine_say
program=${program:-$root/build/release/bin/sluice}
engine=$root/build/release/tests/bench/engine
plugins=$root/build/release/plugins
probes=$root/build/release/tests/bench/plugins
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
log=$folder/output
: >"$folder/default.ini"
export SLUICE_CONFIG=$folder/default.ini # the defaults, whatever the user's own says

for goal in "${goals[@]}"; do # some use what others have
    # shellcheck source=/dev/null
    . "$here/${goal,,}.sh"
done
for goal in ${only:-"${goals[@]}"}; do
    "${goal,,}_measure"
done
