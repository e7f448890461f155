#include "accept/figures.h"

#include <stdlib.h>

struct figures {
    _Atomic uint32_t end; /* all numbers of types are below */
    _Atomic(struct type_figures *) by_number[REGISTRY_TYPES_MOST]; /* NULL: nothing yet */
};

struct figures *figures_create(void)
{
    struct figures *figures = calloc(1, sizeof *figures);
    if (figures == NULL)
        abort();
    return figures;
}

void figures_destroy(struct figures **figures_pointer)
{
    struct figures *figures = *figures_pointer;
    if (figures == NULL)
        return;
    for (uint32_t i = 0; i < atomic_load(&figures->end); i++)
        free(atomic_load(&figures->by_number[i]));
    free(figures);
    *figures_pointer = NULL;
}

static void raise_end(struct figures *figures, uint32_t end)
{
    uint32_t before = atomic_load(&figures->end);
    while (before < end && !atomic_compare_exchange_weak(&figures->end, &before, end))
        continue;
}

/* Whoever comes second throws his own away. */
static struct type_figures *make(struct figures *figures, const struct type *type)
{
    struct type_figures *made = calloc(1, sizeof *made), *there = NULL;
    if (made == NULL)
        abort();
    made->type = type;
    if (!atomic_compare_exchange_strong(&figures->by_number[type->number], &there, made)) {
        free(made);
        return there;
    }
    raise_end(figures, type->number + 1);
    return made;
}

static struct type_figures *find_or_make(struct figures *figures, const struct type *type)
{
    struct type_figures *of_type =
        atomic_load_explicit(&figures->by_number[type->number], memory_order_acquire);
    return of_type != NULL ? of_type : make(figures, type);
}

static void add(_Atomic uint64_t *to, uint64_t more)
{
    atomic_fetch_add_explicit(to, more, memory_order_relaxed);
}

void figures_submit(struct figures *figures, const struct task_list *tasks)
{
    const struct task *task = tasks->head;
    while (task != NULL) {
        const struct type *type = task->type;
        uint32_t in_a_row = 0;
        for (; task != NULL && task->type == type; task = task->next)
            in_a_row++;
        add(&find_or_make(figures, type)->submitted, in_a_row);
    }
}

void figures_crash(struct figures *figures, const struct type *type, enum crash_reason reason)
{
    add(&find_or_make(figures, type)->crashes[reason], 1);
}

static void flush_finished(struct type_figures *of_type, struct figures_tally *tally)
{
    for (int state = TASK_SUCCEEDED; state < TASK_STATE_COUNT; state++) {
        if (tally->finished[state] == 0)
            continue;
        add(&of_type->finished[state], tally->finished[state]);
        tally->finished[state] = 0;
    }
}

void figures_flush(struct figures_tally *tally)
{
    struct type_figures *of_type = tally->of_type;
    if (of_type == NULL)
        return;
    histogram_merge(&of_type->latency, &tally->latency);
    histogram_merge(&of_type->wait, &tally->wait);
    histogram_merge(&of_type->run, &tally->run);
    flush_finished(of_type, tally);
    if (tally->retries > 0)
        add(&of_type->retries, tally->retries);
    tally->retries = 0;
}

void figures_change(struct figures *figures, struct figures_tally *tally, const struct type *type)
{
    figures_flush(tally);
    tally->type = type;
    tally->of_type = find_or_make(figures, type);
}

void figures_visit(struct figures *figures,
                   void (*visit)(void *context, struct type_figures *of_type), void *context)
{
    uint32_t end = atomic_load(&figures->end);
    for (uint32_t i = 0; i < end; i++) {
        struct type_figures *of_type =
            atomic_load_explicit(&figures->by_number[i], memory_order_acquire);
        if (of_type != NULL)
            visit(context, of_type);
    }
}

const char *crash_reason_word(enum crash_reason reason)
{
#define CRASH(name, word, what) [CRASH_##name] = word,
    static const char *const words[] = {
#include "accept/crash_reasons.def"
    };
#undef CRASH
    return words[reason];
}
