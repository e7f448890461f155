#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/heap.h"

static void *number(uintptr_t n)
{
    return (void *)(n + 1);
}

Test(heap, an_empty_one_is_due_never_and_gives_nothing)
{
    struct heap heap;
    heap_init(&heap);
    cr_assert_eq(heap_key(&heap), INT64_MAX);
    cr_assert_null(heap_pop(&heap));
    heap_fini(&heap);
}

Test(heap, gives_the_smallest_key_first_whatever_the_order_of_coming)
{
    struct heap heap;
    heap_init(&heap);
    srand(1);
    for (int i = 0; i < 2000; i++)
        heap_push(&heap, rand() % 500 - 250, number(0));
    int64_t last = INT64_MIN;
    for (int i = 0; i < 2000; i++) {
        cr_assert_leq(last, heap_key(&heap));
        last = heap_key(&heap);
        heap_pop(&heap);
    }
    cr_assert_eq(heap.count, 0);
    heap_fini(&heap);
}

Test(heap, gives_equal_keys_in_the_order_they_came)
{
    struct heap heap;
    heap_init(&heap);
    for (uintptr_t i = 0; i < 100; i++)
        heap_push(&heap, i < 50 ? 7 : 3, number(i));
    for (uintptr_t i = 0; i < 100; i++)
        cr_assert_eq(heap_pop(&heap), number((i + 50) % 100));
    heap_fini(&heap);
}

static bool is_odd(void *context, void *item)
{
    (void)context;
    return (uintptr_t)item % 2 == 1;
}

static void add_up(void *context, void *item)
{
    *(uintptr_t *)context += (uintptr_t)item;
}

Test(heap, hands_over_what_matches_and_keeps_the_order_of_the_rest)
{
    struct heap heap;
    uintptr_t taken = 0;
    heap_init(&heap);
    for (uintptr_t i = 0; i < 100; i++)
        heap_push(&heap, (int64_t)(99 - i), (void *)i);
    heap_remove_if(&heap, is_odd, add_up, &taken);
    cr_assert_eq(taken, 2500);
    cr_assert_eq(heap.count, 50);
    for (uintptr_t i = 50; i-- > 0;)
        cr_assert_eq(heap_pop(&heap), (void *)(2 * i));
    heap_fini(&heap);
}
