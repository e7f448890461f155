#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "support/arena.h"

Test(arena, gives_aligned_memory_that_does_not_overlap)
{
    struct arena arena;
    arena_init(&arena, 256, 0);
    char *bytes[100];
    for (int i = 0; i < 100; i++) {
        bytes[i] = arena_alloc(&arena, 10, 16);
        cr_assert_not_null(bytes[i]);
        cr_assert_eq((uintptr_t)bytes[i] % 16, 0);
        memset(bytes[i], i, 10);
    }
    for (int i = 0; i < 100; i++)
        for (int j = 0; j < 10; j++)
            cr_assert_eq(bytes[i][j], i);
    arena_fini(&arena);
}

Test(arena, a_large_request_does_not_waste_the_block_in_use)
{
    struct arena arena;
    arena_init(&arena, 256, 0);
    char *small = arena_alloc(&arena, 8, 8);
    char *large = arena_alloc(&arena, 10000, 8);
    memset(large, 1, 10000);
    cr_assert_eq(arena_alloc(&arena, 8, 8), small + 8);
    arena_fini(&arena);
}

Test(arena, a_reset_gives_the_same_block_again)
{
    struct arena arena;
    arena_init(&arena, 256, 0);
    void *first = arena_alloc(&arena, 64, 8);
    arena_reset(&arena);
    cr_assert_eq(arena_alloc(&arena, 64, 8), first);
    arena_fini(&arena);
}

Test(arena, a_reset_does_not_keep_a_huge_block)
{
    struct arena arena;
    arena_init(&arena, 256, 0);
    arena_alloc(&arena, 1 << 20, 8);
    arena_reset(&arena);
    cr_assert_null(arena.block);
    cr_assert_not_null(arena_alloc(&arena, 8, 8));
    arena_fini(&arena);
}

Test(arena, refuses_what_passes_its_limit_and_still_gives_less)
{
    struct arena arena;
    arena_init(&arena, 64, 100);
    cr_assert_not_null(arena_alloc(&arena, 90, 1));
    cr_assert_null(arena_alloc(&arena, 11, 1));
    cr_assert_null(arena_alloc(&arena, SIZE_MAX, 1));
    cr_assert_not_null(arena_alloc(&arena, 10, 1));
    arena_reset(&arena);
    cr_assert_not_null(arena_alloc(&arena, 100, 1));
    arena_fini(&arena);
}

Test(arena, copies_text_with_an_end)
{
    struct arena arena;
    arena_init(&arena, 64, 0);
    cr_assert_str_eq(arena_strndup(&arena, "abcdef", 3), "abc");
    arena_fini(&arena);
}
