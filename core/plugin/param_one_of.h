/* param_one_of: parameters of a type of which exactly one is to be given: the rows that name the
 * same alternative. Part of a param_table; immutable after its making. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "plugin/param_table.h"
#include "support/buffer.h"

enum param_one_of_answer { PARAM_ONE_OF_RIGHT, PARAM_ONE_OF_MISSING, PARAM_ONE_OF_CONFLICT };

/* Puts the rows of a table together, all of which are there; false with a message if one stands
 * alone. What is made belongs to the table. */
bool param_one_of_init(struct param_table *table, struct error *error);

/* Looks whether of each alternative exactly one row was given (bit i: row i); of the first that is
 * wrong *wrong is the index. */
enum param_one_of_answer param_one_of_check(const struct param_table *table, const uint64_t *given,
                                            size_t *wrong);

/* Adds the names of an alternative's rows: "'argv', 'shell'". */
void param_one_of_names(const struct param_table *table, size_t index, struct buffer *names);

/* Returns whether a row belongs to the alternative. */
static inline bool param_one_of_has(const struct param_table *table, size_t index, size_t row)
{
    return table->one_ofs[index].rows[row / 64] >> row % 64 & 1;
}
