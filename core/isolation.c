#include "isolation.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job.h"
#include "isolation_file.h"
#include "plugin/generation.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/log.h"
#include "support/memory.h"
#include "support/thread.h"

/* Guarded by the lock, but the main thread, which alone adds and removes, may look at what does not
 * change: at .type, and at .line.plugin, which it alone writes. */
struct isolated {
    const struct type *type;
    uint32_t suspects; /* that have not ended */
    bool is_convicted;
    struct isolation_line line; /* what is known of a convicted one; no plugin: not looked up yet */
};

struct place {
    uint64_t job;
    uint32_t number;
};

struct isolation {
    struct isolation_options options;
    struct place *places; /* where suspects are; the main thread's */
    size_t places_count;
    uint32_t version;     /* of the registry, when plugins were looked at last */
    _Atomic bool changed; /* something is to be done, or written */
    struct mutex lock;
    struct isolated *types;
    size_t types_count;
};

/* ---- what is isolated ---- */

static struct isolated *find(struct isolation *isolation, const struct type *type)
{
    for (size_t i = 0; i < isolation->types_count; i++)
        if (isolation->types[i].type == type)
            return &isolation->types[i];
    return NULL;
}

/* Main thread. */
static struct isolated *add(struct isolation *isolation, const struct type *type)
{
    struct isolated *isolated;

    mutex_lock(&isolation->lock);
    size_t count = isolation->types_count + 1;
    isolation->types = memory_grow(isolation->types, count, sizeof(*isolation->types));
    isolated = &isolation->types[isolation->types_count++];
    *isolated = (struct isolated){.type = type};
    mutex_unlock(&isolation->lock);
    isolation->options.isolate(isolation->options.context, type);
    return isolated;
}

static void wake(struct isolation *isolation)
{
    atomic_store(&isolation->changed, true);
    isolation->options.wake(isolation->options.context);
}

/* Which build serves a type, in words that do not change over a restart; false: nobody does. */
static bool find_plugin(struct isolation *isolation, const struct type *type,
                        char plugin[ISOLATION_PLUGIN_BYTES])
{
    const struct offer *offer;
    struct error error;

    if (registry_peek(isolation->options.registry, type->name, strlen(type->name), &offer,
                      &error) != REGISTRY_FOUND)
        return false;
    snprintf(plugin, ISOLATION_PLUGIN_BYTES, "%s", offer->generation->start.build);
    registry_unpin(isolation->options.registry, offer);
    return true;
}

/* ---- starting ---- */

static void say_isolated(const char *type, const struct isolation_facts *facts)
{
    log_warning("a type runs in worker processes until its plugin changes", LOG_TEXT("type", type),
                LOG_TEXT("task", facts->task), LOG_TEXT("why", facts->why));
}

static void take_line(void *context, const struct isolation_line *line)
{
    struct isolation *isolation = context;
    struct error error;
    const struct type *type = registry_intern(isolation->options.registry, line->type, &error);

    if (type == NULL || find(isolation, type) != NULL)
        return;
    struct isolated *isolated = add(isolation, type);
    isolated->is_convicted = true;
    isolated->line = *line;
    say_isolated(type->name, &line->facts);
}

struct isolation *isolation_create(const struct isolation_options *options)
{
    struct isolation *isolation = calloc(1, sizeof(*isolation));
    struct error error;

    if (isolation == NULL)
        abort();
    isolation->options = *options;
    mutex_init(&isolation->lock);
    if (options->path != NULL && !isolation_file_read(options->path, take_line, isolation, &error))
        log_warning("it is not known which types are to be isolated",
                    LOG_TEXT("reason", error.message));
    isolation->version = registry_version(options->registry) - 1; /* looks at them at once */
    return isolation;
}

void isolation_destroy(struct isolation **isolation)
{
    if (*isolation == NULL)
        return;
    mutex_fini(&(*isolation)->lock);
    free((*isolation)->places);
    free((*isolation)->types);
    free(*isolation);
    *isolation = NULL;
}

/* ---- suspects ---- */

void isolation_suspect(struct isolation *isolation, uint64_t job, uint32_t number)
{
    size_t count = isolation->places_count + 1;

    isolation->places = memory_grow(isolation->places, count, sizeof(*isolation->places));
    isolation->places[isolation->places_count++] = (struct place){job, number};
}

/* There are as many as workers were at work; most jobs have none. */
bool isolation_claims(void *context, uint64_t job, uint32_t number, const struct type *type)
{
    struct isolation *isolation = context;
    size_t at = 0;

    while (at < isolation->places_count &&
           (isolation->places[at].job != job || isolation->places[at].number != number))
        at++;
    if (at == isolation->places_count)
        return false;
    struct isolated *isolated = find(isolation, type);
    if (isolated == NULL)
        isolated = add(isolation, type);
    isolated->suspects++;
    return true;
}

void isolation_ended(struct isolation *isolation, const struct task *task)
{
    mutex_lock(&isolation->lock);
    struct isolated *isolated = find(isolation, task->type);
    bool was_last = isolated != NULL && --isolated->suspects == 0;
    mutex_unlock(&isolation->lock);
    if (was_last)
        wake(isolation);
}

/* ---- convicts ---- */

static void convict(struct isolated *isolated, const struct task *task,
                    const struct attempt *attempt)
{
    struct isolation_facts *facts = &isolated->line.facts;

    isolated->is_convicted = true;
    facts->since_wall_ns = clock_wall_ns();
    snprintf(facts->task, sizeof(facts->task), "%s:%s", task->job->id, task->id);
    snprintf(facts->why, sizeof(facts->why), "%.*s", (int)strcspn(attempt->message, "\n"),
             attempt->message);
}

void isolation_crashed(struct isolation *isolation, const struct task *task,
                       const struct attempt *attempt)
{
    struct isolation_facts facts;

    mutex_lock(&isolation->lock);
    struct isolated *isolated = find(isolation, task->type);
    bool is_new = isolated != NULL && !isolated->is_convicted;
    if (is_new) {
        convict(isolated, task, attempt);
        facts = isolated->line.facts;
    }
    mutex_unlock(&isolation->lock);
    if (!is_new)
        return;
    say_isolated(task->type->name, &facts);
    wake(isolation);
}

bool isolation_find(struct isolation *isolation, const char *type, struct isolation_facts *facts)
{
    MUTEX_GUARD(&isolation->lock);
    for (size_t i = 0; i < isolation->types_count; i++) {
        const struct isolated *isolated = &isolation->types[i];
        if (!isolated->is_convicted || strcmp(isolated->type->name, type) != 0)
            continue;
        *facts = isolated->line.facts;
        return true;
    }
    return false;
}

/* ---- setting free ---- */

/* Returns whether a convicted type is so no more, or it is known only now which plugin it is of. */
static bool look_at_plugin(struct isolation *isolation, struct isolated *isolated)
{
    char plugin[ISOLATION_PLUGIN_BYTES];

    if (!isolated->is_convicted || !find_plugin(isolation, isolated->type, plugin) ||
        strcmp(plugin, isolated->line.plugin) == 0)
        return false;
    MUTEX_GUARD(&isolation->lock);
    isolated->is_convicted = isolated->line.plugin[0] == '\0';
    memcpy(isolated->line.plugin, plugin, sizeof(plugin));
    return true;
}

static bool look_at_plugins(struct isolation *isolation)
{
    bool changed = false;

    for (size_t i = 0; i < isolation->types_count; i++)
        changed |= look_at_plugin(isolation, &isolation->types[i]);
    return changed;
}

/* Takes out one that is free; NULL: none is. */
static const struct type *take_free(struct isolation *isolation)
{
    MUTEX_GUARD(&isolation->lock);
    for (size_t i = 0; i < isolation->types_count; i++) {
        const struct type *type = isolation->types[i].type;
        if (isolation->types[i].is_convicted || isolation->types[i].suspects > 0)
            continue;
        isolation->types[i] = isolation->types[--isolation->types_count];
        return type;
    }
    return NULL;
}

static void write_down(struct isolation *isolation)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    struct error error;

    mutex_lock(&isolation->lock);
    for (size_t i = 0; i < isolation->types_count; i++) {
        struct isolated *isolated = &isolation->types[i];
        snprintf(isolated->line.type, sizeof(isolated->line.type), "%s", isolated->type->name);
        if (isolated->is_convicted)
            isolation_file_add(&text, &isolated->line);
    }
    mutex_unlock(&isolation->lock);
    if (!isolation_file_replace(isolation->options.path, &text, &error))
        log_error("the next host will not know which types are isolated",
                  LOG_TEXT("reason", error.message));
}

void isolation_tend(struct isolation *isolation)
{
    const struct isolation_options *options = &isolation->options;
    uint32_t version = registry_version(options->registry);
    bool changed = atomic_exchange(&isolation->changed, false);

    if (!changed && version == isolation->version)
        return;
    isolation->version = version;
    changed |= look_at_plugins(isolation);
    for (const struct type *type; (type = take_free(isolation)) != NULL;) {
        options->release(options->context, type);
        log_info("a type runs in threads of the host again", LOG_TEXT("type", type->name));
    }
    if (changed && options->path != NULL)
        write_down(isolation);
}
