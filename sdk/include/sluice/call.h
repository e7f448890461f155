/* sluice/call.h - what a plugin may ask of the host during a call, as inline functions.
 * The host creates the call; each function says on which threads it may be used: [worker] the
 * thread that runs the call, [any] also helper threads that the call joins before it returns.
 * None blocks unless it says so. The contract of each stands at its member in host.h. */
#pragma once

#include <sluice/host.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SLUICE_MESSAGE_MAX            1024 /* of a formatted text, NUL included; the rest is cut */
#define SLUICE_PRINTF(format_at)      __attribute__((format(printf, format_at, format_at + 1)))
#define SLUICE_PRINTF_LIST(format_at) __attribute__((format(printf, format_at, 0)))

/* [any] formats into room bytes and cuts off what is over. Not inlined: a compiler that sees format
 * and room together would warn the author of what is meant. */
SLUICE_PRINTF_LIST(3)
__attribute__((noinline, unused)) static void sluice_format(char *text, size_t room,
                                                            const char *format, va_list args)
{
    if (vsnprintf(text, room, format, args) < 0)
        text[0] = 0;
}

/* [any] what init set, or NULL; the plugin's own. */
static inline void *sluice_self(const struct sluice_call *call)
{
    return call->self;
}

/* [worker] what worker_init set for this thread and type, or NULL; the plugin's own. */
static inline void *sluice_worker(const struct sluice_call *call)
{
    return call->worker;
}

/* [any] true once the task is to stop (R5). Cheap: fit for inner loops. */
static inline bool sluice_cancelled(const struct sluice_call *call)
{
    return call->host->cancelled(call);
}

/* [worker] a descriptor that is readable once the call is cancelled, or -1. The host's: poll it,
 * never read or close it. */
static inline int sluice_cancel_fd(const struct sluice_call *call)
{
    return call->host->cancel_fd(call);
}

/* [worker] sleeps; true when the time is over, false when the call was cancelled. Blocks. */
static inline bool sluice_wait(const struct sluice_call *call, int64_t ns)
{
    return call->host->wait(call, ns);
}

/* [any] when the call times out: CLOCK_MONOTONIC in nanoseconds, INT64_MAX when never. */
static inline int64_t sluice_deadline(const struct sluice_call *call)
{
    return call->host->deadline(call);
}

/* [any] one line for the log. */
SLUICE_PRINTF(3)
static inline void sluice_log(const struct sluice_call *call, enum sluice_level level,
                              const char *format, ...)
{
    char text[SLUICE_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    sluice_format(text, sizeof text, format, args);
    va_end(args);
    call->host->log(call->host, call, (uint32_t)level, text);
}

/* [any] the same outside a call: in init, deinit, and what they lead to. */
SLUICE_PRINTF(3)
static inline void sluice_host_log(const struct sluice_host *host, enum sluice_level level,
                                   const char *format, ...)
{
    char text[SLUICE_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    sluice_format(text, sizeof text, format, args);
    va_end(args);
    host->log(host, NULL, (uint32_t)level, text);
}

/* [any] what the call prints, as it comes: any bytes, any number of lines or a piece of one, into
 * the log of the task without a level. SLUICE_E_NOSUPPORT on a host older than ABI 1.2. */
static inline enum sluice_result sluice_print(const struct sluice_call *call, const char *bytes,
                                              size_t length)
{
    if (!SLUICE_HOST_HAS(call->host, print))
        return SLUICE_E_NOSUPPORT;
    return call->host->print(call, bytes, length);
}

/* [any] how far the call is; total 0 when that is not known. */
static inline void sluice_progress(const struct sluice_call *call, uint64_t done, uint64_t total)
{
    call->host->progress(call, done, total);
}

/* [worker] keeps a text under a name for later tasks and records. The host copies both. */
static inline enum sluice_result sluice_output(const struct sluice_call *call, const char *name,
                                               const char *text)
{
    return call->host->output(call, name, text, text ? strlen(text) : 0);
}

/* [worker] the same for a text that does not end with NUL. */
static inline enum sluice_result sluice_output_bytes(const struct sluice_call *call,
                                                     const char *name, const char *text,
                                                     size_t length)
{
    return call->host->output(call, name, text, length);
}

/* [worker] zeroed memory that the host frees when execute has returned; NULL when there is none. */
static inline void *sluice_alloc(const struct sluice_call *call, size_t bytes)
{
    return call->host->alloc(call, bytes);
}

/* [any] the task's id inside its job. The host's, until execute returns. */
static inline const char *sluice_task_id(const struct sluice_call *call)
{
    return call->host->task_id(call);
}

/* [any] the job's id. The host's, until execute returns. */
static inline const char *sluice_job_id(const struct sluice_call *call)
{
    return call->host->job_id(call);
}

/* [any] 1 for the first attempt of the task. */
static inline uint32_t sluice_attempt(const struct sluice_call *call)
{
    return call->host->attempt(call);
}

/* [worker] the same text for every attempt of this task, and for no other task. The host's, until
 * execute returns. */
static inline const char *sluice_idempotency_key(const struct sluice_call *call)
{
    return call->host->idempotency_key(call);
}

/* [any] the task's label of this key, or NULL. The host's, until execute returns. */
static inline const char *sluice_label(const struct sluice_call *call, const char *key)
{
    return call->host->label(call, key);
}

/* [any] the name of the machine's node. The host's, until execute returns. */
static inline const char *sluice_node(const struct sluice_call *call)
{
    return call->host->node(call);
}

/* [any] an optional capability of the host by name, or NULL. */
static inline const void *sluice_extension(const struct sluice_host *host, const char *id)
{
    return host->get_extension(host, id);
}

/* [worker] fails the attempt; the task's retry policy decides whether it is tried again:
 *     return sluice_fail(call, "not_found", "no such file: %s", path);
 * code: [a-z0-9_]{1,64}, stable, for programs; the text is for people. */
SLUICE_PRINTF(3)
static inline enum sluice_status sluice_fail(const struct sluice_call *call, const char *code,
                                             const char *format, ...)
{
    char text[SLUICE_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    sluice_format(text, sizeof text, format, args);
    va_end(args);
    call->host->fail(call, SLUICE_FAILED, code, text);
    return SLUICE_FAILED;
}

/* [worker] the same for what no retry can mend. */
SLUICE_PRINTF(3)
static inline enum sluice_status sluice_fail_for_good(const struct sluice_call *call,
                                                      const char *code, const char *format, ...)
{
    char text[SLUICE_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    sluice_format(text, sizeof text, format, args);
    va_end(args);
    call->host->fail(call, SLUICE_FAILED_FOR_GOOD, code, text);
    return SLUICE_FAILED_FOR_GOOD;
}

/* [worker] `return sluice_try_again(call, ns);` gives the task back for a later time; not charged
 * as an attempt. */
static inline enum sluice_status sluice_try_again(const struct sluice_call *call, int64_t delay_ns)
{
    call->host->try_again(call, delay_ns);
    return SLUICE_TRY_AGAIN;
}

/* [any] leaves the reason of a refusal: `return sluice_error_set(err, "no key '%s'", key);`.
 * Always false. */
SLUICE_PRINTF(2)
static inline bool sluice_error_set(struct sluice_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sluice_format(err->message, err->size - offsetof(struct sluice_error, message), format, args);
    va_end(args);
    return false;
}
