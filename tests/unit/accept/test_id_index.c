#include <criterion/criterion.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "accept/id_index.h"

static void id_of(uint32_t number, char id[32])
{
    snprintf(id, 32, "noop-%u", number);
}

static void add(struct id_index *index, const char *id, uint32_t number)
{
    size_t length = strlen(id);
    id_index_add(index, id_index_hash(id, length), id, length, number);
}

static bool find(struct id_index *index, const char *id, uint32_t *number)
{
    return id_index_find(index, id_index_hash(id, strlen(id)), id, number);
}

static bool knows(struct id_index *index, uint32_t wanted)
{
    char id[32];
    uint32_t number = ~wanted;
    id_of(wanted, id);
    return find(index, id, &number) && number == wanted;
}

static void add_many(struct id_index *index, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        char id[32];
        id_of(i, id);
        add(index, id, i);
    }
}

Test(id_index, finds_every_id_through_many_growths)
{
    enum { COUNT = 50 * 1000 };
    static char ids[COUNT][32];
    struct id_index *index = id_index_create(0);
    for (uint32_t i = 0; i < COUNT; i++) {
        id_of(i, ids[i]);
        cr_assert_not(knows(index, i));
        add(index, ids[i], i);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        cr_assert(knows(index, i), "%u", i);
    cr_assert_not(knows(index, COUNT));
    id_index_destroy(&index);
    cr_assert_null(index);
}

Test(id_index, an_id_is_not_its_beginning_nor_its_other_spelling)
{
    struct id_index *index = id_index_create(0);
    uint32_t number;
    add(index, "abcdefgh", 0);
    cr_assert_not(find(index, "abcdefg", &number));
    cr_assert_not(find(index, "abcdefghi", &number));
    cr_assert_not(find(index, "Abcdefgh", &number));
    cr_assert(find(index, "abcdefgh", &number));
    id_index_destroy(&index);
}

Test(id_index, what_was_taken_back_may_come_again)
{
    struct id_index *index = id_index_create(0);
    uint32_t number;
    add(index, "a", 0);
    add(index, "b", 1);
    id_index_take_back(index);
    cr_assert_not(find(index, "b", &number));
    add(index, "c", 1);
    add(index, "b", 2);
    cr_assert(find(index, "c", &number));
    cr_assert_eq(number, 1);
    cr_assert(find(index, "b", &number));
    cr_assert_eq(number, 2);
    id_index_destroy(&index);
}

Test(id_index, taking_back_harms_no_other_id_at_any_size)
{
    enum { COUNT = 3000 };
    static char ids[COUNT][32];
    struct id_index *index = id_index_create(0);
    for (uint32_t i = 0; i < COUNT; i++) {
        id_of(i, ids[i]);
        add(index, "taken-back", i);
        id_index_take_back(index);
        add(index, ids[i], i);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        cr_assert(knows(index, i), "%u", i);
    id_index_destroy(&index);
}

Test(id_index, only_the_last_id_can_be_taken_back, .signal = SIGABRT)
{
    struct id_index *index = id_index_create(0);
    add(index, "a", 0);
    add(index, "b", 1);
    id_index_take_back(index);
    id_index_take_back(index);
}

Test(id_index, a_window_copies_the_ids)
{
    struct id_index *index = id_index_create(4);
    char id[8] = "first";
    uint32_t number;
    add(index, id, 0);
    memset(id, 'x', sizeof id - 1);
    cr_assert(find(index, "first", &number));
    id_index_destroy(&index);
}

Test(id_index, a_window_always_knows_at_least_its_last_ids)
{
    enum { WINDOW = 100 };
    struct id_index *index = id_index_create(WINDOW);
    for (uint32_t i = 0; i < 10 * WINDOW; i++) {
        add_many(index, i, i + 1);
        uint32_t first = i + 1 < WINDOW ? 0 : i + 1 - WINDOW;
        for (uint32_t known = first; known <= i; known++)
            cr_assert(knows(index, known), "%u of %u", known, i);
        if (i >= 2 * WINDOW)
            cr_assert_not(knows(index, i - 2 * WINDOW), "%u of %u", i - 2 * WINDOW, i);
    }
    id_index_destroy(&index);
}

Test(id_index, an_id_at_the_edge_of_a_window_can_be_taken_back)
{
    enum { WINDOW = 8 };
    struct id_index *index = id_index_create(WINDOW);
    for (uint32_t i = 0; i < 5 * WINDOW; i++) {
        add_many(index, i, i + 1);
        id_index_take_back(index);
        cr_assert_not(knows(index, i));
        for (uint32_t known = i < WINDOW ? 0 : i - WINDOW + 1; known < i; known++)
            cr_assert(knows(index, known), "%u of %u", known, i);
        add_many(index, i, i + 1);
    }
    id_index_destroy(&index);
}

Test(id_index, a_window_stays_in_constant_memory)
{
    enum { WINDOW = 2000 };
    struct id_index *index = id_index_create(WINDOW);
    add_many(index, 0, 3 * WINDOW);
    struct mallinfo2 before = mallinfo2();
    add_many(index, 3 * WINDOW, 53 * WINDOW);
    struct mallinfo2 after = mallinfo2();
    cr_assert_leq(after.uordblks + after.hblkhd, before.uordblks + before.hblkhd + 256 * 1024);
    id_index_destroy(&index);
}

Test(id_index, an_id_that_is_not_there_leaves_the_number_alone)
{
    static char ids[10][32];
    struct id_index *index = id_index_create(0);
    for (uint32_t i = 0; i < 10; i++) {
        id_of(i, ids[i]);
        add(index, ids[i], i);
    }
    for (uint32_t other = 10; other < 1000; other++) {
        char id[32];
        uint32_t number = UINT32_MAX;
        id_of(other, id);
        cr_assert_not(find(index, id, &number));
        cr_assert_eq(number, UINT32_MAX);
    }
    id_index_destroy(&index);
}
