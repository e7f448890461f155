/* Server-sent events, cut anywhere. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/event_stream.h"

static struct buffer seen;

static bool note(void *context, const char *name, const char *data)
{
    (void)context;
    buffer_printf(&seen, "[%s|%s]", name, data);
    return strcmp(name, "stop") != 0;
}

static void expect(const char *text, const char *events)
{
    size_t length = strlen(text);

    for (size_t piece = 1; piece <= length; piece++) {
        struct event_stream stream = {.take = note};
        seen.length = 0;
        for (size_t at = 0; at < length; at += piece)
            if (!event_stream_feed(&stream, text + at, at + piece > length ? length - at : piece))
                break;
        cr_expect(eq(str, (char *)buffer_text(&seen), (char *)events), "pieces of %zu", piece);
        event_stream_reset(&stream);
    }
    buffer_fini(&seen);
}

Test(event_stream, events_have_names_and_data_wherever_they_are_cut)
{
    expect("event: task\ndata: {\"a\":1}\n\nevent:job\r\ndata:x\r\n\r\n",
           "[task|{\"a\":1}][job|x]");
}

Test(event_stream, data_of_several_lines_is_joined)
{
    expect("data: a\ndata: b\n\n", "[|a\nb]");
}

Test(event_stream, comments_unknown_fields_and_events_without_data_are_none)
{
    expect(": still here\n\nid: 7\nretry: 5\nevent: empty\n\ndata: x\n\n", "[|x]");
}

Test(event_stream, an_event_that_is_not_whole_is_none)
{
    expect("event: task\ndata: x\n", "");
}

Test(event_stream, who_has_enough_gets_no_more)
{
    expect("event: stop\ndata: x\n\nevent: task\ndata: y\n\n", "[stop|x]");
}
