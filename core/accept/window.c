/* Most tasks of a stream need nothing and are not needed: such a task costs a word in a ring when
 * it is added, and one exchange there when it ends. Who needs others or is needed has a node, in a
 * table under a lock, until it has ended; a bit in its word says so. Whoever ends a task sees the
 * bit, or the reader, which sets it, sees that the task has ended: both happen to the same word. A
 * word that a later task has taken over tells nothing, so then the table is asked.
 *
 * A stream may hold many small jobs: so all of this grows with the number of a job's tasks. */
#include "accept/window.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job.h"
#include "support/memory.h"
#include "support/thread.h"

enum {
    STATE_MASK = 0x0f, /* its final state; TASK_ACCEPTED: it has not ended */
    HAS_NODE = 0x10,
    WAITS = 0x20,
    TURN_SHIFT = 8,               /* above: the number of the task, without its place in the ring */
    RING = 2 * JOB_STREAM_WINDOW, /* the window, the task that looks at it, and a power of two */
    SEGMENT_WORDS = 512,
    SEGMENTS = RING / SEGMENT_WORDS,
    TABLE_FIRST = 16,
    KEPT_FIRST = 16,
};
_Static_assert(RING % SEGMENT_WORDS == 0, "the ring is made of whole segments");

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
    /* The ring, each segment made by the reader before the first task in it is handed on. */
    _Atomic uint32_t *segments[SEGMENTS];
    struct mutex lock;
    /* guarded by lock */
    struct node **table; /* by number */
    uint32_t table_size; /* a power of two */
    uint32_t nodes_count;
    struct result **kept;   /* with outputs, by number */
    uint32_t kept_capacity; /* that of the window at most; 0: no task has had any */
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

static _Atomic uint32_t *word_of(const struct window *window, uint32_t number)
{
    return &window->segments[number % RING / SEGMENT_WORDS][number % SEGMENT_WORDS];
}

static uint32_t turn_of(uint32_t number)
{
    return number / RING << TURN_SHIFT;
}

struct window *window_create(void)
{
    struct window *window = zeroed(1, sizeof *window);
    window->table = zeroed(TABLE_FIRST, sizeof(struct node *));
    window->table_size = TABLE_FIRST;
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
    for (uint32_t i = 0; i < window->table_size; i++)
        for (struct node *node = window->table[i], *next; node != NULL; node = next) {
            next = node->next;
            node_free(node);
        }
    for (uint32_t i = 0; i < window->kept_capacity; i++)
        result_release(&window->kept[i]);
    for (uint32_t i = 0; i < SEGMENTS; i++)
        free(window->segments[i]);
    free(window->table);
    free(window->kept);
    mutex_fini(&window->lock);
    free(window);
    *window_pointer = NULL;
}

/* ---- nodes; the lock is held ---- */

static struct node **place_of(struct window *window, uint32_t number)
{
    struct node **place = &window->table[number & (window->table_size - 1)];
    while (*place != NULL && (*place)->number != number)
        place = &(*place)->next;
    return place;
}

static void table_grow(struct window *window)
{
    struct node **old = window->table;
    uint32_t old_size = window->table_size;
    window->table_size *= 2;
    window->table = zeroed(window->table_size, sizeof *old);
    for (uint32_t i = 0; i < old_size; i++)
        for (struct node *node = old[i], *next; node != NULL; node = next) {
            struct node **place = &window->table[node->number & (window->table_size - 1)];
            next = node->next;
            node->next = *place;
            *place = node;
        }
    free(old);
}

static struct node *node_make(struct window *window, uint32_t number)
{
    struct node **place = place_of(window, number);
    if (*place != NULL)
        return *place;
    if (window->nodes_count++ == window->table_size) {
        table_grow(window);
        place = place_of(window, number);
    }
    *place = zeroed(1, sizeof **place);
    (*place)->number = number;
    (*place)->last = &(*place)->first;
    return *place;
}

static void node_remove(struct window *window, uint32_t number)
{
    struct node **place = place_of(window, number), *node = *place;
    *place = node->next;
    window->nodes_count--;
    node_free(node);
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

static void kept_drop(struct window *window, uint32_t number)
{
    struct result **kept = &window->kept[number % JOB_STREAM_WINDOW];
    if (*kept != NULL)
        window->kept_bytes -= (*kept)->outputs.length;
    result_release(kept);
}

/* Makes a place for each number up to this one, or for a whole window. */
static void kept_grow(struct window *window, uint32_t number)
{
    uint32_t before = window->kept_capacity, capacity = before > 0 ? before : KEPT_FIRST;
    while (capacity <= number && capacity < JOB_STREAM_WINDOW)
        capacity *= 2;
    if (capacity == before)
        return;
    window->kept = memory_grow(window->kept, capacity, sizeof(struct result *));
    memset(&window->kept[before], 0, (capacity - before) * sizeof(struct result *));
    window->kept_capacity = capacity;
}

static void kept_put(struct window *window, struct result *result)
{
    kept_grow(window, result->number);
    kept_drop(window, result->number);
    window->kept[result->number % JOB_STREAM_WINDOW] = result;
    window->kept_bytes += result->outputs.length;
    while (window->kept_bytes > WINDOW_OUTPUTS_MOST_BYTES) {
        kept_drop(window, window->oldest++);
        window->forgotten = true;
    }
}

/* Returns the result that is kept of a task; NULL: none is. */
static struct result *kept_find(const struct window *window, uint32_t number)
{
    uint32_t place = number % JOB_STREAM_WINDOW;
    struct result *kept = place < window->kept_capacity ? window->kept[place] : NULL;
    return kept != NULL && kept->number == number ? kept : NULL;
}

/* The result of a task that has ended, with a share. */
static struct result *result_of_ended(struct window *window, uint32_t number, enum task_state state)
{
    struct result *kept = kept_find(window, number);
    if (kept != NULL)
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
    _Atomic uint32_t **segment = &window->segments[number % RING / SEGMENT_WORDS];
    if (*segment == NULL)
        *segment = zeroed(SEGMENT_WORDS, sizeof **segment);
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
    node->waits = needs.count > 0 ? zeroed(needs.count, sizeof *node->waits) : NULL;
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
    if (node->result == NULL) { /* whoever ends it may just have kept it: window_end comes then */
        struct result *kept = kept_find(window, number);
        node->result = kept != NULL ? result_hold(kept) : result_create(number);
    }
    return result_hold(node->result);
}

bool window_wait(const struct window *window, uint32_t number)
{
    return (atomic_load(word_of(window, number)) & WAITS) != 0;
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
