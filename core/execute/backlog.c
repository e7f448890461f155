#include "execute/backlog.h"

#include <stdlib.h>

#include "support/clock.h"

void backlog_init(struct backlog *backlog, int64_t max_age_ns)
{
    *backlog = (struct backlog){.max_age_ns = max_age_ns};
    queue_init(&backlog->queue, max_age_ns);
}

void backlog_set_max_age(struct backlog *backlog, int64_t max_age_ns)
{
    backlog->max_age_ns = backlog->queue.max_age_ns = max_age_ns;
    for (struct aside *aside = backlog->asides; aside != NULL; aside = aside->next)
        aside->queue.max_age_ns = max_age_ns;
}

struct aside *backlog_find(const struct backlog *backlog, const struct job *job)
{
    struct aside *aside = backlog->asides;
    while (aside != NULL && aside->job != job)
        aside = aside->next;
    return aside;
}

struct aside *backlog_find_type(const struct backlog *backlog, const struct type *type)
{
    struct aside *aside = backlog->asides;
    while (aside != NULL && aside->type != type)
        aside = aside->next;
    return aside;
}

/* Where tasks like this one are that came after it; NULL: in the queue. */
static struct aside *place_of(const struct backlog *backlog, const struct task *task)
{
    struct aside *aside = backlog_find_type(backlog, task->type);
    return aside != NULL ? aside : backlog_find(backlog, task->job);
}

void backlog_put_back(struct backlog *backlog, struct task_list *tasks)
{
    size_t count = tasks->count;
    struct aside *aside = count > 0 ? place_of(backlog, tasks->head) : NULL;
    queue_put_back(aside == NULL ? &backlog->queue : &aside->queue, tasks);
    if (aside != NULL)
        backlog->aside_count += count;
}

/* Whether one task goes before another that came later. */
static bool goes_first(const struct backlog *backlog, const struct task *one,
                       const struct task *other)
{
    if (one->priority == other->priority)
        return one->due_ns <= other->due_ns;
    int64_t aged_ns = clock_now_ns() - backlog->max_age_ns;
    bool aged = one->due_ns < aged_ns, other_aged = other->due_ns < aged_ns;
    if (aged || other_aged)
        return aged && (!other_aged || one->due_ns <= other->due_ns);
    return one->priority > other->priority;
}

/* The first among those aside; NULL: there is none. */
static struct task *head_aside(const struct backlog *backlog, enum backlog_choice choice,
                               struct aside **from)
{
    struct task *first = NULL;
    for (struct aside *aside = backlog->asides; aside != NULL; aside = aside->next) {
        struct task *head = aside->waits ? NULL : queue_head(&aside->queue);
        bool may = choice == BACKLOG_ANY || aside->has_grant;
        if (head == NULL || !may || (first != NULL && !goes_first(backlog, head, first)))
            continue;
        first = head;
        *from = aside;
    }
    return first;
}

/* Weight in hand is not left unused: what it is for goes before all others. */
struct task *backlog_head(const struct backlog *backlog, enum backlog_choice choice,
                          struct aside **from)
{
    *from = NULL;
    if (backlog->asides == NULL)
        return choice == BACKLOG_ANY ? queue_head(&backlog->queue) : NULL;
    struct task *head = head_aside(backlog, BACKLOG_GRANTED, from);
    if (head != NULL || choice == BACKLOG_GRANTED)
        return head;
    head = queue_head(&backlog->queue);
    struct aside *place = NULL;
    struct task *aside = head_aside(backlog, BACKLOG_ANY, &place);
    if (aside == NULL || (head != NULL && !goes_first(backlog, aside, head)))
        return head;
    *from = place;
    return aside;
}

size_t backlog_length(const struct backlog *backlog, const struct aside *from)
{
    return from == NULL ? backlog->queue.count : from->queue.count;
}

static struct aside *make(struct backlog *backlog)
{
    struct aside *aside = calloc(1, sizeof *aside);
    if (aside == NULL)
        abort();
    queue_init(&aside->queue, backlog->max_age_ns);
    aside->next = backlog->asides;
    backlog->asides = aside;
    return aside;
}

static void move(struct backlog *backlog, struct aside *from, struct aside *to, struct task *head)
{
    queue_pop(from == NULL ? &backlog->queue : &from->queue, head);
    queue_push(&to->queue, head);
    backlog->aside_count += from == NULL;
}

struct aside *backlog_step_aside(struct backlog *backlog, struct aside *from, struct task *head)
{
    struct aside *aside = backlog_find(backlog, head->job);
    if (aside == NULL) {
        aside = make(backlog);
        aside->job = head->job;
    }
    if (aside != from)
        move(backlog, from, aside, head);
    return aside;
}

struct aside *backlog_await_turn(struct backlog *backlog, struct aside *from, struct task *head)
{
    struct aside *aside = backlog_find_type(backlog, head->type);
    if (aside == NULL) {
        aside = make(backlog);
        aside->type = head->type;
    }
    if (aside != from)
        move(backlog, from, aside, head);
    return aside;
}

void backlog_tidy(struct backlog *backlog, struct aside *aside)
{
    if (aside == NULL || aside->queue.count > 0 || aside->waits || aside->has_grant)
        return;
    struct aside **at = &backlog->asides;
    while (*at != aside)
        at = &(*at)->next;
    *at = aside->next;
    free(aside);
}

void backlog_purge(struct backlog *backlog, const struct purge *purge, struct task_list *purged)
{
    queue_purge(&backlog->queue, purge, purged);
    size_t before = purged->count;
    for (struct aside *aside = backlog->asides, *next; aside != NULL; aside = next) {
        next = aside->next;
        queue_purge(&aside->queue, purge, purged);
        backlog_tidy(backlog, aside);
    }
    backlog->aside_count -= purged->count - before;
}

static int64_t older_ns(int64_t one_ns, int64_t other_ns)
{
    return one_ns == 0 || (other_ns != 0 && other_ns < one_ns) ? other_ns : one_ns;
}

int64_t backlog_oldest_ns(const struct backlog *backlog)
{
    int64_t oldest_ns = queue_oldest_ns(&backlog->queue);
    for (struct aside *aside = backlog->asides; aside != NULL; aside = aside->next)
        oldest_ns = older_ns(oldest_ns, queue_oldest_ns(&aside->queue));
    return oldest_ns;
}
