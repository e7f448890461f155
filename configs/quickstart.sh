#!/bin/sh
# quickstart.sh: from a clean checkout to a finished job. Installs what is missing (Debian and Ubuntu packages,
# as root or with sudo), builds build/release, runs configs/jobs/hello.yaml, and says what happened.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=configs/steps.sh
. "$root/configs/steps.sh"

packages_install build
if [ -f "$root/build/release/CMakeCache.txt" ]; then
    preset_build release
else
    preset_build release -DBUILD_TESTING=OFF
fi

program=$root/build/release/bin/sluice
job=$root/configs/jobs/hello.yaml
echo "sluice: running configs/jobs/hello.yaml"
code=0
"$program" run "$job" || code=$?
[ "$code" -eq 0 ] || step_fail "run configs/jobs/hello.yaml" "sluice run exited $code"
echo "sluice: done. The program is build/release/bin/sluice, its plugins are build/release/plugins/*.so."
echo "sluice: next, change configs/jobs/hello.yaml, or write a plugin: sdk/README.md"
