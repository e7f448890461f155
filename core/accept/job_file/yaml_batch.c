/* What crosses over from the parser's cache to the reader's is the dearest part of parsing ahead:
 * so an item is packed as a record of 16 bytes and its texts, three or four in a cache line. */
#include "accept/job_file/yaml_batch.h"

#include <string.h>

#include "accept/job_file/surrogate.h"

enum { RECORD_ALIGN = 4 };

/* Behind it: the text of a scalar, the anchor, the tag, each with its NUL. */
struct record {
    uint32_t line, column;
    uint32_t length; /* of a scalar's text; of a document's start or end the item's character */
    uint16_t width;
    uint8_t type; /* yaml_event_type_t */
    bool plain : 1, double_quoted : 1, has_anchor : 1, has_tag : 1;
};

void yaml_batch_init(struct yaml_batch *batch)
{
    batch->used_bytes = 0;
    batch->last = false;
    batch->has_kept = false;
}

static void forget_kept(struct yaml_batch *batch)
{
    if (batch->has_kept)
        yaml_event_delete(&batch->kept);
    batch->has_kept = false;
}

void yaml_batch_fini(struct yaml_batch *batch)
{
    forget_kept(batch);
}

/* What goes over more than one line is marked to the end of its first. */
static struct place event_place(const yaml_event_t *event)
{
    const yaml_mark_t *from = &event->start_mark, *to = &event->end_mark;
    size_t width = from->line == to->line ? to->column - from->column : UINT16_MAX;
    width = width > UINT16_MAX ? UINT16_MAX : width;
    return (struct place){.line = (uint32_t)from->line + 1,
                          .column = (uint32_t)from->column + 1,
                          .width = width > 0 ? (uint32_t)width : 1};
}

static enum yaml_kind kind_of(yaml_event_type_t type)
{
    switch (type) {
    case YAML_SCALAR_EVENT:
        return YAML_KIND_SCALAR;
    case YAML_SEQUENCE_START_EVENT:
        return YAML_KIND_LIST;
    case YAML_MAPPING_START_EVENT:
        return YAML_KIND_MAP;
    case YAML_ALIAS_EVENT:
        return YAML_KIND_ALIAS;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        break;
    }
    return YAML_KIND_END;
}

static void take_scalar(struct yaml_item *item, const yaml_event_t *event, bool has_pairs)
{
    char *text = (char *)event->data.scalar.value;
    item->double_quoted = event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    item->node.plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    item->node.text = text;
    item->node.length = event->data.scalar.length;
    if (has_pairs)
        item->node.length = surrogate_restore(text, item->node.length, item->double_quoted);
    item->anchor = (const char *)event->data.scalar.anchor;
    item->tag = (const char *)event->data.scalar.tag;
}

/* Turns an event into an item whose texts are the event's own. */
static void take_event(struct yaml_item *item, const yaml_event_t *event, bool has_pairs)
{
    *item = (struct yaml_item){.type = event->type};
    item->node.kind = kind_of(event->type);
    item->node.place = event_place(event);
    if (event->type == YAML_SCALAR_EVENT) {
        take_scalar(item, event, has_pairs);
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        item->anchor = (const char *)event->data.sequence_start.anchor;
        item->tag = (const char *)event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        item->anchor = (const char *)event->data.mapping_start.anchor;
        item->tag = (const char *)event->data.mapping_start.tag;
    } else if (event->type == YAML_ALIAS_EVENT) {
        item->anchor = (const char *)event->data.alias.anchor;
    } else if (event->type == YAML_DOCUMENT_START_EVENT) {
        item->character = (uint32_t)event->start_mark.index;
    } else if (event->type == YAML_DOCUMENT_END_EVENT) {
        item->character = (uint32_t)event->end_mark.index;
    }
}

static size_t aligned(size_t bytes)
{
    return (bytes + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);
}

static char *put_text(char *to, const char *text, size_t length)
{
    memcpy(to, text, length);
    to[length] = '\0';
    return to + length + 1;
}

static bool is_document(yaml_event_type_t type)
{
    return type == YAML_DOCUMENT_START_EVENT || type == YAML_DOCUMENT_END_EVENT;
}

static struct record record_of(const struct yaml_item *item)
{
    const struct yaml_node *node = &item->node;
    return (struct record){.line = node->place.line,
                           .column = node->place.column,
                           .width = (uint16_t)node->place.width,
                           .length =
                               is_document(item->type) ? item->character : (uint32_t)node->length,
                           .type = (uint8_t)item->type,
                           .plain = node->plain,
                           .double_quoted = item->double_quoted,
                           .has_anchor = item->anchor != NULL,
                           .has_tag = item->tag != NULL};
}

/* Packs an item behind the others with copies of its texts; false if there is no room. */
static bool put_item(struct yaml_batch *batch, const struct yaml_item *item)
{
    batch->last = item->type == YAML_STREAM_END_EVENT;
    const struct record record = record_of(item);
    size_t anchor_length = record.has_anchor ? strlen(item->anchor) : 0;
    size_t tag_length = record.has_tag ? strlen(item->tag) : 0;
    size_t most = sizeof record + item->node.length + anchor_length + tag_length + 3;
    if (most > YAML_BATCH_BYTES - batch->used_bytes)
        return false;
    char *end = batch->bytes + batch->used_bytes;
    memcpy(end, &record, sizeof record);
    end += sizeof record;
    if (item->type == YAML_SCALAR_EVENT)
        end = put_text(end, item->node.text, item->node.length);
    if (record.has_anchor)
        end = put_text(end, item->anchor, anchor_length);
    if (record.has_tag)
        end = put_text(end, item->tag, tag_length);
    batch->used_bytes = aligned((size_t)(end - batch->bytes));
    return true;
}

/* Takes over an event; false if the batch is full then. Texts are copied, so that libyaml finds
 * their memory for its next event while it is warm; an event that finds no room is kept. */
static bool put_event(struct yaml_batch *batch, yaml_event_t *event, bool has_pairs)
{
    struct yaml_item item;
    take_event(&item, event, has_pairs);
    if (put_item(batch, &item)) {
        yaml_event_delete(event);
        return true;
    }
    batch->kept = *event;
    batch->kept_item = item;
    batch->has_kept = true;
    return false;
}

bool yaml_batch_fill(struct yaml_batch *batch, yaml_parser_t *parser, struct job_input *input,
                     enum yaml_batch_most most)
{
    bool goes_on = true;
    forget_kept(batch);
    batch->used_bytes = 0;
    while (goes_on) {
        yaml_event_t event;
        batch->last = !yaml_parser_parse(parser, &event);
        if (batch->last)
            return false;
        job_input_note_event(input);
        goes_on =
            put_event(batch, &event, input->pairs > 0) && !batch->last && most == YAML_BATCH_FULL;
    }
    return !batch->last;
}

void yaml_batch_move(struct yaml_batch *to, struct yaml_batch *from)
{
    forget_kept(to);
    memcpy(to, from, offsetof(struct yaml_batch, bytes) + from->used_bytes);
    from->has_kept = false;
}

static const char *get_text(const char **at, size_t length)
{
    const char *text = *at;
    *at += length + 1;
    return text;
}

static void unpack(const struct yaml_batch *batch, size_t *at, struct yaml_item *item)
{
    struct record record;
    const char *from = batch->bytes + *at;
    memcpy(&record, from, sizeof record);
    from += sizeof record;
    item->type = record.type;
    item->double_quoted = record.double_quoted;
    item->node = (struct yaml_node){.kind = kind_of(record.type),
                                    .plain = record.plain,
                                    .length = record.length,
                                    .place = {record.line, record.column, record.width}};
    if (record.type == YAML_SCALAR_EVENT)
        item->node.text = get_text(&from, record.length);
    item->anchor = record.has_anchor ? get_text(&from, strlen(from)) : NULL;
    item->tag = record.has_tag ? get_text(&from, strlen(from)) : NULL;
    item->character = record.length;
    *at = aligned((size_t)(from - batch->bytes));
}

bool yaml_batch_read(const struct yaml_batch *batch, size_t *at, struct yaml_item *item)
{
    if (*at < batch->used_bytes) {
        unpack(batch, at, item);
        return true;
    }
    if (!batch->has_kept || *at > batch->used_bytes)
        return false;
    *item = batch->kept_item;
    ++*at;
    return true;
}
