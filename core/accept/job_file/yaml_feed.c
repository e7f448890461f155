/* Two threads share a ring of batches: the parser fills one after the other, the reader reads them
 * in the same order. Whoever has to wait is woken when half of the ring is there for it, so that
 * both sleep rarely. Without the thread the reader fills the first batch itself whenever it was
 * read. */
#include "accept/job_file/yaml_feed.h"

#include <assert.h>
#include <stdlib.h>

#include "accept/job_file/json_batch.h"
#include "support/thread.h"

enum { RING_BATCHES = 32 };

/* Both fill and read batches of their own and copy them to and from the ring: so the lines of a
 * batch cross over all at once. One by one, each would hold up who writes or reads it. */
struct ahead {
    struct yaml_batch filling; /* the parser's */
    /* from read to filled the reader's, the others the parser's */
    struct yaml_batch ring[RING_BATCHES];
};

struct yaml_feed {
    bool parses; /* immutable: else all items are in json from the start */
    /* the parser's; without the thread the reader's */
    yaml_parser_t parser;
    struct job_input *input; /* NULL: it rests */
    /* the reader's */
    struct json_batch json;
    struct yaml_batch reading;
    size_t at;             /* in either of the two */
    struct yaml_item item; /* the newest of reading */
    struct ahead *ahead;   /* NULL: there is no thread, and nothing of what follows */
    struct thread thread;
    _Alignas(THREAD_LINE_BYTES) struct mutex lock;
    struct cond can_fill, can_read;
    /* guarded by lock */
    uint32_t filled, read; /* so many batches */
    bool parser_waits, reader_waits;
    bool unwanted; /* nothing more is to be filled */
};

/* Waits for room in the ring; NULL if nothing more is wanted. */
static struct yaml_batch *take_to_fill(struct yaml_feed *feed)
{
    MUTEX_GUARD(&feed->lock);
    while (!feed->unwanted && feed->filled - feed->read == RING_BATCHES) {
        feed->parser_waits = true;
        cond_wait(&feed->can_fill, &feed->lock);
    }
    feed->parser_waits = false;
    return feed->unwanted ? NULL : &feed->ahead->ring[feed->filled % RING_BATCHES];
}

static void give_filled(struct yaml_feed *feed, bool more)
{
    mutex_lock(&feed->lock);
    feed->filled++;
    bool wake = feed->reader_waits && (!more || feed->filled - feed->read >= RING_BATCHES / 2);
    mutex_unlock(&feed->lock);
    if (wake)
        cond_signal(&feed->can_read);
}

static void parser_run(void *argument)
{
    struct yaml_feed *feed = argument;
    struct yaml_batch *batch, *filling = &feed->ahead->filling;
    for (bool more = true; more && (batch = take_to_fill(feed)) != NULL;) {
        more = yaml_batch_fill(filling, &feed->parser, feed->input, YAML_BATCH_FULL);
        yaml_batch_move(batch, filling);
        give_filled(feed, more);
    }
}

/* Waits for a batch in the ring. */
static struct yaml_batch *take_to_read(struct yaml_feed *feed)
{
    MUTEX_GUARD(&feed->lock);
    while (feed->filled == feed->read) {
        feed->reader_waits = true;
        cond_wait(&feed->can_read, &feed->lock);
    }
    feed->reader_waits = false;
    return &feed->ahead->ring[feed->read % RING_BATCHES];
}

static void give_read(struct yaml_feed *feed)
{
    mutex_lock(&feed->lock);
    feed->read++;
    bool wake = feed->parser_waits && feed->filled - feed->read <= RING_BATCHES / 2;
    mutex_unlock(&feed->lock);
    if (wake)
        cond_signal(&feed->can_fill);
}

/* What may have to wait for input must give what it has, event by event. */
static void fill_here(struct yaml_feed *feed)
{
    enum yaml_batch_most most = feed->input->seekable ? YAML_BATCH_FULL : YAML_BATCH_ONE;
    yaml_batch_fill(&feed->reading, &feed->parser, feed->input, most);
}

static void *aligned_new(size_t bytes)
{
    void *memory = aligned_alloc(THREAD_LINE_BYTES, bytes);
    if (memory == NULL)
        abort();
    return memory;
}

/* Makes all but the parser ready; most of it is not even touched. */
static void feed_init(struct yaml_feed *feed, struct job_input *input)
{
    feed->input = input;
    feed->at = 0;
    feed->filled = feed->read = 0;
    feed->parser_waits = feed->reader_waits = feed->unwanted = false;
    feed->ahead = NULL;
    yaml_batch_init(&feed->reading);
}

static void ahead_free(struct yaml_feed *feed)
{
    yaml_batch_fini(&feed->ahead->filling);
    for (size_t i = 0; i < RING_BATCHES; i++)
        yaml_batch_fini(&feed->ahead->ring[i]);
    free(feed->ahead);
    feed->ahead = NULL;
    cond_fini(&feed->can_read);
    cond_fini(&feed->can_fill);
    mutex_fini(&feed->lock);
}

/* A system that has no thread to give gets the file read all the same. */
static void ahead_start(struct yaml_feed *feed)
{
    struct error error;
    mutex_init(&feed->lock);
    cond_init(&feed->can_fill);
    cond_init(&feed->can_read);
    feed->ahead = aligned_new(sizeof *feed->ahead);
    yaml_batch_init(&feed->ahead->filling);
    for (size_t i = 0; i < RING_BATCHES; i++)
        yaml_batch_init(&feed->ahead->ring[i]);
    if (!thread_start(&feed->thread, "parser", parser_run, feed, &error))
        ahead_free(feed);
}

/* A small text may need no parser. */
static bool is_read(struct yaml_feed *feed)
{
    const struct job_input *input = feed->input;
    return input->text != NULL && input->given == 0 && input->problem == JOB_INPUT_FINE &&
           json_batch_fill(&feed->json, input->text, input->filled);
}

void yaml_feed_restart(struct yaml_feed *feed, struct job_input *input)
{
    feed_init(feed, input);
    feed->parses = !is_read(feed);
    if (!feed->parses)
        return;
    if (!yaml_parser_initialize(&feed->parser))
        abort();
    yaml_parser_set_encoding(&feed->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input(&feed->parser, job_input_give, input);
    feed->parser.mark.line = input->first_line - 1; /* every place is in the file then */
    if (input->size_bytes >= YAML_FEED_AHEAD_LEAST_BYTES)
        ahead_start(feed);
}

struct yaml_feed *yaml_feed_create(struct job_input *input)
{
    struct yaml_feed *feed = aligned_new(sizeof *feed);
    yaml_feed_restart(feed, input);
    return feed;
}

static void ahead_stop(struct yaml_feed *feed)
{
    mutex_lock(&feed->lock);
    feed->unwanted = true;
    mutex_unlock(&feed->lock);
    cond_signal(&feed->can_fill);
    thread_join(&feed->thread);
    ahead_free(feed);
}

void yaml_feed_rest(struct yaml_feed *feed)
{
    if (feed->ahead != NULL)
        ahead_stop(feed);
    yaml_batch_fini(&feed->reading);
    if (feed->parses)
        yaml_parser_delete(&feed->parser);
    feed->input = NULL;
}

void yaml_feed_destroy(struct yaml_feed **feed_pointer)
{
    struct yaml_feed *feed = *feed_pointer;
    if (feed == NULL)
        return;
    if (feed->input != NULL)
        yaml_feed_rest(feed);
    free(feed);
    *feed_pointer = NULL;
}

static void next_batch(struct yaml_feed *feed)
{
    feed->at = 0;
    if (feed->ahead == NULL) {
        fill_here(feed);
        return;
    }
    yaml_batch_move(&feed->reading, take_to_read(feed));
    give_read(feed);
}

const struct yaml_item *yaml_feed_next(struct yaml_feed *feed)
{
    if (!feed->parses) {
        assert(feed->at < feed->json.count);
        return &feed->json.items[feed->at++];
    }
    while (!yaml_batch_read(&feed->reading, &feed->at, &feed->item)) {
        if (feed->reading.last)
            return NULL;
        next_batch(feed);
    }
    return &feed->item;
}

const yaml_parser_t *yaml_feed_parser(const struct yaml_feed *feed)
{
    return &feed->parser;
}
