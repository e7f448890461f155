#!/bin/sh
# run.sh [SECONDS]: builds build/fuzz and fuzzes the job-file reader for so long (60), beginning with corpus/job_file.
# run.sh --coverage: builds build/coverage and counts the lines of the reader that the corpus alone reaches.
# What is found goes to build/fuzz/found, new inputs to build/fuzz/corpus. The last line tells the result.
# Exit 0: nothing found, or at least LINES_LEAST percent; 1: a finding, or fewer lines; 3: a step failed.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
# shellcheck source=configs/steps.sh
. "$root/configs/steps.sh"

LINES_LEAST=90
here=$root/tests/fuzz
corpus=$here/corpus/job_file

# fuzzer_build PRESET: builds the one program of the preset; its folder is $build.
fuzzer_build() {
    build=$root/build/$1
    step_run "configure $1" "configure-$1" cmake -S "$root" --preset "$1"
    step_run "build $1" "build-$1" cmake --build "$build" --parallel "$(nproc)" --target fuzz_job_file
}

# plain COMMAND...: runs it with a fixed address layout, as sanitizers want it, where that may be asked for.
plain() {
    if setarch -R true 2>/dev/null; then
        setarch -R "$@"
    else
        "$@"
    fi
}

# fuzz SECONDS: the seed is fixed, so that two runs over one tree begin alike.
fuzz() {
    fuzzer_build fuzz
    log=$logs/fuzz.log
    mkdir -p "$build/found" "$build/corpus"
    code=0
    plain "$build/bin/fuzz_job_file" -seed=1 -max_total_time="$1" -max_len=4096 -timeout=60 -rss_limit_mb=2048 \
        -dict="$here/job_file.dict" -artifact_prefix="$build/found/" -print_final_stats=1 \
        "$build/corpus" "$corpus" </dev/null >"$log" 2>&1 || code=$?
    [ "$code" -eq 0 ] || { tail -n 60 "$log"; echo "fuzz: a finding, see build/fuzz/found"; return 1; }
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "fuzz: ${runs:-no} executions in $1 s, nothing found"
    [ "${runs:-0}" -gt 0 ]
}

coverage() {
    fuzzer_build coverage
    LLVM_PROFILE_FILE=$build/corpus.profraw
    export LLVM_PROFILE_FILE
    step_run "read the corpus" coverage "$build/bin/fuzz_job_file" -runs=0 "$corpus"
    step_run "gather the profile" coverage-gather \
        llvm-profdata-14 merge -o "$build/corpus.profdata" "$LLVM_PROFILE_FILE"
    set -- "$build/bin/fuzz_job_file" -instr-profile="$build/corpus.profdata" \
        "$root/core/accept/job_file.c" "$root/core/accept/job_file"
    llvm-cov-14 report "$@" >"$build/report.txt"
    llvm-cov-14 show "$@" >"$build/lines.txt"
    llvm-cov-14 export -summary-only "$@" | jq -r --argjson least "$LINES_LEAST" '.data[0].totals.lines |
        "coverage: \(.covered) of \(.count) lines, \(.percent * 10 | floor / 10) % (at least \($least) %)",
        if .percent >= $least then empty else error("too few lines, see build/coverage/lines.txt") end' || return 1
}

packages_install build test
case ${1:-60} in
--coverage)
    coverage
    ;;
'' | *[!0-9]*)
    echo "usage: sh tests/fuzz/run.sh [SECONDS | --coverage]" >&2
    exit 2
    ;;
*)
    fuzz "${1:-60}"
    ;;
esac
