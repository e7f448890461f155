#include "accept/job_file/item_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/utf8.h"

enum { BLOCK_BYTES = 64 * 1024, AT_END = -1 };

static bool refuse(const struct item_file *file, struct error *error, const char *why)
{
    return error_set(error, "items", "line %" PRIu64 ": %s", file->begins, why);
}

/* Returns the byte that comes next without taking it, or AT_END. */
static int peek(struct item_file *file)
{
    while (file->at == file->filled && !file->failed) {
        ssize_t got = read(file->fd, file->block, BLOCK_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        file->failed = got < 0;
        file->error_number = errno;
        if (got <= 0)
            return AT_END;
        file->at = 0;
        file->filled = (size_t)got;
    }
    return file->failed ? AT_END : (unsigned char)file->block[file->at];
}

static void field_end(struct item_file *file)
{
    buffer_append(&file->fields, "", 1);
    file->fields_count++;
}

/* Adds what stands before the next of two bytes, which is not taken, to the field. */
static void take_until(struct item_file *file, char one, char other)
{
    while (peek(file) != AT_END && file->fields.length <= ITEM_MOST_BYTES) {
        const char *from = file->block + file->at;
        size_t left = file->filled - file->at, length = 0;
        while (length < left && from[length] != one && from[length] != other)
            length++;
        buffer_append(&file->fields, from, length);
        file->at += length;
        if (length < left)
            return;
    }
}

/* Takes the end of a line, which is there or at the end of the file. */
static void take_newline(struct item_file *file)
{
    if (peek(file) == '\n') {
        file->at++;
        file->line++;
    }
}

/* A line may end in CR LF. */
static void drop_return(struct item_file *file, size_t from)
{
    struct buffer *fields = &file->fields;
    if (fields->length > from && fields->bytes[fields->length - 1] == '\r')
        fields->length--;
}

/* Takes what stands in quotes, the first of which was taken; two stand for one. */
static bool take_quoted(struct item_file *file, struct error *error)
{
    for (;;) {
        take_until(file, '"', '\n');
        int next = peek(file);
        if (file->fields.length > ITEM_MOST_BYTES)
            return true;
        if (next == AT_END)
            return refuse(file, error, "a quote is not closed");
        file->at++;
        file->line += next == '\n';
        if (next == '"' && peek(file) != '"')
            return true;
        if (next == '"')
            file->at++;
        buffer_append(&file->fields, next == '"' ? "\"" : "\n", 1);
    }
}

/* Takes one field of a row up to the comma or the end of the line behind it. */
static bool take_field(struct item_file *file, struct error *error)
{
    size_t from = file->fields.length;
    bool quoted = peek(file) == '"';
    if (quoted) {
        file->at++;
        file->quoted = true;
        if (!take_quoted(file, error))
            return false;
        from = file->fields.length;
    }
    take_until(file, ',', '\n');
    if (peek(file) != ',')
        drop_return(file, from);
    if (quoted && file->fields.length > from)
        return refuse(file, error, "text behind a closing quote");
    field_end(file);
    return true;
}

static bool take_row(struct item_file *file, struct error *error)
{
    while (take_field(file, error)) {
        if (peek(file) != ',') {
            take_newline(file);
            return true;
        }
        file->at++;
        if (file->fields_count == ITEM_COLUMNS_MOST)
            return refuse(file, error, "more than 1024 columns");
    }
    return false;
}

static void take_line(struct item_file *file)
{
    take_until(file, '\n', '\n');
    drop_return(file, 0);
    field_end(file);
    take_newline(file);
}

static bool check_texts(const struct item_file *file, struct error *error)
{
    const char *at = file->fields.bytes, *end = at + file->fields.length;
    uint32_t count = 0;
    if (file->fields.length > ITEM_MOST_BYTES)
        return refuse(file, error, "more than 1 MiB");
    for (; at < end; at += strlen(at) + 1, count++)
        if (!utf8_is_valid(at, strlen(at)))
            return refuse(file, error, "it is not UTF-8");
    return count == file->fields_count || refuse(file, error, "a NUL byte");
}

/* Reads a line or row that is not empty. */
static enum item_answer read_record(struct item_file *file, struct error *error)
{
    do {
        file->fields.length = 0;
        file->fields_count = 0;
        file->quoted = false;
        file->begins = file->line;
        if (peek(file) == AT_END && !file->failed)
            return ITEM_END;
        if (file->format == ITEM_LINES)
            take_line(file);
        else if (!take_row(file, error))
            return ITEM_WRONG;
        if (file->failed) {
            errno = file->error_number;
            error_errno(error, "items", "line %" PRIu64, file->begins);
            return ITEM_WRONG;
        }
    } while (file->fields.length == 1 && !file->quoted);
    return check_texts(file, error) ? ITEM_READ : ITEM_WRONG;
}

enum item_answer item_file_next(struct item_file *file, struct error *error)
{
    enum item_answer answer = read_record(file, error);
    if (answer != ITEM_READ || file->format == ITEM_LINES ||
        file->fields_count == file->columns_count)
        return answer;
    error_set(error, "items", "line %" PRIu64 ": %" PRIu32 " columns, the first line has %" PRIu32,
              file->begins, file->fields_count, file->columns_count);
    return ITEM_WRONG;
}

static bool has_mark(struct item_file *file)
{
    return peek(file) == 0xef && file->filled - file->at >= 3 &&
           memcmp(file->block + file->at, "\xef\xbb\xbf", 3) == 0;
}

bool item_file_rewind(struct item_file *file, struct error *error)
{
    file->at = file->filled = 0;
    file->failed = false;
    file->line = 1;
    if (lseek(file->fd, 0, SEEK_SET) < 0)
        return error_errno(error, "items", "cannot go back to its beginning");
    if (has_mark(file))
        file->at += 3;
    if (file->format == ITEM_LINES)
        return true;
    switch (read_record(file, error)) {
    case ITEM_READ:
        break;
    case ITEM_END:
        return error_set(error, "items", "the line with the names of the columns is missing");
    case ITEM_WRONG:
        return false;
    }
    struct buffer names = file->columns;
    file->columns = file->fields;
    file->fields = names;
    file->columns_count = file->fields_count;
    return true;
}

bool item_file_take(struct item_file *file, int fd, enum item_format format, struct error *error)
{
    struct stat status;
    *file = (struct item_file){.format = format, .fd = fd};
    if (file->fd < 0 || fstat(file->fd, &status) != 0)
        return error_errno(error, "items", "cannot be opened");
    if (!S_ISREG(status.st_mode))
        return error_set(error, "items", "it is no regular file");
    file->block = malloc(BLOCK_BYTES);
    if (file->block == NULL)
        abort();
    return item_file_rewind(file, error);
}

bool item_file_open(struct item_file *file, const char *path, enum item_format format,
                    struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return item_file_take(file, fd, format, error);
}

void item_file_close(struct item_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file->block);
    buffer_fini(&file->columns);
    buffer_fini(&file->fields);
    *file = (struct item_file){.fd = -1};
}

const char *item_file_find(const struct item_file *file, const char *column, size_t length)
{
    const char *name = file->columns.bytes, *text = file->fields.bytes;
    if (file->format == ITEM_LINES)
        return length == 0 ? text : NULL;
    for (uint32_t i = 0; i < file->columns_count; i++) {
        if (strlen(name) == length && memcmp(name, column, length) == 0)
            return text;
        name += strlen(name) + 1;
        text += strlen(text) + 1;
    }
    return NULL;
}
