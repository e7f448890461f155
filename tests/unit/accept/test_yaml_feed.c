#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accept/job_file/yaml_feed.h"
#include "support/buffer.h"
#include "support/cleanup.h"

enum { ITEMS = 60000 };

/* A feed over a text; ahead is as its size says. */
struct fed {
    struct job_input input;
    struct yaml_feed *feed;
    int fd;
};

enum size { AS_IT_IS, SMALL };

static void feed_prepare(struct fed *fed, const struct buffer *text)
{
    fed->fd = memfd_create("yaml", 0);
    cr_assert(eq(long, write(fed->fd, text->bytes, text->length), (long)text->length));
    job_input_init(&fed->input, fed->fd, 0);
}

static void feed_open(struct fed *fed, const struct buffer *text, enum size size)
{
    feed_prepare(fed, text);
    if (size == SMALL)
        fed->input.size_bytes = 0;
    fed->feed = yaml_feed_create(&fed->input);
}

static void feed_close(struct fed *fed)
{
    yaml_feed_destroy(&fed->feed);
    job_input_fini(&fed->input);
    close(fed->fd);
}

/* A list that is worth a thread. */
static void put_list(struct buffer *text)
{
    for (int i = 0; i < ITEMS; i++)
        buffer_printf(text, "- %d\n", i);
    cr_assert(gt(sz, text->length, YAML_FEED_AHEAD_LEAST_BYTES));
}

/* Goes over the items before the first scalar. */
static const struct yaml_item *first_scalar(struct fed *fed)
{
    const struct yaml_item *item;
    do
        item = yaml_feed_next(fed->feed);
    while (item != NULL && item->type != YAML_SCALAR_EVENT);
    return item;
}

/* All that is in an item, as text. */
static void show(struct buffer *shown, const struct yaml_item *item)
{
    const struct yaml_node *node = &item->node;
    buffer_printf(shown, "%d %d:%d+%d %d %d %s %s %s\n", item->type, (int)node->place.line,
                  (int)node->place.column, (int)node->place.width, node->plain, item->double_quoted,
                  node->text == NULL ? "-" : node->text, item->anchor == NULL ? "-" : item->anchor,
                  item->tag == NULL ? "-" : item->tag);
}

static void show_all(struct buffer *shown, const struct buffer *text, enum size size)
{
    struct fed fed;
    const struct yaml_item *item;
    feed_open(&fed, text, size);
    do {
        item = yaml_feed_next(fed.feed);
        cr_assert(ne(ptr, (void *)item, NULL));
        show(shown, item);
    } while (item->type != YAML_STREAM_END_EVENT);
    feed_close(&fed);
}

Test(yaml_feed, a_file_parsed_ahead_gives_the_items_of_one_parsed_here, .timeout = 60)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    CLEANUP(buffer_fini) struct buffer here = BUFFER_EMPTY;
    CLEANUP(buffer_fini) struct buffer ahead = BUFFER_EMPTY;
    put_list(&text);
    buffer_puts(&text,
                "- &name !tag {a: 'b', \"c\\ud83d\\ude00\": *name}\n- [&x 1, *x]\n- |\n  d\n");
    put_list(&text);
    show_all(&here, &text, SMALL);
    show_all(&ahead, &text, AS_IT_IS);
    cr_assert(gt(sz, here.length, 2 * ITEMS));
    cr_assert(eq(int, strcmp(buffer_text(&here), buffer_text(&ahead)), 0));
}

Test(yaml_feed, texts_that_no_batch_has_room_for_come_whole, .timeout = 60)
{
    enum { LONG = 3 * YAML_BATCH_BYTES, TIMES = 20 };
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    struct fed fed;
    for (int i = 0; i < TIMES; i++)
        buffer_printf(&text, "- %0*d\n- &a%0*d x\n", LONG, i, LONG, i);
    feed_open(&fed, &text, AS_IT_IS);
    const struct yaml_item *item = first_scalar(&fed);
    for (int i = 0; i < TIMES; i++) {
        cr_assert(eq(sz, item->node.length, LONG));
        cr_assert(eq(int, atoi(item->node.text), i));
        item = yaml_feed_next(fed.feed);
        cr_assert(eq(sz, strlen(item->anchor), LONG + 1));
        cr_assert(eq(int, atoi(item->anchor + 1), i));
        item = yaml_feed_next(fed.feed);
    }
    feed_close(&fed);
}

Test(yaml_feed, what_comes_before_an_error_is_given_first, .timeout = 60)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    struct fed fed;
    put_list(&text);
    buffer_puts(&text, "- 'never closed\n");
    feed_open(&fed, &text, AS_IT_IS);
    int count = 0;
    for (const struct yaml_item *item = first_scalar(&fed); item != NULL; count++) {
        cr_assert(eq(int, atoi(item->node.text), count));
        item = yaml_feed_next(fed.feed);
    }
    cr_assert(eq(int, count, ITEMS));
    cr_assert(eq(int, yaml_feed_parser(fed.feed)->error, YAML_SCANNER_ERROR));
    feed_close(&fed);
}

Test(yaml_feed, may_be_left_at_any_place, .timeout = 60)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    put_list(&text);
    for (int after = 0; after < 20000; after = after * 3 + 1) {
        struct fed fed;
        feed_open(&fed, &text, AS_IT_IS);
        for (int i = 0; i < after; i++)
            cr_assert(ne(ptr, (void *)yaml_feed_next(fed.feed), NULL));
        feed_close(&fed);
    }
}

Test(yaml_feed, an_interrupted_file_ends_early, .timeout = 60)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    struct fed fed;
    put_list(&text);
    feed_prepare(&fed, &text);
    fed.input.stop_fd = eventfd(1, EFD_CLOEXEC);
    fed.feed = yaml_feed_create(&fed.input);
    cr_assert(eq(ptr, (void *)first_scalar(&fed), NULL));
    close(fed.input.stop_fd);
    cr_assert(eq(int, fed.input.problem, JOB_INPUT_INTERRUPTED));
    feed_close(&fed);
}
