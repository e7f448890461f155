#include "execute/isolate/death.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "plugin/crash.h"
#include "support/cleanup.h"
#include "support/units.h"

/* A call that was given no more memory, or a process that had hardly any left. */
static bool was_out_of_memory(const struct death *death)
{
    const struct crash_record *crash = &death->process->seat->crash;
    if (death->memory_most == 0 || atomic_load(&crash->signal) == 0)
        return false;
    return crash->error == ENOMEM || crash->data_bytes >= death->memory_most / 10 * 9;
}

static enum crash_reason reason_of(const struct death *death)
{
    if (death->was_killed || death->was_broken)
        return CRASH_KILLED;
    if (was_out_of_memory(death))
        return CRASH_OUT_OF_MEMORY;
    return death->end.signal != 0 ? CRASH_SIGNAL : CRASH_EXITED;
}

static void say_signal(const struct death *death, struct buffer *text)
{
    const struct crash_record *crash = &death->process->seat->crash;
    if (atomic_load(&crash->signal) != 0)
        crash_describe(crash, death->copy, text);
    else
        buffer_printf(text, "SIG%s",
                      sigabbrev_np(death->end.signal) != NULL ? sigabbrev_np(death->end.signal)
                                                              : "?");
}

static void say_what(const struct death *death, enum crash_reason reason, struct buffer *text)
{
    switch (reason) {
    case CRASH_KILLED:
        buffer_puts(text, death->was_broken
                              ? "its worker process broke the protocol and was killed"
                              : "did not end when it was cancelled (rule R5): its worker process "
                                "was killed");
        return;
    case CRASH_OUT_OF_MEMORY:
        buffer_printf(text, "out of memory: its worker process may have %llu bytes; ",
                      (unsigned long long)death->memory_most);
        say_signal(death, text);
        return;
    case CRASH_SIGNAL:
        say_signal(death, text);
        return;
    case CRASH_EXITED:
        buffer_printf(text, "its worker process left without a result, by exit(%d) (rule R4)",
                      death->end.exit_code);
        return;
    case CRASH_REASON_COUNT:
        return;
    }
}

/* Only the process itself knows it, if it had the time to look; else there is a bound. */
static void say_peak(const struct death *death, struct buffer *text)
{
    const struct crash_record *crash = &death->process->seat->crash;
    uint64_t known = atomic_load(&crash->signal) != 0 ? crash->peak_bytes : 0;
    uint64_t bytes = known != 0 ? known : death->end.peak_bytes;
    buffer_printf(text, "\npeak memory %s%llu KiB", known != 0 ? "" : "at most ",
                  (unsigned long long)bytes / 1024);
}

static void say_last_words(const struct death *death, struct buffer *text)
{
    CLEANUP(buffer_fini) struct buffer tail = BUFFER_EMPTY;
    say_peak(death, text);
    process_tail(death->process, &tail);
    if (tail.length > 0)
        buffer_printf(text, "\nit printed last:\n%s", buffer_text(&tail));
}

void death_describe(const struct death *death, struct buffer *text, struct attempt *attempt)
{
    enum crash_reason reason = reason_of(death);
    say_what(death, reason, text);
    if (reason != CRASH_KILLED)
        say_last_words(death, text);
    attempt->process_lost = true;
    attempt->lost_by = reason;
    attempt->reason = crash_reason_word(reason);
    attempt->message = buffer_text(text);
    if (!death->was_killed)
        attempt->verdict = VERDICT_CRASHED;
    else
        attempt->verdict = death->is_late ? VERDICT_TIMED_OUT : VERDICT_CANCELLED;
}
