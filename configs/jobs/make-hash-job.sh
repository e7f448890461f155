#!/bin/sh
# make-hash-job.sh DIR [COUNT]: prints a job file with a hash task for each regular file below DIR, the first
# COUNT (default 5000) in the order of their names.
#     sh configs/jobs/make-hash-job.sh /usr/share >hash.yaml
#     sluice run hash.yaml --events digests.jsonl
# Paths with bytes that are not printable ASCII are left out.
set -eu
if [ $# -lt 1 ] || [ $# -gt 2 ] || [ ! -d "$1" ]; then
    echo "usage: make-hash-job.sh DIR [COUNT]" >&2
    exit 2
fi
dir=$(CDPATH='' cd -- "$1" && pwd)

# In single quotes YAML knows one escape, the doubled quote; ${ is the job file's own.
# shellcheck disable=SC2016
LC_ALL=C find "$dir" -xdev -type f -readable ! -path '*[! -~]*' -print | LC_ALL=C sort |
    awk -v most="${2:-5000}" -v quote="'" '
        BEGIN { print "version: 1\nname: hash\ntasks:" }
        NR <= most {
            gsub(quote, quote quote)
            gsub(/\$\{/, "$${")
            print "  - {type: hash, params: {path: " quote $0 quote "}}"
        }'
