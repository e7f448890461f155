#include "support/diagnostic.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/cleanup.h"
#include "support/memory.h"
#include "support/utf8.h"

enum { EXCERPT_BYTES = 200, CHUNK_BYTES = 65536 };

static char *copy_text(const char *text)
{
    char *copy = text == NULL ? NULL : strdup(text);
    if (text != NULL && copy == NULL)
        abort();
    return copy;
}

void diagnostics_init(struct diagnostics *diagnostics, const char *file)
{
    *diagnostics = (struct diagnostics){.file = file};
}

void diagnostics_forget(struct diagnostics *diagnostics, size_t found_count)
{
    for (; diagnostics->kept_count > found_count; diagnostics->kept_count--) {
        struct diagnostic *last = &diagnostics->kept[diagnostics->kept_count - 1];
        free(last->message);
        free(last->hint);
        free(last->excerpt);
    }
    diagnostics->found_count = found_count;
}

void diagnostics_fini(struct diagnostics *diagnostics)
{
    diagnostics_forget(diagnostics, 0);
    free(diagnostics->kept);
    *diagnostics = (struct diagnostics){0};
}

void diagnostics_add(struct diagnostics *diagnostics, struct place place, const char *code,
                     const char *message, const char *hint)
{
    diagnostics->found_count++;
    if (diagnostics->kept_count == DIAGNOSTIC_KEEP_MOST)
        return;
    diagnostics->kept =
        memory_grow(diagnostics->kept, diagnostics->kept_count + 1, sizeof(*diagnostics->kept));
    diagnostics->kept[diagnostics->kept_count++] = (struct diagnostic){
        .place = place,
        .code = code,
        .message = copy_text(message),
        .hint = copy_text(hint),
    };
}

static bool place_after(const struct place *a, const struct place *b)
{
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

/* By insertion: a hundred at most, nearly in order, and two of one place must stay as they came. */
static void sort_by_place(struct diagnostics *diagnostics)
{
    struct diagnostic *kept = diagnostics->kept;

    for (size_t i = 1; i < diagnostics->kept_count; i++) {
        struct diagnostic moved = kept[i];
        size_t hole = i;
        for (; hole > 0 && place_after(&kept[hole - 1].place, &moved.place); hole--)
            kept[hole] = kept[hole - 1];
        kept[hole] = moved;
    }
}

/* Goes through a file once, line by line and, in a line that is wanted, character by character. */
struct scan {
    int fd;
    off_t offset; /* of chunk */
    size_t length, at;
    uint32_t line, column;
    off_t line_offset;
    char *chunk; /* CHUNK_BYTES */
};

static bool scan_fill(struct scan *scan)
{
    if (scan->at < scan->length)
        return true;
    scan->offset += (off_t)scan->length;
    ssize_t got = pread(scan->fd, scan->chunk, CHUNK_BYTES, scan->offset);
    scan->at = 0;
    scan->length = got > 0 ? (size_t)got : 0;
    return got > 0;
}

static bool scan_to_line(struct scan *scan, uint32_t line)
{
    while (scan->line < line) {
        if (!scan_fill(scan))
            return false;
        const char *from = scan->chunk + scan->at;
        const char *newline = memchr(from, '\n', scan->length - scan->at);
        scan->at = newline == NULL ? scan->length : (size_t)(newline + 1 - scan->chunk);
        if (newline != NULL) {
            scan->line++;
            scan->column = 1;
            scan->line_offset = scan->offset + (off_t)scan->at;
        }
    }
    return true;
}

/* Returns how many bytes of its character follow a first byte. */
static uint32_t bytes_behind(unsigned char first)
{
    return first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

/* Stops at the first byte of the character in that column, or at the end of the line. A byte that
 * continues no character is a character of its own. */
static void scan_to_column(struct scan *scan, uint32_t column)
{
    uint32_t inside = 0;
    while (scan_fill(scan) && scan->chunk[scan->at] != '\n') {
        bool starts = inside == 0 || (scan->chunk[scan->at] & 0xc0) != 0x80;
        if (starts && scan->column >= column)
            return;
        inside = starts ? bytes_behind((unsigned char)scan->chunk[scan->at]) : inside - 1;
        scan->at++;
        scan->column += starts;
    }
}

/* The columns of a file do not count a byte order mark. */
static void scan_skip_mark(struct scan *scan)
{
    if (scan_fill(scan) && scan->length >= 3 && memcmp(scan->chunk, "\xef\xbb\xbf", 3) == 0) {
        scan->at = 3;
        scan->line_offset = 3;
    }
}

static bool inside_character(char byte)
{
    return (byte & 0xc0) == 0x80;
}

static uint32_t count_characters(const char *text, size_t length)
{
    uint32_t count = 0;
    for (size_t i = 0, bytes; i < length; i += bytes, count++) {
        uint32_t character;
        bytes = utf8_read(text + i, length - i, &character);
        bytes = bytes == 0 ? 1 : bytes;
    }
    return count;
}

static size_t line_length(const char *text, ssize_t bytes)
{
    const char *newline = bytes > 0 ? memchr(text, '\n', (size_t)bytes) : NULL;
    return newline != NULL ? (size_t)(newline - text) : bytes > 0 ? (size_t)bytes : 0;
}

/* Reads the line around at, where the caret goes, into the diagnostic; what is cut off shows as
 * "...". */
static void read_excerpt(struct diagnostic *diagnostic, int fd, off_t line_offset, off_t at)
{
    char text[EXCERPT_BYTES + 1];
    bool cut_before = at - line_offset > EXCERPT_BYTES / 2;
    off_t begin = cut_before ? at - EXCERPT_BYTES / 2 : line_offset;
    size_t length = line_length(text, pread(fd, text, sizeof(text), begin));
    bool cut_after = length > EXCERPT_BYTES;
    size_t skipped = 0, before = (size_t)(at - begin);

    if (cut_after)
        for (length = EXCERPT_BYTES; length > 0 && inside_character(text[length]);)
            length--;
    else if (length > 0 && text[length - 1] == '\r')
        length--;
    if (length == 0)
        return;
    before = before > length ? length : before;
    while (cut_before && skipped < before && inside_character(text[skipped]))
        skipped++;
    CLEANUP(cleanup_free) char *clean = utf8_clean(text + skipped, length - skipped);
    if (asprintf(&diagnostic->excerpt, "%s%s%s", cut_before ? "..." : "", clean,
                 cut_after ? "..." : "") < 0)
        abort();
    diagnostic->caret_column =
        (cut_before ? 4 : 1) + count_characters(text + skipped, before - skipped);
}

void diagnostics_read_excerpts(struct diagnostics *diagnostics, int fd)
{
    diagnostics_read_excerpts_from(diagnostics, fd, 1);
}

void diagnostics_read_excerpts_from(struct diagnostics *diagnostics, int fd, uint32_t first_line)
{
    char chunk[CHUNK_BYTES];
    struct scan scan = {.fd = fd, .line = first_line, .column = 1, .chunk = chunk};

    sort_by_place(diagnostics);
    if (first_line == 1)
        scan_skip_mark(&scan);
    for (size_t i = 0; i < diagnostics->kept_count; i++) {
        struct diagnostic *diagnostic = &diagnostics->kept[i];
        if (diagnostic->place.line < first_line || diagnostic->excerpt != NULL)
            continue;
        if (!scan_to_line(&scan, diagnostic->place.line))
            return;
        scan_to_column(&scan, diagnostic->place.column);
        read_excerpt(diagnostic, fd, scan.line_offset, scan.offset + (off_t)scan.at);
    }
}

struct style {
    const char *bold, *red, *green, *end;
};

static const struct style style_plain = {"", "", "", ""};
static const struct style style_colour = {"\033[1m", "\033[1;31m", "\033[1;32m", "\033[0m"};

static void print_head(const struct diagnostic *diagnostic, const char *file, FILE *to,
                       const struct style *style)
{
    const struct place *place = &diagnostic->place;
    CLEANUP(cleanup_free)
    char *message = utf8_clean(diagnostic->message, strlen(diagnostic->message));

    fprintf(to, "%s%s:", style->bold, file);
    if (place->line > 0)
        fprintf(to, "%u:", place->line);
    if (place->line > 0 && place->column > 0)
        fprintf(to, "%u:", place->column);
    fprintf(to, "%s %serror:%s %s\n", style->end, style->red, style->end, message);
}

/* Under each tab stands a tab, so that the caret is right whatever the width of tabs. */
static void print_caret(const struct diagnostic *diagnostic, FILE *to, const struct style *style)
{
    const char *text = diagnostic->excerpt;
    uint32_t column = 1, width = diagnostic->place.width;

    fputs("      | ", to);
    for (; column < diagnostic->caret_column && *text != '\0'; column++) {
        fputc(*text == '\t' ? '\t' : ' ', to);
        for (text++; inside_character(*text);)
            text++;
    }
    uint32_t rest = count_characters(text, strlen(text));
    fprintf(to, "%s^", style->green);
    for (uint32_t i = 1; i < width && i < rest; i++)
        fputc('~', to);
    fprintf(to, "%s\n", style->end);
}

static void print_one(const struct diagnostic *diagnostic, const char *file, FILE *to,
                      const struct style *style)
{
    print_head(diagnostic, file, to, style);
    if (diagnostic->excerpt != NULL) {
        fprintf(to, "%5u | %s\n", diagnostic->place.line, diagnostic->excerpt);
        if (diagnostic->place.column > 0)
            print_caret(diagnostic, to, style);
    }
    if (diagnostic->hint != NULL) {
        CLEANUP(cleanup_free) char *hint = utf8_clean(diagnostic->hint, strlen(diagnostic->hint));
        fprintf(to, "      = %s\n", hint);
    }
}

void diagnostics_print(const struct diagnostics *diagnostics, FILE *to, bool colour)
{
    const struct style *style = colour ? &style_colour : &style_plain;
    CLEANUP(cleanup_free) char *file = utf8_clean(diagnostics->file, strlen(diagnostics->file));
    size_t more = diagnostics->found_count - diagnostics->kept_count;

    for (size_t i = 0; i < diagnostics->kept_count; i++)
        print_one(&diagnostics->kept[i], file, to, style);
    if (more > 0)
        fprintf(to, "%s: %zu more error%s not shown\n", file, more, more == 1 ? "" : "s");
}

static json_t *json_text(const char *text)
{
    if (text == NULL)
        return json_null();
    CLEANUP(cleanup_free) char *clean = utf8_clean(text, strlen(text));
    return json_string(clean);
}

static json_t *json_one(const struct diagnostic *diagnostic, const char *file)
{
    return json_pack("{so si si si ss so so}", "file", json_text(file), "line",
                     (int)diagnostic->place.line, "column", (int)diagnostic->place.column, "width",
                     (int)diagnostic->place.width, "code", diagnostic->code, "message",
                     json_text(diagnostic->message), "hint", json_text(diagnostic->hint));
}

char *diagnostics_json(const struct diagnostics *diagnostics)
{
    json_t *array = json_array();

    for (size_t i = 0; i < diagnostics->kept_count; i++)
        json_array_append_new(array, json_one(&diagnostics->kept[i], diagnostics->file));
    char *text = json_dumps(array, JSON_COMPACT);
    json_decref(array);
    if (text == NULL)
        abort();
    return text;
}
