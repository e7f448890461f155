#include "accept/job_file/yaml_tape.h"
#include "support/memory.h"

#include <assert.h>
#include <stdlib.h>

void yaml_tape_fini(struct yaml_tape *tape)
{
    free(tape->entries);
    buffer_fini(&tape->texts);
    name_table_fini(&tape->anchors);
}

/* Most documents put nothing on it: then there is nothing to do. */
void yaml_tape_clear(struct yaml_tape *tape)
{
    if (tape->capacity == 0 && tape->named == 0)
        return;
    yaml_tape_fini(tape);
    *tape = (struct yaml_tape){0};
}

static struct yaml_tape_entry *entry_add(struct yaml_tape *tape)
{
    if (tape->count == tape->capacity) {
        tape->capacity = tape->capacity == 0 ? 64 : tape->capacity * 2;
        tape->entries = memory_grow(tape->entries, tape->capacity, sizeof tape->entries[0]);
    }
    return &tape->entries[tape->count++];
}

void yaml_tape_put(struct yaml_tape *tape, const struct yaml_node *node, uint32_t target)
{
    uint32_t index = tape->count;
    struct yaml_tape_entry *entry = entry_add(tape);
    *entry = (struct yaml_tape_entry){.kind = (uint8_t)node->kind,
                                      .plain = node->plain,
                                      .end = target,
                                      .length = (uint32_t)node->length,
                                      .place = node->place,
                                      .text = tape->texts.length};
    if (node->kind == YAML_KIND_SCALAR) {
        buffer_append(&tape->texts, node->text, node->length);
        buffer_append(&tape->texts, "", 1);
    } else if (node->kind == YAML_KIND_LIST || node->kind == YAML_KIND_MAP) {
        assert(tape->depth <= JOB_FILE_NESTING_MOST);
        tape->open[tape->depth++] = index;
    } else if (node->kind == YAML_KIND_END) {
        assert(tape->depth > 0);
        tape->entries[tape->open[--tape->depth]].end = tape->count;
    }
}

bool yaml_tape_full(const struct yaml_tape *tape)
{
    return tape->count >= JOB_FILE_ANCHOR_NODES_MOST ||
           tape->texts.length >= JOB_FILE_ANCHOR_TEXT_MOST_BYTES;
}

void yaml_tape_name_next(struct yaml_tape *tape, const char *name, size_t length)
{
    name_table_set(&tape->anchors, name, length, tape->count);
    tape->named++;
}

const uint32_t *yaml_tape_find(const struct yaml_tape *tape, const char *name, size_t length)
{
    return name_table_find(&tape->anchors, name, length);
}

static bool is_open_kind(const struct yaml_tape_entry *entry)
{
    return entry->kind == YAML_KIND_LIST || entry->kind == YAML_KIND_MAP;
}

uint32_t yaml_tape_behind(const struct yaml_tape *tape, uint32_t index)
{
    return is_open_kind(&tape->entries[index]) ? tape->entries[index].end : index + 1;
}

uint32_t yaml_tape_target(const struct yaml_tape *tape, uint32_t index)
{
    const struct yaml_tape_entry *entry = &tape->entries[index];
    return entry->kind == YAML_KIND_ALIAS ? entry->end : index;
}

struct yaml_node yaml_tape_node(const struct yaml_tape *tape, uint32_t index)
{
    const struct yaml_tape_entry *entry = &tape->entries[index];
    bool scalar = entry->kind == YAML_KIND_SCALAR;
    return (struct yaml_node){.kind = (enum yaml_kind)entry->kind,
                              .plain = entry->plain,
                              .text = scalar ? tape->texts.bytes + entry->text : NULL,
                              .length = entry->length,
                              .place = entry->place};
}

struct yaml_tape_mark yaml_tape_mark(const struct yaml_tape *tape)
{
    return (struct yaml_tape_mark){tape->count, tape->named, tape->depth, tape->texts.length};
}

void yaml_tape_forget(struct yaml_tape *tape, struct yaml_tape_mark mark)
{
    if (mark.depth > 0 || tape->depth > 0 || tape->named != mark.named)
        return;
    tape->count = mark.count;
    tape->texts.length = mark.text;
}
