/* buffer: bytes that grow at the end. Embedded by its owner; one thread at a time. Running out of
 * memory aborts: whoever fills a buffer from a user's input limits it first. */
#pragma once

#include <stddef.h>

struct buffer {
    char *bytes;
    size_t length;
    size_t capacity;
};

#define BUFFER_EMPTY ((struct buffer){0})

/* Frees the bytes; the buffer is empty and may be used again. Fits CLEANUP. */
void buffer_fini(struct buffer *buffer);

/* Makes room for more bytes behind the end and returns where they begin; the length stays. */
char *buffer_reserve(struct buffer *buffer, size_t more);

/* Adds bytes at the end. */
void buffer_append(struct buffer *buffer, const void *bytes, size_t length);

/* Adds a string without its NUL at the end. */
void buffer_puts(struct buffer *buffer, const char *text);

/* Adds formatted text at the end. */
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns the contents as a string: a NUL is put behind the end and not counted. Valid until the
 * next change. */
const char *buffer_text(struct buffer *buffer);
