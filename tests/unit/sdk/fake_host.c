#include "fake_host.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct fake *fake_of(const struct sluice_call *call)
{
    return call->context;
}

static bool host_cancelled(const struct sluice_call *call)
{
    return atomic_load(&fake_of(call)->cancelled);
}

static int host_cancel_fd(const struct sluice_call *call)
{
    return fake_of(call)->cancel_fd;
}

static bool host_wait(const struct sluice_call *call, int64_t ns)
{
    struct pollfd fd = {.fd = fake_of(call)->cancel_fd, .events = POLLIN};
    return poll(&fd, 1, (int)(ns / 1000000)) == 0;
}

static int64_t host_deadline(const struct sluice_call *call)
{
    return fake_of(call)->deadline_ns;
}

static void host_log(const struct sluice_host *host, const struct sluice_call *call, uint32_t level,
                     const char *text)
{
    assert(host == fake_host());
    if (!call)
        return;
    struct fake *fake = fake_of(call);
    snprintf(fake->log, sizeof fake->log, "%s", text);
    fake->log_level = (int)level;
}

static void host_progress(const struct sluice_call *call, uint64_t done, uint64_t total)
{
    fake_of(call)->progress_done = done;
    fake_of(call)->progress_total = total;
}

static enum sluice_result host_output(const struct sluice_call *call, const char *name,
                                      const char *text, size_t length)
{
    struct fake *fake = fake_of(call);
    if (!name || !text || memchr(text, 0, length))
        return SLUICE_E_INVALID;
    if (fake->outputs_count == SLUICE_OUTPUTS_MAX || length > SLUICE_OUTPUT_BYTES_MAX)
        return SLUICE_E_TOO_BIG;
    size_t i = fake->outputs_count++;
    snprintf(fake->outputs[i].name, sizeof fake->outputs[i].name, "%s", name);
    fake->outputs[i].text = strndup(text, length);
    return SLUICE_E_OK;
}

static void *host_alloc(const struct sluice_call *call, size_t bytes)
{
    struct fake *fake = fake_of(call);
    if (fake->allocs_count == FAKE_ALLOCS_MOST || bytes > SLUICE_ALLOC_BYTES_MAX)
        return NULL;
    return fake->allocs[fake->allocs_count++] = calloc(1, bytes);
}

static const char *host_task_id(const struct sluice_call *call)
{
    (void)call;
    return "task";
}

static const char *host_job_id(const struct sluice_call *call)
{
    (void)call;
    return "job";
}

static uint32_t host_attempt(const struct sluice_call *call)
{
    (void)call;
    return 1;
}

static const char *host_idempotency_key(const struct sluice_call *call)
{
    (void)call;
    return "job:task";
}

static const char *host_label(const struct sluice_call *call, const char *key)
{
    (void)call;
    return strcmp(key, "region") == 0 ? "sh" : NULL;
}

static const char *host_node(const struct sluice_call *call)
{
    (void)call;
    return "here";
}

static void host_fail(const struct sluice_call *call, enum sluice_status status, const char *code,
                      const char *message)
{
    struct fake *fake = fake_of(call);
    fake->fail_status = status;
    snprintf(fake->fail_code, sizeof fake->fail_code, "%s", code);
    snprintf(fake->fail_message, sizeof fake->fail_message, "%s", message);
}

static void host_try_again(const struct sluice_call *call, int64_t delay_ns)
{
    fake_of(call)->try_again_ns = delay_ns;
}

static const void *host_get_extension(const struct sluice_host *host, const char *id)
{
    return strcmp(id, "test.extension/1") == 0 ? host : NULL;
}

static enum sluice_result host_print(const struct sluice_call *call, const char *bytes,
                                     size_t length)
{
    struct fake *fake = fake_of(call);
    size_t room = sizeof fake->printed - 1;
    room -= fake->printed_bytes < room ? fake->printed_bytes : room;
    memcpy(fake->printed + fake->printed_bytes, bytes, length < room ? length : room);
    fake->printed_bytes += length;
    fake->prints_count++;
    return SLUICE_E_OK;
}

const struct sluice_host *fake_host(void)
{
    static const struct sluice_host host = {
        .size = sizeof(struct sluice_host),
        .abi_major = SLUICE_ABI_MAJOR,
        .abi_minor = SLUICE_ABI_MINOR,
        .version = "fake",
        .cancelled = host_cancelled,
        .cancel_fd = host_cancel_fd,
        .wait = host_wait,
        .deadline = host_deadline,
        .log = host_log,
        .progress = host_progress,
        .output = host_output,
        .alloc = host_alloc,
        .task_id = host_task_id,
        .job_id = host_job_id,
        .attempt = host_attempt,
        .idempotency_key = host_idempotency_key,
        .label = host_label,
        .node = host_node,
        .fail = host_fail,
        .try_again = host_try_again,
        .get_extension = host_get_extension,
        .print = host_print,
    };
    return &host;
}

void fake_init(struct fake *fake)
{
    *fake = (struct fake){.cancel_fd = eventfd(0, EFD_CLOEXEC), .deadline_ns = INT64_MAX};
    assert(fake->cancel_fd >= 0);
    fake->call =
        (struct sluice_call){.size = sizeof fake->call, .host = fake_host(), .context = fake};
}

static void answers_forget(struct fake *fake)
{
    for (size_t i = 0; i < fake->outputs_count; i++)
        free(fake->outputs[i].text);
    for (size_t i = 0; i < fake->allocs_count; i++)
        free(fake->allocs[i]);
    fake->outputs_count = fake->allocs_count = 0;
    memset(fake->printed, 0, sizeof fake->printed);
    fake->printed_bytes = fake->prints_count = 0;
    fake->fail_status = SLUICE_OK;
    fake->fail_code[0] = fake->fail_message[0] = fake->log[0] = 0;
    fake->try_again_ns = 0;
}

void fake_fini(struct fake *fake)
{
    answers_forget(fake);
    close(fake->cancel_fd);
}

enum sluice_status fake_execute(struct fake *fake, const struct sluice_type *type,
                                const void *params)
{
    struct sluice_error err = {.size = sizeof err};
    answers_forget(fake);
    fake->call.worker = NULL;
    if (type->worker_init && !type->worker_init(fake->call.self, &fake->call.worker, &err)) {
        fprintf(stderr, "worker_init: %s\n", err.message);
        abort();
    }
    enum sluice_status status = type->execute(&fake->call, params);
    if (type->worker_exit)
        type->worker_exit(fake->call.self, fake->call.worker);
    return status;
}

void fake_cancel(struct fake *fake)
{
    atomic_store(&fake->cancelled, true);
    eventfd_write(fake->cancel_fd, 1);
}

const char *fake_output(const struct fake *fake, const char *name)
{
    for (size_t i = fake->outputs_count; i-- > 0;)
        if (strcmp(fake->outputs[i].name, name) == 0)
            return fake->outputs[i].text;
    return NULL;
}
