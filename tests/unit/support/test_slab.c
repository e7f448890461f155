#include <criterion/criterion.h>

#include <stdint.h>
#include <string.h>

#include "support/slab.h"

static struct slab slab;

static void begin(void)
{
    slab_init(&slab, 300);
}

static void end(void)
{
    slab_fini(&slab);
}

TestSuite(slab, .init = begin, .fini = end);

enum { PIECES = 1000 };

static unsigned char *pieces[PIECES];

static void take_all(void)
{
    for (int i = 0; i < PIECES; i++) {
        pieces[i] = slab_alloc(&slab);
        cr_assert_eq((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], i, 300);
    }
}

static void give_all(void)
{
    for (int i = 0; i < PIECES; i++)
        slab_free(&slab, pieces[i]);
}

Test(slab, pieces_are_apart_and_keep_what_is_in_them)
{
    take_all();
    for (int i = 0; i < PIECES; i++)
        for (int at = 0; at < 300; at++)
            cr_assert_eq(pieces[i][at], (unsigned char)i);
    give_all();
}

Test(slab, many_pieces_are_allocated_at_once_and_empty_blocks_go)
{
    take_all();
    cr_assert_leq(slab.blocks_count, 6);
    give_all();
    cr_assert_eq(slab.blocks_count, 1, "one stays for the next piece");
    take_all();
    cr_assert_leq(slab.blocks_count, 6);
    give_all();
}

Test(slab, a_piece_that_was_given_back_is_used_again)
{
    take_all();
    size_t before = slab.blocks_count;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < PIECES; i += 7)
            slab_free(&slab, pieces[i]);
        for (int i = 0; i < PIECES; i += 7)
            pieces[i] = slab_alloc(&slab);
    }
    cr_assert_eq(slab.blocks_count, before);
    give_all();
}
