/* A whole plugin: copy it to greet.c and build it with
 *     cc -shared -fPIC greet.c -o greet.so $(pkg-config --cflags --libs sluice-plugin)
 *
 *     #include <sluice/plugin.h>
 *
 *     struct greet_params {
 *         const char *name;
 *         int64_t times;
 *     };
 *
 *     static const struct sluice_param greet_table[] = {
 *         SLUICE_STRING(struct greet_params, name, .required = true, .help = "whom to greet"),
 *         SLUICE_INT(struct greet_params, times, .def = "1", .min = 1, .max = 100,
 *                    .help = "how often"),
 *         SLUICE_PARAMS_END,
 *     };
 *
 *     static enum sluice_status greet(const struct sluice_call *call, const void *params)
 *     {
 *         const struct greet_params *p = (const struct greet_params *)params;
 *         for (int64_t i = 0; i < p->times && !sluice_cancelled(call); i++)
 *             sluice_log(call, SLUICE_INFO, "hello, %s", p->name);
 *         return SLUICE_OK;
 *     }
 *
 *     static const struct sluice_type greet_types[] = {
 *         { SLUICE_TYPE("greet", "Says hello."), .params = greet_table,
 *           .params_size = sizeof(struct greet_params), .execute = greet },
 *         SLUICE_TYPES_END,
 *     };
 *
 *     SLUICE_PLUGIN("greet", "1.0.0", "greet", greet_types)
 *
 * That is all a plugin needs: the host checks the parameters of a job file against the table, fills
 * the struct, runs execute on a worker thread. C11 and C++20, headers only, nothing to link.
 *
 * The five rules. Messages of the host cite them by number.
 *   R1  Returning from execute is completion; nothing of the call may be touched afterwards.
 *   R2  Pointers from the host live until the function returns, unless said otherwise; strings
 *       given to the host are copied.
 *   R3  No threads that outlive the call, no signal handlers, no atexit handlers; no change of the
 *       signal mask, working folder, umask, locale, or descriptors 0, 1 and 2.
 *   R4  No exception and no longjmp across the border; no exit.
 *   R5  Look at sluice_cancelled at least every 100 ms, or wait with sluice_wait.
 *
 * Threads, said at every function:
 *   [setup]   a thread of the host while no worker of this plugin runs: entry, init, deinit
 *   [worker]  a thread that runs calls; several at once unless the type is SLUICE_SERIAL
 *   [any]     any thread
 *
 * The ABI promise: a plugin built with SDK 1.x runs on every host 1.y. Structs begin with their
 * size and grow at their end; members never move; new functions join the end of the host's table.
 * Changes by minor version:
 *   1.0  the first
 *   1.1  one_of of a parameter: a task gives exactly one of several
 *   1.2  sluice_print: what a call prints comes into the log of its task;
 *        min_items of a parameter: a list has at least so many                                  */
#pragma once

#include <sluice/call.h>
#include <sluice/note.h>
#include <sluice/params.h>

#define SLUICE_ABI_MAJOR 1
#define SLUICE_ABI_MINOR 2

/* Limits. What is over them is refused with a reason, never cut. */
#define SLUICE_NAME_MAX         64       /* bytes of a plugin, type, parameter, output name */
#define SLUICE_CODE_MAX         64       /* bytes of the code of a failure */
#define SLUICE_TYPES_MAX        256      /* types of a plugin */
#define SLUICE_PARAMS_MAX       256      /* parameters of a type */
#define SLUICE_PARAMS_SIZE_MAX  65536    /* bytes of a parameter struct */
#define SLUICE_CHOICES_MAX      256      /* choices of a parameter */
#define SLUICE_OUTPUTS_MAX      64       /* outputs of a call */
#define SLUICE_OUTPUT_BYTES_MAX 65536    /* of all outputs of a call, names included */
#define SLUICE_ALLOC_BYTES_MAX  67108864 /* of all sluice_alloc of a call */

/* The one symbol that the host looks up. -DSLUICE_STATIC builds a plugin to be linked into a test
 * or fuzz program: no note, the same entry; -DSLUICE_ENTRY=my_entry gives each its own name. */
#define SLUICE_ENTRY_SYMBOL "sluice_plugin_entry"
#ifndef SLUICE_ENTRY
#define SLUICE_ENTRY sluice_plugin_entry
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* [setup] the plugin's descriptor, a constant of the plugin; NULL: refused, err says why. */
__attribute__((visibility("default"))) const struct sluice_plugin *
SLUICE_ENTRY(const struct sluice_host *host, struct sluice_error *err);

#ifdef __cplusplus
}
#endif

/* SLUICE_PLUGIN(name, version, types, table, ...): once in a plugin, at the end of one file.
 * name and version are string literals; types is one with the names of the table's types, in its
 * order, separated by single spaces. After the table may follow .init = ..., .deinit = ...,
 * .get_extension = ... in this order. */
#define SLUICE_PLUGIN(plugin_name, plugin_version, types_text, ...)                                \
    SLUICE_NOTE_UNLESS_STATIC(plugin_name, plugin_version, types_text)                             \
    const struct sluice_plugin *SLUICE_ENTRY(const struct sluice_host *host,                       \
                                             struct sluice_error *err)                             \
    {                                                                                              \
        static const struct sluice_plugin plugin = {.size = sizeof(struct sluice_plugin),          \
                                                    .abi_major = SLUICE_ABI_MAJOR,                 \
                                                    .abi_minor = SLUICE_ABI_MINOR,                 \
                                                    .name = plugin_name,                           \
                                                    .version = plugin_version,                     \
                                                    .types = __VA_ARGS__};                         \
        return sluice_host_fits(host, err) ? &plugin : NULL;                                       \
    }

#ifdef SLUICE_STATIC
#define SLUICE_NOTE_UNLESS_STATIC(plugin_name, plugin_version, types_text)
#else
#define SLUICE_NOTE_UNLESS_STATIC(plugin_name, plugin_version, types_text)                         \
    SLUICE_NOTE(SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, plugin_name, plugin_version, types_text)
#endif

/* [setup] whether the host speaks this SDK's major version. */
static inline bool sluice_host_fits(const struct sluice_host *host, struct sluice_error *err)
{
    return host->abi_major == SLUICE_ABI_MAJOR ||
           sluice_error_set(err, "built for Sluice ABI %d, this host offers %d.%d",
                            SLUICE_ABI_MAJOR, host->abi_major, host->abi_minor);
}
