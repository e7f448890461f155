/* call: the record of a call; the services that a plugin asks for are in call_host.c. */
#include "plugin/call.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "plugin/call_log.h"

enum { ARENA_BLOCK_BYTES = 4096, ARENA_MOST_BYTES = 256 * 1024 * 1024 };

static const uint64_t all_flags = CALL_TURN - 1;

void call_init(struct call *call)
{
    memset(call, 0, sizeof *call);
    call->visible =
        (struct sluice_call){.size = sizeof call->visible, .host = call_host(), .context = call};
    call->progress = &call->own_progress;
    atomic_init(&call->cancel_fd, -1);
    arena_init(&call->arena, ARENA_BLOCK_BYTES, ARENA_MOST_BYTES);
    if (gethostname(call->node, sizeof call->node) != 0)
        call->node[0] = '\0';
    call->node[sizeof call->node - 1] = '\0';
}

void call_fini(struct call *call)
{
    int fd = atomic_load(&call->cancel_fd);
    if (fd >= 0)
        close(fd);
    atomic_store(&call->cancel_fd, -1);
    arena_fini(&call->arena);
    buffer_fini(&call->outputs);
}

uint64_t call_begin(struct call *call, const struct call_task *task)
{
    call->task = *task;
    if (call->arena.total_bytes != 0)
        arena_reset(&call->arena);
    call->alloc_bytes = 0;
    call->outputs.length = 0;
    call->outputs_count = 0;
    call->outputs_doubled = 0;
    call->try_again_ns = 0;
    call->fail_code[0] = '\0';
    call->fail_message[0] = '\0';
    atomic_store_explicit(&call->progress->done, 0, memory_order_relaxed);
    atomic_store_explicit(&call->progress->total, 0, memory_order_relaxed);
    /* Nobody else writes the turn while it is not busy. */
    uint64_t last = atomic_load_explicit(&call->turn, memory_order_relaxed);
    assert((last & CALL_BUSY) == 0);
    uint64_t turn = ((last & ~all_flags) + CALL_TURN) | CALL_BUSY;
    atomic_store_explicit(&call->turn, turn, memory_order_release);
    return turn;
}

/* Takes the signal out of the descriptor. Whoever set CALL_CANCELLED may still be about to write
 * it: the next call must not find that. */
static void take_signal_back(struct call *call)
{
    while (atomic_load(&call->cancelling) != 0)
        sched_yield();
    int fd = atomic_load(&call->cancel_fd);
    eventfd_t count;
    if (fd >= 0 && eventfd_read(fd, &count) != 0)
        assert(errno == EAGAIN);
}

uint64_t call_end(struct call *call)
{
    call_log_end(call);
    uint64_t last = atomic_fetch_and(&call->turn, ~CALL_BUSY);
    assert((last & CALL_BUSY) != 0);
    if ((last & CALL_CANCELLED) != 0)
        take_signal_back(call);
    return last;
}

/* Sets a flag in the turn that is named, if that call is going on and does not have it yet. */
static bool set_flag(struct call *call, uint64_t turn, uint64_t flag)
{
    uint64_t now = atomic_load(&call->turn);
    do {
        if ((now & ~all_flags) != (turn & ~all_flags) || (now & CALL_BUSY) == 0 ||
            (now & flag) != 0)
            return false;
    } while (!atomic_compare_exchange_weak(&call->turn, &now, now | flag));
    return true;
}

bool call_cancel(struct call *call, uint64_t turn)
{
    atomic_fetch_add(&call->cancelling, 1);
    bool done = set_flag(call, turn, CALL_CANCELLED);
    int fd = atomic_load(&call->cancel_fd);
    if (done && fd >= 0)
        eventfd_write(fd, 1);
    atomic_fetch_sub(&call->cancelling, 1);
    return done;
}

bool call_give_up(struct call *call, uint64_t turn)
{
    return set_flag(call, turn, CALL_STUCK);
}
