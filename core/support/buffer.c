#include "support/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_SMALLEST_BYTES = 64 };

void buffer_fini(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = BUFFER_EMPTY;
}

static void buffer_grow(struct buffer *buffer, size_t wanted)
{
    size_t capacity =
        buffer->capacity < BUFFER_SMALLEST_BYTES ? BUFFER_SMALLEST_BYTES : buffer->capacity;
    while (capacity < wanted)
        capacity = capacity > SIZE_MAX / 2 ? wanted : capacity * 2;
    char *bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL)
        abort();
    buffer->bytes = bytes;
    buffer->capacity = capacity;
}

char *buffer_reserve(struct buffer *buffer, size_t more)
{
    if (more > SIZE_MAX - buffer->length)
        abort();
    if (buffer->bytes == NULL || buffer->length + more > buffer->capacity)
        buffer_grow(buffer, buffer->length + more);
    return buffer->bytes + buffer->length;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0)
        return;
    memcpy(buffer_reserve(buffer, length), bytes, length);
    buffer->length += length;
}

void buffer_puts(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        abort();

    char *end = buffer_reserve(buffer, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(end, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)length;
}

const char *buffer_text(struct buffer *buffer)
{
    *buffer_reserve(buffer, 1) = '\0';
    return buffer->bytes;
}
