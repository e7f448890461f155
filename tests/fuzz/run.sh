#!/bin/sh
# run.sh [--target NAME] [--swift] [--runs N] [SECONDS]: builds build/fuzz and fuzzes each target, which is a NAME.c
# here, beginning with corpus/NAME: all of them share the time (60 seconds), or each has so many executions.
# --swift: fuzzes with build/fuzz-swift, many times quicker, and reads what that added to the corpus with build/fuzz.
# run.sh [--target NAME] --coverage: builds build/coverage and counts the lines of the files and folders in NAME.files
# that the corpus alone reaches.
# What is found goes to build/fuzz/found, new inputs to build/fuzz/corpus/NAME. The last line tells the result.
# Exit 0: nothing found, or at least LINES_LEAST percent; 1: a finding, or fewer lines; 3: a step failed.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
# shellcheck source=configs/steps.sh
. "$root/configs/steps.sh"

LINES_LEAST=90
here=$root/tests/fuzz
found=$root/build/fuzz/found
# Freed memory that is watched: far more than one execution frees, and little enough to stay in a cache.
ASAN_OPTIONS=quarantine_size_mb=8:${ASAN_OPTIONS:-}
export ASAN_OPTIONS

usage() {
    echo "usage: sh tests/fuzz/run.sh [--target NAME] [--swift] [--runs N] [SECONDS | --coverage]" >&2
    exit 2
}

# is_number TEXT
is_number() {
    case $1 in '' | *[!0-9]*) return 1 ;; esac
}

# fuzzers_build PRESET
fuzzers_build() {
    step_run "configure $1" "configure-$1" cmake -S "$root" --preset "$1"
    step_run "build $1" "build-$1" cmake --build "$root/build/$1" --parallel "$(nproc)" --target fuzzers
}

# fuzzer_run PRESET TARGET OPTION...: runs libFuzzer on the target's corpus; its output is in $log. It has a fixed
# address layout, as sanitizers want it, where that may be asked for.
fuzzer_run() {
    program=$root/build/$1/bin/fuzz_$2 log=$logs/$1-$2.log grown=$root/build/fuzz/corpus/$2 target=$2
    shift 2
    mkdir -p "$found" "$grown" "$logs"
    set -- "$program" -max_len=4096 -timeout=60 -rss_limit_mb=2048 -artifact_prefix="$found/$target-" "$@" \
        "$grown" "$here/corpus/$target"
    if setarch -R true 2>/dev/null; then set -- setarch -R "$@"; fi
    "$@" </dev/null >"$log" 2>&1 || { tail -n 60 "$log"; echo "fuzz $target: a finding, see build/fuzz/found"; exit 1; }
}

# fuzz PRESET TARGET OPTION...: the seed is fixed, so that two runs over one tree begin alike. Inputs are chosen
# without a count of how often each feature was seen: keeping it costs a fifth of the time.
fuzz() {
    began=$(date +%s)
    fuzzer_run "$@" -seed=1 -reload=0 -entropic=0 -dict="$here/$2.dict" -print_final_stats=1
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    took=$(($(date +%s) - began))
    [ "$1" = fuzz ] || fuzzer_run fuzz "$2" -runs=0
    echo "fuzz $2: ${runs:-no} executions in $took s, nothing found"
    [ "${runs:-0}" -gt 0 ]
}

# coverage TARGET
coverage() {
    build=$root/build/coverage
    LLVM_PROFILE_FILE=$build/$1.profraw
    export LLVM_PROFILE_FILE
    step_run "read the corpus" coverage "$build/bin/fuzz_$1" -runs=0 "$here/corpus/$1"
    step_run "gather the profile" coverage-gather \
        llvm-profdata-14 merge -o "$build/$1.profdata" "$LLVM_PROFILE_FILE"
    set -- "$1" "$build/bin/fuzz_$1" -instr-profile="$build/$1.profdata"
    while read -r path; do
        [ -e "$root/$path" ] || step_fail "count the lines of $1" "there is no $path" "$here/$1.files"
        set -- "$@" "$root/$path"
    done <"$here/$1.files"
    target=$1
    shift
    llvm-cov-14 report "$@" >"$build/$target-report.txt"
    llvm-cov-14 show "$@" >"$build/$target-lines.txt"
    llvm-cov-14 export -summary-only "$@" |
        jq -r --argjson least "$LINES_LEAST" --arg target "$target" '.data[0].totals.lines |
        "coverage of \($target): \(.covered) of \(.count) lines, \(.percent * 10 | floor / 10) % (at least \($least) %)",
        if .percent >= $least then empty else error("too few lines, see build/coverage/\($target)-lines.txt") end' ||
        return 1
}

preset=fuzz targets='' runs_most=-1 seconds=''
while [ $# -gt 0 ]; do
    case $1 in
    --target) [ -f "$here/${2:-}.c" ] || usage; targets=$2; shift ;;
    --runs) is_number "${2:-}" || usage; runs_most=$2; shift ;;
    --swift) preset=fuzz-swift ;;
    --coverage) preset=coverage ;;
    *) is_number "$1" || usage; seconds=$1 ;;
    esac
    shift
done
[ -n "$targets" ] || targets=$(cd "$here" && printf '%s\n' *.c | sed 's/\.c$//')
[ -n "$seconds" ] || [ "$runs_most" -ge 0 ] || seconds=60

packages_install build test
fuzzers_build fuzz
[ "$preset" = fuzz ] || fuzzers_build "$preset"
for target in $targets; do
    if [ "$preset" = coverage ]; then
        coverage "$target"
    else
        share=$((${seconds:-0} / $(echo "$targets" | wc -w)))
        fuzz "$preset" "$target" -runs="$runs_most" -max_total_time="$share"
    fi
done
