#include "accept/result_map.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 64 };

struct result_map {
    struct result **slots; /* a power of two, at most half of them taken */
    uint32_t slots_count, count;
};

struct result_map *result_map_create(void)
{
    struct result_map *map = calloc(1, sizeof *map);
    if (map == NULL)
        abort();
    return map;
}

void result_map_destroy(struct result_map **map_pointer)
{
    struct result_map *map = *map_pointer;
    if (map == NULL)
        return;
    for (uint32_t i = 0; i < map->slots_count; i++)
        result_release(&map->slots[i]);
    free(map->slots);
    free(map);
    *map_pointer = NULL;
}

/* The slot of a number, or the free one where it belongs. The factor spreads numbers in a row. */
static struct result **slot_of(const struct result_map *map, uint32_t number)
{
    uint32_t mask = map->slots_count - 1;
    uint32_t at = (uint32_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
    while (map->slots[at] != NULL && map->slots[at]->number != number)
        at = (at + 1) & mask;
    return &map->slots[at];
}

static void grow(struct result_map *map)
{
    struct result_map larger = {
        .slots_count = map->slots_count ? map->slots_count * 2 : SLOTS_FIRST, .count = map->count};
    larger.slots = calloc(larger.slots_count, sizeof *larger.slots);
    if (larger.slots == NULL)
        abort();
    for (uint32_t i = 0; i < map->slots_count; i++)
        if (map->slots[i] != NULL)
            *slot_of(&larger, map->slots[i]->number) = map->slots[i];
    free(map->slots);
    *map = larger;
}

struct result *result_map_find(const struct result_map *map, uint32_t number)
{
    return map->count == 0 ? NULL : *slot_of(map, number);
}

struct result *result_map_add(struct result_map *map, uint32_t number)
{
    if (map->count * 2 >= map->slots_count)
        grow(map);
    struct result **slot = slot_of(map, number);
    if (*slot == NULL) {
        *slot = result_create(number);
        map->count++;
    }
    return *slot;
}
