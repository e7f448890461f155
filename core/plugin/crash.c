/* crash: the handler works in steps, and each is tried once. A step that crashes (walking the stack
 * of a plugin that has written over it) brings the handler up again, which goes on with the next
 * one. The last step takes the default action with the siginfo of the first crash. */
#include "plugin/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "plugin/module.h"

_Static_assert((int)CRASH_MODULE_BYTES == (int)MODULE_NAME_BYTES, "frames have names of modules");
_Static_assert((int)CRASH_BUILD_ID_BYTES == (int)MODULE_BUILD_ID_BYTES, "and their build-ids");

enum {
    STACK_BYTES = 64 * 1024,    /* the alternate one */
    OWN_FRAMES_MOST = 16,       /* of the handler, above the one that crashed */
    OVERFLOW_BYTES = 64 * 1024, /* so near is a stack pointer to the end that it has met */
};

static const int watched[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};

static struct crash_record *record;
static crash_witness *witness;
static bool watching;
static char plugin_path[4096]; /* empty: none */
static size_t stack_bytes, page_bytes;

/* The thread that crashed first, and its crash. */
static _Atomic pid_t victim;
static volatile sig_atomic_t next_step;
static siginfo_t cause;
static const ucontext_t *where;
static int error_then;

/* ---- what the handler does ---- */

static uintptr_t program_counter(void)
{
#if defined(__x86_64__)
    return (uintptr_t)where->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)where->uc_mcontext.pc;
#else
#error "where does this machine keep the program counter?"
#endif
}

static uintptr_t stack_pointer(void)
{
#if defined(__x86_64__)
    return (uintptr_t)where->uc_mcontext.gregs[REG_RSP];
#else
    return (uintptr_t)where->uc_mcontext.sp;
#endif
}

/* Of a function that has just been called. */
static uintptr_t return_address(void)
{
#if defined(__x86_64__)
    return *(const uintptr_t *)stack_pointer();
#else
    return (uintptr_t)where->uc_mcontext.regs[30];
#endif
}

/* Skips fields of numbers, and returns the one behind them. */
static uint64_t field(const char *text, unsigned skipped)
{
    uint64_t number = 0;
    while (skipped > 0 && *text != '\0')
        skipped -= *text++ == ' ';
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (uint64_t)(*text - '0');
    return number;
}

/* "size resident shared text lib data dt", in pages. */
static uint64_t data_bytes(void)
{
    char text[256];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[bytes > 0 ? bytes : 0] = '\0';
    return field(text, 5) * page_bytes;
}

/* How far the line of /proc/self/status is read that says what the peak of memory was. */
struct peak {
    size_t matched; /* bytes of the word */
    uint64_t kib;
    bool is_read;
};

static void read_peak(struct peak *peak, char byte)
{
    static const char word[] = "\nVmHWM:";
    if (peak->is_read)
        return;
    if (word[peak->matched] != '\0') /* a line feed is nowhere else in it */
        peak->matched = byte == word[peak->matched] ? peak->matched + 1 : byte == '\n';
    else if (byte >= '0' && byte <= '9')
        peak->kib = peak->kib * 10 + (uint64_t)(byte - '0');
    else
        peak->is_read = byte == '\n';
}

/* In pieces: the groups that stand before it may be many. */
static uint64_t peak_bytes(void)
{
    char piece[1024];
    struct peak peak = {0};
    ssize_t bytes;
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && !peak.is_read && (bytes = read(fd, piece, sizeof piece)) > 0)
        for (ssize_t i = 0; i < bytes; i++)
            read_peak(&peak, piece[i]);
    if (fd >= 0)
        close(fd);
    return peak.kib * 1024;
}

static bool has_address(void)
{
    return cause.si_code > 0 && cause.si_code != SI_KERNEL && cause.si_signo != SIGSYS;
}

static void write_cause(void)
{
    if (record == NULL)
        return;
    record->code = cause.si_code;
    record->error = error_then;
    record->frames_count = 0;
    record->address = has_address() ? (uintptr_t)cause.si_addr : 0;
    record->stack = stack_pointer();
    record->data_bytes = data_bytes();
    record->peak_bytes = peak_bytes();
    atomic_store(&record->signal, cause.si_signo);
}

static void add_frame(uintptr_t address, bool is_return)
{
    struct module module;
    struct crash_frame *frame = &record->frames[record->frames_count];
    memset(frame, 0, sizeof *frame);
    frame->is_return = is_return;
    frame->offset = address;
    /* What is called last in a function may return behind its end. */
    if (module_find(address - is_return, &module)) {
        frame->offset -= module.base;
        frame->is_plugin = plugin_path[0] != '\0' && strcmp(module.path, plugin_path) == 0;
        frame->build_id_bytes = module.build_id_bytes;
        memcpy(frame->build_id, module.build_id, sizeof frame->build_id);
        memcpy(frame->module, module.name, sizeof frame->module);
    }
    record->frames_count++;
}

/* How far the walk has come. */
struct walk {
    unsigned own_frames; /* of the handler, so far */
    bool found;          /* the frame that crashed: those that follow are its callers */
};

static _Unwind_Reason_Code visit_frame(struct _Unwind_Context *context, void *argument)
{
    struct walk *walk = argument;
    int before =
        0; /* 1: the instruction there has not run yet; else a call has come from before it */
    uintptr_t address = _Unwind_GetIPInfo(context, &before);
    if (walk->found && record->frames_count < CRASH_FRAMES_MOST && address != 0)
        add_frame(address, before == 0);
    else if (walk->found || walk->own_frames++ == OWN_FRAMES_MOST)
        return _URC_END_OF_STACK;
    else
        walk->found = address == program_counter();
    return _URC_NO_REASON;
}

/* The first frame is known without walking. If a call has led nowhere, nobody can walk from there,
 * but who has called is known. */
static void write_frames(void)
{
    struct walk walk = {0};
    if (record == NULL)
        return;
    add_frame(program_counter(), false);
    _Unwind_Backtrace(visit_frame, &walk);
    if (record->frames_count == 1 && record->frames[0].module[0] == '\0')
        add_frame(return_address(), true);
}

static void tell_witness(void)
{
    if (witness != NULL)
        witness(cause.si_signo);
}

/* The signal is not blocked: it takes effect before the call returns. */
static void end_process(void)
{
    const struct sigaction plain = {.sa_handler = SIG_DFL};
    sigaction(cause.si_signo, &plain, NULL);
    syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), cause.si_signo, &cause);
    _exit(128 + cause.si_signo);
}

static void (*const steps[])(void) = {write_cause, write_frames, tell_witness, end_process};

static void on_signal(int signal, siginfo_t *info, void *context)
{
    int error = errno;
    pid_t first = 0, self = gettid();
    (void)signal;
    if (atomic_compare_exchange_strong(&victim, &first, self)) {
        cause = *info;
        where = context;
        error_then = error;
    } else if (first != self) {
        for (;;) /* the first one ends the process */
            pause();
    }
    while (next_step < (int)(sizeof steps / sizeof *steps))
        steps[next_step++]();
}

/* ---- setting up ---- */

static _Thread_local struct {
    void *memory;
    stack_t before;
} alternate;

void crash_thread_begin(void)
{
    if (!watching || alternate.memory != NULL)
        return;
    void *memory = mmap(NULL, page_bytes + stack_bytes, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return; /* then an overflow is not written down: no reason not to work */
    stack_t stack = {.ss_sp = (char *)memory + page_bytes, .ss_size = stack_bytes};
    if (mprotect(stack.ss_sp, stack_bytes, PROT_READ | PROT_WRITE) != 0 ||
        sigaltstack(&stack, &alternate.before) != 0) {
        munmap(memory, page_bytes + stack_bytes);
        return;
    }
    alternate.memory = memory;
}

void crash_thread_end(void)
{
    if (alternate.memory == NULL)
        return;
    sigaltstack(&alternate.before, NULL);
    munmap(alternate.memory, page_bytes + stack_bytes);
    alternate.memory = NULL;
}

static _Thread_local struct crash_scene here;

void crash_enter(const char *plugin, const char *step)
{
    crash_thread_begin();
    here = (struct crash_scene){plugin, step};
}

void crash_leave(void)
{
    here = (struct crash_scene){0};
    crash_thread_end();
}

struct crash_scene crash_scene(void)
{
    return here;
}

void crash_know(const char *path)
{
    snprintf(plugin_path, sizeof plugin_path, "%s", path);
}

void crash_watch(struct crash_record *written, crash_witness *asked)
{
    /* SA_NODEFER: a crash of the handler itself comes to it again. */
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    long least = sysconf(_SC_SIGSTKSZ);
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    stack_bytes = least > STACK_BYTES ? ((size_t)least + page_bytes - 1) / page_bytes * page_bytes
                                      : STACK_BYTES;
    record = written;
    witness = asked;
    watching = true;
    crash_thread_begin();
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
        sigaction(watched[i], &action, NULL);
}

/* ---- what it means ---- */

const char *crash_cause(int signal, int code)
{
    static const struct {
        int signal, code;
        const char *words;
    } causes[] = {
#define CAUSE(signal_, code_, words_) {signal_, code_, words_},
#include "plugin/crash_causes.def"
#undef CAUSE
    };
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        if (causes[i].signal == signal && causes[i].code == code)
            return causes[i].words;
    if (code == SI_TKILL)
        return signal == SIGABRT ? "abort was called" : "raised by the process itself";
    return code <= 0 ? "sent by a process" : "for a reason of its own";
}

bool crash_is_overflow(const struct crash_record *seen)
{
    uint64_t away =
        seen->address > seen->stack ? seen->address - seen->stack : seen->stack - seen->address;
    return seen->signal == SIGSEGV && seen->address != 0 && away < OVERFLOW_BYTES;
}
