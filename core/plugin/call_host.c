/* call_host: the table of host functions; each finds its call by the context pointer. */
#include "plugin/call.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "plugin/call_log.h"
#include "plugin/name.h"
#include "support/clock.h"
#include "support/log.h"

static const int64_t wait_slice_ns = 10 * NS_PER_MS; /* where no descriptor can be made */

static struct call *call_of(const struct sluice_call *visible)
{
    return visible->context;
}

static bool host_cancelled(const struct sluice_call *visible)
{
    struct call *call = call_of(visible);
    return (atomic_load_explicit(&call->turn, memory_order_acquire) & CALL_CANCELLED) != 0;
}

/* The order matters: first the descriptor is visible, then the flag is read; call_cancel does the
 * reverse, so that at least one of the two writes the signal. */
static int host_cancel_fd(const struct sluice_call *visible)
{
    struct call *call = call_of(visible);
    int fd = atomic_load(&call->cancel_fd);
    if (fd >= 0)
        return fd;
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return -1;
    atomic_store(&call->cancel_fd, fd);
    if ((atomic_load(&call->turn) & CALL_CANCELLED) != 0)
        eventfd_write(fd, 1);
    return fd;
}

/* Sleeps until the time or until fd (-1: none) is readable. */
static void sleep_until(int fd, int64_t until_ns, int64_t now_ns)
{
    int64_t left_ns = until_ns - now_ns;
    if (fd < 0 && left_ns > wait_slice_ns)
        left_ns = wait_slice_ns;
    struct timespec left = {left_ns / NS_PER_S, left_ns % NS_PER_S};
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    ppoll(&readable, 1, &left, NULL); /* too early or EINTR: the caller looks at the clock */
}

static bool host_wait(const struct sluice_call *visible, int64_t ns)
{
    int64_t now_ns = clock_now_ns();
    int64_t until_ns = clock_add_ns(now_ns, ns < 0 ? 0 : ns);
    while (now_ns < until_ns && !host_cancelled(visible)) {
        sleep_until(host_cancel_fd(visible), until_ns, now_ns);
        now_ns = clock_now_ns();
    }
    return !host_cancelled(visible);
}

static int64_t host_deadline(const struct sluice_call *visible)
{
    return call_of(visible)->task.deadline_ns;
}

static void host_log(const struct sluice_host *host, const struct sluice_call *visible,
                     uint32_t level, const char *text)
{
    enum log_level at = level > SLUICE_ERROR ? LOG_ERROR : (enum log_level)level;
    if (text == NULL)
        return;
    if (visible == NULL) {
        LOG_AT(at, text, LOG_TEXT("plugin", host->context));
        return;
    }
    struct call *call = call_of(visible);
    LOG_AT(at, text, LOG_TEXT("task", call->task.task_id), LOG_TEXT("type", call->task.type));
    call_log_line(call, at, text);
}

static enum sluice_result host_print(const struct sluice_call *visible, const char *bytes,
                                     size_t length)
{
    if (bytes == NULL && length > 0)
        return SLUICE_E_INVALID;
    call_log_print(call_of(visible), bytes, length);
    return SLUICE_E_OK;
}

static void host_progress(const struct sluice_call *visible, uint64_t done, uint64_t total)
{
    struct call *call = call_of(visible);
    atomic_store_explicit(&call->progress->done, done, memory_order_relaxed);
    atomic_store_explicit(&call->progress->total, total, memory_order_relaxed);
}

/* Returns where the output of a name begins, or the end where there is none; *bytes is how much it
 * takes with name, text and their NULs. */
static size_t output_find(const struct buffer *outputs, const char *name, size_t *bytes)
{
    for (size_t at = 0; at < outputs->length; at += *bytes) {
        size_t name_bytes = strlen(outputs->bytes + at) + 1;
        *bytes = name_bytes + strlen(outputs->bytes + at + name_bytes) + 1;
        if (strcmp(outputs->bytes + at, name) == 0)
            return at;
    }
    *bytes = 0;
    return outputs->length;
}

/* Puts the output in place of the old_bytes at a place; nothing is refused any more. */
static void output_splice(struct buffer *outputs, size_t at, size_t old_bytes,
                          const struct sluice_pair *output, size_t length)
{
    size_t name_bytes = strlen(output->key) + 1;
    size_t new_bytes = name_bytes + length + 1;
    buffer_reserve(outputs, new_bytes);
    char *place = outputs->bytes + at;
    memmove(place + new_bytes, place + old_bytes, outputs->length - at - old_bytes);
    memcpy(place, output->key, name_bytes);
    memcpy(place + name_bytes, output->value, length);
    place[new_bytes - 1] = '\0';
    outputs->length += new_bytes - old_bytes;
}

static void warn_of_double(struct call *call, const char *name)
{
    if (call->outputs_doubled++ == 0)
        log_warning("output set twice: the last one wins", LOG_TEXT("output", name),
                    LOG_TEXT("task", call->task.task_id), LOG_TEXT("type", call->task.type));
}

static enum sluice_result host_output(const struct sluice_call *visible, const char *name,
                                      const char *text, size_t length)
{
    struct call *call = call_of(visible);
    if (name == NULL || text == NULL || !name_is_output(name))
        return SLUICE_E_INVALID;
    if (length >= CALL_OUTPUTS_MOST_BYTES)
        return SLUICE_E_TOO_BIG;
    if (memchr(text, '\0', length) != NULL)
        return SLUICE_E_INVALID;
    size_t old_bytes;
    size_t at = output_find(&call->outputs, name, &old_bytes);
    size_t bytes = call->outputs.length - old_bytes + strlen(name) + length + 2;
    if (bytes > CALL_OUTPUTS_MOST_BYTES ||
        (old_bytes == 0 && call->outputs_count == CALL_OUTPUTS_MOST))
        return SLUICE_E_TOO_BIG;
    output_splice(&call->outputs, at, old_bytes, &(struct sluice_pair){name, text}, length);
    if (old_bytes == 0)
        call->outputs_count++;
    else
        warn_of_double(call, name);
    return SLUICE_E_OK;
}

static void *host_alloc(const struct sluice_call *visible, size_t bytes)
{
    struct call *call = call_of(visible);
    if (bytes > CALL_ALLOC_MOST_BYTES - call->alloc_bytes)
        return NULL;
    void *memory = arena_alloc(&call->arena, bytes == 0 ? 1 : bytes, 16);
    if (memory == NULL)
        return NULL;
    call->alloc_bytes += bytes;
    return memset(memory, 0, bytes);
}

static const char *host_task_id(const struct sluice_call *visible)
{
    return call_of(visible)->task.task_id;
}

static const char *host_job_id(const struct sluice_call *visible)
{
    return call_of(visible)->task.job_id;
}

static uint32_t host_attempt(const struct sluice_call *visible)
{
    return call_of(visible)->task.attempt;
}

static const char *host_idempotency_key(const struct sluice_call *visible)
{
    struct call *call = call_of(visible);
    if (call->task.idempotency_key == NULL) {
        snprintf(call->key, sizeof call->key, "%s:%s", call->task.job_id, call->task.task_id);
        call->task.idempotency_key = call->key;
    }
    return call->task.idempotency_key;
}

static const char *host_label(const struct sluice_call *visible, const char *key)
{
    const struct sluice_map *labels = call_of(visible)->task.labels;
    for (size_t i = 0; labels != NULL && key != NULL && i < labels->count; i++) {
        if (strcmp(labels->pairs[i].key, key) == 0)
            return labels->pairs[i].value;
    }
    return NULL;
}

static const char *host_node(const struct sluice_call *visible)
{
    return call_of(visible)->node;
}

static void host_fail(const struct sluice_call *visible, enum sluice_status status,
                      const char *code, const char *message)
{
    struct call *call = call_of(visible);
    (void)status; /* the one that execute returns decides */
    const char *word = code != NULL && name_is_code(code) ? code : "failed";
    const char *text = message == NULL ? "" : message;
    snprintf(call->fail_code, sizeof call->fail_code, "%s", word);
    snprintf(call->fail_message, sizeof call->fail_message, "%s", text);
}

static void host_try_again(const struct sluice_call *visible, int64_t delay_ns)
{
    call_of(visible)->try_again_ns = delay_ns < 0 ? 0 : delay_ns;
}

static const void *host_get_extension(const struct sluice_host *host, const char *id)
{
    (void)host;
    (void)id;
    return NULL; /* this version has none */
}

const struct sluice_host *call_host(void)
{
    static const struct sluice_host host = {
        .size = sizeof host,
        .abi_major = SLUICE_ABI_MAJOR,
        .abi_minor = SLUICE_ABI_MINOR,
        .version = HOST_VERSION,
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
