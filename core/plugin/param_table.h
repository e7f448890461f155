/* param_table: the parameters of one task type as one generation of its plugin declares them: checked once when the plugin is
 * loaded, then read by the job file reader (what is allowed), `plugin info` (what is there) and workers (fill the struct).
 * Belongs to its generation; immutable after its making, so any thread may read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/params.h"
#include "sluice/plugin.h"
#include "support/arena.h"
#include "support/error.h"

enum { PARAM_ROWS_MOST = 256, PARAM_STRUCT_MOST_BYTES = 64 * 1024, PARAM_CHOICES_MOST = 256 };

struct param {
    const char *name;
    const char *help;       /* NULL: none */
    const char *def;        /* NULL: none; as it would stand in a job file */
    const char *const *choices; /* enum only; NULL-terminated */
    enum sluice_kind kind;
    uint32_t offset;
    bool required;
    bool secret;
    bool has_range;
    int64_t min, max;
    double float_min, float_max;
};

struct param_table {
    struct param *rows;
    size_t count;
    size_t struct_bytes;
    void *image; /* struct_bytes with all defaults filled in */
    struct arena texts; /* what the image points to */
};

enum param_answer { PARAM_OK, PARAM_WRONG_TYPE, PARAM_OUT_OF_RANGE, PARAM_UNKNOWN_CHOICE };

/* Copies and checks a plugin's table (NULL: no parameters) of rows walked by their own size; false with a message that names the
 * row and the field: invalid or double names, unknown kind, offset or size outside the struct or not of the kind, min > max, a
 * default that its own row refuses, required with a default. */
bool param_table_init(struct param_table *table, const struct sluice_param *rows, size_t struct_bytes,
                      struct error *error);

/* Frees the table. */
void param_table_fini(struct param_table *table);

/* Returns the row of a name, or NULL. Looks at the row with index *next first and leaves the index behind the found one, so
 * that names in the table's order are found at once; next may be NULL. */
const struct param *param_table_find(const struct param_table *table, const char *name, size_t length,
                                     size_t *next);

/* Reads a scalar as it stands in a job file for the row's kind (not list or map; any takes JSON text as it is), checks it against range and choices, and
 * adds head and value to the record. On another answer nothing is added and message says what was found and what is allowed; hint
 * (static or the table's own text, may be set to NULL) is the nearest choice. */
enum param_answer param_pack(const struct param *param, struct params_text scalar, struct buffer *record,
                             struct error *error, const char **hint);

/* Fills params (struct_bytes of this table, aligned for any type) from a record that perhaps an older table checked: defaults first, then every field. Texts point into
 * the record; lists and maps are laid out in the arena. False with a message if this table refuses: an unknown name, another
 * kind, out of range, a required one missing, a damaged record. */
bool param_table_fill(const struct param_table *table, struct params_text record, void *params, struct arena *arena,
                      struct error *error);
