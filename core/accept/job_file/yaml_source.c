#include "accept/job_file/yaml_source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job_file/job_report.h"
#include "accept/job_file/yaml_feed.h"
#include "accept/job_file/yaml_problem.h"

/* A part of the tape that is read in place of the file. Frames are left when the next node is asked
 * for, not with their last one. At each level of nesting there are at most an alias and a merge. */
struct frame {
    uint32_t at, end;
    uint32_t alias_line;
};

enum { FRAMES_MOST = 2 * JOB_FILE_NESTING_MOST + 4 };

enum { SKIPPED_DEPTH_MOST = 1000 };

struct yaml_source {
    struct yaml_feed *feed;
    const struct yaml_item *item; /* the newest; NULL: none yet */
    struct job_input *input;
    struct job_faults *faults;
    struct yaml_tape tape;
    uint32_t frames_count;     /* in frames */
    uint32_t depth;            /* lists and maps that are open where it reads */
    uint32_t alias_nodes;      /* replayed so far */
    uint64_t alias_text_bytes; /* in them */
    bool aliases_free;         /* they are not counted now */
    bool broken;               /* the document cannot be read on */
    bool too_deep;             /* its rest was not skipped: the file is not read on either */
    bool over;                 /* there is no other one */
    struct yaml_span span;     /* of the document */
    struct frame frames[FRAMES_MOST];
};

/* All but the frames, none of which is used yet. */
static void source_init(struct yaml_source *source, struct yaml_feed *feed, struct job_input *input,
                        struct job_faults *faults)
{
    memset(source, 0, offsetof(struct yaml_source, frames));
    source->feed = feed;
    source->input = input;
    source->faults = faults;
}

struct yaml_source *yaml_source_create(struct job_input *input, struct job_faults *faults)
{
    struct yaml_source *source = malloc(sizeof *source);
    if (source == NULL)
        abort();
    source_init(source, yaml_feed_create(input), input, faults);
    return source;
}

void yaml_source_rest(struct yaml_source *source)
{
    yaml_feed_rest(source->feed);
    yaml_tape_clear(&source->tape);
}

void yaml_source_restart(struct yaml_source *source, struct job_input *input,
                         struct job_faults *faults)
{
    yaml_feed_restart(source->feed, input);
    source_init(source, source->feed, input, faults);
}

void yaml_source_destroy(struct yaml_source **source_pointer)
{
    struct yaml_source *source = *source_pointer;
    if (source == NULL)
        return;
    yaml_feed_destroy(&source->feed);
    yaml_tape_fini(&source->tape);
    free(source);
    *source_pointer = NULL;
}

struct job_faults *yaml_source_faults(struct yaml_source *source)
{
    return source->faults;
}

bool yaml_source_broken(const struct yaml_source *source)
{
    return source->broken;
}

bool yaml_source_over(const struct yaml_source *source)
{
    return source->over;
}

bool yaml_source_too_deep(const struct yaml_source *source)
{
    return source->too_deep;
}

struct yaml_span yaml_source_span(const struct yaml_source *source)
{
    return source->span;
}

void yaml_source_forget_aliases(struct yaml_source *source)
{
    source->alias_nodes = 0;
    source->alias_text_bytes = 0;
}

/* Reports what reading a document cannot go on from; always false. */
static bool source_break(struct yaml_source *source, enum job_file_error code, struct place place,
                         const char *message)
{
    job_report(source->faults, (struct job_fault){code, place, NULL}, "%s", message);
    source->broken = true;
    return false;
}

static bool next_item(struct yaml_source *source)
{
    if (source->broken)
        return false;
    const struct yaml_item *item = yaml_feed_next(source->feed);
    if (item == NULL) {
        yaml_problem_report(yaml_feed_parser(source->feed), source->input, source->faults);
        source->broken = source->over = true;
        return false;
    }
    source->item = item;
    source->over = item->type == YAML_STREAM_END_EVENT;
    return true;
}

bool yaml_source_begin(struct yaml_source *source)
{
    bool first = source->item == NULL;
    if ((first && !next_item(source)) || !next_item(source)) /* the stream's start, a document's */
        return false;
    assert(source->over || source->item->type == YAML_DOCUMENT_START_EVENT);
    source->broken = source->over;
    source->span.first = source->item->character;
    source->span.place = source->item->node.place;
    return !source->over;
}

/* Skips what was not read of the document. */
static void skip_rest(struct yaml_source *source)
{
    uint32_t depth = 0; /* below where reading was left */
    while (!source->broken && !source->too_deep && source->item->type != YAML_DOCUMENT_END_EVENT) {
        if (!next_item(source))
            return;
        yaml_event_type_t type = source->item->type;
        if (type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT)
            source->too_deep = ++depth > SKIPPED_DEPTH_MOST;
        else if (depth > 0 && (type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT))
            depth--;
    }
}

void yaml_source_end(struct yaml_source *source)
{
    source->frames_count = 0;
    source->depth = 0;
    source->aliases_free = false;
    yaml_tape_clear(&source->tape);
    source->broken = source->over;
    skip_rest(source);
    source->span.behind = source->item->character;
}

/* A tag or a text that is not allowed makes the node WRONG, so that it is reported once. */
static void check_tag(struct yaml_source *source, struct yaml_node *node, const char *tag)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    bool is_short = strncmp(tag, prefix, sizeof(prefix) - 1) == 0;
    job_report(source->faults,
               (struct job_fault){JOB_FILE_TAG, node->place, "the expected kind decides"},
               "explicit tags are not allowed, found '%s%s'", is_short ? "!!" : "",
               tag + (is_short ? sizeof(prefix) - 1 : 0));
    if (node->kind == YAML_KIND_SCALAR)
        node->kind = YAML_KIND_WRONG;
}

static void check_text(struct yaml_source *source, struct yaml_node *node, bool double_quoted)
{
    if (node->length > JOB_FILE_STRING_MOST_BYTES) {
        job_report(source->faults, (struct job_fault){JOB_FILE_TOO_LARGE, node->place, NULL},
                   "a string of %zu bytes, at most %d are allowed", node->length,
                   JOB_FILE_STRING_MOST_BYTES);
        node->kind = YAML_KIND_WRONG;
    } else if (double_quoted && memchr(node->text, '\0', node->length) != NULL) {
        job_report(source->faults, (struct job_fault){JOB_FILE_ENCODING, node->place, NULL},
                   "a string may not hold a NUL byte");
        node->kind = YAML_KIND_WRONG;
    }
}

/* Turns the newest item into a node. */
static void read_item(struct yaml_source *source, struct yaml_node *node)
{
    const struct yaml_item *item = source->item;
    *node = item->node;
    if (node->kind == YAML_KIND_SCALAR)
        check_text(source, node, item->double_quoted);
    if (item->tag != NULL)
        check_tag(source, node, item->tag);
}

/* Finds what an alias stands for; otherwise reports it and makes the node WRONG. */
static uint32_t resolve_alias(struct yaml_source *source, struct yaml_node *node, const char *name)
{
    const uint32_t *index = yaml_tape_find(&source->tape, name, strlen(name));
    if (index != NULL && yaml_tape_behind(&source->tape, *index) != 0)
        return *index;
    job_report(source->faults, (struct job_fault){JOB_FILE_ALIAS, node->place, NULL},
               index == NULL ? "no anchor '&%s' stands before this alias"
                             : "the alias '*%s' stands inside its own anchor",
               name);
    node->kind = YAML_KIND_WRONG;
    return 0;
}

static bool record_node(struct yaml_source *source, const struct yaml_node *node, uint32_t target)
{
    if (yaml_tape_full(&source->tape))
        return source_break(source, JOB_FILE_TOO_LARGE, node->place,
                            "anchors hold more than 1,000,000 nodes or 64 MiB");
    yaml_tape_put(&source->tape, node, target);
    return true;
}

/* Keeps the count of what is open, at the depth where the nodes are used. */
static bool count_depth(struct yaml_source *source, const struct yaml_node *node)
{
    if (node->kind == YAML_KIND_END)
        source->depth--;
    else if ((node->kind == YAML_KIND_LIST || node->kind == YAML_KIND_MAP) &&
             ++source->depth > JOB_FILE_NESTING_MOST)
        return source_break(source, JOB_FILE_TOO_LARGE, node->place,
                            "lists and maps are nested deeper than 32 levels");
    return true;
}

/* Reads a node of the file itself, on to the tape if it has an anchor, is inside one, or must.
 * *target is what an ALIAS stands for. */
static bool read_file(struct yaml_source *source, struct yaml_node *node, uint32_t *target,
                      bool must_record)
{
    if (!next_item(source))
        return false;
    read_item(source, node);
    const char *anchor = source->item->anchor;
    *target = 0;
    if (node->kind == YAML_KIND_ALIAS)
        *target = resolve_alias(source, node, anchor);
    else if (anchor != NULL)
        yaml_tape_name_next(&source->tape, anchor, strlen(anchor));
    bool named = anchor != NULL && node->kind != YAML_KIND_ALIAS;
    if (!count_depth(source, node))
        return false;
    return !(named || must_record || source->tape.depth > 0) || record_node(source, node, *target);
}

/* Leaves the frames that are done and returns the one to read from, NULL for the file. */
static struct frame *frame_current(struct yaml_source *source)
{
    while (source->frames_count > 0) {
        struct frame *frame = &source->frames[source->frames_count - 1];
        if (frame->at < frame->end)
            return frame;
        source->frames_count--;
    }
    return NULL;
}

static bool enter(struct yaml_source *source, struct frame frame, struct place place)
{
    frame_current(source);
    if (source->frames_count == FRAMES_MOST)
        return source_break(source, JOB_FILE_TOO_LARGE, place, "aliases are nested too deep");
    source->frames[source->frames_count++] = frame;
    return true;
}

/* Counts a node that an alias stands for: a small file must not fill the memory. */
static bool count_alias(struct yaml_source *source, const struct yaml_node *node)
{
    struct place place = source->item->node.place;
    source->alias_text_bytes += node->length;
    if (++source->alias_nodes > JOB_FILE_ALIAS_NODES_MOST)
        return source_break(source, JOB_FILE_TOO_LARGE, place,
                            "aliases stand for more than 1,000,000 nodes in all");
    if (source->alias_text_bytes > JOB_FILE_ALIAS_TEXT_MOST_BYTES)
        return source_break(source, JOB_FILE_TOO_LARGE, place,
                            "aliases stand for more than 256 MiB of text in all");
    return true;
}

static bool read_tape(struct yaml_source *source, struct frame *frame, struct yaml_node *node,
                      uint32_t *target)
{
    uint32_t index = frame->at++;
    *node = yaml_tape_node(&source->tape, index);
    *target = yaml_tape_target(&source->tape, index);
    node->alias_line = frame->alias_line;
    if (node->kind == YAML_KIND_WRONG) /* nothing more is said, but whoever uses it is wrong too */
        source->faults->count++;
    if (node->kind != YAML_KIND_END && frame->alias_line != 0 && !source->aliases_free &&
        !count_alias(source, node))
        return false;
    return count_depth(source, node);
}

bool yaml_source_next(struct yaml_source *source, struct yaml_node *node)
{
    uint32_t target = 0;
    for (;;) {
        struct frame *frame = source->frames_count > 0 ? frame_current(source) : NULL;
        if (!(frame != NULL ? read_tape(source, frame, node, &target)
                            : read_file(source, node, &target, false)))
            return false;
        if (node->kind != YAML_KIND_ALIAS)
            return true;
        uint32_t line = node->alias_line != 0 ? node->alias_line : node->place.line;
        struct frame alias = {target, yaml_tape_behind(&source->tape, target), line};
        if (!enter(source, alias, node->place))
            return false;
    }
}

bool yaml_source_skip(struct yaml_source *source, const struct yaml_node *node)
{
    if (node->kind != YAML_KIND_LIST && node->kind != YAML_KIND_MAP)
        return true;
    for (uint32_t outside = source->depth - 1; source->depth > outside;) {
        struct yaml_node inner;
        if (!yaml_source_next(source, &inner))
            return false;
    }
    return true;
}

bool yaml_source_skip_next(struct yaml_source *source)
{
    struct yaml_node node;
    return yaml_source_next(source, &node) && yaml_source_skip(source, &node);
}

static struct yaml_aside aside_of(const struct yaml_source *source, uint32_t index,
                                  uint32_t alias_line)
{
    struct yaml_node node = yaml_tape_node(&source->tape, index);
    if (node.kind == YAML_KIND_ALIAS && alias_line == 0)
        alias_line = node.place.line;
    return (struct yaml_aside){yaml_tape_target(&source->tape, index), alias_line};
}

bool yaml_source_record(struct yaml_source *source, struct yaml_aside *aside)
{
    struct frame *frame = frame_current(source);
    if (frame != NULL) { /* it is on the tape already */
        *aside = aside_of(source, frame->at, frame->alias_line);
        frame->at = yaml_tape_behind(&source->tape, frame->at);
        return true;
    }
    uint32_t outside = source->depth, target = 0;
    uint32_t first = source->tape.count;
    do {
        struct yaml_node node;
        if (!read_file(source, &node, &target, true))
            return false;
    } while (source->depth > outside);
    *aside = aside_of(source, first, 0);
    return true;
}

void yaml_source_count_aliases(struct yaml_source *source, bool counts)
{
    source->aliases_free = !counts;
}

void yaml_source_replay(struct yaml_source *source, struct yaml_aside aside)
{
    uint32_t end = yaml_tape_behind(&source->tape, aside.index);
    enter(source, (struct frame){aside.index, end, aside.alias_line}, (struct place){0});
}

uint32_t yaml_source_items(const struct yaml_source *source, struct yaml_aside aside,
                           struct yaml_aside *items, uint32_t most)
{
    const struct yaml_tape *tape = &source->tape;
    uint32_t count = 0, behind = yaml_tape_behind(tape, aside.index);
    if (yaml_tape_node(tape, aside.index).kind != YAML_KIND_LIST) {
        items[0] = aside;
        return 1;
    }
    for (uint32_t at = aside.index + 1; at + 1 < behind; at = yaml_tape_behind(tape, at), count++)
        if (count < most)
            items[count] = aside_of(source, at, aside.alias_line);
    return count;
}

struct yaml_tape_mark yaml_source_mark(const struct yaml_source *source)
{
    return yaml_tape_mark(&source->tape);
}

void yaml_source_forget(struct yaml_source *source, struct yaml_tape_mark mark)
{
    yaml_tape_forget(&source->tape, mark);
}
