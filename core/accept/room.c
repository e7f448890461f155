#include "accept/room.h"

#include <assert.h>

void room_init(struct room *room, size_t capacity)
{
    *room = (struct room){.capacity = capacity};
    mutex_init(&room->lock);
    cond_init(&room->freed);
}

void room_fini(struct room *room)
{
    assert(room->waiting == 0);
    cond_fini(&room->freed);
    mutex_fini(&room->lock);
}

void room_set_capacity(struct room *room, size_t capacity)
{
    mutex_lock(&room->lock);
    room->capacity = capacity;
    mutex_unlock(&room->lock);
    cond_broadcast(&room->freed); /* whoever finds none waits again */
}

size_t room_take(struct room *room, size_t count)
{
    MUTEX_GUARD(&room->lock);
    while (!room->closed && room->taken >= room->capacity) {
        room->waiting++;
        cond_wait(&room->freed, &room->lock);
        room->waiting--;
        room->called = false;
    }
    if (room->closed)
        return 0;
    size_t free_count = room->capacity - room->taken;
    size_t got = count < free_count ? count : free_count;
    room->taken += got;
    return got;
}

bool room_reserve(struct room *room, size_t count)
{
    MUTEX_GUARD(&room->lock);
    if (room->closed || room->taken > room->capacity || count > room->capacity - room->taken)
        return false;
    room->taken += count;
    return true;
}

size_t room_capacity(struct room *room)
{
    return atomic_load_explicit(&room->capacity, memory_order_relaxed);
}

void room_force(struct room *room, size_t count)
{
    MUTEX_GUARD(&room->lock);
    room->taken += count;
}

/* Lock held. */
static bool is_reached(struct room *room)
{
    bool reached = room->taken - room->aside < room->watched;
    if (reached)
        room->watched = 0;
    return reached;
}

/* Who waits is woken by the first room there is, for what has it still may have it for hours; and
 * once: until it runs, more may come free. */
bool room_give(struct room *room, size_t count)
{
    mutex_lock(&room->lock);
    assert(room->taken >= count);
    room->taken -= count;
    bool wake = room->waiting > 0 && !room->called && room->taken < room->capacity;
    room->called = room->called || wake;
    bool reached = is_reached(room);
    mutex_unlock(&room->lock);
    if (wake)
        cond_broadcast(&room->freed);
    return reached;
}

bool room_put_aside(struct room *room, size_t count)
{
    MUTEX_GUARD(&room->lock);
    room->aside += count;
    assert(room->aside <= room->taken);
    bool full = room->taken >= room->capacity;
    return is_reached(room) || full;
}

void room_take_up(struct room *room, size_t count)
{
    MUTEX_GUARD(&room->lock);
    assert(room->aside >= count);
    room->aside -= count;
}

size_t room_taken(struct room *room)
{
    MUTEX_GUARD(&room->lock);
    return room->taken;
}

bool room_is_full(struct room *room)
{
    MUTEX_GUARD(&room->lock);
    return room->taken >= room->capacity;
}

/* Of two who watch, the one who waits for less comes again when the other's mark is reached. */
size_t room_watch(struct room *room, size_t most)
{
    MUTEX_GUARD(&room->lock);
    size_t busy = room->taken - room->aside;
    if (busy > most && room->watched <= most)
        room->watched = most + 1;
    return busy;
}

void room_close(struct room *room)
{
    mutex_lock(&room->lock);
    room->closed = true;
    mutex_unlock(&room->lock);
    cond_broadcast(&room->freed);
}
