/* retire: the end of a generation: superseded (the host drains it), retired (no worker is left), no
 * pin left, deinit, unmapped. */
#include <stdlib.h>

#include "plugin/internal.h"
#include "support/log.h"

void retire_superseded(struct registry *registry, struct generation *generation)
{
    MUTEX_GUARD(&registry->hooks_lock);
    if (registry->hooks.superseded != NULL)
        registry->hooks.superseded(registry->hooks.context, generation);
    else
        registry_retire(registry, generation);
}

/* Lock held. */
static void mark_retiring(struct registry *registry, struct generation *generation)
{
    generation->state = GENERATION_RETIRED;
    generation->retiring = true;
    if (!generation->busy)
        registry->busy++;
    generation->busy = true;
}

static void on_retirement(void *context)
{
    generation_unload(context);
}

/* Lock held. */
static void post_if_unused(struct registry *registry, struct generation *generation)
{
    if (generation->state != GENERATION_RETIRED || generation->retiring || generation->pins > 0)
        return;
    mark_retiring(registry, generation);
    generation->retirement = (struct loader_work){.run = on_retirement, .context = generation};
    loader_post(registry->loader, &generation->retirement);
}

void registry_retire(struct registry *registry, struct generation *generation)
{
    MUTEX_GUARD(&registry->lock);
    if (generation->state != GENERATION_DRAINING && !generation->stuck)
        return;
    generation->state = GENERATION_RETIRED;
    post_if_unused(registry, generation);
}

void registry_unpin(struct registry *registry, const struct offer *offer)
{
    if (offer == NULL)
        return;
    struct generation *generation = offer->generation;
    MUTEX_GUARD(&registry->lock);
    generation->pins--;
    post_if_unused(registry, generation);
}

void registry_pin_stuck(struct registry *registry, struct generation *generation)
{
    mutex_lock(&registry->lock);
    bool first = generation->state == GENERATION_DRAINING;
    if (first) {
        generation->stuck = true;
        generation->state = GENERATION_PINNED;
    }
    mutex_unlock(&registry->lock);
    if (first)
        log_warning(
            "plugin stays mapped: calls in it are stuck", LOG_TEXT("plugin", generation->plugin),
            LOG_TEXT("version", generation->version), LOG_NUMBER("generation", generation->number));
}

void retire_begin(struct generation *generation)
{
    struct registry *registry = generation->owner->registry;
    mutex_lock(&registry->lock);
    mark_retiring(registry, generation);
    mutex_unlock(&registry->lock);
    generation_unload(generation);
}

static void report(const struct generation *generation, enum generation_state state,
                   const struct error *why)
{
    if (why != NULL)
        log_warning("deinit does not end: the plugin stays mapped",
                    LOG_TEXT("file", generation->file), LOG_TEXT("reason", why->message),
                    LOG_NUMBER("generation", generation->number));
    else if (state == GENERATION_PINNED) /* nobody minds when the program ends anyway */
        LOG_AT(generation->owner->registry->closing ? LOG_DEBUG : LOG_INFO,
               "plugin stays mapped after dlclose", LOG_TEXT("file", generation->file),
               LOG_NUMBER("generation", generation->number));
}

/* Lock held. */
static void unlink_generation(struct generation *generation)
{
    struct generation **at = &generation->owner->generations;
    while (*at != generation)
        at = &(*at)->next;
    *at = generation->next;
}

void retire_settled(struct registry *registry, struct generation *generation,
                    enum generation_state state, const struct error *why)
{
    if (generation->retiring)
        report(generation, state, why);
    if (state == GENERATION_GONE)
        snapshot_remove(registry->snapshots, generation->copy);
    mutex_lock(&registry->lock);
    registry->busy -= generation->busy;
    generation->busy = false;
    generation->stuck = false;
    generation->state = state;
    if (state == GENERATION_GONE)
        unlink_generation(generation);
    cond_broadcast(&registry->changed);
    mutex_unlock(&registry->lock);
    if (state == GENERATION_GONE)
        generation_destroy(&generation);
}

static void retire_plugin(struct plugin *plugin)
{
    struct registry *registry = plugin->registry;
    mutex_lock(&registry->lock);
    atomic_store(&plugin->published, NULL);
    mutex_unlock(&registry->lock);
    for (struct generation *at = plugin->generations, *next; at != NULL; at = next) {
        next = at->next;
        if (at != plugin->loading && !at->retiring && at->state != GENERATION_PINNED)
            retire_begin(at);
    }
}

void retire_all(void *context)
{
    struct registry *registry = context;
    mutex_lock(&registry->lock);
    registry->closing = true;
    mutex_unlock(&registry->lock);
    for (size_t i = registry->plugins_count; i > 0; i--)
        retire_plugin(registry->plugins[i - 1]);
    MUTEX_GUARD(&registry->lock);
    registry->closed = true;
    cond_broadcast(&registry->changed);
}
