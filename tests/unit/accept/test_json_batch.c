/* A text in memory, part of which needs no parser, against the same in a file, all of which does: the items must be
 * the same, to the last place. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accept/job_file/json_batch.h"
#include "accept/job_file/yaml_feed.h"
#include "support/buffer.h"
#include "support/cleanup.h"

/* All that is in the items of an input, as text; the input is over then. */
static void show_all(struct buffer *shown, struct job_input *input)
{
    struct yaml_feed *feed = yaml_feed_create(input);
    const struct yaml_item *item;
    do {
        item = yaml_feed_next(feed);
        if (item == NULL)
            break;
        const struct yaml_node *node = &item->node;
        bool counts =
            item->type == YAML_DOCUMENT_START_EVENT || item->type == YAML_DOCUMENT_END_EVENT;
        buffer_printf(shown, "%d %d %u:%u+%u %d %d %s %zu %u\n", item->type, node->kind,
                      node->place.line, node->place.column, node->place.width, node->plain,
                      item->double_quoted, node->text == NULL ? "-" : node->text,
                      node->text == NULL ? 0 : node->length, counts ? item->character : 0);
    } while (item->type != YAML_STREAM_END_EVENT);
    yaml_feed_destroy(&feed);
    job_input_fini(input);
}

static void compare(const char *text, size_t length)
{
    CLEANUP(buffer_fini) struct buffer from_file = BUFFER_EMPTY;
    CLEANUP(buffer_fini) struct buffer from_text = BUFFER_EMPTY;
    CLEANUP(cleanup_close) int fd = memfd_create("text", 0);
    struct job_input input;
    cr_assert_eq(write(fd, text, length), (ssize_t)length);
    job_input_init(&input, fd, 0);
    show_all(&from_file, &input);
    job_input_init_text(&input, text, length, 0);
    show_all(&from_text, &input);
    cr_assert_str_eq(buffer_text(&from_text), buffer_text(&from_file), "%.*s", (int)length, text);
}

static bool is_taken(const char *text)
{
    static struct json_batch batch;
    bool taken = json_batch_fill(&batch, text, strlen(text));
    cr_assert_eq(batch.count > 0, taken);
    return taken;
}

Test(json_batch, takes_what_json_and_yaml_write_alike)
{
    static const char *const texts[] = {
        "{}",
        " {\"type\":\"noop\"}",
        "\n{\"type\": \"noop\", \"params\": {\"n\": -1.5e+3, \"b\": true}}\n",
        "{\n  \"a\": [],\n  \"b\": [1, {\"c\": null}, \"x  y \", [false]],\n  \"d\" :{}\n}\n\n ",
        "{\"a\":\n\"#: - ? & * ! | > ' % @ `\"}",
        "{\"a\":0123,\"b\":1.2.3,\"c\":1e}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cr_assert(is_taken(texts[i]), "%s", texts[i]);
        compare(texts[i], strlen(texts[i]));
    }
}

Test(json_batch, leaves_all_else_to_libyaml)
{
    static const char *const texts[] = {
        "",
        "type: noop",
        "[]",
        "1",
        "{",
        "{}}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":[1,]}",
        "{a: 1}",
        "{\"a\"\n:1}",
        "{\"a\": b}",
        "{\"a\":1 2}",
        "{\"a\":\"\\n\"}",
        "{\"a\":\"b\nc\"}",
        "{\"a\":1}\n---\n{}",
        "{} # x",
        "{\t}",
        "{\"a\":\"\xc3\xa4\"}",
        "{\"a\":-}",
        "{\"a\":truex}",
        "{\"a\": &b 1}",
        "{\"a\":1\r\n}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cr_assert_not(is_taken(texts[i]), "%s", texts[i]);
        compare(texts[i], strlen(texts[i]));
    }
}

Test(json_batch, leaves_what_is_long_or_deep_to_libyaml)
{
    char text[2 * JSON_BATCH_MOST_BYTES];
    for (int nesting = 10; nesting < 20; nesting++) {
        CLEANUP(buffer_fini) struct buffer deep = BUFFER_EMPTY;
        for (int i = 0; i < nesting; i++)
            buffer_puts(&deep, "{\"a\":");
        buffer_puts(&deep, "1");
        for (int i = 0; i < nesting; i++)
            buffer_puts(&deep, "}");
        cr_assert_eq(is_taken(buffer_text(&deep)), nesting <= 16);
        compare(deep.bytes, deep.length);
    }
    for (size_t length = 900; length < 1100; length += 33) {
        int all = snprintf(text, sizeof text, "{\"%0*d\": 1}", (int)length, 7);
        cr_assert_eq(is_taken(text), length <= 1000);
        compare(text, (size_t)all);
    }
}

Test(json_batch, leaves_what_has_many_items_to_libyaml)
{
    for (int items = 230; items < 270; items++) {
        CLEANUP(buffer_fini) struct buffer wide = BUFFER_EMPTY;
        buffer_puts(&wide, "{\"a\":[1");
        for (int i = 1; i < items; i++)
            buffer_puts(&wide, ",1");
        buffer_puts(&wide, "]}");
        /* beside them: starts and ends of stream, document, map and list, and the key */
        cr_assert_eq(is_taken(buffer_text(&wide)), items + 9 <= JSON_BATCH_ITEMS_MOST, "%d", items);
        compare(wide.bytes, wide.length);
    }
}

/* Small steps in a row, so that many texts are nearly right. */
Test(json_batch, whatever_comes_is_what_libyaml_says, .timeout = 120)
{
    static const char *const pieces[] = {
        "{",    "}",       "[",    "]",    "\"a\":",  "\"b\" : ", "1",   "-2",
        "true", "\"x y\"", ",",    ", ",   ":",       " ",        "\n",  "\"",
        "-",    "#",       "null", "\"\"", "{\"c\":", "[1,",      "0.5", "\n---\n"};
    enum { TEXTS = 30000, PIECES = sizeof pieces / sizeof *pieces };
    unsigned seed = 1;
    for (int i = 0; i < TEXTS; i++) {
        char text[400] = "{";
        int count = rand_r(&seed) % 12;
        for (int j = 0; j < count; j++)
            strcat(text, pieces[rand_r(&seed) % PIECES]);
        if (i % 2 == 0)
            strcat(text, "}");
        compare(text, strlen(text));
    }
}
