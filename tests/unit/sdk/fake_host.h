/* fake_host: a host that serves one call after another and remembers what the plugin said, to drive
 * a plugin in its static form. Made by a test, on its stack; the test's thread, but for fake_cancel. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include <sluice/plugin.h>

enum { FAKE_ALLOCS_MOST = 256 };

struct fake {
    struct sluice_call call;
    void *worker;
    _Atomic bool cancelled;
    int cancel_fd;
    int64_t deadline_ns;
    uint64_t progress_done, progress_total;
    char log[2048]; /* the last line */
    int log_level;
    char printed[64 * 1024 + 1]; /* the first that was printed */
    size_t printed_bytes;        /* in all */
    size_t prints_count;
    struct {
        char name[SLUICE_NAME_MAX + 1];
        char *text;
    } outputs[SLUICE_OUTPUTS_MAX];
    size_t outputs_count;
    enum sluice_status fail_status;
    char fail_code[SLUICE_CODE_MAX + 1];
    char fail_message[SLUICE_MESSAGE_MAX];
    int64_t try_again_ns;
    void *allocs[FAKE_ALLOCS_MOST];
    size_t allocs_count;
};

/* Makes a call record ready, with attempt 1 of task "task" in job "job". */
void fake_init(struct fake *fake);

/* Frees everything that the calls left. */
void fake_fini(struct fake *fake);

/* Runs one call of a type from worker_init to worker_exit, after forgetting the last one's answers. */
enum sluice_status fake_execute(struct fake *fake, const struct sluice_type *type,
                                const void *params);

/* Cancels the call, or the next one. Any thread. */
void fake_cancel(struct fake *fake);

/* The text of an output, or NULL. */
const char *fake_output(const struct fake *fake, const char *name);

/* The host table that the calls use. */
const struct sluice_host *fake_host(void);
