/* Tables of chains, so that adding one takes the same time whatever the hashes are. A full one is
 * never made larger, which would take its time under the lock: another one, for as many again,
 * stands in front of it. */
#include "store/memory_ids.h"

#include <assert.h>
#include <stdlib.h>

#include "support/dictionary.h"

enum { SMALLEST_ROOM = 64 };

struct entry {
    uint32_t hash;
    uint32_t number;
    uint32_t next; /* of the same bucket: its index + 1; 0: none */
};

struct memory_ids_table {
    struct memory_ids_table *older;
    uint32_t room, used; /* room: a power of two, and as many buckets */
    uint32_t *buckets;   /* behind the entries: index of the first one + 1; 0: none */
    struct entry entries[];
};

void memory_ids_fini(struct memory_ids *ids)
{
    for (struct memory_ids_table *table = ids->newest, *older; table != NULL; table = older) {
        older = table->older;
        free(table);
    }
    *ids = (struct memory_ids){0};
}

static void add_table(struct memory_ids *ids, uint32_t expected)
{
    size_t room = SMALLEST_ROOM;

    while (room < expected && room <= UINT32_MAX / 2)
        room *= 2;
    struct memory_ids_table *table =
        calloc(1, sizeof(*table) + room * (sizeof(table->entries[0]) + sizeof(table->buckets[0])));
    if (table == NULL)
        abort();
    table->room = (uint32_t)room;
    table->buckets = (uint32_t *)(table->entries + room);
    table->older = ids->newest;
    ids->newest = table;
}

static uint32_t *bucket_of(const struct memory_ids_table *table, uint32_t hash)
{
    return &table->buckets[hash & (table->room - 1)];
}

void memory_ids_add(struct memory_ids *ids, uint32_t number, const char *id, uint32_t expected)
{
    assert(number >= ids->next_number && number < UINT32_MAX);
    if (ids->newest == NULL || ids->newest->used == ids->newest->room)
        add_table(ids, expected);
    struct memory_ids_table *table = ids->newest;
    uint32_t hash = (uint32_t)dictionary_hash(id), *bucket = bucket_of(table, hash);
    table->entries[table->used] = (struct entry){hash, number, *bucket};
    *bucket = ++table->used;
    ids->next_number = number + 1;
}

/* Lowers *found to the first number in a table, from one on, that has the hash. */
static void look_in(const struct memory_ids_table *table, uint32_t hash, uint32_t from,
                    uint32_t *found)
{
    for (uint32_t at = *bucket_of(table, hash); at != 0; at = table->entries[at - 1].next) {
        const struct entry *entry = &table->entries[at - 1];
        if (entry->hash == hash && entry->number >= from && entry->number < *found)
            *found = entry->number;
    }
}

bool memory_ids_next(const struct memory_ids *ids, const char *id, uint32_t *number)
{
    uint32_t hash = (uint32_t)dictionary_hash(id), found = UINT32_MAX;

    for (const struct memory_ids_table *table = ids->newest; table != NULL; table = table->older)
        look_in(table, hash, *number, &found);
    if (found == UINT32_MAX)
        return false;
    *number = found;
    return true;
}
