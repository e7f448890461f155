#include "execute/queue.h"

#include <assert.h>

#include "accept/job.h"
#include "support/clock.h"

void queue_init(struct queue *queue, int64_t max_age_ns)
{
    *queue = (struct queue){.max_age_ns = max_age_ns};
    for (size_t i = 0; i < QUEUE_LEVELS; i++)
        task_list_init(&queue->levels[i]);
}

static size_t level_of(const struct task *task)
{
    return (size_t)(TASK_PRIORITY_MAX - task->priority);
}

static void mark(struct queue *queue, size_t level)
{
    uint64_t bit = UINT64_C(1) << level % 64;
    if (queue->levels[level].count > 0)
        queue->filled[level / 64] |= bit;
    else
        queue->filled[level / 64] &= ~bit;
}

void queue_push(struct queue *queue, struct task *task)
{
    size_t level = level_of(task);
    task_list_push(&queue->levels[level], task);
    mark(queue, level);
    queue->count++;
}

static void push_front(struct queue *queue, struct task *task)
{
    size_t level = level_of(task);
    struct task_list *list = &queue->levels[level];
    if (list->count == 0) {
        queue_push(queue, task);
        return;
    }
    task->next = list->head;
    list->head = task;
    list->count++;
    queue->count++;
}

/* From the last to the first, since ageing may have mixed the priorities of a batch. */
void queue_put_back(struct queue *queue, struct task_list *tasks)
{
    struct task *last = NULL;
    for (struct task *task; (task = task_list_pop(tasks)) != NULL; last = task)
        task->next = last;
    for (struct task *task = last, *before; task != NULL; task = before) {
        before = task->next;
        push_front(queue, task);
    }
}

enum { WORDS = (QUEUE_LEVELS + 63) / 64 };

/* Of all the heads (there are some) the one that is ready longest, if longer than max_age. */
static struct task *aged_head(const struct queue *queue)
{
    struct task *oldest = NULL;
    for (size_t word = 0; word < WORDS; word++)
        for (uint64_t bits = queue->filled[word]; bits != 0; bits &= bits - 1) {
            struct task *head = queue->levels[word * 64 + (size_t)__builtin_ctzll(bits)].head;
            if (oldest == NULL || head->due_ns < oldest->due_ns)
                oldest = head;
        }
    return clock_now_ns() - oldest->due_ns > queue->max_age_ns ? oldest : NULL;
}

static struct task *highest_head(const struct queue *queue)
{
    for (size_t word = 0; word < WORDS; word++)
        if (queue->filled[word] != 0)
            return queue->levels[word * 64 + (size_t)__builtin_ctzll(queue->filled[word])].head;
    return NULL;
}

struct task *queue_head(const struct queue *queue)
{
    struct task *highest = highest_head(queue);
    if (highest == NULL || queue->levels[level_of(highest)].count == queue->count)
        return highest; /* a single level ages as a whole */
    struct task *aged = aged_head(queue);
    return aged != NULL ? aged : highest;
}

void queue_pop(struct queue *queue, struct task *head)
{
    size_t level = level_of(head);
    assert(queue->levels[level].head == head);
    task_list_pop(&queue->levels[level]);
    mark(queue, level);
    queue->count--;
}

/* Within a single level the next is simply the next: 20 instructions instead of 70. */
struct task *queue_pop_next(struct queue *queue, struct task *head)
{
    struct task_list *level = &queue->levels[level_of(head)];
    if (level->count == 1 || level->count != queue->count) {
        queue_pop(queue, head);
        return queue_head(queue);
    }
    assert(level->head == head);
    task_list_pop(level);
    queue->count--;
    return level->head;
}

bool purge_takes(const struct purge *purge, const struct task *task)
{
    return (purge->job == NULL || task->job == purge->job) &&
           (purge->what == PURGE_ALL || job_stops(task));
}

static void purge_level(struct task_list *level, const struct purge *purge,
                        struct task_list *purged)
{
    struct task_list kept;
    task_list_init(&kept);
    for (struct task *task; (task = task_list_pop(level)) != NULL;)
        task_list_push(purge_takes(purge, task) ? purged : &kept, task);
    task_list_append(level, &kept);
}

void queue_purge(struct queue *queue, const struct purge *purge, struct task_list *purged)
{
    size_t before = purged->count;
    for (size_t level = 0; level < QUEUE_LEVELS; level++) {
        purge_level(&queue->levels[level], purge, purged);
        mark(queue, level);
    }
    queue->count -= purged->count - before;
}

int64_t queue_oldest_ns(const struct queue *queue)
{
    int64_t oldest_ns = 0;
    for (size_t word = 0; word < WORDS; word++)
        for (uint64_t bits = queue->filled[word]; bits != 0; bits &= bits - 1) {
            size_t level = word * 64 + (size_t)__builtin_ctzll(bits);
            int64_t submitted_ns = queue->levels[level].head->submitted_ns;
            if (oldest_ns == 0 || submitted_ns < oldest_ns)
                oldest_ns = submitted_ns;
        }
    return oldest_ns;
}
