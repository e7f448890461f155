#include <criterion/criterion.h>
#include <stdlib.h>

#include "accept/graph.h"

enum { CIRCLES_MOST = 4, CIRCLE_TASKS_MOST = 8 };

/* What graph_sort says. */
static struct said {
    size_t count;
    uint32_t tasks[CIRCLES_MOST][CIRCLE_TASKS_MOST];
    size_t lengths[CIRCLES_MOST], forwards[CIRCLES_MOST], needs[CIRCLES_MOST];
} said;

static void hear(void *context, const struct graph_circle *circle)
{
    struct said *heard = context;
    cr_assert_lt(heard->count, CIRCLES_MOST);
    cr_assert_leq(circle->count, CIRCLE_TASKS_MOST);
    for (size_t i = 0; i < circle->count; i++)
        heard->tasks[heard->count][i] = circle->tasks[i];
    heard->lengths[heard->count] = circle->count;
    heard->needs[heard->count] = circle->need;
    heard->forwards[heard->count++] = circle->forward;
}

static struct graph *graph;

static void begin(void)
{
    graph = graph_create();
}

static void end(void)
{
    graph_destroy(&graph);
    graph_destroy(&graph);
}

TestSuite(graph, .init = begin, .fini = end);

static void need(uint32_t task, uint32_t needed)
{
    graph_begin(graph, task);
    graph_add(graph, needed);
}

/* Sorts and checks that every one of count tasks comes once, behind what it needs. */
static void assert_sorted(uint32_t count)
{
    uint32_t *order = graph_sort(graph, count, hear, &said);
    uint32_t *places = calloc(count, sizeof *places);
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_eq(places[order[i]], 0);
        places[order[i]] = i + 1;
    }
    for (uint32_t task = 0; task < count; task++)
        for (size_t i = 0; i < graph_of(graph, task).count; i++)
            cr_assert_lt(places[graph_of(graph, task).tasks[i]], places[task]);
    free(order);
    free(places);
}

Test(graph, keeps_what_each_task_needs_in_order)
{
    graph_begin(graph, 1);
    graph_add(graph, 0);
    graph_begin(graph, 4);
    graph_add(graph, GRAPH_UNKNOWN);
    graph_add(graph, 1);
    cr_assert_eq(graph_count(graph), 3);
    graph_set(graph, 1, 6);
    cr_assert_eq(graph_of(graph, 0).count, 0);
    cr_assert_eq(graph_of(graph, 1).count, 1);
    cr_assert_eq(graph_of(graph, 3).count, 0);
    cr_assert_eq(graph_of(graph, 4).count, 2);
    cr_assert_eq(graph_of(graph, 4).tasks[0], 6);
    cr_assert_eq(graph_of(graph, 4).tasks[1], 1);
    cr_assert_eq(graph_of(graph, 5).count, 0);
}

Test(graph, sorting_keeps_the_order_of_the_file_where_it_can)
{
    static const uint32_t wanted[] = {0, 5, 3, 1, 2, 4};
    need(1, 3);
    need(3, 5);
    need(4, 0);
    uint32_t *order = graph_sort(graph, 6, hear, &said);
    for (uint32_t i = 0; i < 6; i++)
        cr_assert_eq(order[i], wanted[i]);
    cr_assert_eq(said.count, 0);
    free(order);
}

Test(graph, sorts_tasks_that_need_many_later_ones)
{
    enum { MANY = 1000 };
    for (uint32_t task = 0; task < MANY - 1; task++) {
        graph_begin(graph, task);
        for (uint32_t later = task + 1; later < MANY; later += 1 + later % 7)
            graph_add(graph, later);
    }
    assert_sorted(MANY);
    cr_assert_eq(said.count, 0);
}

Test(graph, sorts_a_chain_backwards_without_recursion)
{
    enum { LONG = 1000 * 1000 };
    for (uint32_t task = 0; task < LONG - 1; task++)
        need(task, task + 1);
    assert_sorted(LONG);
    cr_assert_eq(said.count, 0);
}

Test(graph, says_a_circle_with_the_task_that_needs_a_later_one)
{
    need(0, 2); /* 0 -> 2 -> 1 -> 0, and 3 needs it */
    need(1, 0);
    need(2, 1);
    need(3, 0);
    free(graph_sort(graph, 4, hear, &said));
    cr_assert_eq(said.count, 1);
    cr_assert_eq(said.lengths[0], 3);
    cr_assert_eq(said.tasks[0][0], 0);
    cr_assert_eq(said.tasks[0][1], 2);
    cr_assert_eq(said.tasks[0][2], 1);
    cr_assert_eq(said.forwards[0], 0);
    cr_assert_eq(said.needs[0], 0);
}

Test(graph, says_where_a_circle_that_closes_forwards_does_so)
{
    need(1, 4); /* 1 -> 4 -> 2 -> 3 -> 4: the circle begins at 4 */
    need(2, 3);
    need(3, 4);
    need(4, 2);
    free(graph_sort(graph, 5, hear, &said));
    cr_assert_eq(said.count, 1);
    cr_assert_eq(said.lengths[0], 3);
    cr_assert_eq(said.tasks[0][0], 4);
    cr_assert_eq(said.forwards[0], 2);
    cr_assert_eq(said.needs[0], 2);
}

Test(graph, says_every_circle_once_and_still_gives_an_order_of_all)
{
    need(0, 1);
    need(1, 0);
    need(2, 3);
    need(3, 2);
    graph_add(graph, 0);
    uint32_t *order = graph_sort(graph, 5, hear, &said);
    cr_assert_eq(said.count, 2);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 5; i++)
        sum += order[i];
    cr_assert_eq(sum, 10);
    free(order);
}

Test(graph, an_unknown_task_leads_nowhere)
{
    need(0, GRAPH_UNKNOWN);
    need(1, 0);
    free(graph_sort(graph, 2, hear, &said));
    cr_assert_eq(said.count, 0);
}
