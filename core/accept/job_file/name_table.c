#include "accept/job_file/name_table.h"
#include "support/memory.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 16 };

void name_table_fini(struct name_table *table)
{
    buffer_fini(&table->texts);
    free(table->entries);
    free(table->slots);
    *table = NAME_TABLE_EMPTY;
}

void name_table_clear(struct name_table *table)
{
    if (table->count == 0)
        return;
    memset(table->slots, 0, table->slots_count * sizeof table->slots[0]);
    table->texts.length = 0;
    table->count = 0;
}

/* FNV-1a, its high bits folded into the low ones that choose the slot. */
static uint64_t name_hash(const char *name, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

static bool entry_is(const struct name_table *table, const struct name_entry *entry, uint64_t hash,
                     const char *name, size_t length)
{
    return entry->hash == hash && entry->length == length &&
           memcmp(table->texts.bytes + entry->text, name, length) == 0;
}

/* The slot that holds the name, or the free one where it belongs. */
static uint32_t *slot_of(const struct name_table *table, uint64_t hash, const char *name,
                         size_t length)
{
    size_t mask = table->slots_count - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        uint32_t *slot = &table->slots[at];
        if (*slot == 0 || entry_is(table, &table->entries[*slot - 1], hash, name, length))
            return slot;
    }
}

uint32_t *name_table_find(const struct name_table *table, const char *name, size_t length)
{
    if (table->count == 0)
        return NULL;
    uint32_t slot = *slot_of(table, name_hash(name, length), name, length);
    return slot == 0 ? NULL : &table->entries[slot - 1].value;
}

static void slots_double(struct name_table *table)
{
    free(table->slots);
    table->slots_count = table->slots_count == 0 ? SLOTS_FIRST : table->slots_count * 2;
    table->slots = calloc(table->slots_count, sizeof table->slots[0]);
    if (table->slots == NULL)
        abort();
    for (size_t i = 0; i < table->count; i++) {
        size_t at = table->entries[i].hash & (table->slots_count - 1);
        while (table->slots[at] != 0)
            at = (at + 1) & (table->slots_count - 1);
        table->slots[at] = (uint32_t)i + 1;
    }
}

static struct name_entry *entry_add(struct name_table *table)
{
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? SLOTS_FIRST / 2 : table->capacity * 2;
        table->entries = memory_grow(table->entries, table->capacity, sizeof table->entries[0]);
    }
    return &table->entries[table->count++];
}

bool name_table_set(struct name_table *table, const char *name, size_t length, uint32_t value)
{
    if (table->count * 2 >= table->slots_count)
        slots_double(table);
    uint64_t hash = name_hash(name, length);
    uint32_t *slot = slot_of(table, hash, name, length);
    if (*slot != 0) {
        table->entries[*slot - 1].value = value;
        return false;
    }
    *entry_add(table) = (struct name_entry){hash, table->texts.length, length, value};
    buffer_append(&table->texts, name, length);
    *slot = (uint32_t)table->count;
    return true;
}
