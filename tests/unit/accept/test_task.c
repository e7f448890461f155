#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accept/task.h"
#include "support/clock.h"

struct move {
    enum task_state from, to;
    const char *function;
};

static const struct move moves[] = {
#define MOVE(from, to, function) {TASK_##from, TASK_##to, function},
#include "accept/task_states.def"
#undef MOVE
};

enum { MOVES = sizeof moves / sizeof moves[0] };

static bool is_in_table(enum task_state from, enum task_state to)
{
    for (size_t i = 0; i < MOVES; i++)
        if (moves[i].from == from && moves[i].to == to)
            return true;
    return false;
}

/* How a move ends that is tried in a child: the signal that killed it, or 0. */
static int signal_of_move(enum task_state from, enum task_state to)
{
    struct task task = {.id = "t", .state = (uint8_t)from};
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        fclose(stderr);
        signal(SIGABRT, SIG_DFL);
        task_move(&task, to);
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

Test(task, every_move_of_the_table_is_allowed)
{
    for (size_t i = 0; i < MOVES; i++) {
        struct task task = {.id = "t", .state = (uint8_t)moves[i].from};
        task_move(&task, moves[i].to);
        cr_expect_eq(task.state, moves[i].to);
    }
}

Test(task, every_other_move_aborts)
{
    for (int from = 0; from < TASK_STATE_COUNT; from++)
        for (int to = 0; to < TASK_STATE_COUNT; to++) {
            if (is_in_table(from, to))
                continue;
            cr_expect_eq(signal_of_move(from, to), SIGABRT, "%s to %s", task_state_word(from),
                         task_state_word(to));
        }
}

Test(task, a_wrong_move_aborts_where_it_is_made, .signal = SIGABRT)
{
    struct task task = {.id = "t", .state = TASK_SUCCEEDED};
    task_move(&task, TASK_QUEUED);
}

Test(task, no_state_is_entered_twice_and_none_leaves_its_end)
{
    for (size_t i = 0; i < MOVES; i++) {
        cr_expect_neq(moves[i].from, moves[i].to);
        cr_expect_lt(moves[i].from, TASK_SUCCEEDED, "%s", task_state_word(moves[i].from));
    }
}

Test(task, every_state_has_a_word_of_its_own)
{
    for (int a = 0; a < TASK_STATE_COUNT; a++) {
        cr_expect_not_null(task_state_word(a));
        for (int b = 0; b < a; b++)
            cr_expect_str_neq(task_state_word(a), task_state_word(b));
    }
}

Test(task, every_function_that_the_table_names_is_defined_in_the_tree)
{
    for (size_t i = 0; i < MOVES; i++) {
        char command[512];
        snprintf(command, sizeof command,
                 "grep -rqE '^[a-z][a-z0-9_ *]*\\b%s\\(' '%s/core' --include=*.c",
                 moves[i].function, TEST_SOURCE_DIR);
        cr_expect_eq(system(command), 0, "%s is defined nowhere", moves[i].function);
    }
}

Test(task, a_list_gives_back_what_was_pushed_in_order)
{
    struct task tasks[3] = {0};
    struct task_list list;
    task_list_init(&list);
    for (int i = 0; i < 3; i++)
        task_list_push(&list, &tasks[i]);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(task_list_pop(&list), &tasks[i]);
    cr_assert_null(task_list_pop(&list));
    cr_assert_eq(list.count, 0);
}

Test(task, a_list_that_was_emptied_can_be_filled_again)
{
    struct task tasks[2] = {0};
    struct task_list list;
    task_list_init(&list);
    task_list_push(&list, &tasks[0]);
    task_list_pop(&list);
    task_list_push(&list, &tasks[1]);
    cr_assert_eq(task_list_pop(&list), &tasks[1]);
    cr_assert_null(list.head);
}

Test(task, appending_leaves_the_other_list_empty_and_usable)
{
    struct task tasks[3] = {0};
    struct task_list to, from;
    task_list_init(&to);
    task_list_init(&from);
    task_list_append(&to, &from);
    cr_assert_eq(to.count, 0);
    task_list_push(&from, &tasks[0]);
    task_list_append(&to, &from);
    task_list_push(&from, &tasks[1]);
    task_list_push(&to, &tasks[2]);
    cr_assert_eq(to.count, 2);
    cr_assert_eq(to.head->next, &tasks[2]);
    cr_assert_eq(from.head, &tasks[1]);
}

Test(task, is_due_behind_its_delay)
{
    struct task task = {.due_ns = 7};
    cr_assert_eq(task_due_ns(&task, 100), 107);
    task.due_ns = CLOCK_NEVER_NS;
    cr_assert_eq(task_due_ns(&task, 100), CLOCK_NEVER_NS);
}

Test(task, keeps_its_date_whatever_the_time_is)
{
    struct task task = {.due_ns = -(clock_wall_ns() + 3600 * NS_PER_S)};
    cr_assert_eq(task_due_ns(&task, 100), task.due_ns);
    task.due_ns = -(clock_wall_ns() - NS_PER_S);
    cr_assert_eq(task_due_ns(&task, 100), task.due_ns);
}
