/* fake_registry: types for tests of the job file reader without any plugin: `noop` (n), `full` (a parameter of each kind), `heavy`
 * (weight 60, four attempts), `need` (a required one), `broken` (refused). Links in place of plugin/registry.c. */
#pragma once

#include "plugin/registry.h"

/* The parameters of `full`, as a plugin would have them. */
struct full_params {
    bool flag;
    int64_t number;
    double real;
    const char *text;
    int64_t span;
    uint64_t size;
    int colour;
    struct sluice_list list;
    struct sluice_map map;
    const char *any;
};

/* Returns the offer of a type, made on first use. */
const struct offer *fake_offer(const char *name);
