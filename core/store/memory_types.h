/* memory_types: how many records there are of each task type; a type without any is forgotten.
 * Embedded in store_memory, guarded by its lock. */
#pragma once

#include "store/store.h"
#include "support/dictionary.h"

struct memory_types {
    struct dictionary by_name;
};

/* Makes it empty; nothing is allocated yet. */
void memory_types_init(struct memory_types *types);

/* Frees everything. */
void memory_types_fini(struct memory_types *types);

/* Counts one more of a type, whose name is copied; running out of memory aborts. */
void memory_types_add(struct memory_types *types, const char *type);

/* Counts one less of a type that has some. */
void memory_types_remove(struct memory_types *types, const char *type);

/* Visits them in any order. */
void memory_types_visit(const struct memory_types *types, store_visit_type *visit, void *context);
