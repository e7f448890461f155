# shellcheck shell=bash disable=SC2154 # helpers.bash sets some variables
# What the tests of reloading share, beyond engine.bash: a folder `plugins` that a run looks at again.
load engine

# install_build FILE EXPRESSION [NAME]: another build, which is a copy of a file changed by sed to one of the same
# length, put into the folder as one should: under a temporary name first.
install_build() {
    mkdir -p plugins
    LC_ALL=C sed "$2" "$1" >plugins/.new
    mv plugins/.new "plugins/${3:-${1##*/}}"
}

# looked: how often the run has looked at its plugins again.
looked() {
    grep -c "plugins looked at again" err || true
}

has_looked() {
    [ "$(looked)" -gt "$1" ]
}

# reload: asks for it, and waits until it is over.
reload() {
    local before
    before=$(looked)
    kill -HUP "$pid"
    wait_until has_looked "$before"
}

# log_has TEXT...: whether each is in the log.
log_has() {
    local text
    for text in "$@"; do
        grep -qF -- "$text" err || return 1
    done
}

# logged_times N TEXT: whether so many lines have it.
logged_times() {
    [ "$(grep -cF -- "$2" err)" -eq "$1" ]
}

# mapped: how many copies of plugins the run has mapped.
mapped() {
    awk '$6 ~ "/code/" { print $5 }' "/proc/$pid/maps" | sort -u | wc -l
}

has_mapped() {
    [ "$(mapped)" -eq "$1" ]
}

# anonymous: the KiB of memory that belong to no file.
anonymous() {
    awk '$1 == "RssAnon:" { print $2 }' "/proc/$pid/status"
}

# descriptors: how many the run has open.
descriptors() {
    find "/proc/$pid/fd" -mindepth 1 | wc -l
}

# open_stream ARGUMENT...: starts `sluice run --stream` on a job that comes through descriptor 8. A task is known to
# be complete only when the next one begins: so the mark of that is sent with it, and a few spaces, because the parser
# looks ahead for the mark of another document.
open_stream() {
    cp "$PLUGINS/noop.so" plugins/
    mkfifo pipe
    start run --stream --plugins plugins --progress off --events events "$@" pipe
    exec 8>pipe
    printf 'version: 1\nname: stream\ntasks:\n-      ' >&8
}

# send FIELDS...: adds tasks to it.
send() {
    printf '{%s}\n-      ' "$@" >&8
}

# close_stream CODE: completes the job, with a task that does nothing; waits for the end of the run.
close_stream() {
    echo "{type: noop}" >&8
    exec 8>&-
    ended "$1"
}
