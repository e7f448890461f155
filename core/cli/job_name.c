#include "cli/job_name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job.h"
#include "cli/command.h"
#include "cli/field.h"
#include "cli/output.h"
#include "cli/pages.h"
#include "support/cleanup.h"
#include "support/utf8.h"

/* Jobs that a name could mean; a name counts before the beginning of an id. */
struct search {
    const char *wanted;
    size_t length;
    size_t named, begun;
    char id_of_named[JOB_ID_BYTES], id_of_begun[JOB_ID_BYTES];
    struct buffer list; /* of the first JOB_NAME_LISTED_MOST */
};

bool job_name_is_task(const char *name)
{
    return strchr(name, ':') != NULL;
}

/* Crockford's base 32 has no I, L, O and U. */
static bool is_id_letter(char letter)
{
    return isalnum((unsigned char)letter) && strchr("iloILOuU", letter) == NULL;
}

static bool could_begin_id(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!is_id_letter(text[i]))
            return false;
    return length >= JOB_NAME_BEGINNING_LEAST && length < JOB_ID_BYTES;
}

static bool look_at(void *context, const json_t *job)
{
    struct search *search = context;
    const char *id = field_text(job, "id"), *name = field_text(job, "name");
    bool named = strcmp(name, search->wanted) == 0;
    bool begun = could_begin_id(search->wanted, search->length) &&
                 strncasecmp(id, search->wanted, search->length) == 0;

    if (named)
        snprintf(search->id_of_named, sizeof(search->id_of_named), "%s", id);
    if (begun)
        snprintf(search->id_of_begun, sizeof(search->id_of_begun), "%s", id);
    search->named += named;
    search->begun += begun;
    if ((named || begun) && search->named + search->begun <= JOB_NAME_LISTED_MOST) {
        CLEANUP(cleanup_free) char *clean = utf8_clean_line(name, strlen(name));
        buffer_printf(&search->list, "\n  %s  %s, %s, submitted %s", id, clean,
                      field_text(job, "state"), field_text(job, "submitted"));
    }
    return true;
}

/* Returns the only job that is meant; NULL with the reason printed. */
static const char *choose(struct search *search)
{
    if (search->named == 1)
        return search->id_of_named;
    if (search->named == 0 && search->begun == 1)
        return search->id_of_begun;
    CLEANUP(cleanup_free) char *clean = utf8_clean_line(search->wanted, search->length);
    size_t could = search->named > 0 ? search->named : search->begun;
    if (could == 0)
        output_error("no job has the id or the name '%s'", clean);
    else
        output_error("%zu jobs could be '%s': name one by its id%s%s", could, clean,
                     buffer_text(&search->list), could > JOB_NAME_LISTED_MOST ? "\n  ..." : "");
    return NULL;
}

static void search_fini(struct search *search)
{
    buffer_fini(&search->list);
}

static char *copied(const char *text)
{
    char *copy = text == NULL ? NULL : strdup(text);
    if (text != NULL && copy == NULL)
        abort();
    return copy;
}

char *job_name_find(struct daemon *daemon, const char *name, int *code)
{
    CLEANUP(search_fini) struct search search = {.wanted = name, .length = strlen(name)};
    const struct pages pages = {
        .before = "/v1/jobs", .key = "jobs", .visit = look_at, .context = &search};

    if (search.length == JOB_ID_BYTES - 1 && could_begin_id(name, search.length)) {
        char *id = copied(name);
        for (char *at = id; *at != '\0'; at++)
            *at = (char)toupper((unsigned char)*at);
        return id;
    }
    if (!pages_visit(daemon, &pages, code))
        return NULL;
    *code = EXIT_TASKS;
    return copied(choose(&search));
}

char *job_name_find_task(struct daemon *daemon, const char *name, int *code)
{
    const char *colon = strrchr(name, ':');
    char *task;

    if (colon == NULL || colon == name || colon[1] == '\0') {
        output_error("'%s' is not JOB:ID, as `sluice status JOB' names its tasks", name);
        *code = EXIT_USAGE;
        return NULL;
    }
    CLEANUP(cleanup_free) char *job_part = strndup(name, (size_t)(colon - name));
    CLEANUP(cleanup_free) char *job = job_name_find(daemon, job_part, code);
    if (job == NULL)
        return NULL;
    if (asprintf(&task, "%s%s", job, colon) < 0)
        abort();
    return task;
}

char *job_name_find_any(struct daemon *daemon, const char *name, int *code)
{
    return job_name_is_task(name) ? job_name_find_task(daemon, name, code)
                                  : job_name_find(daemon, name, code);
}
