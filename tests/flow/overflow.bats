# A daemon that has no room: who may come later is told so, and who can never come is told that.
# shellcheck disable=SC2154 # helpers.bash and daemon.bash set variables
load daemon

# noops COUNT: a document of so many tasks.
noops() {
    printf "version: 1\ntasks:\n" && repeat "$1" "type: noop"
}

@test "documents that together could never have places are refused, also where others would wait" {
    settings "[host]" "overflow = block" "[group:few]" "type = noop" "queue_capacity = 10"
    serve
    api POST /v1/jobs "$(noops 6 && echo --- && noops 6)"
    expect 422
    got .error.code too_many_tasks
    api POST /v1/jobs "$(noops 5 && echo --- && noops 5)"
    expect 202
}
