#include "accept/job_file.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accept/job_file/job_input.h"
#include "accept/job_file/job_keys.h"
#include "accept/job_file/job_reader.h"
#include "accept/job_file/job_report.h"
#include "accept/job_file/job_task.h"
#include "accept/job_file/job_value.h"
#include "accept/job_file/job_vars.h"
#include "accept/job_file/yaml_map.h"
#include "support/cleanup.h"
#include "support/ready.h"

enum { BATCH_TASKS = 64, LOOK_TASKS = 4096, FORMAT_VERSION = 1, COPY_BYTES = 64 * 1024 };

static uint32_t bit(enum job_key key)
{
    return UINT32_C(1) << key;
}

/* Hands on what was read; false, and nothing more is read, if it is not wanted. */
static bool hand_on(void *context)
{
    struct job_reader *reader = context;
    const struct job_file_options *options = reader->options;
    if (reader->batch.count > 0 && !reader->unwanted)
        reader->unwanted = !options->take(options->context, &reader->batch);
    return !reader->unwanted;
}

bool job_reader_goes_on(struct job_reader *reader)
{
    const struct ready_wish wish = {.fd = -1, .stop_fd = reader->options->stop_fd, .until_ns = 0};
    bool streamed = reader->job->mode == JOB_STREAMED;
    if (streamed ? reader->batch.count < BATCH_TASKS : reader->job->tasks_count % LOOK_TASKS != 0)
        return true;
    reader->interrupted = ready_wait(&wish) == READY_STOPPED;
    return !reader->interrupted && (!streamed || hand_on(reader));
}

static bool read_version(struct job_reader *reader, const struct yaml_node *node)
{
    static const int64_t limits[2] = {INT64_MIN, INT64_MAX};
    int64_t version;
    if (!job_value_int(reader, node,
                       (struct job_want){"", "version", "the int 1", JOB_QUOTES_REFUSED}, limits,
                       &version) ||
        version == FORMAT_VERSION)
        return yaml_source_skip(reader->source, node);
    job_report(&reader->faults, (struct job_fault){JOB_FILE_VERSION, node->place, NULL},
               "version %" PRId64 " is not known: this version of Sluice reads version 1", version);
    reader->stopped = true; /* what follows may mean anything */
    return false;
}

static void read_name(struct job_reader *reader, const struct yaml_node *node)
{
    struct params_text text;
    if (!job_value_text(reader, node, (struct job_want){"", "name", "a string", JOB_QUOTES_ALLOWED},
                        &text))
        return;
    if (text.length > 0 && text.length <= JOB_FILE_NAME_MOST_BYTES)
        job_set_name(reader->job, text.bytes);
    else
        job_report(&reader->faults, (struct job_fault){JOB_FILE_TOO_LARGE, node->place, NULL},
                   "'name' has %" PRIu32 " bytes, allowed are 1 to %d", text.length,
                   JOB_FILE_NAME_MOST_BYTES);
}

static void read_max_weight(struct job_reader *reader, const struct yaml_node *node)
{
    const int64_t limits[2] = {1, reader->options->weight_capacity};
    int64_t weight;
    if (job_value_int(reader, node,
                      (struct job_want){"", "max_weight", "an int", JOB_QUOTES_REFUSED}, limits,
                      &weight))
        reader->job->max_weight = (int32_t)weight;
}

/* A streamed job starts while it is read: what holds for all of it has to be known. */
static bool head_is_known(struct job_reader *reader, struct place place)
{
    if (reader->job->mode == JOB_CHECKED)
        return true;
    if ((reader->given & bit(JOB_KEY_VARS)) == 0)
        job_vars_none(reader);
    reader->stopped = reader->faults.count > 0;
    if (reader->given & bit(JOB_KEY_VERSION))
        return !reader->stopped;
    job_report(&reader->faults, (struct job_fault){JOB_FILE_STREAM_ORDER, place, NULL},
               "a streamed file has 'version' before 'tasks'");
    reader->stopped = true;
    return false;
}

static bool read_tasks(struct job_reader *reader, const struct yaml_node *list)
{
    struct yaml_node node;
    uint32_t position = 0;
    if (list->kind != YAML_KIND_LIST) {
        job_value_refuse(reader, list,
                         (struct job_want){"", "tasks", "a list of tasks", JOB_QUOTES_ALLOWED});
        return yaml_source_skip(reader->source, list);
    }
    while (yaml_source_next(reader->source, &node) && node.kind != YAML_KIND_END) {
        if (!job_task_read(reader, &node, ++position) ||
            (reader->batch.count >= BATCH_TASKS && !hand_on(reader))) {
            reader->stopped = true;
            return false;
        }
    }
    if (position == 0 && !yaml_source_broken(reader->source))
        job_report(&reader->faults, (struct job_fault){JOB_FILE_EMPTY, list->place, NULL},
                   "'tasks' is empty");
    return !yaml_source_broken(reader->source);
}

/* Reads the value of a key; a list or map that ought not to be one is skipped. */
static bool read_value(struct job_reader *reader, enum job_key key, struct place place)
{
    struct yaml_node node;
    if (key == JOB_KEY_TASKS && !head_is_known(reader, place))
        return false;
    if (!yaml_source_next(reader->source, &node))
        return false;
    switch (key) {
    case JOB_KEY_VERSION:
        return read_version(reader, &node);
    case JOB_KEY_NAME:
        read_name(reader, &node);
        break;
    case JOB_KEY_VARS:
        return job_vars_read(reader, &node);
    case JOB_KEY_DEFAULTS:
        return job_defaults_read(reader, &node);
    case JOB_KEY_FAIL_FAST:
        job_value_bool(reader, &node, "fail_fast", &reader->job->fail_fast);
        break;
    case JOB_KEY_MAX_WEIGHT:
        read_max_weight(reader, &node);
        break;
    case JOB_KEY_TASKS:
        return read_tasks(reader, &node);
    case JOB_KEY_COUNT:
        break;
    }
    return yaml_source_skip(reader->source, &node);
}

/* Returns the key whose value is to be read, or JOB_KEY_COUNT if it is to be skipped. */
static enum job_key key_of(struct job_reader *reader, const struct yaml_node *node, int *next)
{
    int found = key_find(&job_keys, node, next);
    if (found < 0) {
        CLEANUP(cleanup_free) char *hint = key_hint(&job_keys, node);
        job_report(&reader->faults, (struct job_fault){JOB_FILE_UNKNOWN_KEY, node->place, hint},
                   "unknown key '%s' in a job", yaml_node_shown(node).text);
        return JOB_KEY_COUNT;
    }
    enum job_key key = (enum job_key)found;
    if (reader->given & bit(key)) {
        if (!node->merged)
            job_report(&reader->faults,
                       (struct job_fault){JOB_FILE_DUPLICATE_KEY, node->place, NULL},
                       "key '%s' stands here twice", node->text);
        return JOB_KEY_COUNT;
    }
    reader->given |= bit(key);
    return key;
}

/* Notes a key behind tasks: a reason to read a checked file again if tasks depend on it. In a
 * streamed file it is too late, and reading ends: tasks of the job already run. */
static bool note_late(struct job_reader *reader, enum job_key key, const struct yaml_node *node)
{
    if ((reader->given & bit(JOB_KEY_TASKS)) == 0 || key == JOB_KEY_TASKS || key == JOB_KEY_COUNT)
        return true;
    if (reader->job->mode == JOB_STREAMED) {
        job_report(&reader->faults, (struct job_fault){JOB_FILE_STREAM_ORDER, node->place, NULL},
                   "a streamed file has '%s' before 'tasks'", node->text);
        reader->stopped = true;
        return false;
    }
    if (key == JOB_KEY_DEFAULTS || key == JOB_KEY_MAX_WEIGHT) {
        reader->again |= !reader->second || reader->blind;
        reader->blind &= !reader->second;
    }
    return true;
}

static void report_missing(struct job_reader *reader, enum job_key key, struct place place)
{
    if ((reader->given & bit(key)) == 0)
        job_report(&reader->faults, (struct job_fault){JOB_FILE_MISSING_KEY, place, NULL},
                   "'%s' is missing in a job", job_keys.words[key].word);
}

/* What tasks take over from defaults is reported there, once. */
static void check_defaults(struct job_reader *reader)
{
    int32_t most = reader->job->max_weight, weight = reader->defaults.weight;
    if (most > 0 && weight > most)
        job_report(&reader->faults,
                   (struct job_fault){JOB_FILE_OUT_OF_RANGE, reader->defaults.weight_place, NULL},
                   "weight %" PRId32 " is above the max_weight of this job, %" PRId32, weight,
                   most);
}

static void read_keys(struct job_reader *reader, const struct yaml_node *map)
{
    struct yaml_node node;
    int next = 0;
    bool goes_on = true;
    YAML_MAP_NEW(keys);
    while (goes_on && yaml_map_key(reader->source, &keys, &node)) {
        enum job_key key = key_of(reader, &node, &next);
        if (!note_late(reader, key, &node))
            return;
        goes_on = key != JOB_KEY_COUNT ? read_value(reader, key, node.place)
                                       : yaml_source_skip_next(reader->source);
    }
    if (yaml_source_broken(reader->source) || reader->stopped)
        return;
    report_missing(reader, JOB_KEY_VERSION, map->place);
    report_missing(reader, JOB_KEY_TASKS, map->place);
    if ((reader->given & bit(JOB_KEY_VARS)) == 0)
        job_vars_none(reader);
    check_defaults(reader);
    job_needs_finish(reader);
    job_late_finish(reader);
}

static void read_document(struct job_reader *reader)
{
    struct yaml_node node;
    if (!yaml_source_begin(reader->source) || !yaml_source_next(reader->source, &node))
        return;
    if (node.kind == YAML_KIND_MAP) {
        read_keys(reader, &node);
    } else if (node.kind == YAML_KIND_SCALAR && node.plain && node.length == 0) {
        job_report(&reader->faults, (struct job_fault){JOB_FILE_EMPTY, (struct place){0}, NULL},
                   "the file is empty: a job has 'version' and 'tasks'");
    } else {
        job_report(&reader->faults, (struct job_fault){JOB_FILE_WRONG_TYPE, node.place, NULL},
                   "a job file is a map with 'version' and 'tasks'");
        yaml_source_skip(reader->source, &node);
    }
    if (!yaml_source_broken(reader->source) && !reader->stopped)
        yaml_source_finish(reader->source);
}

static void reader_fini(struct job_reader *reader)
{
    job_types_fini(&reader->types);
    job_labels_fini(&reader->defaults.labels);
    job_labels_fini(&reader->fields.labels);
    buffer_fini(&reader->params);
    buffer_fini(&reader->scratch);
    job_needs_fini(&reader->needs);
    job_late_fini(&reader->late);
    name_table_fini(&reader->keys);
    job_vars_fini(&reader->vars);
    job_each_fini(&reader->each);
    job_groups_fini(&reader->groups);
}

/* Reads the whole input once; the source lines of errors are added while it is still there. */
static void read_once(struct job_reader *reader, int fd)
{
    struct job_input input;
    bool streamed = reader->job->mode == JOB_STREAMED;
    job_input_init(&input, fd, streamed ? 0 : JOB_FILE_MOST_BYTES);
    input.stop_fd = reader->options->stop_fd;
    if (streamed) {
        input.before_wait = hand_on;
        input.context = reader;
    }
    reader->source = yaml_source_create(&input, &reader->faults);
    read_document(reader);
    reader->again &= !yaml_source_broken(reader->source); /* what is said then is enough */
    yaml_source_destroy(&reader->source); /* now nobody else is at the input */
    reader->interrupted |= input.problem == JOB_INPUT_INTERRUPTED;
    if (!reader->interrupted)
        job_input_read_excerpts(&input, reader->faults.diagnostics);
    job_input_fini(&input);
}

static void forget_faults(struct diagnostics *diagnostics)
{
    CLEANUP(cleanup_free) char *file = strdup(diagnostics->file);
    if (file == NULL)
        abort();
    diagnostics_fini(diagnostics);
    diagnostics_init(diagnostics, file);
}

/* Forgets what the first reading found, but for the head. */
static void read_again(struct job_reader *reader, int fd)
{
    forget_faults(reader->faults.diagnostics);
    job_clear(reader->job);
    job_needs_fini(&reader->needs);
    job_late_fini(&reader->late);
    reader->given = 0;
    reader->text_bytes = reader->each_bytes = 0;
    reader->second = true;
    reader->again = false;
    read_once(reader, fd);
}

static bool is_regular(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

static bool copy_some(int from, int to, bool *at_end)
{
    char bytes[COPY_BYTES];
    ssize_t got = read(from, bytes, sizeof bytes);
    *at_end = got == 0;
    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    return write(to, bytes, (size_t)got) == got;
}

/* Copies what fd has to say, at most a bit over the limit; false, with errno, if it cannot be
 * read. */
static bool copy_all(struct job_reader *reader, int fd, int copy)
{
    const struct ready_wish wish = {.fd = fd,
                                    .events = POLLIN,
                                    .stop_fd = reader->options->stop_fd,
                                    .until_ns = CLOCK_NEVER_NS};
    bool at_end = false, right = copy >= 0;
    while (right && !at_end && lseek(copy, 0, SEEK_CUR) <= JOB_FILE_MOST_BYTES) {
        reader->interrupted = ready_wait(&wish) == READY_STOPPED;
        if (reader->interrupted)
            return true;
        right = copy_some(fd, copy, &at_end);
    }
    return right;
}

/* Reads all of it; what can be read only once is copied to a memory file first. */
static void read_checked(struct job_reader *reader, int fd)
{
    CLEANUP(cleanup_close) int copy = -1;
    if (!is_regular(fd)) {
        copy = memfd_create("job-file", MFD_CLOEXEC);
        if (!copy_all(reader, fd, copy))
            job_report(&reader->faults, (struct job_fault){JOB_FILE_READ, (struct place){0}, NULL},
                       "cannot read the file: %s", strerror(errno));
        if (reader->interrupted || reader->faults.diagnostics->found_count > 0)
            return;
        fd = copy;
    }
    read_once(reader, fd);
    while (reader->again && !reader->interrupted)
        read_again(reader, fd);
}

enum job_file_answer job_file_read(int fd, struct job *job, const struct job_file_options *options,
                                   struct diagnostics *diagnostics)
{
    struct job_reader reader = {.job = job, .options = options, .faults = {diagnostics, 0}};
    assert(job->mode == JOB_CHECKED || options->take != NULL);
    task_list_init(&reader.batch);
    if (job->mode == JOB_CHECKED)
        read_checked(&reader, fd);
    else
        read_once(&reader, fd);
    job_seal(job);
    if (job->mode == JOB_STREAMED)
        hand_on(&reader);
    reader_fini(&reader);
    if (!reader.interrupted)
        return diagnostics->found_count == 0 ? JOB_FILE_RIGHT : JOB_FILE_WRONG;
    forget_faults(diagnostics);
    return JOB_FILE_STOPPED;
}
