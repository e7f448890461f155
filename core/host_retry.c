/* Tasks that have failed for good and are tried again: a page of them at a time, for which the
 * store waits for the disk once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job_again.h"
#include "host_internal.h"

enum { PAGE = 256 };

/* One dead letter on its way back. */
struct candidate {
    struct job_again again;
    const struct type *type;
    const char *unique; /* inside again; NULL: none */
    char name[STORE_HOLDER_BYTES];
    bool fits;       /* room and key are taken for it */
    struct job *job; /* once it is taken up */
};

struct page {
    struct host *host;
    struct host_retried *retried;
    struct candidate items[PAGE];
    size_t count;
    size_t next; /* which of them the store has not answered for */
};

/* ---- what may be tried again ---- */

static bool note(void *context, const struct store_task *task)
{
    struct page *page = context;
    struct candidate *candidate = &page->items[page->count++];
    job_again_note(&candidate->again, task);
    snprintf(candidate->name, sizeof candidate->name, "%s:%s", task->job->given.id, task->given.id);
    return page->count < PAGE;
}

static bool find_type(struct host *host, struct candidate *candidate, struct error *error)
{
    const char *type = job_again_type(&candidate->again);
    const struct offer *offer = NULL;
    switch (registry_peek(host->registry, type, strlen(type), &offer, error)) {
    case REGISTRY_FOUND:
        candidate->type = offer->type; /* a type stays */
        registry_unpin(host->registry, offer);
        return true;
    case REGISTRY_LOADING:
        return false;
    case REGISTRY_UNKNOWN:
    case REGISTRY_REFUSED:
        break;
    }
    return error_set(error, "no_plugin", "no plugin has its type '%s'", type);
}

/* What has just ended is in the host for a moment more. What is tried again lets its job go on, so
 * that it waits for what was cancelled to come to its end; what is cancelled after this stays
 * so. */
static bool has_ended(struct host *host, const struct candidate *candidate, struct error *error)
{
    struct job *before = job_table_find(host->served.table, candidate->name);
    if (before != NULL) {
        job_let_go(before);
        return error_set(error, "ending", "its last attempt is only just ending: try again");
    }
    before = job_table_find(host->served.table, candidate->again.job);
    bool cancelled = before != NULL && atomic_load(&before->stop) == JOB_CANCELLED;
    if (before != NULL)
        job_let_go(before);
    return (!cancelled && !candidate->again.job_is_ending) ||
           error_set(error, "ending", "its job was cancelled and is only just ending: try again");
}

static bool is_fit(struct host *host, struct candidate *candidate, struct error *error)
{
    if (candidate->again.late)
        return error_set(error, "refers_to_results",
                         "its parameters refer to results of other tasks, which are gone: run its "
                         "job again");
    if (candidate->again.is_damaged)
        return error_set(error, "damaged", "its record is damaged: see `sluice fsck'");
    candidate->unique = job_again_unique(&candidate->again);
    return find_type(host, candidate, error) && has_ended(host, candidate, error);
}

/* Else it would be skipped, and be no dead letter any more. */
static bool claim(struct host *host, const struct candidate *candidate, struct error *error)
{
    char holder[STORE_HOLDER_BYTES];
    if (candidate->unique == NULL)
        return true;
    if (!store_claim(host->stages.store, candidate->unique, candidate->name, holder, error))
        return false;
    if (holder[0] == '\0')
        return true;
    if (strcmp(holder, candidate->name) == 0) /* and is about to give it back */
        return error_set(error, "ending", "its last attempt is only just ending: try again");
    return error_set(error, "unique", "'%s' waits or runs and has the same unique key '%s'", holder,
                     candidate->unique);
}

static void give_back(struct host *host, struct candidate *candidate)
{
    struct error error;
    if (candidate->unique != NULL)
        store_release(host->stages.store, candidate->unique, candidate->name, &error);
    if (room_give(&host->stages.pending, 1))
        loop_wake(host->loop);
    candidate->fits = false;
}

static bool take_room(struct host *host, struct error *error)
{
    return room_reserve(&host->stages.pending, 1) ||
           error_set(error, "pending_full", "as many tasks wait or run as max_pending allows");
}

static void choose(struct page *page, struct candidate *candidate)
{
    struct host *host = page->host;
    struct error error;
    if (!is_fit(host, candidate, &error)) {
        candidate->fits = false;
    } else if (take_room(host, &error)) {
        candidate->fits = true;
        if (claim(host, candidate, &error))
            return;
        candidate->unique = NULL; /* another's */
        give_back(host, candidate);
    }
    if (page->retried->left++ == 0)
        page->retried->why = error;
}

/* ---- taking them up ---- */

/* The store visits them in the order of the places. */
static bool take_up(void *context, const struct store_task *task)
{
    struct page *page = context;
    struct candidate *candidate = &page->items[page->next];
    while (candidate->again.key != task->job->key || candidate->again.number != task->number)
        candidate = &page->items[++page->next];
    page->next++;
    candidate->job = job_again_make(task, &page->host->stages.chunks, candidate->type);
    return true;
}

/* What is unique comes in through the door where keys are taken. */
static void enter(struct host *host, struct candidate *candidate, struct task_list *ready,
                  struct task_list *unique)
{
    struct task_list tasks;
    struct job *job = candidate->job;
    if (!job_table_add(host->served.table, job, candidate->name))
        abort(); /* it is in the host, so it was no dead letter */
    task_list_init(&tasks);
    job_take_tasks(job, 1, &tasks);
    job_count_submitted(job, 1);
    tasks.head->submitted_ns = clock_now_ns();
    if (tasks.head->unique != NULL) {
        task_list_append(unique, &tasks);
        return;
    }
    tasks.head->due_ns = tasks.head->submitted_ns;
    task_move(tasks.head, TASK_READY);
    task_list_append(ready, &tasks);
}

/* From here on they are tasks as all others. */
static void enter_all(struct page *page)
{
    struct host *host = page->host;
    const struct intake *intake = &host->stages.intake;
    struct task_list ready, unique;
    task_list_init(&ready);
    task_list_init(&unique);
    for (size_t i = 0; i < page->count; i++)
        if (page->items[i].job != NULL)
            enter(host, &page->items[i], &ready, &unique);
    if (unique.count > 0 && room_put_aside(intake->pending, unique.count))
        intake->room_reached(intake->context);
    if (unique.count > 0)
        intake->release(intake->context, &unique);
    stages_feed(&host->stages, &ready);
    for (size_t i = 0; i < page->count; i++)
        if (page->items[i].job != NULL && job_count_ended(page->items[i].job, TASK_ACCEPTED, 1))
            host->source->job_over(host, page->items[i].job);
}

/* Those that another has taken up or dropped meanwhile are none any more. */
static bool requeue(struct page *page, struct error *error)
{
    struct host *host = page->host;
    struct store_position at[PAGE];
    size_t count = 0;
    for (size_t i = 0; i < page->count; i++)
        if (page->items[i].fits)
            at[count++] =
                (struct store_position){page->items[i].again.key, page->items[i].again.number};
    bool done = store_requeue_at(host->stages.store, &(struct store_places){at, count}, take_up,
                                 page, error);
    for (size_t i = 0; i < page->count; i++) {
        page->retried->tasks += page->items[i].job != NULL;
        if (page->items[i].fits && page->items[i].job == NULL)
            give_back(host, &page->items[i]);
    }
    enter_all(page);
    return done;
}

static bool retry_page(struct page *page, const struct store_query *query, struct error *error)
{
    if (!store_visit(page->host->stages.store, query, note, page, error))
        return false;
    for (size_t i = 0; i < page->count; i++)
        choose(page, &page->items[i]);
    return requeue(page, error);
}

static void page_clear(struct page *page)
{
    for (size_t i = 0; i < page->count; i++)
        job_again_fini(&page->items[i].again);
    *page = (struct page){.host = page->host, .retried = page->retried};
}

bool host_retry(struct host *host, const struct store_query *query, struct host_retried *retried,
                struct error *error)
{
    struct store_query rest = *query;
    struct page *page = calloc(1, sizeof *page);
    if (page == NULL)
        abort();
    *retried = (struct host_retried){0};
    page->host = host;
    page->retried = retried;
    bool right, more = true;
    do {
        right = retry_page(page, &rest, error);
        more = page->count == PAGE;
        if (more) {
            const struct job_again *last = &page->items[PAGE - 1].again;
            rest.resume = true;
            rest.after = (struct store_position){last->key, last->number};
        }
        page_clear(page);
    } while (right && more);
    free(page);
    return right;
}
