/* What a worker process says while a batch is in it. */
#include <sys/socket.h>

#include "accept/job.h"
#include "execute/isolate/channel.h"
#include "execute/isolate/internal.h"

/* Frames that are taken before the time is looked at again: more than a socket holds of a process
 * that has died, so that nothing of it is lost. */
enum { HEARD_MOST = 1024 };

static bool take_answer(struct isolate *isolate)
{
    struct frame_answer got;
    if (!frame_get_answer(isolate->process.frame.bytes, isolate->process.frame.length, &got) ||
        got.batch != isolate->batch || got.index >= isolate_limit(isolate))
        return false;
    isolate_gather(isolate, got.index);
    if (isolate->ended != got.index || !isolate_hold(isolate))
        return false;
    struct task *task = isolate_current(isolate);
    struct attempt attempt = isolate_attempt(isolate, got.ended_ns);
    const struct answer_asked asked = {.deadline_ns = isolate_deadline_ns(task, attempt.started_ns),
                                       .timeout_ns = task->timeout_ns};
    answer_read(&got.answer, got.was_asked ? &asked : NULL, &isolate->text, &attempt);
    isolate_end_task(isolate, &attempt);
    return true;
}

static bool take_kept(struct isolate *isolate)
{
    struct frame_keep got;
    if (!frame_get_keep(isolate->process.frame.bytes, isolate->process.frame.length, &got))
        return false;
    if (got.batch != isolate->batch || got.index >= isolate_limit(isolate))
        return true; /* between two calls: nobody's */
    isolate_gather(isolate, got.index);
    if (got.index < isolate->ended)
        return true; /* its call ended while another thread had yet to send it */
    if (isolate->ended != got.index || !isolate_hold(isolate))
        return false;
    isolate_mark_running(isolate_current(isolate));
    outcome_log(isolate->worker->pool->executor->options.outcome, isolate_current(isolate),
                got.bytes.bytes, got.bytes.length);
    return true;
}

static bool take_done(struct isolate *isolate)
{
    const struct buffer *frame = &isolate->process.frame;
    isolate->done = frame_get_done(frame->bytes, frame->length, &isolate->last) &&
                    isolate->last.batch == isolate->batch;
    if (isolate->done)
        isolate_gather(isolate, isolate_limit(isolate));
    return isolate->done && isolate->ended == isolate_limit(isolate);
}

static bool take_said(struct isolate *isolate)
{
    const struct buffer *frame = &isolate->process.frame;
    const char *line;
    if (!frame_get_said(frame->bytes, frame->length, &line))
        return false;
    process_say(line);
    return true;
}

static bool take_frame(struct isolate *isolate)
{
    const struct buffer *frame = &isolate->process.frame;
    switch (frame_kind_of(frame->bytes, frame->length)) {
    case FRAME_ANSWER:
        return take_answer(isolate);
    case FRAME_KEEP:
        return take_kept(isolate);
    case FRAME_DONE:
        return take_done(isolate);
    case FRAME_SAID:
        return take_said(isolate);
    case FRAME_SETUP:
    case FRAME_TASKS:
    case FRAME_CANCEL:
    case FRAME_READY:
    case FRAME_REFUSED:
        break;
    }
    return false;
}

/* Takes what has come; false: no more will, or it makes no sense. */
bool isolate_hear(struct isolate *isolate)
{
    for (int heard = 0; heard < HEARD_MOST && !isolate->done && !isolate->broken; heard++) {
        switch (channel_receive(isolate->process.work_fd, &isolate->process.frame, MSG_DONTWAIT)) {
        case CHANNEL_OK:
            isolate->broken = !take_frame(isolate);
            break;
        case CHANNEL_EMPTY:
            return true;
        case CHANNEL_CLOSED:
            return false;
        case CHANNEL_BROKEN:
            isolate->broken = true;
            break;
        }
    }
    return !isolate->broken;
}
