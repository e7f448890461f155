#!/bin/sh
# generate_jobs.sh COUNT [plain|chain|diamond]: prints a job file with COUNT no-op tasks, about 55 bytes each. In a chain
# each needs the one before; in a diamond all but the first need the first, and the last needs all between, so COUNT is 3
# at least.
set -eu
awk -v count="${1:?usage: generate_jobs.sh COUNT [plain|chain|diamond]}" -v shape="${2:-plain}" 'BEGIN {
    print "version: 1\nname: noop\ntasks:"
    for (i = 1; i <= count; i++) {
        printf "  - {id: t%09d, type: noop, params: {n: %d}", i, i
        if (shape == "chain" && i > 1)
            printf ", needs: [t%09d]", i - 1
        if (shape == "diamond" && i > 1 && i < count)
            printf ", needs: [t%09d]", 1
        if (shape == "diamond" && i == count)
            for (j = 2; j < count; j++)
                printf "%st%09d%s", j == 2 ? ", needs: [" : ", ", j, j == count - 1 ? "]" : ""
        print "}"
    }
}'
