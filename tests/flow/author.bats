# A plugin author's way: build with one line, drop in, run; C++ included.

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
}

# plugin_cpp BODY: a C++ plugin "thrower" whose execute has this body, in thrower.cpp.
plugin_cpp() {
    cat >thrower.cpp <<END
#include <sluice/plugin.hpp>
#include <stdexcept>
struct throw_params { int64_t n; };
static constexpr sluice_param throw_table[] = {SLUICE_INT(throw_params, n, .def = "1"), SLUICE_PARAMS_END};
static sluice_status throw_execute(const sluice_call *, const throw_params *p) { $1 }
static const sluice_type throw_types[] = {
    {SLUICE_TYPE("thrower", "Throws."), .params = throw_table, .params_size = sizeof(throw_params),
     .execute = sluice::guarded<throw_execute>},
    SLUICE_TYPES_END};
SLUICE_PLUGIN("thrower", "1.0.0", "thrower", throw_types)
END
}

@test "the template is copied, built with one line, and its job runs" {
    cp -r "$SOURCE_DIR/sdk/template" greet
    chmod -R go-w greet
    cd greet
    cc -shared -fPIC greet.c -o greet.so -I"$SDK_INCLUDE"
    run "$SLUICE" run greet.yaml --plugins . --events events.jsonl
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"greet: 2 tasks: 2 succeeded"* ]]
    [ "$(grep -c '"card":"hello, ' events.jsonl)" -eq 2 ]
}

@test "the template's failure reaches the one who ran it" {
    cc -shared -fPIC "$SOURCE_DIR/sdk/template/greet.c" -o greet.so -I"$SDK_INCLUDE"
    long=$(printf 'x%.0s' $(seq 200))
    printf 'version: 1\ntasks: [{type: greet, params: {name: %s}}]\n' "$long" >job.yaml
    run "$SLUICE" run job.yaml --plugins .
    [ "$status" -eq 1 ]
    [[ $output == *"no card is as wide as 'xxx"* ]]
}

@test "an exception in a guarded C++ plugin becomes a failure with its text" {
    plugin_cpp 'if (p->n) throw std::runtime_error("the wheel came off"); return SLUICE_OK;'
    g++ -std=c++20 -shared -fPIC -I"$SDK_INCLUDE" thrower.cpp -o thrower.so
    printf 'version: 1\ntasks: [{type: thrower}, {type: thrower, params: {n: 0}}]\n' >job.yaml
    run "$SLUICE" run job.yaml --plugins .
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"the wheel came off"* ]]
    [[ $output == *"1 succeeded, 1 failed"* ]]
}

@test "a thrown thing that is no std::exception, and want of memory, become failures too" {
    plugin_cpp 'if (p->n == 1) throw 7; throw std::bad_alloc();'
    clang++ -std=c++20 -shared -fPIC -I"$SDK_INCLUDE" thrower.cpp -o thrower.so
    printf 'version: 1\ntasks: [{type: thrower}, {type: thrower, params: {n: 2}}]\n' >job.yaml
    run "$SLUICE" run job.yaml --plugins .
    [ "$status" -eq 1 ]
    [[ $output == *"an exception that is not a std::exception"* ]]
    [[ $output == *"out of memory"* ]]
}
