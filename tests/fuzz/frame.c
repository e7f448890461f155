/* frame: libFuzzer has each input read as a frame between the host and a worker process, by the side
 * that gets frames of its kind. Beyond crashes it looks for a frame that is accepted although it
 * could have been written in another way, and for an answer that is more than a plugin may say.
 * Started by run.sh. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execute/isolate/frame.h"
#include "plugin/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void expect(bool right, const char *sentence)
{
    if (right)
        return;
    fprintf(stderr, "frame: not so: %s\n", sentence);
    abort();
}

/* Each reads the bytes as one kind, and writes again what was read. */

static bool read_setup(const void *bytes, size_t length, struct arena *arena, struct buffer *again)
{
    struct frame_setup setup;
    if (!frame_get_setup(bytes, length, arena, &setup))
        return false;
    frame_put_setup(again, &setup);
    return true;
}

static bool read_tasks(const void *bytes, size_t length, struct arena *arena, struct buffer *again)
{
    static struct frame_tasks tasks;
    if (!frame_get_tasks(bytes, length, arena, &tasks))
        return false;
    expect(tasks.count >= 1 && tasks.count <= FRAME_TASKS_MOST, "a batch is limited");
    frame_put_tasks(again, tasks.batch, tasks.job, tasks.count);
    for (uint32_t i = 0; i < tasks.count; i++)
        frame_put_task(again, &tasks.tasks[i]);
    return true;
}

static bool read_cancel(const void *bytes, size_t length, struct buffer *again)
{
    uint32_t batch, index;
    if (!frame_get_cancel(bytes, length, &batch, &index))
        return false;
    frame_put_cancel(again, batch, index);
    return true;
}

static bool read_refused(const void *bytes, size_t length, struct buffer *again)
{
    const char *why;
    if (!frame_get_refused(bytes, length, &why))
        return false;
    frame_put_refused(again, why);
    return true;
}

static void expect_outputs(const struct buffer *outputs)
{
    size_t count = 0;
    for (size_t at = 0; outputs != NULL && at < outputs->length; count++) {
        const char *name = outputs->bytes + at;
        expect(name_is_output(name), "an output has a name");
        at += strlen(name) + 1;
        expect(at < outputs->length, "an output has a text");
        at += strlen(outputs->bytes + at) + 1;
        expect(at <= outputs->length, "the last text has an end");
    }
    expect(count <= CALL_OUTPUTS_MOST, "outputs are limited");
}

static bool read_answer(const void *bytes, size_t length, struct buffer *again)
{
    struct frame_answer answer;
    if (!frame_get_answer(bytes, length, &answer))
        return false;
    expect(strlen(answer.answer.code) < CALL_CODE_BYTES, "a code is limited");
    expect(strlen(answer.answer.message) < CALL_MESSAGE_BYTES, "a message is limited");
    expect_outputs(answer.answer.outputs);
    frame_put_answer(again, &answer);
    return true;
}

static bool read_keep(const void *bytes, size_t length, struct buffer *again)
{
    struct frame_keep keep;
    if (!frame_get_keep(bytes, length, &keep))
        return false;
    expect(memchr(keep.bytes.bytes, '\0', keep.bytes.length) == NULL, "a log has no NUL");
    frame_put_keep(again, keep.batch, keep.index, keep.bytes.bytes, keep.bytes.length);
    return true;
}

static bool read_said(const void *bytes, size_t length, struct buffer *again)
{
    const char *line;
    if (!frame_get_said(bytes, length, &line))
        return false;
    frame_put_said(again, line);
    return true;
}

static bool read_done(const void *bytes, size_t length, struct buffer *again)
{
    struct frame_done done;
    if (!frame_get_done(bytes, length, &done))
        return false;
    frame_put_done(again, &done);
    return true;
}

static bool read_frame(const void *bytes, size_t length, struct arena *arena, struct buffer *again)
{
    switch (frame_kind_of(bytes, length)) {
    case FRAME_SETUP:
        return read_setup(bytes, length, arena, again);
    case FRAME_TASKS:
        return read_tasks(bytes, length, arena, again);
    case FRAME_CANCEL:
        return read_cancel(bytes, length, again);
    case FRAME_READY:
        frame_put_ready(again);
        return length == 1;
    case FRAME_REFUSED:
        return read_refused(bytes, length, again);
    case FRAME_ANSWER:
        return read_answer(bytes, length, again);
    case FRAME_KEEP:
        return read_keep(bytes, length, again);
    case FRAME_SAID:
        return read_said(bytes, length, again);
    case FRAME_DONE:
        return read_done(bytes, length, again);
    }
    return false;
}

/* What was read borrows the bytes, so that they end where the input does. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static struct buffer again;
    struct arena arena;

    again.length = 0;
    arena_init(&arena, 4096, 0);
    if (read_frame(data, length, &arena, &again))
        expect(again.length == length && memcmp(again.bytes, data, length) == 0,
               "a frame is written in one way");
    arena_fini(&arena);
    return 0;
}
