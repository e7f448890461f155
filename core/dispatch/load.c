#include "dispatch/load.h"

#include <stdbool.h>
#include <stdlib.h>

#include "support/memory.h"

void *load_create(void)
{
    struct load *load = calloc(1, sizeof *load);
    if (load == NULL)
        abort();
    return load;
}

void load_destroy(void *state)
{
    struct load *load = state;
    free(load->tasks);
    free(load);
}

/* Whether one candidate has less to do than another. */
static bool is_less(const struct load *load, const struct plan *plan, size_t one, size_t other)
{
    const struct candidate *a = &plan->candidates[one], *b = &plan->candidates[other];
    uint64_t of_a = load->tasks[one] * b->workers, of_b = load->tasks[other] * a->workers;
    return of_a != of_b ? of_a < of_b : a->cpu_milli < b->cpu_milli;
}

/* Whoever comes first in turn keeps its place against its equals. */
static size_t pick(const struct load *load, const struct plan *plan, uint32_t extra_labels_most)
{
    size_t count = plan->candidates_count, best = count;
    for (size_t i = 0; i < count; i++) {
        size_t at = (load->turn + i) % count;
        if (plan->candidates[at].extra_labels <= extra_labels_most &&
            (best == count || is_less(load, plan, at, best)))
            best = at;
    }
    return best;
}

void load_plan(struct load *load, const struct plan *plan, uint32_t extra_labels_most,
               uint32_t *out)
{
    load->tasks = memory_grow(load->tasks, plan->candidates_count, sizeof *load->tasks);
    for (size_t i = 0; i < plan->candidates_count; i++)
        load->tasks[i] = plan->candidates[i].queued + plan->candidates[i].running;
    for (size_t i = 0; i < plan->tasks_count; i++) {
        size_t best = pick(load, plan, extra_labels_most);
        load->tasks[best]++;
        load->turn = best + 1;
        out[i] = (uint32_t)best;
    }
}
