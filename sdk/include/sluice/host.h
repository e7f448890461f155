/* sluice/host.h - what the host offers to a plugin: results, errors, settings, the call, the table
 * of host functions. Part of the ABI: sizes and offsets below never change within a major version.
 * The host creates every object of these types; the plugin reads them. Authors use the wrappers of
 * call.h and seldom the table itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__LP64__)
#error "Sluice plugins need a 64-bit Linux (LP64)"
#endif

#ifdef __cplusplus
#define SLUICE_ASSERT(condition, text) static_assert(condition, text)
extern "C" {
#else
#define SLUICE_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* What execute answers. Any other value is recorded as a failure, "invalid status N". */
enum sluice_status {
    SLUICE_OK = 0,
    SLUICE_FAILED = 1,          /* retried if the task's policy says so */
    SLUICE_FAILED_FOR_GOOD = 2, /* never retried */
    SLUICE_TRY_AGAIN = 3,       /* runs later; not charged as an attempt */
    SLUICE_CANCELLED = 4,       /* it saw sluice_cancelled and stopped early */
};

/* What host functions answer. */
enum sluice_result {
    SLUICE_E_OK = 0,
    SLUICE_E_NOSUPPORT = 1, /* this host is too old for it */
    SLUICE_E_TOO_BIG = 2,   /* over a limit of plugin.h; nothing was taken */
    SLUICE_E_INVALID = 3,   /* a bad name, a NULL, a NUL byte inside a text */
    SLUICE_E_NOMEM = 4,
};

enum sluice_level {
    SLUICE_DEBUG = 0,
    SLUICE_INFO = 1,
    SLUICE_WARNING = 2,
    SLUICE_ERROR = 3,
};

/* Key and value, NUL-terminated, never NULL. Fixed: it never grows. */
struct sluice_pair {
    const char *key;
    const char *value;
};

/* Where a function that can refuse leaves its reason. The host owns it and sets size, with which a
 * newer host may offer a longer message; write it with sluice_error_set. */
struct sluice_error {
    uint32_t size;
    uint32_t reserved;
    char message[504]; /* NUL-terminated */
};

/* The key-values of [plugin:NAME] in the configuration, in its order. The host owns them; they
 * live until init returns. */
struct sluice_settings {
    uint32_t size;
    uint32_t count;
    const struct sluice_pair *pairs;
};

struct sluice_host;

/* One execution of one task. The host owns it; it lives until execute returns (R1). */
struct sluice_call {
    uint32_t size;
    uint32_t reserved;
    const struct sluice_host *host;
    void *context; /* the host's own: not for plugins */
    void *self;    /* what init set, else NULL */
    void *worker;  /* what worker_init set, else NULL */
};

/* The host's functions, in one table. The host owns it; it lives until deinit has returned. A host
 * may hand each plugin a table of its own. Strings that functions return are the host's and live
 * until execute returns; strings given to it are copied. [worker] here: only on the thread that
 * runs the call; [any]: also on helper threads that the call joins before it returns (R3). */
struct sluice_host {
    uint32_t size;
    uint16_t abi_major;
    uint16_t abi_minor;
    const char *version; /* of the host program, to show; never compare it */
    void *context;       /* the host's own: not for plugins */

    /* [any] true once the task is to stop: cancelled, timed out, or the host stops. Never false
     * again during this call. */
    bool (*cancelled)(const struct sluice_call *call);
    /* [worker] readable once cancelled is true; -1 when none could be made. One per worker, made on
     * first use, owned by the host: poll it, never read or close it. */
    int (*cancel_fd)(const struct sluice_call *call);
    /* [worker] sleeps for ns nanoseconds; false when the call was cancelled before their end. */
    bool (*wait)(const struct sluice_call *call, int64_t ns);
    /* [any] when the call times out, CLOCK_MONOTONIC in nanoseconds; INT64_MAX when never. */
    int64_t (*deadline)(const struct sluice_call *call);
    /* [any] one line for the log; level is an enum sluice_level. call is NULL outside a call. */
    void (*log)(const struct sluice_host *host, const struct sluice_call *call, uint32_t level,
                const char *text);
    /* [any] how far the call is; total 0 when that is not known. */
    void (*progress)(const struct sluice_call *call, uint64_t done, uint64_t total);
    /* [worker] keeps a named text of length bytes for later tasks: any bytes but NUL, shown as
     * UTF-8 with what is not UTF-8 replaced. A name is [A-Za-z0-9_.-]+, at most
     * SLUICE_NAME_MAX. Set twice, the last wins. */
    enum sluice_result (*output)(const struct sluice_call *call, const char *name, const char *text,
                                 size_t length);
    /* [worker] zeroed memory, aligned to 16, that the host frees when execute has returned; NULL
     * when there is none or SLUICE_ALLOC_BYTES_MAX would be passed. */
    void *(*alloc)(const struct sluice_call *call, size_t bytes);
    const char *(*task_id)(const struct sluice_call *call); /* [any] never NULL */
    const char *(*job_id)(const struct sluice_call *call);  /* [any] never NULL */
    uint32_t (*attempt)(const struct sluice_call *call);    /* [any] 1 is the first */
    /* [worker] never NULL; the same for all attempts of a task, and for no other task. */
    const char *(*idempotency_key)(const struct sluice_call *call);
    const char *(*label)(const struct sluice_call *call, const char *key); /* [any] NULL: no such */
    const char *(*node)(const struct sluice_call *call);                   /* [any] never NULL */
    /* [worker] remembers why the call fails; status is the one that execute is about to return. A
     * code that is not [a-z0-9_]{1,64} is recorded as "failed". The last one wins. */
    void (*fail)(const struct sluice_call *call, enum sluice_status status, const char *code,
                 const char *message);
    /* [worker] remembers after which delay to try again; for SLUICE_TRY_AGAIN. */
    void (*try_again)(const struct sluice_call *call, int64_t delay_ns);
    /* [any] an optional capability, such as "sluice.scheduler/1": a table that lives as long as
     * this one; NULL when the host does not have it. */
    const void *(*get_extension)(const struct sluice_host *host, const char *id);
    /* [any] since 1.2: adds what the call prints to the log of its task, as it comes and in order
     * with its log lines: any bytes (a NUL becomes '?'), any number of lines or a piece of one. A
     * log line that follows begins a line of its own. Costs nothing where no logs are kept. */
    enum sluice_result (*print)(const struct sluice_call *call, const char *bytes, size_t length);
};

/* True when the host's table reaches as far as this member: asked by a wrapper before it touches a
 * member that is newer than ABI 1.0. */
#define SLUICE_HOST_HAS(host, member)                                                              \
    ((host)->size >= offsetof(struct sluice_host, member) + sizeof((host)->member))

SLUICE_ASSERT(sizeof(enum sluice_status) == 4, "ABI 1: enums are 4 bytes");
SLUICE_ASSERT(sizeof(bool) == 1, "ABI 1: bool is 1 byte");
SLUICE_ASSERT(sizeof(struct sluice_pair) == 16, "ABI 1");
SLUICE_ASSERT(sizeof(struct sluice_error) == 512 && offsetof(struct sluice_error, message) == 8,
              "ABI 1");
SLUICE_ASSERT(sizeof(struct sluice_settings) == 16, "ABI 1");
SLUICE_ASSERT(sizeof(struct sluice_call) == 40 && offsetof(struct sluice_call, worker) == 32,
              "ABI 1");
SLUICE_ASSERT(sizeof(struct sluice_host) == 168, "ABI 1.2; 160 in 1.0; grows at its end only");
SLUICE_ASSERT(offsetof(struct sluice_host, cancelled) == 24, "ABI 1");
SLUICE_ASSERT(offsetof(struct sluice_host, output) == 72, "ABI 1");
SLUICE_ASSERT(offsetof(struct sluice_host, get_extension) == 152, "ABI 1.0");
SLUICE_ASSERT(offsetof(struct sluice_host, print) == 160, "ABI 1.2");

#ifdef __cplusplus
}
#endif
