# Processes of the program that it starts itself.
# shellcheck disable=SC2154 # run sets output and status
load helpers

@test "a role that somebody starts by hand says that it is none of his" {
    for role in $(sed -n 's/^ROLE("\([a-z]*\)".*/\1/p' "$SOURCE_DIR/core/cli/roles.def"); do
        run bash -c "exec -a sluice-$role $SLUICE name"
        [ "$status" -eq 2 ]
        [ "$output" = "sluice: 'sluice-$role' is a part of sluice that it starts itself: see \`sluice --help'" ]
    done
}

@test "a name of the program that is no role is none" {
    run bash -c "exec -a sluice-1.2 $SLUICE version"
    [ "$status" -eq 0 ]
    [[ $output == "sluice "* ]]
}
