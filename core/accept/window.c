/* Most tasks of a stream need nothing and are not needed: such a task costs a word in a ring when
 * it is added, and one exchange there when it ends. Who needs others or is needed has a node, in a
 * table under a lock, until it has ended; a bit in its word says so. Whoever ends a task sees the
 * bit, or the reader, which sets it, sees that the task has ended: both happen to the same word. A
 * word that a later task has taken over tells nothing, so then the table is asked. */
#include "accept/window.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job.h"
#include "support/thread.h"

enum {
    STATE_MASK = 0x0f, /* its final state; TASK_ACCEPTED: it has not ended */
    HAS_NODE = 0x10,
    WAITS = 0x20,
    TURN_SHIFT = 8,               /* above: the number of the task, without its place in the ring */
    RING = 2 * JOB_STREAM_WINDOW, /* the window, the task that looks at it, and a power of two */
};

/* One task that waits for another. */
struct wait {
    struct node *dependent;
    struct wait *next; /* of those that wait for the same */
};

struct node {
    struct node *next; /* in its slot of the table */
    uint32_t number;
    uint32_t shares;   /* what it needs and has not ended, and its own one; 0: it waits no more */
    struct task *task; /* NULL once it has ended */
    struct wait *waits;
    struct wait *first, **last; /* of its dependents */
    struct needed needed;
    char *id; /* what needed.id points to */
    uint32_t unlucky;
    struct result *result; /* somebody refers to it; NULL: nobody */
};

struct window {
    _Atomic uint32_t words[RING];
    struct mutex lock;
    struct node *table[JOB_STREAM_WINDOW]; /* guarded by lock, with all nodes */
    /* guarded by lock */
    size_t nodes_count;
    struct result **kept; /* with outputs, by number; NULL: no task has had any */
    size_t kept_bytes;
    uint32_t oldest; /* place in kept where those stand that are let go first */
    bool forgotten;  /* some were */
};

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        abort();
    return memory;
}

static _Atomic uint32_t *word_of(struct window *window, uint32_t number)
{
    return &window->words[number % RING];
}

static uint32_t turn_of(uint32_t number)
{
    return number / RING << TURN_SHIFT;
}

struct window *window_create(void)
{
    struct window *window = zeroed(1, sizeof *window);
    mutex_init(&window->lock);
    return window;
}

static void node_free(struct node *node)
{
    free(node->waits);
    free(node->id);
    result_release(&node->result);
    free(node);
}

void window_destroy(struct window **window_pointer)
{
    struct window *window = *window_pointer;
    if (window == NULL)
        return;
    for (size_t i = 0; window->nodes_count > 0; i++)
        for (struct node *node = window->table[i], *next; node != NULL; node = next) {
            next = node->next;
            node_free(node);
            window->nodes_count--;
        }
    for (size_t i = 0; window->kept != NULL && i < JOB_STREAM_WINDOW; i++)
        result_release(&window->kept[i]);
    free(window->kept);
    mutex_fini(&window->lock);
    free(window);
    *window_pointer = NULL;
}

/* ---- nodes; the lock is held ---- */

static struct node **place_of(struct window *window, uint32_t number)
{
    struct node **place = &window->table[number % JOB_STREAM_WINDOW];
    while (*place != NULL && (*place)->number != number)
        place = &(*place)->next;
    return place;
}

static struct node *node_make(struct window *window, uint32_t number)
{
    struct node **place = place_of(window, number);
    if (*place != NULL)
        return *place;
    *place = zeroed(1, sizeof **place);
    window->nodes_count++;
    (*place)->number = number;
    (*place)->last = &(*place)->first;
    return *place;
}

static void node_remove(struct window *window, uint32_t number)
{
    struct node **place = place_of(window, number), *node = *place;
    *place = node->next;
    node_free(node);
    window->nodes_count--;
}

/* Notes how something that the node needs has ended. */
static void node_hears(struct node *node, uint32_t number, const char *id, enum task_state state)
{
    if (state == TASK_SUCCEEDED)
        return;
    if (needed_failed(state))
        node->needed.some_failed = true;
    else
        node->needed.some_missed = true;
    if (node->id != NULL && node->unlucky < number)
        return;
    free(node->id);
    node->id = strdup(id);
    if (node->id == NULL)
        abort();
    node->unlucky = number;
    node->needed.id = node->id;
    node->needed.state = state;
}

/* True if it was the last share. A task that has ended without being released keeps its own. */
static bool node_gives_up_share(struct window *window, struct node *node)
{
    assert(node->shares > 0);
    node->shares--;
    if (node->task == NULL && node->shares == 1)
        node_remove(window, node->number);
    else
        return node->shares == 0;
    return false;
}

/* ---- results; the lock is held ---- */

static void kept_drop(struct window *window, uint32_t place)
{
    struct result **kept = &window->kept[place % JOB_STREAM_WINDOW];
    if (*kept != NULL)
        window->kept_bytes -= (*kept)->outputs.length;
    result_release(kept);
}

static void kept_put(struct window *window, struct result *result)
{
    if (window->kept == NULL)
        window->kept = zeroed(JOB_STREAM_WINDOW, sizeof(struct result *));
    kept_drop(window, result->number);
    window->kept[result->number % JOB_STREAM_WINDOW] = result;
    window->kept_bytes += result->outputs.length;
    while (window->kept_bytes > WINDOW_OUTPUTS_MOST_BYTES) {
        kept_drop(window, window->oldest++);
        window->forgotten = true;
    }
}

/* The result of a task that has ended, with a share. */
static struct result *result_of_ended(struct window *window, uint32_t number, enum task_state state)
{
    struct result *kept = window->kept != NULL ? window->kept[number % JOB_STREAM_WINDOW] : NULL;
    if (kept != NULL && kept->number == number)
        return result_hold(kept);
    struct result *result = result_create(number);
    result->forgotten = window->forgotten;
    result_fill(result, state, NULL);
    return result;
}

/* ---- the reader ---- */

/* Relaxed: whoever ends the task has been handed it under a lock, and who still ends the one before
 * in this place needs nothing but a turn that is not his. */
void window_add(struct window *window, uint32_t number)
{
    atomic_store_explicit(word_of(window, number), turn_of(number), memory_order_relaxed);
}

static void link_wait(struct window *window, struct wait *wait, uint32_t needed)
{
    struct node *node = node_make(window, needed);
    *node->last = wait;
    node->last = &wait->next;
    wait->dependent->shares++;
}

void window_need(struct window *window, struct task *task, struct window_needs needs)
{
    const char *id = needs.ids;
    MUTEX_GUARD(&window->lock);
    atomic_fetch_or(word_of(window, task->number), HAS_NODE | WAITS);
    struct node *node = node_make(window, task->number);
    node->task = task;
    node->shares = 1;
    node->waits = zeroed(needs.count, sizeof *node->waits);
    for (size_t i = 0; i < needs.count; i++, id += strlen(id) + 1) {
        uint32_t before = atomic_fetch_or(word_of(window, needs.tasks[i]), HAS_NODE);
        enum task_state state = (enum task_state)(before & STATE_MASK);
        node->waits[i].dependent = node;
        if (state == TASK_ACCEPTED)
            link_wait(window, &node->waits[i], needs.tasks[i]);
        else
            node_hears(node, needs.tasks[i], id, state);
    }
}

struct result *window_hold(struct window *window, uint32_t number)
{
    MUTEX_GUARD(&window->lock);
    uint32_t before = atomic_fetch_or(word_of(window, number), HAS_NODE);
    enum task_state state = (enum task_state)(before & STATE_MASK);
    if (state != TASK_ACCEPTED)
        return result_of_ended(window, number, state);
    struct node *node = node_make(window, number);
    if (node->result == NULL)
        node->result = result_create(number);
    return result_hold(node->result);
}

bool window_wait(const struct window *window, uint32_t number)
{
    return (atomic_load(&window->words[number % RING]) & WAITS) != 0;
}

bool window_enter(struct window *window, uint32_t number)
{
    MUTEX_GUARD(&window->lock);
    return node_gives_up_share(window, *place_of(window, number));
}

/* ---- any thread ---- */

/* False if the task certainly has no node. */
static bool mark_ended(struct window *window, const struct task *task)
{
    _Atomic uint32_t *word = word_of(window, task->number);
    uint32_t turn = turn_of(task->number), before = atomic_load(word);
    do
        if (before >> TURN_SHIFT << TURN_SHIFT != turn)
            return true;
    while (!atomic_compare_exchange_weak(word, &before, turn | task_state(task)));
    return (before & HAS_NODE) != 0;
}

void window_keep(struct window *window, const struct task *task, const struct buffer *outputs)
{
    MUTEX_GUARD(&window->lock);
    struct node *node = *place_of(window, task->number);
    struct result *result = node != NULL && node->result != NULL ? result_hold(node->result)
                                                                 : result_create(task->number);
    result_fill(result, task_state(task), outputs);
    kept_put(window, result);
}

static void release_dependents(struct window *window, struct node *node, const struct task *task,
                               struct task_list *released)
{
    for (struct wait *wait = node->first, *next; wait != NULL; wait = next) {
        struct node *dependent = wait->dependent;
        next = wait->next; /* the dependent may go, and the wait with it */
        node_hears(dependent, task->number, task->id, task_state(task));
        if (node_gives_up_share(window, dependent))
            task_list_push(released, dependent->task);
    }
    node->first = NULL;
    node->last = &node->first;
}

void window_end(struct window *window, const struct task *task, struct task_list *released)
{
    if (!mark_ended(window, task))
        return;
    MUTEX_GUARD(&window->lock);
    struct node *node = *place_of(window, task->number);
    if (node == NULL)
        return;
    if (node->result != NULL && result_state(node->result) == TASK_ACCEPTED)
        result_fill(node->result, task_state(task), NULL);
    release_dependents(window, node, task, released);
    if (node->shares <= 1)
        node_remove(window, node->number);
    else
        node->task = NULL; /* it never entered, and those that it needs still know it */
}

struct needed window_needed(struct window *window, uint32_t number)
{
    MUTEX_GUARD(&window->lock);
    return (*place_of(window, number))->needed;
}
