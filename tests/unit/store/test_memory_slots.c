#include <criterion/criterion.h>

#include "store/memory_slots.h"

Test(memory_slots, hold_a_word_for_each_number)
{
    struct memory_slots slots;
    memory_slots_init(&slots);
    for (uintptr_t i = 0; i < 5000; i++)
        cr_assert_eq(memory_slots_add(&slots, i + 1), i);
    for (uint32_t i = 0; i < 5000; i++)
        cr_assert_eq(memory_slots_get(&slots, i), i + 1);
    cr_assert_eq(memory_slots_get(&slots, 5000), 0);
    memory_slots_set(&slots, 17, 99);
    cr_assert_eq(memory_slots_get(&slots, 17), 99);
    memory_slots_fini(&slots);
}

Test(memory_slots, find_the_words_that_are_left)
{
    struct memory_slots slots;
    uint32_t number = 0;
    memory_slots_init(&slots);
    for (uint32_t i = 0; i < 10000; i++)
        memory_slots_add(&slots, 1);
    for (uint32_t i = 0; i < 10000; i++)
        if (i != 3 && i != 5000 && i != 9999)
            memory_slots_set(&slots, i, 0);
    cr_assert(memory_slots_next(&slots, &number) && number == 3);
    number++;
    cr_assert(memory_slots_next(&slots, &number) && number == 5000);
    number++;
    cr_assert(memory_slots_next(&slots, &number) && number == 9999);
    number++;
    cr_assert_not(memory_slots_next(&slots, &number));
    memory_slots_fini(&slots);
}

Test(memory_slots, an_endless_row_with_few_words_stays_small)
{
    struct memory_slots slots;
    memory_slots_init(&slots);
    for (uint32_t i = 0; i < 1000000; i++) {
        memory_slots_add(&slots, 1);
        if (i >= 100)
            memory_slots_set(&slots, i - 100, 0);
    }
    cr_assert_eq(slots.used, 100);
    cr_assert_leq(slots.blocks_capacity, 8);
    cr_assert_eq(memory_slots_get(&slots, 5), 0);
    cr_assert_eq(memory_slots_get(&slots, 999999), 1);
    memory_slots_fini(&slots);
}

Test(memory_slots, the_last_block_goes_once_nothing_is_appended)
{
    struct memory_slots slots;
    memory_slots_init(&slots);
    memory_slots_add(&slots, 1);
    memory_slots_add(&slots, 2);
    memory_slots_set(&slots, 0, 0);
    memory_slots_set(&slots, 1, 0);
    cr_assert_not_null(slots.blocks[0]);
    memory_slots_seal(&slots);
    cr_assert_null(slots.blocks[0]);
    memory_slots_fini(&slots);
}

Test(memory_slots, one_word_needs_no_block)
{
    struct memory_slots slots;
    uint32_t number = 0;
    memory_slots_init(&slots);
    cr_assert_not(memory_slots_next(&slots, &number));
    cr_assert_eq(memory_slots_get(&slots, 0), 0);
    cr_assert_eq(memory_slots_add(&slots, 7), 0);
    cr_assert_null(slots.blocks);
    cr_assert_eq(memory_slots_get(&slots, 0), 7);
    cr_assert_eq(memory_slots_get(&slots, 1), 0);
    cr_assert(memory_slots_next(&slots, &number));
    cr_assert_eq(number, 0);
    number = 1;
    cr_assert_not(memory_slots_next(&slots, &number));
    memory_slots_set(&slots, 0, 8);
    cr_assert_eq(memory_slots_get(&slots, 0), 8);
    cr_assert_eq(memory_slots_add(&slots, 9), 1, "now it has one");
    cr_assert_eq(memory_slots_get(&slots, 0), 8);
    cr_assert_eq(memory_slots_get(&slots, 1), 9);
    memory_slots_fini(&slots);
}

Test(memory_slots, one_word_may_go_before_the_next_comes)
{
    struct memory_slots slots;
    uint32_t number = 0;
    memory_slots_init(&slots);
    memory_slots_add(&slots, 7);
    memory_slots_set(&slots, 0, 0);
    cr_assert_eq(slots.used, 0);
    cr_assert_not(memory_slots_next(&slots, &number));
    cr_assert_eq(memory_slots_add(&slots, 9), 1);
    cr_assert_eq(memory_slots_get(&slots, 0), 0);
    cr_assert(memory_slots_next(&slots, &number));
    cr_assert_eq(number, 1);
    memory_slots_seal(&slots);
    memory_slots_set(&slots, 1, 0);
    cr_assert_null(slots.blocks[0]);
    memory_slots_fini(&slots);
}
