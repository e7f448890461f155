#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "accept/job.h"
#include "accept/late.h"
#include "accept/result_map.h"
#include "accept/window.h"

static void put(struct buffer *outputs, const char *name, const char *text)
{
    buffer_append(outputs, name, strlen(name) + 1);
    buffer_append(outputs, text, strlen(text) + 1);
}

Test(result, has_outputs_if_the_task_succeeded)
{
    struct buffer outputs = BUFFER_EMPTY;
    put(&outputs, "a", "1");
    put(&outputs, "b", "");
    for (int i = 0; i < 2; i++) {
        struct result *result = result_create(7);
        cr_assert(eq(int, result_state(result), TASK_ACCEPTED));
        result_fill(result, i == 0 ? TASK_SUCCEEDED : TASK_FAILED, &outputs);
        cr_assert(eq(int, result_state(result), i == 0 ? TASK_SUCCEEDED : TASK_FAILED));
        cr_assert(eq(int, result_output(result, "b") != NULL, i == 0));
        cr_assert(result_output(result, "c") == NULL);
        result_release(&result);
    }
    buffer_fini(&outputs);
}

Test(result_map, finds_what_was_added_and_nothing_else)
{
    struct result_map *map = result_map_create();
    cr_assert(result_map_find(map, 0) == NULL);
    for (uint32_t i = 0; i < 10000; i++)
        cr_assert(eq(u32, result_map_add(map, i * 3)->number, i * 3));
    for (uint32_t i = 0; i < 10000; i++) {
        cr_assert(result_map_find(map, i * 3) == result_map_add(map, i * 3));
        cr_assert(result_map_find(map, i * 3 + 1) == NULL);
    }
    result_map_destroy(&map);
}

/* A task of a checked job that refers to three results. */
struct late_task {
    struct job job;
    struct task task;
    struct result *results[3];
    char memory[128];
};

static void late_task_init(struct late_task *late)
{
    struct buffer outputs = BUFFER_EMPTY;
    char *memory = late->memory + 16 - ((uintptr_t)late->memory & 15);
    uint32_t count;
    memset(late, 0, sizeof *late);
    late->job.mode = JOB_CHECKED;
    put(&outputs, "out.put", "text");
    for (uint32_t i = 0; i < 3; i++)
        late->results[i] = result_create(i);
    result_fill(late->results[0], TASK_SUCCEEDED, &outputs);
    result_fill(late->results[1], TASK_TIMED_OUT, &outputs);
    late_begin(memory, 3);
    late->task = (struct task){.job = &late->job, .late = true, .params = memory + late_bytes(3)};
    memcpy(late_results(&late->task, &count), late->results, sizeof late->results);
    cr_assert(eq(u32, count, 3));
    buffer_fini(&outputs);
}

Test(late, finds_what_references_stand_for)
{
    struct late_task late;
    struct error error;
    late_task_init(&late);
    cr_assert(eq(str, (char *)late_find(&late.task, "0/3/a.b.status", &error), "succeeded"));
    cr_assert(eq(str, (char *)late_find(&late.task, "1/1/b.status", &error), "timed_out"));
    cr_assert(eq(str, (char *)late_find(&late.task, "0/1/a.output.out.put", &error), "text"));
    for (int i = 0; i < 3; i++)
        result_release(&late.results[i]);
}

Test(late, says_what_it_does_not_find)
{
    static const char *const pairs[][2] = {
        {"0/1/a.output.other", "task 'a' has no output 'other'"},
        {"1/1/b.output.out.put", "task 'b' has no outputs: it is timed_out"},
        {"2/1/c.status", "task 'c' has not ended"},
        {"3/1/d.status", "the packed parameters are damaged"},
        {"0/1/a.stat", "the packed parameters are damaged"},
        {"0/9/a.status", "the packed parameters are damaged"},
        {"x", "the packed parameters are damaged"},
        {"", "the packed parameters are damaged"},
    };
    struct late_task late;
    late_task_init(&late);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct error error;
        cr_assert(late_find(&late.task, pairs[i][0], &error) == NULL);
        cr_assert(eq(str, error.message, (char *)pairs[i][1]));
    }
    for (int i = 0; i < 3; i++)
        result_release(&late.results[i]);
}

/* Ends a task of a window. */
static void end(struct window *window, uint32_t number, enum task_state state,
                const struct buffer *outputs)
{
    struct task task = {.number = number, .id = "x", .state = (uint8_t)state};
    struct task_list released;
    task_list_init(&released);
    if (outputs != NULL)
        window_keep(window, &task, outputs);
    window_end(window, &task, &released);
}

Test(result, of_a_streamed_job_is_there_whether_the_task_ended_before_it_was_asked_for_or_after)
{
    struct window *window = window_create();
    struct buffer outputs = BUFFER_EMPTY;
    struct result *held[4];
    put(&outputs, "n", "1");
    for (uint32_t i = 0; i < 4; i++)
        window_add(window, i);
    end(window, 0, TASK_SUCCEEDED, &outputs);
    end(window, 1, TASK_FAILED, NULL);
    for (uint32_t i = 0; i < 4; i++)
        held[i] = window_hold(window, i);
    cr_assert(eq(int, result_state(held[2]), TASK_ACCEPTED));
    end(window, 2, TASK_SUCCEEDED, &outputs);
    end(window, 3, TASK_FAILED, NULL);
    for (uint32_t i = 0; i < 4; i++) {
        cr_assert(eq(int, result_state(held[i]), i % 2 == 0 ? TASK_SUCCEEDED : TASK_FAILED));
        cr_assert(eq(int, result_output(held[i], "n") != NULL, i % 2 == 0));
        result_release(&held[i]);
    }
    buffer_fini(&outputs);
    window_destroy(&window);
}

Test(result, of_a_streamed_job_is_let_go_when_too_much_is_kept)
{
    enum { TEXT_BYTES = 60 * 1024, TASKS = 2 * WINDOW_OUTPUTS_MOST_BYTES / TEXT_BYTES };
    static char text[TEXT_BYTES];
    struct window *window = window_create();
    struct buffer outputs = BUFFER_EMPTY;
    memset(text, 'x', sizeof text - 1);
    put(&outputs, "n", text);
    for (uint32_t i = 0; i < TASKS; i++) {
        window_add(window, i);
        end(window, i, TASK_SUCCEEDED, &outputs);
    }
    struct result *first = window_hold(window, 0), *last = window_hold(window, TASKS - 1);
    cr_assert(result_output(first, "n") == NULL);
    cr_assert(first->forgotten);
    cr_assert(result_output(last, "n") != NULL);
    result_release(&first);
    result_release(&last);
    buffer_fini(&outputs);
    window_destroy(&window);
}

Test(window, a_reference_that_is_read_while_a_task_ends_finds_its_outputs)
{
    struct window *window = window_create();
    struct buffer outputs = BUFFER_EMPTY;
    struct task task = {.id = "t", .state = TASK_SUCCEEDED};
    struct task_list released;
    task_list_init(&released);
    put(&outputs, "text", "x");
    window_add(window, 0);
    window_keep(window, &task, &outputs);
    struct result *held = window_hold(window, 0);
    window_end(window, &task, &released);
    cr_assert(eq(int, result_state(held), TASK_SUCCEEDED));
    cr_assert(result_output(held, "text") != NULL);
    result_release(&held);
    window_destroy(&window);
    buffer_fini(&outputs);
}
