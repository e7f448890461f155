/* params: the parameters of one task as a packed, neutral record: the same bytes for a worker
 * thread, the store, a worker process, another node. Written by the job file reader, read by
 * whoever fills a plugin's struct. Stateless; any thread.
 * A record is a sequence of fields, little endian, unaligned:
 *   u8 kind (enum sluice_kind)  u8 length of the name  name, NUL  value
 *   value: bool u8 | int, duration i64 | float f64 | size u64 | string, enum, any: text
 *          | list: u32 n, n texts | map: u32 n, n pairs of texts
 *   text: u32 length, bytes, NUL; no NUL among the bytes
 * A field whose texts are known only when the task starts (param_late.h) has PARAMS_LATE added to
 * its kind; its value is a text, or the texts of a list or map.
 * An enum is its word, not its index, so that a newer table may order its choices anew. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/plugin.h"
#include "support/buffer.h"

enum { PARAMS_NAME_MOST_BYTES = 64, PARAMS_LATE = 0x80 };

struct params_text {
    const char *bytes; /* NUL-terminated, inside the record */
    uint32_t length;
};

struct params_field {
    enum sluice_kind kind;
    bool late; /* but for lists and maps its value is `text` */
    struct params_text name;
    union {
        bool boolean;
        int64_t integer; /* int, duration */
        double real;
        uint64_t size;
        struct params_text text; /* string, enum, any */
        uint32_t count; /* list, map: that many texts (or pairs) follow, read by params_next_text */
    };
};

struct params_reader {
    const unsigned char *at;
    const unsigned char *end;
};

/* Adds the head of a field: kind and name (1 to PARAMS_NAME_MOST_BYTES bytes); its value must
 * follow. */
void params_put_head(struct buffer *record, enum sluice_kind kind, const char *name);

/* Makes the field whose head begins at a place late. */
void params_set_late(struct buffer *record, size_t head);

/* Adds a bool's value. */
void params_put_bool(struct buffer *record, bool value);

/* Adds an int's or a duration's value. */
void params_put_int(struct buffer *record, int64_t value);

/* Adds a float's value. */
void params_put_float(struct buffer *record, double value);

/* Adds a size's value. */
void params_put_size(struct buffer *record, uint64_t value);

/* Adds the number of texts (or pairs) of a list (or map) that follow; returns where it stands,
 * for params_set_count. */
size_t params_put_count(struct buffer *record, uint32_t count);

/* Corrects a count that was put before its texts were known. */
void params_set_count(struct buffer *record, size_t where, uint32_t count);

/* Adds a text: the value of a string, enum or any, or one item of a list or map. */
void params_put_text(struct buffer *record, const char *bytes, size_t length);

/* Begins to read a record, which may come from outside: every read checks its bounds. */
void params_begin(struct params_reader *reader, const void *record, size_t bytes);

/* Reads the next field; the texts of a list or map must be read before the next call. False at
 * the end, or where the record is damaged: then reader->at is not reader->end. */
bool params_next(struct params_reader *reader, struct params_field *field);

/* Reads the next field, if it begins with this head as params_put_head has written it; else false,
 * and nothing is read. */
bool params_next_of(struct params_reader *reader, struct params_text head,
                    struct params_field *field);

/* Reads the next text of a list or map; false where the record is damaged. */
bool params_next_text(struct params_reader *reader, struct params_text *text);
