#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/crash.h"
#include "plugin/module.h"
#include "support/thread.h"

/* What a sanitizer would say first. */
#define UNCHECKED __attribute__((noinline, no_sanitize("address", "undefined")))

static struct crash_record *record;
static struct buffer text;

static void setup(void)
{
    record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(record, MAP_FAILED);
}

static void teardown(void)
{
    munmap(record, sizeof *record);
    buffer_fini(&text);
}

TestSuite(crash, .init = setup, .fini = teardown, .timeout = 60);

/* ---- ways to crash ---- */

static volatile int zero, many = 77;
static int *volatile nowhere;

UNCHECKED static void touch_nothing(void)
{
    *nowhere = 1;
}

UNCHECKED static void touch_sixteen(void)
{
    nowhere = (int *)16; /* NOLINT */
    *nowhere = 1;
}

UNCHECKED static void call_abort(void)
{
    abort();
}

UNCHECKED static void divide(void)
{
    zero = many / zero;
}

UNCHECKED static int deeper(volatile char *above)
{
    volatile char here[512];
    here[0] = *above;
    return zero == 0 ? deeper(here) + here[0] : 0;
}

UNCHECKED static void overflow(void)
{
    volatile char here = 0;
    zero = deeper(&here);
}

static void overflow_thread(void *nothing)
{
    (void)nothing;
    crash_thread_begin();
    overflow();
}

static void overflow_in_thread(void)
{
    struct thread thread;
    struct error error;
    if (thread_start(&thread, "deep", overflow_thread, NULL, &error))
        thread_join(&thread);
}

UNCHECKED static void call_nowhere(void)
{
    void (*volatile function)(void) = NULL;
    function();
    zero = 1; /* so that it is a call and no jump */
}

static void raise_fault(void)
{
    raise(SIGSEGV);
    _exit(0);
}

static void run_out(void)
{
    errno = ENOMEM;
    abort();
}

static volatile uintptr_t *volatile stack_place;

/* Leaves nothing on the stack that leads back. */
UNCHECKED static void smash(void)
{
    for (size_t i = 0; i < 64; i++)
        stack_place[i] = 0x1234567;
    *nowhere = 1;
}

UNCHECKED static void smash_stack(void)
{
    stack_place = __builtin_frame_address(0);
    smash();
}

/* ---- and what is known of it ---- */

static void say_signal(int signal)
{
    static const char word[] = "witness";
    (void)signal;
    (void)!write(STDOUT_FILENO, word, sizeof word - 1);
}

/* Forks a process that crashes; returns the signal of which it has died, and the text. */
static int signal_of(void (*crash)(void), crash_witness *witness)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        crash_watch(record, witness);
        crash();
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    crash_describe(record, NULL, &text);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static bool says(const char *words)
{
    bool said = strstr(buffer_text(&text), words) != NULL;
    if (!said)
        cr_log_error("'%s' is not in:\n%s", words, buffer_text(&text));
    return said;
}

Test(crash, a_fault_is_written_down_with_its_address)
{
    cr_assert_eq(signal_of(touch_sixteen, NULL), SIGSEGV);
    cr_expect_eq(record->signal, SIGSEGV);
    cr_expect_eq(record->address, 16);
    cr_expect(says("SIGSEGV at 0x10 (address not mapped)\n#0 unit_plugin +0x"));
    cr_expect_geq(record->frames_count, 3);
    cr_expect_gt(record->data_bytes, 0);
}

/* Of what is gone by the time of the crash, too. */
static void shrink_and_crash(void)
{
    size_t bytes = 64 << 20;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    munmap(memory, bytes);
    touch_nothing();
}

Test(crash, the_peak_of_memory_is_written_down)
{
    cr_assert_eq(signal_of(shrink_and_crash, NULL), SIGSEGV);
    cr_expect_gt(record->peak_bytes, UINT64_C(64) << 20);
    cr_expect_lt(record->peak_bytes, UINT64_C(4) << 30);
}

Test(crash, a_pointer_to_nothing_is_one_to_zero)
{
    cr_assert_eq(signal_of(touch_nothing, NULL), SIGSEGV);
    cr_expect(says("SIGSEGV at 0x0 (address not mapped)\n"));
}

Test(crash, frames_have_the_build_id_of_their_module)
{
    cr_assert_eq(signal_of(touch_nothing, NULL), SIGSEGV);
    struct module module;
    cr_assert(module_find((uintptr_t)&touch_nothing, &module));
    cr_expect_eq(module.build_id_bytes, CRASH_BUILD_ID_BYTES);
    cr_expect_eq(memcmp(record->frames[0].build_id, module.build_id, CRASH_BUILD_ID_BYTES), 0);
    uint64_t offset = (uintptr_t)&touch_nothing - module.base;
    cr_expect(record->frames[0].offset >= offset && record->frames[0].offset < offset + 128);
}

Test(crash, an_abort_is_the_doing_of_the_process)
{
    cr_assert_eq(signal_of(call_abort, NULL), SIGABRT);
    cr_expect(says("SIGABRT (abort was called)\n"));
    cr_expect(says(" unit_plugin +0x")); /* not only frames of the C library */
}

Test(crash, a_division_by_zero_says_so)
{
    cr_assert_eq(signal_of(divide, NULL), SIGFPE);
    cr_expect(says("SIGFPE at 0x"));
    cr_expect(says("(integer divided by zero, or out of range)\n"));
}

Test(crash, a_stack_overflow_is_told_from_other_faults)
{
    cr_assert_eq(signal_of(overflow, NULL), SIGSEGV);
    cr_expect(says("(stack overflow)\n"));
    cr_expect_eq(record->frames_count, CRASH_FRAMES_MOST);
}

Test(crash, a_stack_overflow_of_a_thread_is_written_down_too)
{
    cr_assert_eq(signal_of(overflow_in_thread, NULL), SIGSEGV);
    cr_expect(says("(stack overflow)\n"));
}

Test(crash, a_call_that_leads_nowhere_has_a_caller)
{
    cr_assert_eq(signal_of(call_nowhere, NULL), SIGSEGV);
    cr_expect(says("#0 0x0\n#1 unit_plugin +0x"));
}

Test(crash, a_signal_that_was_sent_ends_the_process)
{
    cr_assert_eq(signal_of(raise_fault, NULL), SIGSEGV);
    cr_expect(says("SIGSEGV (raised by the process itself)\n"));
}

Test(crash, want_of_memory_is_named)
{
    cr_assert_eq(signal_of(run_out, NULL), SIGABRT);
    cr_expect(says("SIGABRT (abort was called), out of memory (ENOMEM) with "));
}

Test(crash, a_broken_stack_leaves_the_signal)
{
    cr_assert_eq(signal_of(smash_stack, NULL), SIGSEGV);
    cr_expect(says("SIGSEGV at 0x0 (address not mapped)\n#0 unit_plugin +0x"));
}

static void crash_again(int signal)
{
    (void)signal;
    touch_sixteen();
}

Test(crash, a_witness_that_crashes_changes_nothing)
{
    cr_assert_eq(signal_of(call_abort, crash_again), SIGABRT);
    cr_expect(says("SIGABRT (abort was called)\n"));
}

Test(crash, the_witness_is_asked_before_the_end)
{
    int ends[2];
    char said[16] = "";
    cr_assert_eq(pipe(ends), 0);
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    int signal = signal_of(touch_nothing, say_signal);
    dup2(kept, STDOUT_FILENO);
    close(ends[1]);
    cr_expect_eq(read(ends[0], said, sizeof said - 1), 7);
    cr_expect_str_eq(said, "witness");
    cr_expect_eq(signal, SIGSEGV);
}

Test(crash, a_process_that_does_not_crash_writes_nothing)
{
    cr_assert_eq(signal_of(crash_thread_end, NULL), 0);
    cr_expect_eq(record->signal, 0);
}

/* ---- records that lie ---- */

Test(crash, a_record_that_holds_anything_is_described)
{
    memset(record, 0xff, sizeof *record);
    crash_describe(record, "/proc/self/exe", &text);
    for (const char *at = buffer_text(&text); *at != '\0'; at++)
        cr_expect(*at == '\n' || (*at >= ' ' && *at < 0x7f), "byte %d", *at);
    cr_expect(says("signal -1 "));
    cr_expect(says("#31 "));
    cr_expect_null(strstr(buffer_text(&text), "#32 "));
}

Test(crash, no_text_of_a_record_reaches_a_terminal_as_it_is)
{
    *record = (struct crash_record){.signal = SIGSEGV, .frames_count = 1};
    memcpy(record->frames[0].module, "\033[2Jgreet.so", 13);
    crash_describe(record, NULL, &text);
    cr_expect(says("#0 ?[2Jgreet.so +0x0\n"));
}

/* ---- names ---- */

Test(crash, a_function_of_the_plugin_has_its_name)
{
    const char *plugin = TEST_BUILD_DIR "/plugins/noop.so";
    void *code = dlopen(plugin, RTLD_NOW);
    cr_assert_not_null(code, "%s", dlerror());
    struct module module;
    void *entry = dlsym(code, "sluice_plugin_entry");
    cr_assert(module_find((uintptr_t)entry, &module));
    cr_expect_str_eq(module.path, plugin);
    cr_expect_str_eq(module.name, "noop.so");
    struct crash_frame frame = {.offset = (uintptr_t)entry - module.base,
                                .build_id_bytes = module.build_id_bytes};
    memcpy(frame.build_id, module.build_id, sizeof frame.build_id);
    memcpy(frame.module, module.name, sizeof frame.module);
    *record = (struct crash_record){.signal = SIGSEGV, .frames_count = 1, .frames = {frame}};
    crash_describe(record, plugin, &text);
    dlclose(code);
    cr_expect(says(" sluice_plugin_entry (build-id "));
}

Test(crash, a_build_of_another_id_names_nothing)
{
    *record = (struct crash_record){.signal = SIGSEGV, .frames_count = 1};
    record->frames[0] = (struct crash_frame){.build_id_bytes = 20, .build_id = {1}, .is_plugin = 1};
    strcpy(record->frames[0].module, "noop.so");
    for (uint64_t offset = 0; offset < 0x4000; offset += 16) {
        record->frames[0].offset = offset;
        text.length = 0;
        crash_describe(record, TEST_BUILD_DIR "/plugins/noop.so", &text);
        cr_assert_not_null(strstr(buffer_text(&text), " (build-id 0100"));
        cr_assert_null(strstr(buffer_text(&text), "sluice_plugin"));
    }
}
