#!/bin/sh
# run.sh [ROUNDS [kill|stop [SEED]]]: kills a daemon ROUNDS times (20) while a client sends jobs to it, or stops it, and looks
# whether anything was lost or ran twice. The program is $SLUICE and its test plugins $TEST_PLUGINS; else those of build/release.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
build=$here/../../build/release
export SLUICE="${SLUICE:-$build/bin/sluice}" TEST_PLUGINS="${TEST_PLUGINS:-$build/tests/plugins}"
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/crash.py" "${1:-20}" "${2:-kill}" ${3:+"$3"}
