#include "accept/job_file/job_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job_file/job_report.h"
#include "accept/job_file/job_vars.h"
#include "accept/job_file/template.h"
#include "support/cleanup.h"
#include "support/suggest.h"
#include "support/utf8.h"

enum { HINT_BYTES = 160 };

/* Parameters whose text is a program: what is put into it could become a part of that. */
static const struct {
    const char *type, *param, *hint;
} programs[] = {
    {"exec", "shell", "give the value to the command by 'env', and write \"$NAME\" here"},
};

static struct yaml_shown show(const char *text, size_t length)
{
    return yaml_node_shown(&(struct yaml_node){.text = text, .length = length});
}

static uint32_t characters(const char *text, size_t length)
{
    uint32_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += (text[i] & 0xc0) != 0x80;
    return count;
}

/* Where a part of a scalar stands in the file: exactly where the file has the text as it is,
 * perhaps in quotes; else, with escapes or over several lines, the scalar's own place. */
static struct place place_of(const struct yaml_node *node, const struct template_part *part)
{
    uint32_t quotes = node->plain ? 0 : 1;
    if (node->place.width != characters(node->text, node->length) + 2 * quotes)
        return node->place;
    return (struct place){
        .line = node->place.line,
        .column =
            node->place.column + quotes + characters(node->text, (size_t)(part->text - node->text)),
        .width = characters(part->text, part->length),
    };
}

/* Reports a part that cannot be resolved; hint may be NULL. Always false. */
static bool refuse(struct job_reader *reader, const struct yaml_node *node,
                   const struct template_part *part, const char *message, const char *hint)
{
    struct place place = place_of(node, part);
    job_report(&reader->faults, (struct job_fault){JOB_FILE_SUBSTITUTION, place, hint}, "%s",
               message);
    return false;
}

/* One that is wrong is reported where it stands; one that may still come, when everything is read
 * again. */
static bool is_reported_elsewhere(struct job_reader *reader, const struct template_part *part)
{
    bool may_come = reader->job->mode == JOB_CHECKED && !reader->second && !reader->vars_known;
    reader->again |= may_come;
    reader->blind |= may_come && reader->where == JOB_IN_HEAD;
    return may_come || job_vars_is_wrong(&reader->vars, part->name, part->name_length);
}

static bool refuse_var(struct job_reader *reader, const struct yaml_node *node,
                       const struct template_part *part)
{
    struct suggest suggest;
    char hint[HINT_BYTES] = "";
    if (is_reported_elsewhere(reader, part)) {
        reader->faults.count++;
        return false;
    }
    suggest_begin(&suggest, part->name, part->name_length);
    job_vars_suggest(&reader->vars, &suggest);
    if (suggest.best != NULL)
        snprintf(hint, sizeof hint, "did you mean '${vars.%s}'?", suggest.best);
    else if (reader->where == JOB_IN_VARS)
        snprintf(hint, sizeof hint, "a var may use those that stand before it");
    else if (reader->job->mode == JOB_STREAMED && reader->vars.names.count == 0)
        snprintf(hint, sizeof hint, "in a streamed file 'vars' stands before what uses it");
    job_report(&reader->faults,
               (struct job_fault){JOB_FILE_UNKNOWN_VAR, place_of(node, part),
                                  hint[0] != '\0' ? hint : NULL},
               "the job has no var '%s'", show(part->name, part->name_length).text);
    return false;
}

static bool refuse_item(struct job_reader *reader, const struct yaml_node *node,
                        const struct template_part *part, enum job_each_answer answer)
{
    CLEANUP(buffer_fini) struct buffer names = BUFFER_EMPTY;
    struct suggest suggest;
    char hint[HINT_BYTES] = "";
    suggest_begin(&suggest, part->name, part->name_length);
    job_each_suggest(&reader->each, &suggest, &names);
    if (answer == JOB_EACH_NO_COLUMN && memchr(part->name, '.', part->name_length) == NULL)
        snprintf(hint, sizeof hint, "one of its columns is '${each.%s}'", names.bytes);
    else if (suggest.best != NULL)
        snprintf(hint, sizeof hint, "did you mean '${each.%s}'?", suggest.best);
    job_report(&reader->faults,
               (struct job_fault){JOB_FILE_UNKNOWN_VAR, place_of(node, part),
                                  hint[0] != '\0' ? hint : NULL},
               "the for_each of this task has no %s '%s'",
               answer == JOB_EACH_NO_COLUMN ? "column" : "name",
               show(part->name, part->name_length).text);
    return false;
}

/* Where there is no for_each, or not yet: then, in a checked file, all is read again in another
 * order. */
static bool refuse_each(struct job_reader *reader, const struct yaml_node *node,
                        const struct template_part *part)
{
    const char *hint = NULL;
    if (reader->where == JOB_IN_FOR_EACH)
        return refuse(reader, node, part, "a for_each cannot use its own items", NULL);
    if (job_each_awaited(reader))
        return false;
    if (reader->where == JOB_IN_TASK && reader->job->mode == JOB_STREAMED)
        hint = "in a streamed file 'for_each' stands before what uses it";
    return refuse(reader, node, part, "'${each.' stands where there is no for_each", hint);
}

static bool put_item(struct job_reader *reader, const struct yaml_node *node,
                     const struct template_part *part)
{
    const char *text = NULL;
    if (reader->where == JOB_IN_ID)
        return refuse(reader, node, part, "an id cannot have '${each.' in it",
                      "the tasks of a for_each are called ID[0], ID[1] ...");
    if (reader->each.wrong) { /* reported where it stands */
        reader->faults.count++;
        return false;
    }
    if (!reader->each.in_hand)
        return refuse_each(reader, node, part);
    enum job_each_answer answer =
        job_each_find(&reader->each, part->name, part->name_length, &text);
    if (answer != JOB_EACH_FOUND)
        return refuse_item(reader, node, part, answer);
    buffer_puts(&reader->scratch, text);
    return true;
}

static const char *env_find(const struct job_sources *sources, const char *name)
{
    if (sources == NULL)
        return getenv(name);
    return sources->env != NULL ? sources->env(sources->context, name) : NULL;
}

static bool refuse_unknown(struct job_reader *reader, const struct yaml_node *node,
                           const struct template_part *part)
{
    struct yaml_shown name = show(part->name, part->name_length);
    char message[HINT_BYTES], hint[HINT_BYTES];
    snprintf(message, sizeof message, "'${%s}' is not known", name.text);
    if (job_vars_find(&reader->vars, part->name, part->name_length) != NULL)
        snprintf(hint, sizeof hint, "did you mean '${vars.%s}'?", name.text);
    else if (strlen(name.text) == part->name_length &&
             env_find(reader->options->sources, name.text) != NULL)
        snprintf(hint, sizeof hint, "did you mean '${env.%s}'?", name.text);
    else
        snprintf(hint, sizeof hint,
                 "there are ${vars.}, ${env.}, ${each.} and ${tasks.}; '$${' is a literal '${'");
    return refuse(reader, node, part, message, hint);
}

/* Puts in what a variable of the environment says; its name is copied to end with NUL. */
static bool put_env(struct job_reader *reader, const struct yaml_node *node,
                    const struct template_part *part)
{
    const struct job_sources *sources = reader->options->sources;
    char message[HINT_BYTES], *name = strndup(part->name, part->name_length);
    if (name == NULL)
        abort();
    const char *value = env_find(sources, name);
    free(name);
    if (sources != NULL && sources->env == NULL)
        return refuse(reader, node, part, "a job that was sent has no environment",
                      "`sluice submit` sends along what it needs; or use vars");
    if (value == NULL) {
        snprintf(message, sizeof message, "the environment has no variable '%s'",
                 show(part->name, part->name_length).text);
        return refuse(reader, node, part, message, NULL);
    }
    if (!utf8_is_valid(value, strlen(value)))
        return refuse(reader, node, part, "what the environment says here is not UTF-8", NULL);
    buffer_puts(&reader->scratch, value);
    return true;
}

static bool put_var(struct job_reader *reader, const struct yaml_node *node,
                    const struct template_part *part)
{
    const char *value = job_vars_find(&reader->vars, part->name, part->name_length);
    if (value == NULL)
        return refuse_var(reader, node, part);
    buffer_puts(&reader->scratch, value);
    return true;
}

/* Puts in what is resolved when the task starts. */
static bool put_result(struct job_reader *reader, const struct yaml_node *node,
                       const struct template_part *part)
{
    if (reader->where != JOB_IN_TASK || reader->param == NULL)
        return refuse(reader, node, part, "what became of a task is known to params alone",
                      "they are read when the task starts, all else before");
    switch (job_late_put(reader, part, place_of(node, part))) {
    case JOB_LATE_PUT:
        return true;
    case JOB_LATE_NO_NAME:
        return refuse(reader, node, part, "it is neither '${tasks.ID.status}' nor '.output.NAME'",
                      NULL);
    case JOB_LATE_NO_ITEM:
        return false;
    }
    return false;
}

/* Returns the hint against substitution in the parameter that is being read; NULL: it may be. */
static const char *program_hint(const struct job_reader *reader)
{
    for (size_t i = 0; i < sizeof programs / sizeof programs[0] && reader->param != NULL; i++)
        if (strcmp(reader->param->name, programs[i].param) == 0 &&
            strcmp(reader->param_offer->type->name, programs[i].type) == 0)
            return programs[i].hint;
    return NULL;
}

static bool put_part(struct job_reader *reader, const struct yaml_node *node,
                     const struct template_part *part)
{
    const char *hint = part->kind != TEMPLATE_TEXT ? program_hint(reader) : NULL;
    if (hint != NULL)
        return refuse(reader, node, part, "nothing is put into the text of a program", hint);
    switch (part->kind) {
    case TEMPLATE_TEXT:
        buffer_append(&reader->scratch, part->text, part->length);
        return true;
    case TEMPLATE_VARS:
        return put_var(reader, node, part);
    case TEMPLATE_ENV:
        return put_env(reader, node, part);
    case TEMPLATE_EACH:
        return put_item(reader, node, part);
    case TEMPLATE_TASKS:
        return put_result(reader, node, part);
    case TEMPLATE_UNKNOWN:
        return refuse_unknown(reader, node, part);
    case TEMPLATE_OPEN:
        return refuse(reader, node, part, "'${' without '}'", "'$${' stands for a literal '${'");
    }
    return false;
}

/* A variable may be long and stand in many places: a small file must not fill the memory. */
static bool count_text(struct job_reader *reader, const struct yaml_node *node)
{
    reader->text_bytes += reader->scratch.length;
    if (reader->job->mode == JOB_STREAMED || reader->text_bytes <= JOB_FILE_TEXT_MOST_BYTES)
        return true;
    job_report(&reader->faults, (struct job_fault){JOB_FILE_TOO_LARGE, node->place, NULL},
               "the texts with ${...} in them are more than 1 GiB in all");
    return false;
}

bool job_text_resolve(struct job_reader *reader, const struct yaml_node *node,
                      struct params_text *text)
{
    struct template template = {node->text, node->text + node->length};
    struct template_part part;
    bool right = true;
    reader->scratch.length = 0;
    while (reader->scratch.length <= JOB_FILE_STRING_MOST_BYTES && template_next(&template, &part))
        right = put_part(reader, node, &part) && right;
    if (reader->scratch.length > JOB_FILE_STRING_MOST_BYTES) {
        job_report(&reader->faults, (struct job_fault){JOB_FILE_TOO_LARGE, node->place, NULL},
                   "a string of more than %d bytes with what is put into it",
                   JOB_FILE_STRING_MOST_BYTES);
        right = false;
    }
    right = right && count_text(reader, node);
    text->bytes = buffer_text(&reader->scratch);
    text->length = (uint32_t)reader->scratch.length;
    return right;
}
