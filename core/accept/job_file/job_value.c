#include "accept/job_file/job_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "accept/job_file/job_report.h"
#include "accept/job_file/job_text.h"
#include "accept/job_file/template.h"
#include "support/suggest.h"
#include "support/units.h"

enum { HINT_BYTES = 80, FOUND_BYTES = YAML_SHOWN_BYTES + 2 };

static const char *describe(const struct yaml_node *node, char *text, size_t capacity)
{
    switch (node->kind) {
    case YAML_KIND_LIST:
        return "a list";
    case YAML_KIND_MAP:
        return "a map";
    case YAML_KIND_SCALAR:
        snprintf(text, capacity, "'%s'", yaml_node_shown(node).text);
        if (node->plain)
            return node->length > 0 ? text : "nothing";
        return "a text";
    case YAML_KIND_END:
    case YAML_KIND_WRONG:
    case YAML_KIND_ALIAS:
        break;
    }
    return "nothing";
}

/* An error in what an alias stands for is shown there; the hint tells who uses it. */
static const char *hint_of(const struct yaml_node *node, char *text, size_t capacity)
{
    if (node->alias_line == 0)
        return NULL;
    snprintf(text, capacity, "used by the alias in line %" PRIu32, node->alias_line);
    return text;
}

void job_value_refuse(struct job_reader *reader, const struct yaml_node *node, struct job_want want)
{
    char found[FOUND_BYTES], hint[HINT_BYTES];
    if (node->kind == YAML_KIND_WRONG)
        return;
    job_report(
        &reader->faults,
        (struct job_fault){JOB_FILE_WRONG_TYPE, node->place, hint_of(node, hint, sizeof hint)},
        "%s'%s' wants %s, found %s", want.role, want.name, want.kind,
        describe(node, found, sizeof found));
}

static void refuse_quotes(struct job_reader *reader, const struct yaml_node *node,
                          struct job_want want)
{
    job_report(&reader->faults,
               (struct job_fault){JOB_FILE_WRONG_TYPE, node->place, "write it without quotes"},
               "%s'%s' wants %s, found a quoted text", want.role, want.name, want.kind);
}

bool job_value_text(struct job_reader *reader, const struct yaml_node *node, struct job_want want,
                    struct params_text *text)
{
    if (node->kind != YAML_KIND_SCALAR || (node->plain && node->length == 0)) {
        job_value_refuse(reader, node, want);
        return false;
    }
    if (!node->plain && want.quotes == JOB_QUOTES_REFUSED &&
        !template_has_reference(node->text, node->length)) {
        refuse_quotes(reader, node, want);
        return false;
    }
    reader->late.found = false;
    *text = (struct params_text){node->text, (uint32_t)node->length};
    return memchr(node->text, '$', node->length) == NULL || job_text_resolve(reader, node, text);
}

/* Says that a text is of the wrong kind, after substitution. */
static void refuse_text(struct job_reader *reader, const struct yaml_node *node,
                        struct params_text text, struct job_want want)
{
    struct yaml_node resolved = *node;
    resolved.plain |= text.bytes != node->text; /* quotes about a ${...} are none of its text */
    resolved.text = text.bytes;
    resolved.length = text.length;
    job_value_refuse(reader, &resolved, want);
}

/* The number is shown as it was written, which may be with more digits than a number has. */
static void report_range(struct job_reader *reader, const struct yaml_node *node, const char *name,
                         const int64_t limits[2], struct params_text text)
{
    const struct yaml_node found = {.text = text.bytes, .length = text.length};
    job_report(&reader->faults, (struct job_fault){JOB_FILE_OUT_OF_RANGE, node->place, NULL},
               "'%s' is %s, allowed is %" PRId64 " to %" PRId64, name, yaml_node_shown(&found).text,
               limits[0], limits[1]);
}

bool job_value_int(struct job_reader *reader, const struct yaml_node *node, struct job_want want,
                   const int64_t limits[2], int64_t *value)
{
    struct params_text text;
    if (!job_value_text(reader, node, want, &text))
        return false;
    bool fits = units_parse_int(text.bytes, text.length, value);
    if (fits && *value >= limits[0] && *value <= limits[1])
        return true;
    if (fits || units_is_int(text.bytes, text.length))
        report_range(reader, node, want.name, limits, text);
    else
        refuse_text(reader, node, text, want);
    return false;
}

bool job_value_float(struct job_reader *reader, const struct yaml_node *node, const char *name,
                     const double limits[2], double *value)
{
    const struct job_want want = {"", name, "a number", JOB_QUOTES_REFUSED};
    struct params_text text;
    if (!job_value_text(reader, node, want, &text))
        return false;
    if (!units_parse_float(text.bytes, text.length, value)) {
        refuse_text(reader, node, text, want);
        return false;
    }
    if (*value >= limits[0] && *value <= limits[1])
        return true;
    job_report(&reader->faults, (struct job_fault){JOB_FILE_OUT_OF_RANGE, node->place, NULL},
               "'%s' is %s, allowed is %g to %g", name, text.bytes, limits[0], limits[1]);
    return false;
}

/* node: with the text that was resolved. */
static void report_word(struct job_reader *reader, const struct yaml_node *node, const char *name,
                        const char *const words[])
{
    char hint[HINT_BYTES], allowed[FOUND_BYTES * 2] = "";
    struct suggest suggest;
    suggest_begin(&suggest, node->text, node->length);
    for (size_t i = 0, at = 0; words[i] != NULL && at < sizeof allowed; i++) {
        suggest_offer(&suggest, words[i]);
        at += (size_t)snprintf(allowed + at, sizeof allowed - at, "%s%s", i == 0 ? "" : ", ",
                               words[i]);
    }
    if (suggest.best != NULL)
        snprintf(hint, sizeof hint, "did you mean '%s'?", suggest.best);
    job_report(
        &reader->faults,
        (struct job_fault){JOB_FILE_OUT_OF_RANGE, node->place, suggest.best != NULL ? hint : NULL},
        "'%s' is '%s', allowed: %s", name, yaml_node_shown(node).text, allowed);
}

int job_value_word(struct job_reader *reader, const struct yaml_node *node, const char *name,
                   const char *const words[])
{
    struct params_text text;
    if (!job_value_text(reader, node, (struct job_want){"", name, "a word", JOB_QUOTES_ALLOWED},
                        &text))
        return -1;
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text.bytes) == 0)
            return i;
    struct yaml_node resolved = *node;
    resolved.text = text.bytes;
    resolved.length = text.length;
    report_word(reader, &resolved, name, words);
    return -1;
}

bool job_value_bool(struct job_reader *reader, const struct yaml_node *node, const char *name,
                    bool *value)
{
    const struct job_want want = {"", name, "true or false", JOB_QUOTES_REFUSED};
    struct params_text text;
    if (!job_value_text(reader, node, want, &text))
        return false;
    *value = strcmp(text.bytes, "true") == 0;
    if (*value || strcmp(text.bytes, "false") == 0)
        return true;
    refuse_text(reader, node, text, want);
    return false;
}

bool job_value_duration(struct job_reader *reader, const struct yaml_node *node, const char *name,
                        int64_t least_ns, int64_t *value)
{
    const struct job_want want = {"", name, "a duration such as 250ms, 30s or 1h30m",
                                  JOB_QUOTES_ALLOWED};
    struct params_text text;
    if (!job_value_text(reader, node, want, &text))
        return false;
    if (!units_parse_duration(text.bytes, text.length, value)) {
        refuse_text(reader, node, text, want);
        return false;
    }
    if (*value >= least_ns)
        return true;
    job_report(&reader->faults, (struct job_fault){JOB_FILE_OUT_OF_RANGE, node->place, NULL},
               "'%s' is %s, it must be %s", name, text.bytes,
               least_ns == 0 ? "at least 0" : "more than 0");
    return false;
}

bool job_value_time(struct job_reader *reader, const struct yaml_node *node, const char *name,
                    int64_t *wall_ns)
{
    const struct job_want want = {"", name, "a time in UTC such as 2026-12-01T06:00:00Z",
                                  JOB_QUOTES_ALLOWED};
    struct params_text text;
    if (!job_value_text(reader, node, want, &text))
        return false;
    if (units_parse_time(text.bytes, text.length, wall_ns))
        return true;
    if (units_is_time(text.bytes, text.length))
        job_report(&reader->faults, (struct job_fault){JOB_FILE_OUT_OF_RANGE, node->place, NULL},
                   "'%s' is %s, allowed are the years %d to %d", name, text.bytes, UNITS_YEAR_LEAST,
                   UNITS_YEAR_MOST);
    else
        refuse_text(reader, node, text, want);
    return false;
}
