#include "accept/job_file/job_each.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job_file/job_keys.h"
#include "accept/job_file/job_reader.h"
#include "accept/job_file/job_report.h"
#include "accept/job_file/job_value.h"
#include "accept/job_file/job_vars.h"
#include "accept/job_file/yaml_map.h"
#include "support/cleanup.h"

void job_each_fini(struct job_each *each)
{
    job_each_end(each);
    for (uint32_t i = 0; i < each->loops_made; i++)
        buffer_fini(&each->loops[i].texts);
}

void job_each_end(struct job_each *each)
{
    for (uint32_t i = 0; i < each->loops_count; i++) {
        struct job_loop *loop = &each->loops[i];
        if (loop->path != NULL)
            item_file_close(&loop->file);
        free(loop->path);
        loop->path = NULL;
    }
    each->loops_count = each->instances = 0;
    each->in_hand = each->wrong = false;
}

bool job_each_awaited(struct job_reader *reader)
{
    bool may_come = reader->where == JOB_IN_TASK && reader->job->mode == JOB_CHECKED &&
                    !reader->keep_all && !reader->each.in_hand;
    if (may_come) {
        reader->keep_all = reader->again = true;
        reader->faults.count++;
    }
    return may_come;
}

static bool read_list(struct job_reader *reader, struct job_loop *loop)
{
    const struct job_want want = {"for_each ", loop->name, "a text or number for each item",
                                  JOB_QUOTES_ALLOWED};
    struct yaml_node node;
    while (yaml_source_next(reader->source, &node) && node.kind != YAML_KIND_END) {
        struct params_text text;
        if (!job_value_text(reader, &node, want, &text)) {
            if (!yaml_source_skip(reader->source, &node))
                return false;
            continue;
        }
        buffer_append(&loop->texts, text.bytes, text.length);
        buffer_append(&loop->texts, "", 1);
        loop->count++;
    }
    return !yaml_source_broken(reader->source);
}

/* Returns a path as seen from the folder of the job file, malloc'ed. */
static char *path_of(const struct job_reader *reader, const char *path)
{
    const char *file = reader->job->file, *slash = strrchr(file, '/');
    char *whole;
    int folder = slash == NULL || path[0] == '/' ? 0 : (int)(slash + 1 - file);
    if (asprintf(&whole, "%.*s%s", folder, file, path) < 0)
        abort();
    return whole;
}

static void refuse_file(struct job_reader *reader, const struct job_loop *loop,
                        const struct error *error)
{
    job_report(&reader->faults, (struct job_fault){JOB_FILE_ITEMS, loop->place, NULL}, "'%s': %s",
               loop->path, error->message);
    reader->each.wrong = true;
}

/* Takes the file that the sources have for a text. */
static bool take_file(const struct job_sources *sources, struct job_loop *loop,
                      enum item_format format, struct error *error)
{
    loop->file.fd = -1;
    if (sources->open == NULL)
        return error_set(error, "items",
                         "files are not read for a job that was sent; `sluice submit` sends them "
                         "along");
    return item_file_take(&loop->file, sources->open(sources->context, loop->path), format, error);
}

/* Opens the file that a text names. */
static void open_file(struct job_reader *reader, struct job_loop *loop, const char *text,
                      enum item_format format)
{
    const struct job_sources *sources = reader->options->sources;
    CLEANUP(cleanup_free) char *path = path_of(reader, text);
    struct error error;
    loop->path = strdup(text);
    if (loop->path == NULL)
        abort();
    bool taken = sources != NULL ? take_file(sources, loop, format, &error)
                                 : item_file_open(&loop->file, path, format, &error);
    if (!taken)
        refuse_file(reader, loop, &error);
}

static void report_source(struct job_reader *reader, const struct yaml_node *key)
{
    CLEANUP(cleanup_free) char *hint = key_hint(&each_keys, key);
    job_report(&reader->faults, (struct job_fault){JOB_FILE_UNKNOWN_KEY, key->place, hint},
               "unknown key '%s' in items of for_each", yaml_node_shown(key).text);
}

/* Reads the value of lines or csv. */
static bool read_path(struct job_reader *reader, struct job_loop *loop, enum each_key key)
{
    const struct job_want want = {"", each_keys.words[key].word, "a path", JOB_QUOTES_ALLOWED};
    struct yaml_node node;
    struct params_text text;
    if (!yaml_source_next(reader->source, &node))
        return false;
    loop->place = node.place;
    if (job_value_text(reader, &node, want, &text))
        open_file(reader, loop, text.bytes, key == EACH_KEY_LINES ? ITEM_LINES : ITEM_CSV);
    return yaml_source_skip(reader->source, &node);
}

/* Reads {lines: FILE} or {csv: FILE}. */
static bool read_source(struct job_reader *reader, struct job_loop *loop)
{
    struct yaml_node key;
    int next = 0;
    bool goes_on = true;
    YAML_MAP_NEW(keys);
    while (goes_on && yaml_map_key(reader->source, &keys, &key)) {
        int found = key_find(&each_keys, &key, &next);
        if (found < 0)
            report_source(reader, &key);
        else if (loop->path != NULL)
            job_report(&reader->faults, (struct job_fault){JOB_FILE_DUPLICATE_KEY, key.place, NULL},
                       "for_each '%s' reads one file", loop->name);
        goes_on = found >= 0 && loop->path == NULL ? read_path(reader, loop, (enum each_key)found)
                                                   : yaml_source_skip_next(reader->source);
    }
    return !yaml_source_broken(reader->source);
}

static bool read_items(struct job_reader *reader, struct job_loop *loop)
{
    const struct job_want want = {"for_each ", loop->name, "a list, {lines: FILE} or {csv: FILE}",
                                  JOB_QUOTES_ALLOWED};
    struct yaml_node node;
    if (!yaml_source_next(reader->source, &node))
        return false;
    size_t before = reader->faults.count;
    bool goes_on = true;
    loop->place = node.place;
    if (node.kind == YAML_KIND_LIST)
        goes_on = read_list(reader, loop);
    else if (node.kind == YAML_KIND_MAP)
        goes_on = read_source(reader, loop);
    else
        job_value_refuse(reader, &node, want);
    if (goes_on && loop->path == NULL && loop->texts.length == 0 && reader->faults.count == before)
        job_report(&reader->faults, (struct job_fault){JOB_FILE_EMPTY, node.place, NULL},
                   "for_each '%s' has no items", loop->name);
    return goes_on;
}

/* Returns the loop for a key; NULL, reported unless it is merged, if there is to be none. */
static struct job_loop *loop_add(struct job_reader *reader, const struct yaml_node *key)
{
    struct job_each *each = &reader->each;
    struct yaml_shown shown = yaml_node_shown(key);
    struct job_fault fault = {JOB_FILE_OUT_OF_RANGE, key->place, NULL};
    if (!job_vars_name_is_valid(key->text, key->length)) {
        job_report(&reader->faults, fault,
                   "for_each '%s': a name has 1 to %d letters, digits, '_', '-'", shown.text,
                   JOB_FILE_VAR_NAME_MOST_BYTES);
        return NULL;
    }
    for (uint32_t i = 0; i < each->loops_count; i++) {
        if (strcmp(each->loops[i].name, key->text) != 0)
            continue;
        fault.code = JOB_FILE_DUPLICATE_KEY;
        if (!key->merged)
            job_report(&reader->faults, fault, "for_each '%s' stands here twice", shown.text);
        return NULL;
    }
    if (each->loops_count == JOB_FILE_LOOPS_MOST) {
        fault.code = JOB_FILE_TOO_LARGE;
        job_report(&reader->faults, fault, "for_each has at most %d names", JOB_FILE_LOOPS_MOST);
        return NULL;
    }
    struct job_loop *loop = &each->loops[each->loops_count++];
    if (each->loops_count > each->loops_made) {
        *loop = (struct job_loop){0};
        each->loops_made++;
    }
    memcpy(loop->name, key->text, key->length + 1);
    loop->texts.length = loop->count = 0;
    return loop;
}

/* Reports, before any is made, that lists have too many combinations. */
static void check_count(struct job_reader *reader, const struct yaml_node *map)
{
    const struct job_each *each = &reader->each;
    uint64_t most = job_reader_tasks_left(reader), count = 1;
    for (uint32_t i = 0; i < each->loops_count && count <= most; i++)
        count *= each->loops[i].path == NULL ? each->loops[i].count : 1;
    if (count > most)
        job_report(&reader->faults,
                   (struct job_fault){JOB_FILE_TOO_LARGE, map->place,
                                      reader->tasks_before > 0 ? JOB_READER_BEFORE_COUNT : NULL},
                   "a job has at most %d tasks, those of for_each included", JOB_TASKS_MOST);
}

bool job_each_read(struct job_reader *reader, const struct yaml_node *map)
{
    struct job_each *each = &reader->each;
    struct yaml_node key;
    size_t before = reader->faults.count;
    bool goes_on = true;
    YAML_MAP_NEW(keys);
    if (map->kind != YAML_KIND_MAP) {
        job_value_refuse(
            reader, map,
            (struct job_want){"", "for_each", "a map of names to items", JOB_QUOTES_ALLOWED});
        each->wrong = true;
        return yaml_source_skip(reader->source, map);
    }
    enum job_where where = reader->where;
    reader->where = JOB_IN_FOR_EACH;
    while (goes_on && yaml_map_key(reader->source, &keys, &key)) {
        struct job_loop *loop = loop_add(reader, &key);
        goes_on = loop != NULL ? read_items(reader, loop) : yaml_source_skip_next(reader->source);
    }
    reader->where = where;
    if (each->loops_count == 0 && reader->faults.count == before)
        job_report(&reader->faults, (struct job_fault){JOB_FILE_EMPTY, map->place, NULL},
                   "'for_each' is empty");
    check_count(reader, map);
    each->wrong = reader->faults.count > before;
    return !yaml_source_broken(reader->source);
}

static enum item_answer loop_next(struct job_reader *reader, struct job_loop *loop)
{
    struct error error;
    if (loop->path != NULL) {
        enum item_answer answer = item_file_next(&loop->file, &error);
        if (answer == ITEM_WRONG)
            refuse_file(reader, loop, &error);
        return answer;
    }
    if (loop->next == loop->texts.length)
        return ITEM_END;
    loop->item = loop->texts.bytes + loop->next;
    loop->next += strlen(loop->item) + 1;
    return ITEM_READ;
}

static enum item_answer loop_first(struct job_reader *reader, struct job_loop *loop)
{
    struct error error;
    loop->next = 0;
    if (loop->path == NULL || item_file_rewind(&loop->file, &error))
        return loop_next(reader, loop);
    refuse_file(reader, loop, &error);
    return ITEM_WRONG;
}

bool job_each_first(struct job_reader *reader)
{
    struct job_each *each = &reader->each;
    for (uint32_t i = 0; i < each->loops_count; i++)
        if (loop_first(reader, &each->loops[i]) != ITEM_READ)
            return false;
    return true;
}

bool job_each_next(struct job_reader *reader)
{
    struct job_each *each = &reader->each;
    for (uint32_t i = each->loops_count; i > 0; i--) {
        enum item_answer answer = loop_next(reader, &each->loops[i - 1]);
        if (answer != ITEM_END)
            return answer == ITEM_READ;
        if (i > 1 && loop_first(reader, &each->loops[i - 1]) != ITEM_READ)
            return false;
    }
    return false;
}

enum job_each_answer job_each_find(const struct job_each *each, const char *name, size_t length,
                                   const char **text)
{
    const char *dot = memchr(name, '.', length);
    size_t own = dot != NULL ? (size_t)(dot - name) : length;
    size_t column = dot != NULL ? length - own - 1 : 0;
    for (uint32_t i = 0; i < each->loops_count; i++) {
        const struct job_loop *loop = &each->loops[i];
        if (strncmp(loop->name, name, own) != 0 || loop->name[own] != '\0')
            continue;
        bool is_csv = loop->path != NULL && loop->file.format == ITEM_CSV;
        if (!is_csv && dot != NULL)
            break;
        *text = loop->path == NULL ? loop->item
                                   : item_file_find(&loop->file, name + length - column, column);
        return *text != NULL ? JOB_EACH_FOUND : JOB_EACH_NO_COLUMN;
    }
    return JOB_EACH_NO_NAME;
}

/* Writes one NAME or NAME.COLUMN behind the others. */
static void put_name(struct buffer *names, const char *name, const char *column)
{
    buffer_printf(names, "%s%s%s", name, column[0] != '\0' ? "." : "", column);
    buffer_append(names, "", 1);
}

void job_each_suggest(const struct job_each *each, struct suggest *suggest, struct buffer *names)
{
    names->length = 0;
    for (uint32_t i = 0; i < each->loops_count; i++) {
        const struct job_loop *loop = &each->loops[i];
        bool is_csv = loop->path != NULL && loop->file.format == ITEM_CSV;
        const char *column = is_csv ? loop->file.columns.bytes : "";
        for (uint32_t k = 0; k < (is_csv ? loop->file.columns_count : 1); k++) {
            put_name(names, loop->name, column);
            column += strlen(column) + 1;
        }
    }
    for (size_t at = 0; at < names->length; at += strlen(names->bytes + at) + 1)
        suggest_offer(suggest, names->bytes + at);
}
