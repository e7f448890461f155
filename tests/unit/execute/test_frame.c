#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "execute/isolate/frame.h"

/* What is read borrows the bytes, which therefore end where the frame does: a sanitizer sees a byte
 * too many. */
struct read {
    struct arena arena;
    union {
        struct frame_setup setup;
        struct frame_tasks tasks;
        struct frame_answer answer;
        struct frame_keep keep;
        struct frame_done done;
        const char *text;
        uint32_t numbers[2];
    } as;
};

static struct buffer frame, again;
static struct read seen;

static void begin(void)
{
    arena_init(&seen.arena, 4096, 0);
}

static void end(void)
{
    arena_fini(&seen.arena);
    buffer_fini(&frame);
    buffer_fini(&again);
}

TestSuite(frame, .init = begin, .fini = end, .timeout = 60);

/* Reads bytes as the kind that they say; *again is what was read, written anew. */
static bool read_frame(const char *bytes, size_t length)
{
    again.length = 0;
    arena_reset(&seen.arena);
    switch (frame_kind_of(bytes, length)) {
    case FRAME_SETUP:
        if (!frame_get_setup(bytes, length, &seen.arena, &seen.as.setup))
            return false;
        frame_put_setup(&again, &seen.as.setup);
        return true;
    case FRAME_TASKS:
        if (!frame_get_tasks(bytes, length, &seen.arena, &seen.as.tasks))
            return false;
        frame_put_tasks(&again, seen.as.tasks.batch, seen.as.tasks.job, seen.as.tasks.count);
        for (uint32_t i = 0; i < seen.as.tasks.count; i++)
            frame_put_task(&again, &seen.as.tasks.tasks[i]);
        return true;
    case FRAME_CANCEL:
        if (!frame_get_cancel(bytes, length, &seen.as.numbers[0], &seen.as.numbers[1]))
            return false;
        frame_put_cancel(&again, seen.as.numbers[0], seen.as.numbers[1]);
        return true;
    case FRAME_READY:
        if (length != 1)
            return false;
        frame_put_ready(&again);
        return true;
    case FRAME_REFUSED:
        if (!frame_get_refused(bytes, length, &seen.as.text))
            return false;
        frame_put_refused(&again, seen.as.text);
        return true;
    case FRAME_ANSWER:
        if (!frame_get_answer(bytes, length, &seen.as.answer))
            return false;
        frame_put_answer(&again, &seen.as.answer);
        return true;
    case FRAME_KEEP:
        if (!frame_get_keep(bytes, length, &seen.as.keep))
            return false;
        frame_put_keep(&again, seen.as.keep.batch, seen.as.keep.index, seen.as.keep.bytes.bytes,
                       seen.as.keep.bytes.length);
        return true;
    case FRAME_SAID:
        if (!frame_get_said(bytes, length, &seen.as.text))
            return false;
        frame_put_said(&again, seen.as.text);
        return true;
    case FRAME_DONE:
        if (!frame_get_done(bytes, length, &seen.as.done))
            return false;
        frame_put_done(&again, &seen.as.done);
        return true;
    }
    return false;
}

static bool read_alone(const char *bytes, size_t length)
{
    char *alone = malloc(length + (length == 0));
    memcpy(alone, bytes, length);
    bool right = read_frame(alone, length);
    /* Whatever is accepted has one way to be written, and this is it. */
    cr_assert(!right || (again.length == length && memcmp(again.bytes, bytes, length) == 0));
    free(alone);
    return right;
}

static void expect_refused(const char *bytes, size_t length)
{
    cr_assert_not(read_alone(bytes, length));
}

/* Cut anywhere, or with more behind it, the frame is none; with a byte changed it is none, or another
 * one. */
static void expect_sound(void)
{
    cr_assert(read_alone(frame.bytes, frame.length));
    for (size_t length = 0; length < frame.length; length++)
        expect_refused(frame.bytes, length);
    buffer_append(&frame, "", 1);
    expect_refused(frame.bytes, frame.length--);
    for (size_t at = 0; at < frame.length; at++) {
        char was = frame.bytes[at];
        for (int change = 1; change < 256; change++) {
            frame.bytes[at] = (char)(was ^ change);
            read_alone(frame.bytes, frame.length);
        }
        frame.bytes[at] = was;
    }
}

static const struct sluice_pair pairs[] = {{"greeting", "hello"}, {"region", ""}};

static const struct answer plain = {.how = ANSWER_RETURNED, .code = "", .message = ""};

static void put_answer(const struct answer *answer)
{
    frame.length = 0;
    frame_put_answer(&frame, &(struct frame_answer){.batch = 7, .index = 3, .answer = *answer});
}

Test(frame, a_setup_arrives_as_it_was)
{
    frame_put_setup(&frame, &(struct frame_setup){.copy = "/var/code/greet.so",
                                                  .log_level = LOG_WARNING,
                                                  .log_format = LOG_FORMAT_JSON,
                                                  .keeps_output = true,
                                                  .memory_most = 1ULL << 40,
                                                  .settings = pairs,
                                                  .settings_count = 2});
    expect_sound();
    cr_assert(read_frame(frame.bytes, frame.length));
    const struct frame_setup *setup = &seen.as.setup;
    cr_assert_str_eq(setup->copy, "/var/code/greet.so");
    cr_assert_eq(setup->log_level, LOG_WARNING);
    cr_assert_eq(setup->log_format, LOG_FORMAT_JSON);
    cr_assert(setup->keeps_output);
    cr_assert_eq(setup->memory_most, 1ULL << 40);
    cr_assert_eq(setup->settings_count, 2);
    cr_assert_str_eq(setup->settings[0].value, "hello");
    cr_assert_str_eq(setup->settings[1].key, "region");
}

Test(frame, tasks_arrive_as_they_were)
{
    const struct frame_task task = {.offer = 1,
                                    .attempt = 2,
                                    .timeout_ns = 3,
                                    .id = "thumb-1",
                                    .type = "resize",
                                    .labels = {2, pairs},
                                    .params = {"ab\0c", 4}};
    const struct frame_task bare = {.id = "x", .type = "y", .params = {"", 0}};
    frame_put_tasks(&frame, 9, "01JABC", 2);
    frame_put_task(&frame, &task);
    frame_put_task(&frame, &bare);
    expect_sound();
    cr_assert(read_frame(frame.bytes, frame.length));
    const struct frame_tasks *tasks = &seen.as.tasks;
    cr_assert_eq(tasks->batch, 9);
    cr_assert_str_eq(tasks->job, "01JABC");
    cr_assert_eq(tasks->count, 2);
    cr_assert_eq(tasks->tasks[0].offer, 1);
    cr_assert_eq(tasks->tasks[0].attempt, 2);
    cr_assert_eq(tasks->tasks[0].timeout_ns, 3);
    cr_assert_str_eq(tasks->tasks[0].labels.pairs[1].key, "region");
    cr_assert_eq(memcmp(tasks->tasks[0].params.bytes, "ab\0c", 4), 0);
    cr_assert_str_eq(tasks->tasks[1].type, "y");
    cr_assert_eq(tasks->tasks[1].labels.count, 0);
}

Test(frame, tasks_are_one_to_a_batch)
{
    const struct frame_task bare = {.id = "x", .type = "y", .params = {"", 0}};
    for (uint32_t count = 0; count <= FRAME_TASKS_MOST + 1; count++) {
        frame.length = 0;
        frame_put_tasks(&frame, 1, "j", count);
        for (uint32_t i = 0; i < count; i++)
            frame_put_task(&frame, &bare);
        cr_assert_eq(read_alone(frame.bytes, frame.length),
                     count >= 1 && count <= FRAME_TASKS_MOST);
    }
}

Test(frame, an_answer_arrives_as_it_was)
{
    struct buffer outputs = {(char[]){"name\0value\0other\0"}, 18, 0};
    outputs.bytes[17] = '\0';
    const struct answer answer = {.how = ANSWER_NO_WORKER,
                                  .status = -57,
                                  .try_again_ns = INT64_MAX,
                                  .code = "not_there",
                                  .message = "no such image",
                                  .outputs = &outputs};
    frame_put_answer(
        &frame, &(struct frame_answer){
                    .batch = 7, .index = 3, .was_asked = true, .ended_ns = 99, .answer = answer});
    expect_sound();
    cr_assert(read_frame(frame.bytes, frame.length));
    const struct frame_answer *got = &seen.as.answer;
    cr_assert_eq(got->batch, 7);
    cr_assert_eq(got->index, 3);
    cr_assert(got->was_asked);
    cr_assert_eq(got->ended_ns, 99);
    cr_assert_eq(got->answer.how, ANSWER_NO_WORKER);
    cr_assert_eq(got->answer.status, -57);
    cr_assert_eq(got->answer.try_again_ns, INT64_MAX);
    cr_assert_str_eq(got->answer.code, "not_there");
    cr_assert_str_eq(got->answer.message, "no such image");
    cr_assert_eq(got->answer.outputs->length, 18);
}

Test(frame, an_answer_says_no_more_than_a_plugin_could)
{
    static char code[CALL_CODE_BYTES + 1], message[CALL_MESSAGE_BYTES + 1];
    memset(code, 'c', sizeof code - 1);
    memset(message, 'm', sizeof message - 1);
    struct answer answer = plain;
    put_answer(&answer);
    cr_assert(read_alone(frame.bytes, frame.length));
    answer.code = code;
    put_answer(&answer);
    expect_refused(frame.bytes, frame.length);
    answer.code = "not a code";
    put_answer(&answer);
    expect_refused(frame.bytes, frame.length);
    answer = plain;
    answer.message = message;
    put_answer(&answer);
    expect_refused(frame.bytes, frame.length);
    answer = plain;
    answer.try_again_ns = -1;
    put_answer(&answer);
    expect_refused(frame.bytes, frame.length);
    answer = plain;
    answer.how = (enum answer_how)(ANSWER_NO_PARAMS + 1);
    put_answer(&answer);
    expect_refused(frame.bytes, frame.length);
}

static bool accepts_outputs(const char *bytes, size_t length)
{
    struct buffer outputs = {(char *)(uintptr_t)bytes, length, 0};
    struct answer answer = plain;
    answer.outputs = &outputs;
    put_answer(&answer);
    return read_alone(frame.bytes, frame.length);
}

Test(frame, outputs_are_as_a_plugin_could_have_put_them_out)
{
    struct buffer many = BUFFER_EMPTY;
    cr_assert(accepts_outputs("a\0b", 4));
    cr_assert(accepts_outputs("a\0", 3), "an empty text");
    cr_assert_not(accepts_outputs("a", 2), "a name alone");
    cr_assert_not(accepts_outputs("a\0b", 3), "no end");
    cr_assert_not(accepts_outputs("\0b", 3), "no name");
    cr_assert_not(accepts_outputs("a b\0c", 6), "a name that is none");
    cr_assert_not(accepts_outputs("a\0b\0a\0c", 8), "a name twice");
    for (int i = 0; i < CALL_OUTPUTS_MOST; i++)
        buffer_printf(&many, "n%d%c%c", i, 0, 0);
    cr_assert(accepts_outputs(many.bytes, many.length));
    buffer_append(&many, "z\0", 3);
    cr_assert_not(accepts_outputs(many.bytes, many.length), "one too many");
    many.length = 0;
    buffer_append(&many, "a\0", 2);
    while (many.length < CALL_OUTPUTS_MOST_BYTES)
        buffer_append(&many, "x", 1);
    buffer_append(&many, "", 1);
    cr_assert_not(accepts_outputs(many.bytes, many.length), "a byte too many");
    buffer_fini(&many);
}

Test(frame, the_small_ones_arrive_as_they_were)
{
    frame_put_cancel(&frame, 1, UINT32_MAX);
    expect_sound();
    frame.length = 0;
    frame_put_ready(&frame);
    expect_sound();
    frame.length = 0;
    frame_put_refused(&frame, "init: no such device");
    expect_sound();
    frame.length = 0;
    frame_put_keep(&frame, 3, 4, "a line\nand more", 15);
    expect_sound();
    frame.length = 0;
    frame_put_said(&frame, "");
    expect_sound();
    frame.length = 0;
    frame_put_done(&frame, &(struct frame_done){5, true, 1 << 20});
    expect_sound();
}

Test(frame, what_is_kept_for_a_log_has_no_end_in_it)
{
    frame_put_keep(&frame, 1, 0, "a\0b", 3);
    expect_refused(frame.bytes, frame.length);
}

Test(frame, a_count_asks_for_no_more_memory_than_was_sent)
{
    frame_put_setup(&frame, &(struct frame_setup){.copy = "c"});
    memcpy(frame.bytes + frame.length - 4, "\xff\xff\0\0", 4);
    expect_refused(frame.bytes, frame.length);
    memcpy(frame.bytes + frame.length - 4, "\xff\xff\xff\xff", 4);
    expect_refused(frame.bytes, frame.length);
}

Test(frame, no_bytes_are_of_no_kind)
{
    cr_assert_eq(frame_kind_of("", 0), 0);
    expect_refused("", 0);
    expect_refused("\0", 1);
    expect_refused("\x0a", 1);
    expect_refused("\xff", 1);
}
