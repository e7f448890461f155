# The SDK as a plugin author's compiler meets it: headers, rows, the ELF note, the template.
# seconds: 300

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
    strict="-Wall -Wextra -Wshadow -Wconversion -Werror -shared -fPIC -I$SDK_INCLUDE"
    first_comment >first.c
}

# The plugin inside the first comment of plugin.h.
first_comment() {
    sed -n '/^ \*     #include <sluice/,/^ \*     SLUICE_PLUGIN/s/^ \* \{0,5\}//p' "$SDK_INCLUDE/sluice/plugin.h"
}

# note_is FILE NAME VERSION TYPES: exactly one note, aligned, in a segment, with these texts.
note_is() {
    readelf -SW "$1" | grep -q '\.note\.sluice *NOTE .* A  *0  *0  *4$'
    readelf -lW "$1" | grep -q '^ *NOTE .* 0x4$'
    [ "$(readelf -nW "$1" | grep -c Sluice)" -eq 1 ]
    objcopy --dump-section .note.sluice=note.bin "$1" copy.so
    # 12 bytes of header, 8 of vendor, 12 of magic and numbers; then the texts.
    [ "$(tail -c +33 note.bin | tr '\0' '|' | cut -d'|' -f1-3)" = "$2|$3|$4" ]
    # descsz is exact.
    [ "$(od -An -tu4 -j4 -N4 note.bin | tr -d ' ')" -eq $((12 + ${#2} + ${#3} + ${#4} + 3)) ]
}

@test "the plugin in the header's first comment compiles as C11 and C17 with both compilers" {
    for compiler in gcc clang; do
        for standard in c11 c17 gnu17; do
            $compiler -std=$standard -Wpedantic -Wstrict-prototypes -Wmissing-prototypes -O2 $strict first.c -o first.so
        done
    done
}

@test "the plugin in the header's first comment compiles as C++20 with both compilers" {
    for compiler in g++ clang++; do
        $compiler -x c++ -std=c++20 -O2 $strict first.c -o first.so
    done
}

@test "each header compiles alone" {
    for header in host types params note call plugin; do
        echo "#include <sluice/$header.h>" >alone.c
        gcc -std=c11 $strict alone.c -o alone.so
        clang++ -x c++ -std=c++20 $strict alone.c -o alone.so
    done
}

@test "rows of every kind and all members of type and plugin compile in both languages" {
    cat >every.c <<'END'
#include <sluice/plugin.h>
struct every { bool a; int64_t b; double c; const char *d; int64_t e; uint64_t f; int g;
               struct sluice_list h; struct sluice_map i; const char *j; };
static const char *const words[] = {"x", "y", NULL};
static const struct sluice_param table[] = {
    SLUICE_BOOL(struct every, a), SLUICE_INT(struct every, b, .required = true, .secret = true, .def = "1", .min = 0, .max = 2),
    SLUICE_FLOAT(struct every, c, .float_min = 0, .float_max = 1), SLUICE_STRING(struct every, d, .help = "h"),
    SLUICE_DURATION(struct every, e), SLUICE_SIZE(struct every, f), SLUICE_ENUM(struct every, g, .choices = words),
    SLUICE_LIST(struct every, h, .help = "h", .one_of = "k", .min_items = 2), SLUICE_MAP(struct every, i, .one_of = "k"), SLUICE_ANY(struct every, j), SLUICE_PARAMS_END};
static bool init(const struct sluice_host *host, const struct sluice_settings *settings, void **self, struct sluice_error *err)
{ sluice_host_log(host, SLUICE_INFO, "%u", settings->count); *self = NULL; return sluice_error_set(err, "no"); }
static void deinit(void *self) { (void)self; }
static const void *extension(void *self, const char *id) { (void)self; (void)id; return NULL; }
static bool worker_init(void *self, void **worker, struct sluice_error *err) { (void)err; *worker = self; return true; }
static void worker_exit(void *self, void *worker) { (void)self; (void)worker; }
static enum sluice_status execute(const struct sluice_call *call, const void *params) { (void)params; return sluice_fail(call, "a", "%s", "b"); }
static const struct sluice_type types[] = {
    {SLUICE_TYPE("every", "h"), .params = table, .params_size = sizeof(struct every),
     .flags = SLUICE_SERIAL | SLUICE_IDEMPOTENT | SLUICE_PROCESS_ONLY, .execute = execute, .worker_init = worker_init,
     .worker_exit = worker_exit, .timeout_ns = 1, .weight = SLUICE_WEIGHT_AUTO,
     .retry = {.attempts = 3, .backoff = SLUICE_BACKOFF_LINEAR, .delay_ns = 1, .max_delay_ns = 2, .jitter = 0.5}},
    SLUICE_TYPES_END};
SLUICE_PLUGIN("every", "1", "every", types, .init = init, .deinit = deinit, .get_extension = extension)
END
    for compiler in gcc clang; do
        $compiler -std=c11 $strict every.c -o every.so
        $compiler -std=c11 -DSLUICE_STATIC -DSLUICE_ENTRY=every_entry ${strict/-shared/} -c every.c -o every.o
        nm every.o | grep -q ' T every_entry$'
        run readelf -SW every.o
        [[ $output != *.note.sluice* ]]
    done
    for compiler in g++ clang++; do
        $compiler -x c++ -std=c++20 $strict every.c -o every.so
    done
}

@test "a row whose field has another type does not compile" {
    cat >wrong.c <<'END'
#include <sluice/params.h>
struct wrong { int count; };
extern const struct sluice_param table[];
const struct sluice_param table[] = {SLUICE_INT(struct wrong, count), SLUICE_PARAMS_END};
END
    for compiler in "gcc -std=c11" "clang -std=c11" "g++ -x c++ -std=c++20" "clang++ -x c++ -std=c++20"; do
        run $compiler -I"$SDK_INCLUDE" -c wrong.c
        [ "$status" -ne 0 ]
        [[ $output == *"not compatible with any"* || $output == *the_field_has_another_type* ]]
    done
    sed -i 's/int count/int64_t count/' wrong.c
    gcc -std=c11 -I"$SDK_INCLUDE" -c wrong.c
}

@test "the note survives link-time optimisation, section garbage collection and strip" {
    for compiler in gcc clang; do
        for flags in "" "-O2 -flto" "-ffunction-sections -fdata-sections -Wl,--gc-sections" \
            "-O3 -flto -fvisibility=hidden -fdata-sections -Wl,--gc-sections" "-fsanitize=address"; do
            # clang's sanitizer runtime is a package of its own, named after its version.
            [ "$compiler$flags" != "clang-fsanitize=address" ] || continue
            # shellcheck disable=SC2086
            $compiler -std=c11 $strict $flags first.c -o first.so
            note_is first.so greet 1.0.0 greet
            strip first.so
            note_is first.so greet 1.0.0 greet
            nm -D first.so | grep -q ' T sluice_plugin_entry$'
        done
    done
}

@test "the standard plugins carry their note" {
    for name in noop sleep exec hash; do
        note_is "$PLUGINS/$name.so" $name 1.0.0 $name
    done
}

@test "the template has at most 60 lines and is clean under strict warnings" {
    [ "$(wc -l <"$SOURCE_DIR/sdk/template/greet.c")" -le 60 ]
    for compiler in gcc clang; do
        $compiler -std=c11 -Wpedantic $strict "$SOURCE_DIR/sdk/template/greet.c" -o greet.so
    done
}
