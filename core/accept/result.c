#include "accept/result.h"

#include <stdlib.h>
#include <string.h>

struct result *result_create(uint32_t number)
{
    struct result *result = calloc(1, sizeof *result);
    if (result == NULL)
        abort();
    result->number = number;
    atomic_init(&result->shares, 1);
    atomic_init(&result->state, TASK_ACCEPTED);
    return result;
}

struct result *result_hold(struct result *result)
{
    atomic_fetch_add_explicit(&result->shares, 1, memory_order_relaxed);
    return result;
}

void result_release(struct result **result_pointer)
{
    struct result *result = *result_pointer;
    *result_pointer = NULL;
    if (result == NULL || atomic_fetch_sub_explicit(&result->shares, 1, memory_order_acq_rel) > 1)
        return;
    buffer_fini(&result->outputs);
    free(result);
}

void result_fill(struct result *result, enum task_state state, const struct buffer *outputs)
{
    if (state == TASK_SUCCEEDED && outputs != NULL)
        buffer_append(&result->outputs, outputs->bytes, outputs->length);
    atomic_store_explicit(&result->state, (int)state, memory_order_release);
}

const char *result_output(const struct result *result, const char *name)
{
    const char *at = result->outputs.bytes, *end = at + result->outputs.length;
    while (at < end) {
        const char *text = at + strlen(at) + 1;
        if (strcmp(at, name) == 0)
            return text;
        at = text + strlen(text) + 1;
    }
    return NULL;
}
