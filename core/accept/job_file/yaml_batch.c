#include "accept/job_file/yaml_batch.h"

#include <string.h>

#include "accept/job_file/surrogate.h"

/* What goes over more than one line is marked to the end of its first. */
static struct place event_place(const yaml_event_t *event)
{
    const yaml_mark_t *from = &event->start_mark, *to = &event->end_mark;
    size_t width = from->line == to->line ? to->column - from->column : UINT16_MAX;
    return (struct place){.line = (uint32_t)from->line + 1,
                          .column = (uint32_t)from->column + 1,
                          .width = width > 0 ? (uint32_t)width : 1};
}

static void take_scalar(struct yaml_item *item, const yaml_event_t *event, bool has_pairs)
{
    char *text = (char *)event->data.scalar.value;
    item->double_quoted = event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    item->node.kind = YAML_KIND_SCALAR;
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
    *item = (struct yaml_item){.type = (uint8_t)event->type,
                               .node = {.kind = YAML_KIND_END, .place = event_place(event)}};
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        take_scalar(item, event, has_pairs);
        break;
    case YAML_SEQUENCE_START_EVENT:
        item->node.kind = YAML_KIND_LIST;
        item->anchor = (const char *)event->data.sequence_start.anchor;
        item->tag = (const char *)event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        item->node.kind = YAML_KIND_MAP;
        item->anchor = (const char *)event->data.mapping_start.anchor;
        item->tag = (const char *)event->data.mapping_start.tag;
        break;
    case YAML_ALIAS_EVENT:
        item->node.kind = YAML_KIND_ALIAS;
        item->anchor = (const char *)event->data.alias.anchor;
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        break;
    }
}

/* Copies a text with its NUL into the batch and makes the pointer show there; false if there is no
 * room. */
static bool move_text(struct yaml_batch *batch, const char **text, size_t length)
{
    if (length >= YAML_BATCH_TEXT_BYTES - batch->text_bytes)
        return false;
    char *to = batch->texts + batch->text_bytes;
    memcpy(to, *text, length + 1);
    *text = to;
    batch->text_bytes += length + 1;
    return true;
}

static bool move_name(struct yaml_batch *batch, const char **name)
{
    return *name == NULL || move_text(batch, name, strlen(*name));
}

/* Texts are copied, so that libyaml's memory is free for its next event while it is warm: handing
 * over the events themselves costs it a tenth more. An event that finds no room is kept. */
static bool move_texts(struct yaml_batch *batch, struct yaml_item *item)
{
    return (item->node.text == NULL || move_text(batch, &item->node.text, item->node.length)) &&
           move_name(batch, &item->anchor) && move_name(batch, &item->tag);
}

void yaml_batch_init(struct yaml_batch *batch)
{
    batch->count = 0;
    batch->last = false;
    batch->kept = (yaml_event_t){.type = YAML_NO_EVENT};
}

bool yaml_batch_fill(struct yaml_batch *batch, yaml_parser_t *parser, struct job_input *input,
                     uint32_t most)
{
    bool full = false;
    yaml_event_delete(&batch->kept);
    batch->count = 0;
    batch->text_bytes = 0;
    while (!full && !batch->last) {
        yaml_event_t event;
        struct yaml_item *item = &batch->items[batch->count];
        batch->last = !yaml_parser_parse(parser, &event);
        if (batch->last)
            return false;
        job_input_note_event(input);
        take_event(item, &event, input->pairs > 0);
        batch->last = event.type == YAML_STREAM_END_EVENT;
        full = ++batch->count == most;
        if (move_texts(batch, item)) {
            yaml_event_delete(&event);
        } else {
            batch->kept = event;
            full = true;
        }
    }
    return !batch->last;
}

void yaml_batch_fini(struct yaml_batch *batch)
{
    yaml_event_delete(&batch->kept);
}
