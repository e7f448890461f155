#include "plugin/starts.h"

#include <stddef.h>
#include <stdio.h>

/* A build-id alone would do, but for files without, and somebody who touches a file to have it
 * tried again. */
void starts_name_build(char build[FALLEN_BUILD_BYTES], const struct note *note,
                       const struct identity *identity)
{
    snprintf(build, FALLEN_BUILD_BYTES, "%.64s-%.32s-%.16s-%lld-%lld.%09ld", note->name,
             note->version, note->build_id, (long long)identity->bytes,
             (long long)identity->modified.tv_sec, identity->modified.tv_nsec);
}

static uint32_t deaths_of(const struct starts *starts, const char *build,
                          char cause[FALLEN_CAUSE_BYTES])
{
    return starts->fallen == NULL ? 0 : fallen_deaths(starts->fallen, build, cause);
}

bool starts_suspect(const struct starts *starts, const char *build)
{
    char cause[FALLEN_CAUSE_BYTES];

    return deaths_of(starts, build, cause) > 0;
}

bool starts_allow(const struct starts *starts, const char *build, struct error *error)
{
    char cause[FALLEN_CAUSE_BYTES];

    return deaths_of(starts, build, cause) < FALLEN_DEATHS_MOST ||
           error_set(error, "fallen",
                     "the host has died %d times while its init or entry ran, the last time by %s: "
                     "it is not loaded until its file changes or the daemon is started anew",
                     FALLEN_DEATHS_MOST, cause);
}

/* First come, first served: who waits for being alone is not overtaken. */
static struct start *take(struct starts *starts)
{
    struct start *start = starts->first;

    if (start == NULL || starts->is_alone ||
        (starts->in_hand_count > 0 && starts_suspect(starts, start->build)))
        return NULL;
    starts->first = start->next;
    starts->is_alone = starts_suspect(starts, start->build);
    starts->in_hand_count++;
    start->is_in_hand = true;
    return start;
}

/* A start that is over as soon as it runs comes here again. */
void starts_next(struct starts *starts)
{
    if (starts->is_busy)
        return;
    starts->is_busy = true;
    for (struct start *start; (start = take(starts)) != NULL;) {
        if (starts->fallen != NULL)
            fallen_begin(starts->fallen, start->build);
        start->is_marked = starts->fallen != NULL;
        start->run(start->context);
    }
    starts->is_busy = false;
}

void starts_begin(struct starts *starts, struct start *start)
{
    struct start **last = &starts->first;

    while (*last != NULL)
        last = &(*last)->next;
    start->next = NULL;
    *last = start;
    starts_next(starts);
}

void starts_give_up(struct starts *starts, struct start *start)
{
    if (!start->is_in_hand)
        return;
    start->is_in_hand = false;
    starts->in_hand_count--;
    starts->is_alone = false;
}

void starts_end(struct starts *starts, struct start *start)
{
    starts_give_up(starts, start);
    if (start->is_marked)
        fallen_end(starts->fallen, start->build);
    start->is_marked = false;
}
