#include <criterion/criterion.h>
#include <signal.h>
#include <stdatomic.h>

#include "../await.h"
#include "accept/room.h"

struct taker {
    struct thread thread;
    struct room *room;
    size_t want;
    _Atomic size_t got;
    _Atomic bool done;
};

static void take(void *argument)
{
    struct taker *taker = argument;
    atomic_store(&taker->got, room_take(taker->room, taker->want));
    atomic_store(&taker->done, true);
}

static size_t waiting(struct room *room)
{
    MUTEX_GUARD(&room->lock);
    return room->waiting;
}

/* Starts a taker that finds the room full, and returns when it waits. */
static void taker_start(struct taker *taker, struct room *room, size_t want)
{
    size_t before = waiting(room);
    *taker = (struct taker){.room = room, .want = want};
    cr_assert(thread_start(&taker->thread, "taker", take, taker, NULL));
    AWAIT(waiting(room) == before + 1);
}

Test(room, gives_what_is_asked_for_but_never_more_than_there_is)
{
    struct room room;
    room_init(&room, 10);
    cr_assert_eq(room_take(&room, 4), 4);
    cr_assert_eq(room_take(&room, 100), 6);
    cr_assert_eq(room_taken(&room), 10);
    room_give(&room, 10);
    cr_assert_eq(room_taken(&room), 0);
    room_fini(&room);
}

Test(room, who_finds_it_full_waits_until_some_is_given_back)
{
    struct room room;
    struct taker taker;
    room_init(&room, 2);
    room_take(&room, 2);
    taker_start(&taker, &room, 2);
    cr_assert_not(atomic_load(&taker.done));
    room_give(&room, 1);
    thread_join(&taker.thread);
    cr_assert_eq(taker.got, 1);
    room_give(&room, 2);
    room_fini(&room);
}

Test(room, who_waits_comes_in_as_soon_as_there_is_any_room)
{
    struct room room;
    struct taker taker;
    room_init(&room, 1000);
    room_take(&room, 1000);
    taker_start(&taker, &room, 500);
    room_give(&room, 1); /* the others may stay for hours */
    AWAIT(atomic_load(&taker.done));
    cr_assert_eq(taker.got, 1);
    thread_join(&taker.thread);
    room_give(&room, 1000);
    room_fini(&room);
}

Test(room, everyone_who_waits_comes_in_when_there_is_room_for_all)
{
    struct room room;
    struct taker takers[3];
    room_init(&room, 10);
    room_take(&room, 10);
    for (int i = 0; i < 3; i++)
        taker_start(&takers[i], &room, 2);
    room_give(&room, 10);
    for (int i = 0; i < 3; i++) {
        thread_join(&takers[i].thread);
        cr_assert_eq(takers[i].got, 2);
    }
    room_give(&room, 6);
    room_fini(&room);
}

Test(room, tells_once_when_no_more_is_taken_than_somebody_watches_for)
{
    struct room room;
    room_init(&room, 10);
    room_take(&room, 8);
    cr_assert_eq(room_watch(&room, 3), 8);
    cr_assert_not(room_give(&room, 4));
    cr_assert(room_give(&room, 1));
    cr_assert_not(room_give(&room, 1));
    cr_assert_eq(room_watch(&room, 3), 2);
    cr_assert_not(room_give(&room, 2));
    room_fini(&room);
}

Test(room, for_one_task_lets_one_after_the_other_in)
{
    struct room room;
    struct taker takers[3];
    room_init(&room, 1);
    room_take(&room, 1);
    for (int i = 0; i < 3; i++)
        taker_start(&takers[i], &room, 5);
    for (int i = 0; i < 3; i++) {
        room_give(&room, 1);
        AWAIT(room_taken(&room) == 1);
        AWAIT(takers[0].done + takers[1].done + takers[2].done == i + 1);
    }
    for (int i = 0; i < 3; i++) {
        thread_join(&takers[i].thread);
        cr_assert_eq(takers[i].got, 1);
    }
    room_give(&room, 1);
    room_fini(&room);
}

Test(room, what_was_forced_in_must_go_before_anyone_comes_in)
{
    struct room room;
    struct taker taker;
    room_init(&room, 4);
    room_force(&room, 10);
    cr_assert_eq(room_taken(&room), 10);
    taker_start(&taker, &room, 9);
    room_give(&room, 6);
    cr_assert_eq(waiting(&room), 1);
    room_give(&room, 4);
    thread_join(&taker.thread);
    cr_assert_eq(taker.got, 4);
    room_give(&room, 4);
    room_fini(&room);
}

Test(room, closing_sends_away_who_waits_and_who_comes)
{
    struct room room;
    struct taker takers[2];
    room_init(&room, 1);
    room_take(&room, 1);
    for (int i = 0; i < 2; i++)
        taker_start(&takers[i], &room, 1);
    room_close(&room);
    for (int i = 0; i < 2; i++) {
        thread_join(&takers[i].thread);
        cr_assert_eq(takers[i].got, 0);
    }
    room_give(&room, 1);
    cr_assert_eq(room_take(&room, 1), 0);
    room_force(&room, 3);
    room_give(&room, 3);
    room_fini(&room);
}

Test(room, giving_back_more_than_was_taken_is_a_bug, .signal = SIGABRT)
{
    struct room room;
    room_init(&room, 4);
    room_take(&room, 2);
    room_give(&room, 3);
}

enum { CROWD = 4, TURNS = 3000, CAPACITY = 7 };

struct visitor {
    struct thread thread;
    struct room *room;
    _Atomic size_t *inside;
    bool over;
};

static void come_and_go(void *argument)
{
    struct visitor *visitor = argument;
    for (size_t turn = 0; turn < TURNS; turn++) {
        size_t got = room_take(visitor->room, turn % 5 + 1);
        size_t inside = atomic_fetch_add(visitor->inside, got) + got;
        visitor->over = visitor->over || got == 0 || inside > CAPACITY;
        atomic_fetch_sub(visitor->inside, got);
        room_give(visitor->room, got);
    }
}

Test(room, a_crowd_never_takes_more_than_there_is_and_nobody_waits_for_ever)
{
    struct room room;
    struct visitor visitors[CROWD];
    _Atomic size_t inside = 0;
    room_init(&room, CAPACITY);
    for (int i = 0; i < CROWD; i++) {
        visitors[i] = (struct visitor){.room = &room, .inside = &inside};
        cr_assert(thread_start(&visitors[i].thread, "visitor", come_and_go, &visitors[i], NULL));
    }
    for (int i = 0; i < CROWD; i++) {
        thread_join(&visitors[i].thread);
        cr_assert_not(visitors[i].over);
    }
    cr_assert_eq(room_taken(&room), 0);
    room_fini(&room);
}

Test(room, that_grows_lets_in_who_waits)
{
    struct room room;
    struct taker takers[2];
    room_init(&room, 2);
    room_take(&room, 2);
    for (int i = 0; i < 2; i++)
        taker_start(&takers[i], &room, 1);
    room_set_capacity(&room, 4);
    for (int i = 0; i < 2; i++) {
        thread_join(&takers[i].thread);
        cr_assert_eq(takers[i].got, 1);
    }
    cr_assert(room_is_full(&room));
    room_give(&room, 4);
    room_fini(&room);
}

Test(room, that_shrinks_lets_nobody_in_before_enough_have_gone)
{
    struct room room;
    struct taker taker;
    room_init(&room, 10);
    room_take(&room, 6);
    room_set_capacity(&room, 2);
    cr_assert(room_is_full(&room));
    cr_assert_eq(room_taken(&room), 6);
    taker_start(&taker, &room, 5);
    room_give(&room, 4);
    cr_assert_eq(waiting(&room), 1);
    room_give(&room, 1);
    thread_join(&taker.thread);
    cr_assert_eq(taker.got, 1);
    room_give(&room, 2);
    room_fini(&room);
}

Test(room, what_is_aside_takes_room_and_is_not_watched)
{
    struct room room;
    room_init(&room, 4);
    cr_assert_eq(room_take(&room, 3), 3);
    cr_assert_not(room_put_aside(&room, 1));
    cr_assert_eq(room_taken(&room), 3);
    cr_assert_eq(room_watch(&room, 1), 2);
    cr_assert(room_put_aside(&room, 1)); /* one is left that is not aside */
    room_take_up(&room, 1);
    cr_assert_eq(room_watch(&room, 1), 2);
    cr_assert(room_give(&room, 1));
    room_take_up(&room, 1);
    room_give(&room, 2);
    room_fini(&room);
}

Test(room, putting_aside_tells_that_the_room_is_full)
{
    struct room room;
    room_init(&room, 2);
    cr_assert_eq(room_take(&room, 1), 1);
    cr_assert_not(room_put_aside(&room, 1));
    cr_assert_eq(room_take(&room, 1), 1);
    cr_assert(room_put_aside(&room, 1));
    room_take_up(&room, 2);
    room_give(&room, 2);
    room_fini(&room);
}

Test(room, is_reserved_for_all_or_for_none)
{
    struct room room;
    room_init(&room, 10);
    cr_assert(room_reserve(&room, 7));
    cr_assert_not(room_reserve(&room, 4));
    cr_assert_eq(room_taken(&room), 7);
    cr_assert(room_reserve(&room, 3));
    cr_assert_not(room_reserve(&room, 1));
    room_give(&room, 10);
    room_close(&room);
    cr_assert_not(room_reserve(&room, 1), "it is closed");
    room_fini(&room);
}
