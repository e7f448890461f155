#include "support/log.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/ready.h"
#include "support/thread.h"
#include "support/utf8.h"

/* A line is built on the stack and goes out in one write, so that lines of several threads never
 * mix. What does not fit is cut inside the value ("...") or, a field at a time, behind it
 * (cut=true); the line stays well-formed either way. */
enum {
    LINE_BYTES = 4096,
    LINE_END_BYTES = 32,  /* kept free for the end of a cut value and of a cut line */
    LINE_VALUE_BYTES = 48 /* a field begins only if so much is left behind its key */
};

struct line {
    char bytes[LINE_BYTES];
    size_t length;
    enum log_format format;
    bool cut;
};

static _Atomic(enum log_level) level_written = LOG_INFO;
static _Atomic(enum log_format) format_written = LOG_FORMAT_LOGFMT;
static _Atomic(const char *) interlude_prefix;
static void (*_Atomic interlude_after)(void);
static _Atomic bool main_is_spared;
static void (*_Atomic diverted_to)(const char *line);
static _Atomic int64_t dropped_count; /* lines since the last one that was written */

static const char *const level_words[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARNING] = "warning",
    [LOG_ERROR] = "error",
};

void log_configure(enum log_level level, enum log_format format)
{
    atomic_store(&level_written, level);
    atomic_store(&format_written, format);
}

enum log_level log_level_now(void)
{
    return atomic_load(&level_written);
}

enum log_format log_format_now(void)
{
    return atomic_load(&format_written);
}

void log_set_interlude(const char *prefix, void (*after)(void))
{
    atomic_store(&interlude_prefix, prefix);
    atomic_store(&interlude_after, after);
}

void log_spare_main(void)
{
    atomic_store(&main_is_spared, true);
}

int log_level_find(const char *word)
{
    for (int level = LOG_DEBUG; level <= LOG_ERROR; level++)
        if (strcmp(level_words[level], word) == 0)
            return level;
    return -1;
}

const char *log_level_word(enum log_level level)
{
    return level_words[level];
}

static size_t line_room(const struct line *line)
{
    return LINE_BYTES - LINE_END_BYTES - line->length;
}

static void line_put(struct line *line, const char *text)
{
    size_t length = strlen(text);
    if (length <= LINE_BYTES - line->length) {
        memcpy(line->bytes + line->length, text, length);
        line->length += length;
    }
}

static bool needs_quotes(const char *text)
{
    if (*text == '\0')
        return true;
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f || *text == '"' ||
            *text == '=' || *text == '\\')
            return true;
    return false;
}

/* Writes the form that a character has between quotes in JSON, and so in logfmt, to piece; returns
 * the bytes read. */
static size_t escape_one(const char *text, size_t length, char piece[16])
{
    static const char short_from[] = "\"\\\n\r\t", short_to[] = "\"\\nrt";
    uint32_t character;
    size_t bytes = utf8_read(text, length, &character);
    const char *found = bytes == 1 ? memchr(short_from, text[0], sizeof(short_from) - 1) : NULL;

    if (bytes == 0)
        snprintf(piece, 16, "\xef\xbf\xbd");
    else if (found != NULL)
        snprintf(piece, 16, "\\%c", short_to[found - short_from]);
    else if (utf8_is_control(character))
        snprintf(piece, 16, "\\u%04x", (unsigned)character);
    else
        snprintf(piece, 16, "%.*s", (int)bytes, text);
    return bytes == 0 ? 1 : bytes;
}

static void line_put_escaped(struct line *line, const char *text)
{
    for (size_t length = strlen(text), bytes; length > 0; text += bytes, length -= bytes) {
        char piece[16];
        bytes = escape_one(text, length, piece);
        if (strlen(piece) > line_room(line)) {
            line->cut = true;
            line_put(line, "...");
            return;
        }
        line_put(line, piece);
    }
}

static void line_put_text(struct line *line, const char *text, bool quoted)
{
    if (quoted)
        line_put(line, "\"");
    line_put_escaped(line, text);
    if (quoted)
        line_put(line, "\"");
}

/* Begins a field; false if the line has no room for one. */
static bool line_begin_field(struct line *line, const char *key)
{
    if (line->cut || strlen(key) + LINE_VALUE_BYTES > line_room(line)) {
        line->cut = true;
        return false;
    }
    bool json = line->format == LOG_FORMAT_JSON;
    if (json)
        line_put(line, line->length == 0 ? "{\"" : ",\"");
    else if (line->length > 0)
        line_put(line, " ");
    line_put(line, key);
    line_put(line, json ? "\":" : "=");
    return true;
}

static void line_add_text(struct line *line, const char *key, const char *text)
{
    if (line_begin_field(line, key))
        line_put_text(line, text, line->format == LOG_FORMAT_JSON || needs_quotes(text));
}

static void line_add_number(struct line *line, const char *key, int64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)number);
    if (line_begin_field(line, key))
        line_put(line, text);
}

static void line_add_time(struct line *line)
{
    int64_t now_ns = clock_wall_ns();
    time_t seconds = (time_t)(now_ns / NS_PER_S);
    struct tm utc;
    char date[32], text[40];

    gmtime_r(&seconds, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof(text), "%s.%03dZ", date, (int)(now_ns % NS_PER_S / NS_PER_MS));
    line_add_text(line, "time", text);
}

static void line_add_fields(struct line *line, const struct log_field *fields)
{
    for (const struct log_field *field = fields; field != NULL && field->key != NULL; field++) {
        if (field->text != NULL)
            line_add_text(line, field->key, field->text);
        else
            line_add_number(line, field->key, field->number);
    }
}

static void line_end(struct line *line)
{
    bool json = line->format == LOG_FORMAT_JSON;

    if (line->cut)
        line_put(line, json ? ",\"cut\":true" : " cut=true");
    line_put(line, json ? "}\n" : "\n");
}

/* Standard error may be closed or full: there is nowhere left to say so. */
static void write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, length);
        if (written <= 0)
            return;
        bytes += written;
        length -= (size_t)written;
    }
}

static bool may_write(void)
{
    const struct ready_wish now = {.fd = STDERR_FILENO, .events = POLLOUT, .stop_fd = -1};
    if (atomic_load(&main_is_spared) && thread_is_main())
        return ready_wait(&now) == READY_NOW;
    return ready_to_write(STDERR_FILENO);
}

/* False if nobody takes it. */
static bool line_write(const struct line *line)
{
    char text[LINE_BYTES + 1];
    void (*take)(const char *) = atomic_load(&diverted_to);

    if (take != NULL) {
        snprintf(text, sizeof(text), "%.*s", (int)line->length, line->bytes);
        take(text);
        return true;
    }
    if (!may_write())
        return false;

    const char *prefix = atomic_load(&interlude_prefix);
    void (*after)(void) = atomic_load(&interlude_after);
    char whole[64 + LINE_BYTES];
    int length = snprintf(whole, sizeof(whole), "%.60s%.*s", prefix == NULL ? "" : prefix,
                          (int)line->length, line->bytes);

    write_all(whole, (size_t)length);
    if (after != NULL)
        after();
    return true;
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
    if (level < atomic_load_explicit(&level_written, memory_order_relaxed))
        return;
    struct line line = {.length = 0};
    line.format = atomic_load_explicit(&format_written, memory_order_relaxed);

    line_add_time(&line);
    line_add_text(&line, "level", level_words[level]);
    if (line_begin_field(&line, "msg"))
        line_put_text(&line, message, true);
    line_add_fields(&line, fields);
    int64_t dropped = atomic_exchange(&dropped_count, 0);
    if (dropped > 0)
        line_add_number(&line, "dropped", dropped);
    line_end(&line);
    if (!line_write(&line))
        atomic_fetch_add(&dropped_count, dropped + 1);
}

void log_pass(const char *text)
{
    struct line line = {.format = atomic_load(&format_written)};

    for (const char *at = text; *at != '\0' && *at != '\n' && line.length < LINE_BYTES - 1; at++) {
        char masked = (unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at;
        line_put(&line, (char[]){masked, '\0'});
    }
    line_put(&line, "\n");
    if (!line_write(&line))
        atomic_fetch_add(&dropped_count, 1);
}

void log_divert(void (*take)(const char *line))
{
    atomic_store(&diverted_to, take);
}
