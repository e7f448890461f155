#!/bin/sh
# run.sh [release|asan|tsan] [CTEST-OPTION...]: installs what is missing, builds, runs every test.
# The last line is the count: `release: N passed, N failed`. Exit 0: all passed; 1: a test failed; 3: a step failed.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=configs/steps.sh
. "$root/configs/steps.sh"

preset=release
case ${1:-} in
release | asan | tsan)
    preset=$1
    shift
    ;;
'' | -*) ;;
*)
    echo "usage: sh tests/run.sh [release|asan|tsan] [CTEST-OPTION...]" >&2
    exit 2
    ;;
esac

packages_install build test
preset_build "$preset" -DBUILD_TESTING=ON

log=$logs/test-$preset.log
reports=$root/build/$preset/reports
rm -rf "$reports"
mkdir -p "$reports"
echo "sluice: running the tests of build/$preset"
code=0
ctest --test-dir "$root/build/$preset" --parallel "$(nproc)" --output-on-failure --no-tests=error \
    "$@" </dev/null >"$log" 2>&1 || code=$?
[ "$code" -eq 0 ] || cat "$log"

# ctest's own total: "P% tests passed, F tests failed out of T".
# shellcheck disable=SC2046 # two numbers, two words
set -- $(sed -n 's/.*tests passed, \([0-9]*\) tests* failed out of \([0-9]*\).*/\1 \2/p' "$log")
[ $# -eq 2 ] || step_fail "run tests $preset" "ctest exited $code" "$log"
failed=$1 total=$2

# A sanitizer's report is a failure of its own, also when the test did not notice it. That a thread's registers cannot be
# read is none: a process that looks for its leaks at exit says so of each thread when it is killed meanwhile.
for report in "$reports"/*; do
    [ -e "$report" ] || continue
    grep -qvE '^==[0-9]+==Unable to get registers from thread [0-9]+\.$' "$report" || continue
    cat "$report"
    failed=$((failed + 1)) total=$((total + 1))
done
echo "$preset: $((total - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
