#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "accept/job_file/name_table.h"

Test(name_table, finds_nothing_in_an_empty_one)
{
    struct name_table table = NAME_TABLE_EMPTY;
    cr_assert(name_table_find(&table, "a", 1) == NULL);
    name_table_fini(&table);
}

Test(name_table, keeps_the_number_of_each_of_many_names)
{
    struct name_table table = NAME_TABLE_EMPTY;
    char name[16];
    for (uint32_t i = 0; i < 10000; i++) {
        int length = snprintf(name, sizeof name, "n%u", i);
        cr_assert(name_table_set(&table, name, (size_t)length, i * 3));
    }
    for (uint32_t i = 0; i < 10000; i++) {
        int length = snprintf(name, sizeof name, "n%u", i);
        cr_assert(eq(u32, *name_table_find(&table, name, (size_t)length), i * 3));
    }
    cr_assert(name_table_find(&table, "n10000", 6) == NULL);
    name_table_fini(&table);
}

Test(name_table, a_name_given_again_gets_the_new_number)
{
    struct name_table table = NAME_TABLE_EMPTY;
    cr_assert(name_table_set(&table, "a", 1, 1));
    cr_assert(not(name_table_set(&table, "a", 1, 2)));
    cr_assert(eq(u32, *name_table_find(&table, "a", 1), 2));
    cr_assert(eq(sz, table.count, 1));
    name_table_fini(&table);
}

Test(name_table, names_may_be_empty_and_differ_in_length_alone)
{
    struct name_table table = NAME_TABLE_EMPTY;
    name_table_set(&table, "", 0, 1);
    name_table_set(&table, "aa", 1, 2);
    name_table_set(&table, "aa", 2, 3);
    cr_assert(eq(u32, *name_table_find(&table, "", 0), 1));
    cr_assert(eq(u32, *name_table_find(&table, "a", 1), 2));
    cr_assert(eq(u32, *name_table_find(&table, "aa", 2), 3));
    name_table_fini(&table);
}

Test(name_table, forgets_everything_when_cleared_and_can_be_used_again)
{
    struct name_table table = NAME_TABLE_EMPTY;
    name_table_set(&table, "a", 1, 1);
    name_table_clear(&table);
    cr_assert(name_table_find(&table, "a", 1) == NULL);
    cr_assert(name_table_set(&table, "a", 1, 5));
    cr_assert(eq(u32, *name_table_find(&table, "a", 1), 5));
    name_table_fini(&table);
}
