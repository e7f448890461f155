/* sluice/types.h - what a plugin tells the host: its parameters, its task types, itself.
 * Part of the ABI: sizes and offsets below never change within a major version. The plugin owns
 * every object of these types: constants that live as long as its code is loaded. Written with the
 * macros of params.h and plugin.h; members stand in the order in which C++20 wants them named. */
#pragma once

#include <sluice/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a parameter is; beside each the C type of its field in the parameter struct. */
enum sluice_kind {
    SLUICE_KIND_BOOL = 1,     /* bool */
    SLUICE_KIND_INT = 2,      /* int64_t */
    SLUICE_KIND_FLOAT = 3,    /* double */
    SLUICE_KIND_STRING = 4,   /* const char *: NULL when absent and without default */
    SLUICE_KIND_DURATION = 5, /* int64_t, nanoseconds */
    SLUICE_KIND_SIZE = 6,     /* uint64_t, bytes */
    SLUICE_KIND_ENUM = 7,     /* int: the index into choices */
    SLUICE_KIND_LIST = 8,     /* struct sluice_list of strings; empty when absent */
    SLUICE_KIND_MAP = 9,      /* struct sluice_map of strings; empty when absent */
    SLUICE_KIND_ANY = 10,     /* const char *: JSON text, or NULL */
};

/* Values of the kinds list and map, in the order of the job file. The host owns them; they live
 * until execute returns. Fixed: they never grow. */
struct sluice_list {
    size_t count;
    const char *const *items;
};

struct sluice_map {
    size_t count;
    const struct sluice_pair *pairs;
};

/* One parameter: a row of a table that ends with SLUICE_PARAMS_END (name NULL). The host steps
 * from row to row by the row's own size. Absent and without default, a field is zero. */
struct sluice_param {
    uint32_t size;
    uint32_t kind;       /* enum sluice_kind */
    const char *name;    /* [A-Za-z_][A-Za-z0-9_]*, at most SLUICE_NAME_MAX */
    uint32_t offset;     /* of the field in the parameter struct */
    uint32_t field_size; /* of the field */
    bool required;
    bool secret; /* never shown in logs, events, records */
    uint8_t reserved[6];
    const char *def;             /* default, as a job file would write it: "1", "30s"; NULL: none */
    const char *const *choices;  /* of an enum; may also limit a string. NULL-terminated */
    int64_t min, max;            /* of int, duration, size: both or neither (0, 0: no limits) */
    double float_min, float_max; /* of float: both or neither */
    const char *help;            /* one line, or NULL */
    const char *one_of; /* since 1.1: of the rows with the same text here exactly one is given in a
                           task; a name as above; such a row is not required and has no default.
                           NULL: on its own */
    uint32_t min_items; /* since 1.2: of list: a task gives at least so many */
    uint32_t reserved2;
};

enum sluice_backoff {
    SLUICE_BACKOFF_CONSTANT = 0,
    SLUICE_BACKOFF_LINEAR = 1,
    SLUICE_BACKOFF_EXPONENTIAL = 2,
};

/* How often a task of a type is tried when neither the task nor its job says so. Lies inside
 * sluice_type and therefore never grows. */
struct sluice_retry {
    uint32_t attempts; /* in all; 0: the host's default */
    uint32_t backoff;  /* enum sluice_backoff */
    int64_t delay_ns;
    int64_t max_delay_ns; /* 0: no bound of its own */
    double jitter;        /* part of the delay that is random, 0 to 1 */
};

enum sluice_flag {
    SLUICE_SERIAL = 1u << 0,       /* never two calls of the type at once */
    SLUICE_IDEMPOTENT = 1u << 1,   /* repeating a finished call does no harm */
    SLUICE_PROCESS_ONLY = 1u << 2, /* only in a worker process, never in the host */
};

#define SLUICE_WEIGHT_AUTO (-1)

/* A task type: an element of a table that ends with SLUICE_TYPES_END (name NULL). The host steps
 * from element to element by the element's own size. */
struct sluice_type {
    uint32_t size;
    uint32_t reserved;
    const char *name;                  /* [a-z][a-z0-9_.-]*, at most SLUICE_NAME_MAX */
    const char *help;                  /* one line, or NULL */
    const struct sluice_param *params; /* NULL: takes no parameters */
    uint32_t params_size;              /* sizeof the parameter struct, 0 without */
    uint32_t flags;                    /* enum sluice_flag, ored */

    /* [worker] runs one task. params is the filled parameter struct (NULL without a table); the
     * host owns it and all it points to, until execute returns. May block; R5. */
    enum sluice_status (*execute)(const struct sluice_call *call, const void *params);
    /* [worker] optional: makes *worker, which each call on this thread finds in sluice_worker. The
     * plugin owns it. false: the worker cannot serve this type, err says why. */
    bool (*worker_init)(void *self, void **worker, struct sluice_error *err);
    /* [worker] optional: the end of what worker_init made, on the same thread, before deinit. */
    void (*worker_exit)(void *self, void *worker);

    int64_t timeout_ns; /* default timeout; 0: the host's */
    int32_t weight;     /* default weight; 0: the host's (1); or SLUICE_WEIGHT_AUTO */
    uint32_t reserved2;
    struct sluice_retry retry;
};

/* The plugin itself, written by SLUICE_PLUGIN. */
struct sluice_plugin {
    uint32_t size;
    uint16_t abi_major;
    uint16_t abi_minor;
    const char *name;    /* [a-z][a-z0-9_-]*, at most SLUICE_NAME_MAX */
    const char *version; /* of the plugin: at most SLUICE_NAME_MAX printable bytes, no space */
    const struct sluice_type *types;

    /* [setup] optional: makes *self, which each call finds in sluice_self; owned by the plugin.
     * false: the plugin is refused, err says why, deinit is not called. May block. */
    bool (*init)(const struct sluice_host *host, const struct sluice_settings *settings,
                 void **self, struct sluice_error *err);
    /* [setup] optional: the end of what init made. After it no function of the plugin is called. */
    void (*deinit)(void *self);
    /* [setup] optional, after init: a table for a capability that the host asks for by name, owned
     * by the plugin, living until deinit; NULL when it has none. */
    const void *(*get_extension)(void *self, const char *id);
};

SLUICE_ASSERT(sizeof(struct sluice_list) == 16 && sizeof(struct sluice_map) == 16, "ABI 1");
SLUICE_ASSERT(sizeof(struct sluice_param) == 104,
              "ABI 1.2; 96 in 1.1, 88 in 1.0; grows at its end only");
SLUICE_ASSERT(offsetof(struct sluice_param, required) == 24, "ABI 1");
SLUICE_ASSERT(offsetof(struct sluice_param, def) == 32, "ABI 1");
SLUICE_ASSERT(offsetof(struct sluice_param, help) == 80, "ABI 1");
SLUICE_ASSERT(offsetof(struct sluice_param, one_of) == 88, "ABI 1.1");
SLUICE_ASSERT(offsetof(struct sluice_param, min_items) == 96, "ABI 1.2");
SLUICE_ASSERT(sizeof(struct sluice_retry) == 32, "ABI 1");
SLUICE_ASSERT(sizeof(struct sluice_type) == 112, "ABI 1.0; grows at its end only");
SLUICE_ASSERT(offsetof(struct sluice_type, execute) == 40, "ABI 1");
SLUICE_ASSERT(offsetof(struct sluice_type, retry) == 80, "ABI 1");
SLUICE_ASSERT(sizeof(struct sluice_plugin) == 56, "ABI 1.0; grows at its end only");
SLUICE_ASSERT(offsetof(struct sluice_plugin, types) == 24, "ABI 1");

#ifdef __cplusplus
}
#endif
