# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared: run.sh sources all of these files
# P8: what a task costs when there are more tasks, more groups, more types; the references are ours as well.

# p8_cost COUNT: sets figure to the microseconds of wall time and of processor time that one of so many tasks costs.
p8_cost() {
    engine_run --config "$folder/p8.ini" --tasks "$1" noop
    figure="$(calculate "$engine_seconds * 1e6 / $1") $(calculate "$engine_cpu * 1e6 / $1")"
}
p8_few() { p8_cost $((tasks / 10)); }
p8_some() { p8_cost "$tasks"; }
p8_many() { p8_cost $((tasks * 10)); }

p8_one() { engine_run --config "$folder/p8.ini" --tasks "$tasks" noop; }
p8_groups() { engine_run --config "$folder/groups.ini" --tasks "$tasks" noop; }
p8_types() { plugins=$folder/many engine_run --config "$folder/p8.ini" --tasks "$tasks" --types 1000 many; }

# p8_prepare: a configuration with one group of 4 workers for noop, one with 100 groups of 4, and plugins with 1000 types.
p8_prepare() {
    local first number
    printf '[host]\nworkers = 4\n' >"$folder/p8.ini"
    for ((number = 0; number < 100; number++)); do
        printf '[group:g%s]\ntype = noop\nworkers = 4\n' "$number"
    done >"$folder/groups.ini"
    mkdir "$folder/many"
    for ((first = 0; first < 1000; first += 250)); do
        "$here/generate_plugin.sh" many "$first" 250 >"$folder/many.c"
        step_run "build a plugin of 250 types" bench-many cc -shared -fPIC -O2 -I "$root/sdk/include" \
            -o "$folder/many/many$first.so" "$folder/many.c"
    done
}

p8_rows() {
    pairs_row "P8 time a task of $1" "<= 1.15" us
    pairs_row "P8 cpu a task of $1" "<= 1.15" us 2
}

p8_measure() {
    p8_prepare
    head_row "the fewest"
    pairs_measure p8_some p8_few
    p8_rows "$tasks"
    pairs_measure p8_many p8_few
    p8_rows "$((tasks * 10))"
    head_row "one group"
    pairs_measure p8_groups p8_one
    pairs_row "P8 over 100 groups" ">= 0.5" M/s
    pairs_measure p8_types p8_one
    pairs_row "P8 over 1000 types" ">= 0.4" M/s
}
