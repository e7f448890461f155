/* param_table: the parameters of one task type as one generation of its plugin declares them:
 * checked once when the plugin is loaded, then read by the job file reader (what is allowed),
 * `plugin info` (what is there) and workers (fill the struct). Belongs to its generation;
 * immutable after its making, so any thread may read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/params.h"
#include "sluice/plugin.h"
#include "support/arena.h"
#include "support/error.h"

enum {
    PARAM_ROWS_MOST = SLUICE_PARAMS_MAX,
    PARAM_STRUCT_MOST_BYTES = SLUICE_PARAMS_SIZE_MAX,
    PARAM_CHOICES_MOST = SLUICE_CHOICES_MAX,
    PARAM_TEXT_MOST_BYTES = 4096, /* of a help, a default, a choice */
    PARAM_RANGE_BYTES = 32,
};

struct param { /* its texts are copies that belong to the table */
    const char *name;
    const char *help;           /* NULL: none */
    const char *def;            /* NULL: none; as it would stand in a job file */
    struct params_text head;    /* what its field begins with in a record */
    const char *const *choices; /* of an enum or a string; NULL-terminated; NULL: any */
    const char *one_of;         /* the alternative that it belongs to; NULL: none */
    enum sluice_kind kind;
    uint32_t offset;
    bool required;
    bool secret;
    bool has_range;
    int64_t min, max;
    double float_min, float_max;
    uint32_t min_items; /* of a list */
};

/* Rows of which exactly one is to be given (param_one_of.h). */
struct param_one_of {
    const char *name;
    uint64_t rows[PARAM_ROWS_MOST / 64]; /* bit i: row i is one of them */
};

struct param_table {
    struct param *rows;
    size_t count;
    size_t struct_bytes;
    uint64_t required[PARAM_ROWS_MOST / 64]; /* bit i: row i must be given */
    struct param_one_of *one_ofs;
    size_t one_ofs_count;
    void *image;            /* struct_bytes with all defaults filled in */
    struct buffer defaults; /* their record, to which the image points */
    struct arena texts;     /* what rows and image point to */
};

enum param_answer { PARAM_OK, PARAM_WRONG_TYPE, PARAM_OUT_OF_RANGE, PARAM_UNKNOWN_CHOICE };

/* Copies and checks a plugin's table (NULL: no parameters) of rows walked by their own size; false
 * with a message that names the row and the field: invalid or double names, unknown kind, offset or
 * size outside the struct or not of the kind, min > max, a default that its own row refuses,
 * required with a default, a one_of with either or without a second row, min_items of no list. On
 * false there is nothing to free. */
bool param_table_init(struct param_table *table, const struct sluice_param *rows,
                      size_t struct_bytes, struct error *error);

/* Frees the table; a zeroed one is fine. */
void param_table_fini(struct param_table *table);

/* Returns the row of a name, or NULL. Looks at the row with index *next first and leaves the index
 * behind the found one, so that names in the table's order are found at once; next may be NULL. */
const struct param *param_table_find(const struct param_table *table, const char *name,
                                     size_t length, size_t *next);

/* Reads a scalar as it stands in a job file for the row's kind (not list or map; any takes JSON
 * text as it is), checks it against range and choices, and adds head and value to the record. On
 * another answer nothing is added and message says what was found and what is allowed; hint
 * (static or the table's own text, may be set to NULL) is the nearest choice. */
enum param_answer param_pack(const struct param *param, struct params_text scalar,
                             struct buffer *record, struct error *error, const char **hint);

/* Fills params (struct_bytes of this table, aligned for any type) from a record that perhaps an
 * older table checked: defaults first, then every field. Texts point into the record; lists and
 * maps are laid out in the arena. False with a message if this table refuses: an unknown name,
 * another kind, out of range, a required one missing, a damaged record. */
bool param_table_fill(const struct param_table *table, struct params_text record, void *params,
                      struct arena *arena, struct error *error);

/* Says whether a list may have so many items (any other kind: true); false with a message that says
 * what was found and what is allowed. */
bool param_admits_items(const struct param *param, size_t count, struct error *error);

/* Says whether a value of an int, duration or size lies in the row's range. */
static inline bool param_admits_int(const struct param *param, int64_t value)
{
    return !param->has_range || (value >= param->min && value <= param->max);
}

/* Says whether a value of a float lies in the row's range. */
static inline bool param_admits_float(const struct param *param, double value)
{
    return !param->has_range || (value >= param->float_min && value <= param->float_max);
}

/* Returns the index of a word among the row's choices (which it has), or -1. */
int param_choice_find(const struct param *param, struct params_text word);

/* Writes the row's range as a job file would have it, of an int without one that of its kind; each
 * text takes PARAM_RANGE_BYTES. */
void param_range_show(const struct param *param, char *low, char *high);

/* Returns the word of a kind as `plugin info` shows it: "int", "duration", "list". */
const char *param_kind_word(enum sluice_kind kind);

/* Returns what a value of a kind is, for messages: "an int", "a duration such as 250ms ...". */
const char *param_kind_wants(enum sluice_kind kind);
