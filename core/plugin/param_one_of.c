#include "plugin/param_one_of.h"

#include <stdlib.h>
#include <string.h>

static size_t count_of(const struct param_table *table, size_t index, const uint64_t *given)
{
    size_t count = 0;
    for (size_t word = 0; word * 64 < table->count; word++)
        count += (size_t)__builtin_popcountll(table->one_ofs[index].rows[word] & given[word]);
    return count;
}

/* Returns the alternative of a name, made if there is none. */
static struct param_one_of *get(struct param_table *table, const char *name)
{
    for (size_t i = 0; i < table->one_ofs_count; i++)
        if (strcmp(table->one_ofs[i].name, name) == 0)
            return &table->one_ofs[i];
    struct param_one_of *one_of = &table->one_ofs[table->one_ofs_count++];
    one_of->name = name;
    return one_of;
}

bool param_one_of_init(struct param_table *table, struct error *error)
{
    static const uint64_t all[] = {[0 ... PARAM_ROWS_MOST / 64 - 1] = UINT64_MAX};
    size_t named = 0;
    for (size_t i = 0; i < table->count; i++)
        named += table->rows[i].one_of != NULL;
    if (named == 0)
        return true;
    table->one_ofs = calloc(named, sizeof *table->one_ofs);
    if (table->one_ofs == NULL)
        return error_set(error, "no_memory", "out of memory");
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].one_of != NULL)
            get(table, table->rows[i].one_of)->rows[i / 64] |= UINT64_C(1) << i % 64;
    for (size_t i = 0; i < table->one_ofs_count; i++)
        if (count_of(table, i, all) < 2)
            return error_set(error, "bad_parameter", "one_of '%s' has no second parameter",
                             table->one_ofs[i].name);
    return true;
}

enum param_one_of_answer param_one_of_check(const struct param_table *table, const uint64_t *given,
                                            size_t *wrong)
{
    for (size_t i = 0; i < table->one_ofs_count; i++) {
        size_t count = count_of(table, i, given);
        *wrong = i;
        if (count != 1)
            return count == 0 ? PARAM_ONE_OF_MISSING : PARAM_ONE_OF_CONFLICT;
    }
    return PARAM_ONE_OF_RIGHT;
}

void param_one_of_names(const struct param_table *table, size_t index, struct buffer *names)
{
    const char *between = "";
    for (size_t i = 0; i < table->count; i++) {
        if (!param_one_of_has(table, index, i))
            continue;
        buffer_printf(names, "%s'%s'", between, table->rows[i].name);
        between = ", ";
    }
}
