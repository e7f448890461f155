#!/bin/sh
# generate_jobs.sh COUNT: prints a job file with COUNT no-op tasks, about 55 bytes each.
set -eu
awk -v count="${1:?usage: generate_jobs.sh COUNT}" 'BEGIN {
    print "version: 1\nname: noop\ntasks:"
    for (i = 1; i <= count; i++)
        printf "  - {id: t%09d, type: noop, params: {n: %d}}\n", i, i
}'
