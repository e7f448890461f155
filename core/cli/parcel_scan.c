/* Goes through the events of the YAML as far as they are right. Items of files stand at
 * `for_each: {NAME: {lines: FILE}}`; below an anchor, which may be used anywhere, a path is taken
 * along if there is such a file. */
#include "cli/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "accept/job_file.h"
#include "accept/job_file/job_input.h"
#include "accept/job_file/surrogate.h"
#include "accept/job_file/template.h"
#include "support/cleanup.h"
#include "support/error.h"
#include "support/utf8.h"

enum role { ROLE_OTHER, ROLE_LOOPS /* behind for_each */, ROLE_LOOP /* one of those */ };
enum key { KEY_OTHER, KEY_FOR_EACH, KEY_FILE };
enum { BLOCK_BYTES = 64 * 1024 };

struct frame {
    enum role role;
    enum key key; /* whose value is due */
    bool is_map;
    bool at_value; /* of a map */
    bool anchored; /* it or what it stands in */
};

struct scan {
    struct parcel *parcel;
    struct job_input input;
    yaml_parser_t parser;
    struct frame frames[JOB_FILE_NESTING_MOST + 2];
    size_t depth; /* frames in use; the first one is that of the document */
};

static struct frame *top(struct scan *scan)
{
    return &scan->frames[scan->depth - 1];
}

static struct place place_of(const yaml_event_t *event)
{
    const yaml_mark_t *from = &event->start_mark, *to = &event->end_mark;
    bool one_line = to->line == from->line && to->column > from->column;

    return (struct place){(uint32_t)from->line + 1, (uint32_t)from->column + 1,
                          one_line ? (uint32_t)(to->column - from->column) : 1};
}

__attribute__((format(printf, 4, 5))) static void refuse(struct scan *scan, const yaml_event_t *at,
                                                         enum job_file_error error,
                                                         const char *format, ...)
{
    char message[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    diagnostics_add(&scan->parcel->diagnostics, place_of(at), job_file_error_word(error), message,
                    NULL);
}

static void take_variable(struct scan *scan, const yaml_event_t *event, const char *name)
{
    const char *value = getenv(name);

    if (value == NULL)
        return;
    json_t *text = json_string(value);
    if (text == NULL)
        refuse(scan, event, JOB_FILE_SUBSTITUTION,
               "what the environment says for '%s' is not UTF-8", name);
    else
        json_object_set_new(scan->parcel->env, name, text);
}

static void take_variables(struct scan *scan, const yaml_event_t *event, const char *text,
                           size_t length)
{
    struct template template = {text, text + length};
    struct template_part part;

    while (template_next(&template, &part)) {
        if (part.kind != TEMPLATE_ENV)
            continue;
        CLEANUP(cleanup_free) char *name = strndup(part.name, part.name_length);
        take_variable(scan, event, name);
    }
}

/* Reads a file of items; false with a message. */
static bool items_read(struct parcel *parcel, const char *path, struct buffer *text,
                       struct error *error)
{
    CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) != 0)
        return error_errno(error, "items", "cannot be opened");
    if (!S_ISREG(status.st_mode))
        return error_set(error, "items", "it is no regular file");
    for (ssize_t got = 1; got > 0; text->length += (size_t)got) {
        got = read(fd, buffer_reserve(text, BLOCK_BYTES), BLOCK_BYTES);
        if (got < 0)
            return error_errno(error, "items", "cannot be read");
        if ((int64_t)text->length > PARCEL_MOST_BYTES - parcel->files_bytes)
            return error_set(error, "items", "files of items are larger than 1 GiB in all");
    }
    if (text->length > 0 && memchr(text->bytes, '\0', text->length) != NULL)
        return error_set(error, "items", "there is a NUL byte in it");
    return utf8_is_valid(text->bytes, text->length) || error_set(error, "items", "it is not UTF-8");
}

static bool items_take(struct parcel *parcel, const char *name, struct error *error)
{
    const char *file = parcel->file, *slash = strrchr(file, '/');
    int folder = slash == NULL || name[0] == '/' ? 0 : (int)(slash + 1 - file);
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    CLEANUP(cleanup_free) char *path = NULL;

    if (json_object_get(parcel->files, name) != NULL)
        return true;
    if (asprintf(&path, "%.*s%s", folder, file, name) < 0)
        abort();
    if (!items_read(parcel, path, &text, error))
        return false;
    parcel->files_bytes += (int64_t)text.length;
    json_object_set_new(parcel->files, name, json_stringn(buffer_text(&text), text.length));
    return true;
}

static void take_file(struct scan *scan, const yaml_event_t *event, const char *name, size_t length)
{
    struct error error;
    bool is_sure = top(scan)->role == ROLE_LOOP;

    if (template_has_reference(name, length)) {
        if (is_sure)
            refuse(
                scan, event, JOB_FILE_ITEMS,
                "'%s' has '${' in it: `sluice submit' sends the file along and has to know which",
                name);
    } else if (strlen(name) == length && !items_take(scan->parcel, name, &error) && is_sure) {
        refuse(scan, event, JOB_FILE_ITEMS, "'%s': %s", name, error.message);
    }
}

static enum key key_of(const char *text)
{
    return strcmp(text, "for_each") == 0                            ? KEY_FOR_EACH
           : strcmp(text, "lines") == 0 || strcmp(text, "csv") == 0 ? KEY_FILE
                                                                    : KEY_OTHER;
}

/* A node is over: what comes next in a map is the value, or another key. */
static void node_ended(struct scan *scan)
{
    if (top(scan)->is_map)
        top(scan)->at_value = !top(scan)->at_value;
}

static void take_scalar(struct scan *scan, yaml_event_t *event)
{
    char *text = (char *)event->data.scalar.value;
    bool quoted = event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    size_t length = event->data.scalar.length;
    struct frame *frame = top(scan);

    if (scan->input.pairs > 0)
        length = surrogate_restore(text, length, quoted);
    if (frame->is_map && !frame->at_value)
        frame->key = key_of(text);
    else if (frame->is_map && frame->key == KEY_FILE &&
             (frame->role == ROLE_LOOP || frame->anchored))
        take_file(scan, event, text, length);
    take_variables(scan, event, text, length);
    node_ended(scan);
}

static enum role role_in(const struct frame *frame)
{
    return !frame->is_map || !frame->at_value ? ROLE_OTHER
           : frame->key == KEY_FOR_EACH       ? ROLE_LOOPS
           : frame->role == ROLE_LOOPS        ? ROLE_LOOP
                                              : ROLE_OTHER;
}

/* False where the daemon will not read on either. */
static bool open_frame(struct scan *scan, const yaml_char_t *anchor, bool is_map)
{
    const struct frame *above = top(scan);

    if (scan->depth == sizeof(scan->frames) / sizeof(scan->frames[0]))
        return false;
    scan->frames[scan->depth++] = (struct frame){
        .role = role_in(above), .is_map = is_map, .anchored = above->anchored || anchor != NULL};
    return true;
}

static bool take_event(struct scan *scan, yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        take_scalar(scan, event);
        return true;
    case YAML_ALIAS_EVENT:
        node_ended(scan);
        return true;
    case YAML_MAPPING_START_EVENT:
        return open_frame(scan, event->data.mapping_start.anchor, true);
    case YAML_SEQUENCE_START_EVENT:
        return open_frame(scan, event->data.sequence_start.anchor, false);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        scan->depth--;
        node_ended(scan);
        return true;
    case YAML_DOCUMENT_END_EVENT:
    case YAML_STREAM_END_EVENT:
        return false;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_START_EVENT:
        return true;
    }
    return false;
}

/* Parsing takes longer than all else here, and most large files want nothing: whatever is wanted is
 * spelled so, or with an escape that could stand for it. */
static bool could_want(const struct buffer *text)
{
    static const char *const signs[] = {"env.", "lines", "csv",  "\\x",
                                        "\\u",  "\\U",   "\\\n", "\\\r"};

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (memmem(text->bytes, text->length, signs[i], strlen(signs[i])) != NULL)
            return true;
    return false;
}

bool parcel_scan(struct parcel *parcel)
{
    struct scan scan = {.parcel = parcel, .depth = 1};
    bool more = could_want(&parcel->text);

    if (!more)
        return true;
    job_input_init(&scan.input, parcel->fd, PARCEL_MOST_BYTES);
    if (!yaml_parser_initialize(&scan.parser))
        abort();
    yaml_parser_set_encoding(&scan.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input(&scan.parser, job_input_give, &scan.input);
    while (more) {
        yaml_event_t event;
        if (!yaml_parser_parse(&scan.parser, &event))
            break;
        job_input_note_event(&scan.input);
        more = take_event(&scan, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&scan.parser);
    job_input_fini(&scan.input);
    diagnostics_read_excerpts(&parcel->diagnostics, parcel->fd);
    return parcel->diagnostics.found_count == 0;
}
