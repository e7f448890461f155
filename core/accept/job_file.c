/* All documents of a file come from one yaml_source. Where a document has to be read a second time,
 * that one waits behind it, and another reads only this part of the file again. */
#include "accept/job_file.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accept/job_file/job_copy.h"
#include "accept/job_file/job_document.h"
#include "accept/job_file/job_input.h"
#include "accept/job_file/job_reader.h"
#include "accept/job_file/job_report.h"
#include "accept/job_file/job_spot.h"
#include "support/cleanup.h"

struct job_file {
    struct job_input input;
    enum job_mode mode;
    int fd; /* read from; -1: it is a text */
    const char *text;
    size_t length;              /* of the text */
    int copy;                   /* of what can be read only once; -1: none */
    struct yaml_source *source; /* NULL: there is nothing to read */
    struct yaml_source *rests;  /* of the text before, in a file that was spare; may be NULL */
    struct yaml_node root;      /* of the document that is read next */
    uint32_t documents;         /* so far */
    struct job_spot spot;       /* in the document read twice last, or before */
    struct job_reader reader;   /* last, see file_init */
};

static bool is_regular(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* Puts a copy in place of the file, so that it can be read more than once; false if there is
 * nothing to read then. */
static bool copy_input(struct job_file *file)
{
    struct job_reader *reader = &file->reader;
    file->copy = memfd_create("job-file", MFD_CLOEXEC);
    if (!job_copy(file->fd, file->copy, reader->options->stop_fd, &reader->interrupted))
        job_report(&reader->faults, (struct job_fault){JOB_FILE_READ, (struct place){0}, NULL},
                   "cannot read the file: %s", strerror(errno));
    file->fd = file->copy;
    return !reader->interrupted && reader->faults.count == 0;
}

static bool before_wait(void *context)
{
    return job_reader_hand_on(context);
}

/* Makes another input of the whole file ready. */
static void init_input(const struct job_file *file, struct job_input *input)
{
    int64_t limit_bytes = file->mode == JOB_STREAMED ? 0 : JOB_FILE_MOST_BYTES;
    if (file->text != NULL)
        job_input_init_text(input, file->text, file->length, limit_bytes);
    else
        job_input_init(input, file->fd, limit_bytes);
    input->stop_fd = file->reader.options->stop_fd;
}

static void open_source(struct job_file *file)
{
    init_input(file, &file->input);
    if (file->mode == JOB_STREAMED) {
        file->input.before_wait = before_wait;
        file->input.context = &file->reader;
    }
    file->source = file->rests;
    file->rests = NULL;
    if (file->source != NULL)
        yaml_source_restart(file->source, &file->input, &file->reader.faults);
    else
        file->source = yaml_source_create(&file->input, &file->reader.faults);
}

static struct job_file *spare_take(const struct job_file_options *options)
{
    return options->spare != NULL ? atomic_exchange(&options->spare->file, NULL) : NULL;
}

static void file_free(struct job_file *file)
{
    yaml_source_destroy(&file->rests);
    job_types_fini(&file->reader.types);
    buffer_fini(&file->reader.params);
    buffer_fini(&file->reader.scratch);
    free(file);
}

/* Of two that are spare the older one goes. */
static void spare_give(struct job_file_spare *spare, struct job_file *file)
{
    struct job_file *before = atomic_exchange(&spare->file, file);
    if (before != NULL)
        file_free(before);
}

void job_file_spare_fini(struct job_file_spare *spare)
{
    spare_give(spare, NULL);
}

static struct job_file *file_allocate(void)
{
    struct job_file *file = aligned_alloc(alignof(struct job_file), sizeof *file);
    if (file == NULL)
        abort();
    memset(file, 0, sizeof *file);
    return file;
}

/* Makes all ready but what the reader has for its documents, see job_reader_begin. What rests and
 * what is used again stays. */
static void file_init(struct job_file *file)
{
    struct yaml_source *rests = file->rests;
    struct job_reader *reader = &file->reader;
    struct job_reader was = {
        .params = reader->params, .scratch = reader->scratch, .types = reader->types};
    memset(file, 0, offsetof(struct job_file, reader.job));
    file->fd = file->copy = -1;
    file->rests = rests;
    reader->params = was.params;
    reader->scratch = was.scratch;
    reader->types = was.types;
}

static struct job_file *job_file_make(enum job_mode mode, const struct job_file_options *options,
                                      struct diagnostics *diagnostics)
{
    struct job_file *file = mode == JOB_CHECKED ? spare_take(options) : NULL;
    assert(mode == JOB_CHECKED || options->take != NULL);
    if (file == NULL)
        file = file_allocate();
    file_init(file);
    file->mode = mode;
    file->reader.options = options;
    file->reader.faults.diagnostics = diagnostics;
    task_list_init(&file->reader.batch);
    return file;
}

struct job_file *job_file_open(int fd, enum job_mode mode, const struct job_file_options *options,
                               struct diagnostics *diagnostics)
{
    struct job_file *file = job_file_make(mode, options, diagnostics);
    file->fd = fd;
    if (mode == JOB_STREAMED || is_regular(fd) || copy_input(file))
        open_source(file);
    return file;
}

struct job_file *job_file_open_text(const char *text, size_t length,
                                    const struct job_file_options *options,
                                    struct diagnostics *diagnostics)
{
    struct job_file *file = job_file_make(JOB_CHECKED, options, diagnostics);
    file->text = text;
    file->length = length;
    open_source(file);
    return file;
}

bool job_file_waits(const struct job_file *file)
{
    return file->source != NULL && !file->input.seekable;
}

/* ---- from document to document ---- */

/* An input that is over is nobody else's, so that what became of it can be seen. */
static bool is_interrupted(struct job_file *file)
{
    file->reader.interrupted |=
        yaml_source_over(file->source) && file->input.problem == JOB_INPUT_INTERRUPTED;
    return file->reader.interrupted;
}

/* Returns whether there may be another document. Behind a job of which nothing more is wanted there
 * is one only where nobody has to wait for it. */
static bool goes_on(struct job_file *file)
{
    if (file->source == NULL || is_interrupted(file) || yaml_source_over(file->source) ||
        yaml_source_too_deep(file->source))
        return false;
    return file->mode == JOB_CHECKED || (file->reader.faults.diagnostics->found_count == 0 &&
                                         (!file->reader.unwanted || file->input.seekable));
}

static bool count_document(struct job_file *file)
{
    if (file->mode == JOB_STREAMED)
        yaml_source_forget_aliases(file->source);
    if (file->reader.options->root == JOB_FILE_TASK && file->documents == 1) {
        job_report(&file->reader.faults,
                   (struct job_fault){JOB_FILE_DOCUMENTS, yaml_source_span(file->source).place,
                                      "a job file has any number of tasks"},
                   "more than one task");
        return false;
    }
    if (file->mode == JOB_STREAMED || file->documents < JOB_FILE_DOCUMENTS_MOST) {
        file->documents++;
        return true;
    }
    job_report(&file->reader.faults,
               (struct job_fault){JOB_FILE_DOCUMENTS, yaml_source_span(file->source).place,
                                  "--stream reads any number of documents"},
               "more than %d documents in one file", JOB_FILE_DOCUMENTS_MOST);
    return false;
}

static bool is_empty(const struct yaml_node *root)
{
    return root->kind == YAML_KIND_SCALAR && root->plain && root->length == 0;
}

static void report_empty(struct job_file *file, struct place place, const char *what)
{
    job_report(&file->reader.faults, (struct job_fault){JOB_FILE_EMPTY, place, NULL},
               file->reader.options->root == JOB_FILE_TASK
                   ? "the %s is empty: a task has a 'type'"
                   : "the %s is empty: a job has 'version' and 'tasks'",
               what);
}

/* Begins the next document, which follows an empty one at a place unless that has no line. */
static bool begin_document(struct job_file *file, struct place empty)
{
    if (!goes_on(file) || !yaml_source_begin(file->source))
        return false;
    if (empty.line > 0)
        report_empty(file, empty, "document");
    return goes_on(file) && count_document(file) && yaml_source_next(file->source, &file->root);
}

/* Returns whether the end was reached and there was nothing to say so far. */
static bool has_nothing(const struct job_file *file)
{
    return file->source != NULL && yaml_source_over(file->source) &&
           file->input.problem == JOB_INPUT_FINE &&
           file->reader.faults.diagnostics->found_count == 0;
}

bool job_file_next(struct job_file *file)
{
    struct place empty = {0};
    while (begin_document(file, empty)) {
        if (!is_empty(&file->root))
            return true;
        empty = yaml_source_span(file->source).place;
        yaml_source_end(file->source);
    }
    if (has_nothing(file) && file->documents == (empty.line > 0))
        report_empty(file, (struct place){0}, "file");
    return false;
}

/* ---- a document ---- */

static void name_document(const struct job_file *file, struct job *job)
{
    CLEANUP(cleanup_free) char *name = NULL;
    if (file->documents == 1)
        return;
    if (asprintf(&name, "%s-%" PRIu32, job->name, file->documents) < 0)
        abort();
    job_set_name(job, name);
}

/* Finds the bytes of the document that was ended: none if the file has been cut meanwhile. What
 * stands before the first one may be a byte order mark, so that one begins with the file. */
static struct job_input_part find_part(struct job_file *file)
{
    const struct yaml_span span = yaml_source_span(file->source);
    struct job_input_part part = {.begin = 0, .end = 0, .line = 1};
    if (file->documents > 1) {
        if (!job_spot_move(&file->spot, &file->input, span.first))
            return part;
        part.begin = part.end = file->spot.offset;
        part.line = span.place.line;
    }
    struct job_spot end = file->spot;
    if (job_spot_move(&end, &file->input, span.behind))
        part.end = end.offset;
    return part;
}

/* What the jobs before have stays counted. */
struct before {
    size_t faults;
    uint64_t text_bytes, each_bytes;
};

/* Forgets what the first reading found, but for the head. */
static void forget_reading(struct job_reader *reader, const struct before *before)
{
    diagnostics_forget(reader->faults.diagnostics, before->faults);
    job_clear(reader->job);
    job_needs_fini(&reader->needs);
    job_late_fini(&reader->late);
    if (!reader->groups_known)
        job_groups_fini(&reader->groups);
    reader->given = 0;
    reader->text_bytes = before->text_bytes;
    reader->each_bytes = before->each_bytes;
    reader->second = true;
    reader->again = false;
}

static void read_part(struct job_file *file, struct job_input_part part)
{
    struct job_reader *reader = &file->reader;
    struct job_input input;
    struct yaml_node root;
    init_input(file, &input);
    job_input_take_part(&input, part);
    reader->source = yaml_source_create(&input, &reader->faults);
    if (yaml_source_begin(reader->source) && yaml_source_next(reader->source, &root))
        job_document_read(reader, &root);
    else
        job_report(&reader->faults, (struct job_fault){JOB_FILE_READ, (struct place){0}, NULL},
                   "the file was changed while it was read");
    reader->again &= !yaml_source_broken(reader->source);
    yaml_source_destroy(&reader->source); /* now nobody else is at the input */
    reader->interrupted |= input.problem == JOB_INPUT_INTERRUPTED;
    job_input_fini(&input);
}

/* Reads the document as often as what it says late wants it. */
static void read_again(struct job_file *file, const struct before *before)
{
    const struct job_input_part part = find_part(file);
    while (file->reader.again && !file->reader.interrupted) {
        forget_reading(&file->reader, before);
        read_part(file, part);
    }
    file->reader.source = file->source;
}

static void count_job(struct job_reader *reader)
{
    if (reader->job->mode == JOB_STREAMED)
        return;
    reader->tasks_before += reader->job->tasks_count;
    if (reader->job->graph != NULL)
        reader->needs_before += graph_count(reader->job->graph);
}

void job_file_read(struct job_file *file, struct job *job)
{
    struct job_reader *reader = &file->reader;
    const struct before before = {reader->faults.diagnostics->found_count, reader->text_bytes,
                                  reader->each_bytes};
    reader->source = file->source;
    job_reader_begin(reader, job);
    name_document(file, job);
    job_document_read(reader, &file->root);
    bool broken = yaml_source_broken(file->source);
    if (goes_on(file))
        yaml_source_end(file->source);
    reader->again &= !broken && !yaml_source_broken(file->source);
    if (reader->again && !is_interrupted(file))
        read_again(file, &before);
    job_end_reading(job);
    if (job->mode == JOB_STREAMED)
        job_reader_hand_on(reader);
    count_job(reader);
    job_reader_end(reader);
}

/* ---- the end ---- */

static void close_source(struct job_file *file)
{
    struct job_reader *reader = &file->reader;
    if (file->source == NULL)
        return;
    yaml_source_rest(file->source); /* now nobody else is at the input */
    file->rests = file->source;
    file->source = NULL;
    reader->interrupted |= file->input.problem == JOB_INPUT_INTERRUPTED;
    if (!reader->interrupted)
        job_input_read_excerpts(&file->input, reader->faults.diagnostics);
    job_input_fini(&file->input);
}

enum job_file_answer job_file_close(struct job_file **file_pointer)
{
    struct job_file *file = *file_pointer;
    struct diagnostics *diagnostics = file->reader.faults.diagnostics;
    struct job_file_spare *spare = file->reader.options->spare;
    close_source(file);
    bool interrupted = file->reader.interrupted;
    if (interrupted)
        diagnostics_forget(diagnostics, 0);
    job_types_clear(&file->reader.types);
    if (file->copy >= 0)
        close(file->copy);
    if (spare != NULL)
        spare_give(spare, file);
    else
        file_free(file);
    *file_pointer = NULL;
    if (interrupted)
        return JOB_FILE_STOPPED;
    return diagnostics->found_count == 0 ? JOB_FILE_RIGHT : JOB_FILE_WRONG;
}
