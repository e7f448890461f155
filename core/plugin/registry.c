/* registry: what other threads ask. */
#include "plugin/registry.h"

#include <stdlib.h>
#include <string.h>

#include "plugin/internal.h"
#include "support/memory.h"

enum { TRIES_MOST = 3 };

static void registry_free(struct registry *registry)
{
    snapshots_destroy(&registry->snapshots);
    slots_fini(registry);
    for (size_t i = 0; i < registry->plugins_count; i++) {
        free(registry->plugins[i]->name);
        free(registry->plugins[i]);
    }
    free(registry->plugins);
    for (size_t i = 0; i < registry->files_count; i++)
        plugin_file_destroy(&registry->files[i]);
    free(registry->files);
    for (size_t i = 0; i < registry->folders_count; i++)
        folder_close(&registry->folders[i]);
    free(registry->folders);
    mutex_fini(&registry->hooks_lock);
    cond_fini(&registry->changed);
    mutex_fini(&registry->lock);
    free(registry);
}

static struct registry *registry_alloc(const struct registry_options *options)
{
    struct registry *registry = calloc(1, sizeof *registry);
    if (registry == NULL)
        abort();
    registry->options = *options;
    mutex_init(&registry->lock);
    mutex_init(&registry->hooks_lock);
    cond_init(&registry->changed);
    registry->reloading = (struct loader_work){.run = reload_begin, .context = registry};
    registry->ending = (struct loader_work){.run = retire_all, .context = registry};
    return registry;
}

struct registry *registry_create(const struct registry_options *options, struct error *error)
{
    struct registry *registry = registry_alloc(options);
    struct registry_reloaded counts = {0};
    bool opened = scan_open(registry, error);
    if (opened) {
        scan_files(registry, &counts);
        registry->snapshots = snapshots_create(options->state_dir, error);
    }
    if (registry->snapshots != NULL)
        registry->loader = loader_create(error);
    if (registry->loader == NULL) {
        registry_free(registry);
        return NULL;
    }
    registry->starts.fallen = options->fallen;
    registry->house = (struct generation_house){.loader = registry->loader,
                                                .starts = &registry->starts,
                                                .limit_ns = options->start_limit_ns,
                                                .probe_limit_ns = options->probe_limit_ns,
                                                .context = registry,
                                                .settled = loading_settled};
    signals_keep(&registry->house.signals);
    return registry;
}

/* What threads left behind, or stuck ones, are still in stays. */
static void free_pinned(struct plugin *plugin)
{
    for (struct generation *at = plugin->generations, *next; at != NULL; at = next) {
        next = at->next;
        if (!at->stuck && !atomic_load(&at->hanging))
            generation_destroy(&at);
    }
}

void registry_destroy(struct registry **pointer)
{
    struct registry *registry = *pointer;
    *pointer = NULL;
    if (registry == NULL)
        return;
    loader_post(registry->loader, &registry->ending);
    mutex_lock(&registry->lock);
    while (!registry->closed || registry->busy > 0)
        cond_wait(&registry->changed, &registry->lock);
    mutex_unlock(&registry->lock);
    loader_destroy(&registry->loader);
    for (size_t i = 0; i < registry->plugins_count; i++)
        free_pinned(registry->plugins[i]);
    registry_free(registry);
}

void registry_set_hooks(struct registry *registry, const struct registry_hooks *hooks)
{
    MUTEX_GUARD(&registry->hooks_lock);
    registry->hooks = hooks == NULL ? (struct registry_hooks){0} : *hooks;
}

/* Has the plugin loaded if its file should be and is not yet. Lock held. */
static void ask(struct registry *registry, struct plugin *plugin)
{
    plugin->wanted = true;
    if (plugin->asked)
        return;
    plugin->asked = true;
    loader_post(registry->loader, &plugin->demand);
}

/* Waits for the end of a loading. Lock held, given back meanwhile. */
static void await(struct registry *registry, const struct plugin *plugin)
{
    while (plugin->asked || plugin->loading != NULL)
        cond_wait(&registry->changed, &registry->lock);
}

static const struct offer *published_offer(const struct slot *slot)
{
    const struct plugin *owner = atomic_load_explicit(&slot->owner, memory_order_acquire);
    if (owner == NULL)
        return NULL;
    const struct generation *published =
        atomic_load_explicit(&owner->published, memory_order_acquire);
    return published == NULL ? NULL : generation_offer(published, &slot->type);
}

/* Finds a refused file that names the type. Lock held. */
static const struct plugin_file *find_refused(const struct registry *registry,
                                              const struct slot *slot)
{
    const struct plugin *owner = atomic_load(&slot->owner);
    if (owner != NULL && owner->file != NULL && owner->file->rejected)
        return owner->file;
    for (size_t i = 0; i < registry->files_count; i++) {
        const struct plugin_file *file = registry->files[i];
        if (file->rejected && plugin_file_names(file, &slot->type))
            return file;
    }
    return NULL;
}

/* Says why nobody serves the type. Lock held. */
static enum registry_answer explain(const struct registry *registry, const struct slot *slot,
                                    struct error *error)
{
    const struct plugin_file *file = find_refused(registry, slot);
    if (file == NULL)
        return REGISTRY_UNKNOWN;
    error_set(error, file->reason.code, "%s: %s", file->path, file->reason.message);
    return REGISTRY_REFUSED;
}

static bool may_be_loaded(const struct slot *slot)
{
    const struct plugin *owner = atomic_load(&slot->owner);
    return owner != NULL && owner->file != NULL && !owner->file->rejected &&
           plugin_file_names(owner->file, &slot->type);
}

/* Pins what is published now, or says why nothing is. Lock held. */
static enum registry_answer pin(const struct registry *registry, const struct slot *slot,
                                const struct offer **offer, struct error *error)
{
    *offer = published_offer(slot);
    if (*offer != NULL) {
        (*offer)->generation->pins++;
        return REGISTRY_FOUND;
    }
    if (!may_be_loaded(slot))
        return explain(registry, slot, error);
    error_set(error, "loading", "the plugin with task type '%s' is not loaded yet",
              slot->type.name);
    return REGISTRY_LOADING;
}

/* Lock held, given back meanwhile. */
static enum registry_answer find_slot(struct registry *registry, const struct slot *slot,
                                      const struct offer **offer, struct error *error)
{
    enum registry_answer answer = pin(registry, slot, offer, error);
    for (int i = 0; i < TRIES_MOST && answer == REGISTRY_LOADING; i++) {
        struct plugin *owner = atomic_load(&slot->owner);
        ask(registry, owner);
        await(registry, owner);
        answer = pin(registry, slot, offer, error);
    }
    return answer == REGISTRY_LOADING ? REGISTRY_UNKNOWN : answer;
}

/* Lock held. */
static const struct slot *find_name(const struct registry *registry, const char *name,
                                    size_t length)
{
    char text[TYPE_NAME_MOST_BYTES + 1];
    if (length > TYPE_NAME_MOST_BYTES || memchr(name, '\0', length) != NULL)
        return NULL;
    memcpy(text, name, length);
    text[length] = '\0';
    return slot_find(registry, text);
}

enum registry_answer registry_find(struct registry *registry, const char *name, size_t length,
                                   const struct offer **offer, struct error *error)
{
    MUTEX_GUARD(&registry->lock);
    const struct slot *slot = find_name(registry, name, length);
    *offer = NULL;
    return slot == NULL ? REGISTRY_UNKNOWN : find_slot(registry, slot, offer, error);
}

const struct type *registry_intern(struct registry *registry, const char *name, struct error *error)
{
    MUTEX_GUARD(&registry->lock);
    const struct slot *slot = slot_get(registry, name, error);
    return slot == NULL ? NULL : &slot->type;
}

enum registry_answer registry_peek(struct registry *registry, const char *name, size_t length,
                                   const struct offer **offer, struct error *error)
{
    MUTEX_GUARD(&registry->lock);
    const struct slot *slot = find_name(registry, name, length);
    *offer = NULL;
    return slot == NULL ? REGISTRY_UNKNOWN : pin(registry, slot, offer, error);
}

const struct offer *registry_offer(struct registry *registry, const struct type *type)
{
    (void)registry;
    return published_offer(slot_of(type));
}

bool registry_flags(struct registry *registry, const struct type *type, uint32_t *flags)
{
    MUTEX_GUARD(&registry->lock);
    const struct offer *offer = published_offer(slot_of(type));
    *flags = offer == NULL ? 0 : offer->flags;
    return offer != NULL;
}

uint32_t registry_version(struct registry *registry)
{
    return atomic_load(&registry->version);
}

uint32_t registry_types_count(struct registry *registry)
{
    return atomic_load(&registry->slots_count);
}

/* Lock held. */
static bool is_suspect(const struct registry *registry, const struct plugin *plugin)
{
    char build[FALLEN_BUILD_BYTES];
    if (plugin->file == NULL)
        return false;
    starts_name_build(build, &plugin->file->note, &plugin->file->identity);
    return starts_suspect(&registry->starts, build);
}

/* Lock held. */
static void ask_if_missing(struct registry *registry, struct plugin *plugin)
{
    if (plugin->file != NULL && !plugin->file->rejected && atomic_load(&plugin->published) == NULL)
        ask(registry, plugin);
}

/* Nothing may have been started when they are looked for. Lock held. */
static void ask_suspects(struct registry *registry)
{
    size_t count = 0;
    struct plugin **suspects = memory_grow(NULL, registry->plugins_count + 1, sizeof *suspects);
    for (size_t i = 0; i < registry->plugins_count; i++)
        if (is_suspect(registry, registry->plugins[i]))
            suspects[count++] = registry->plugins[i];
    for (size_t i = 0; i < count; i++)
        ask_if_missing(registry, suspects[i]);
    free(suspects);
}

/* Lock held, given back meanwhile. */
static void await_all(struct registry *registry)
{
    for (size_t i = 0; i < registry->plugins_count; i++)
        await(registry, registry->plugins[i]);
}

void registry_load_all(struct registry *registry)
{
    MUTEX_GUARD(&registry->lock);
    registry->loads_all = true;
    ask_suspects(registry);
    await_all(registry);
    for (size_t i = 0; i < registry->plugins_count; i++)
        ask_if_missing(registry, registry->plugins[i]);
    await_all(registry);
}

uint32_t registry_left_behind(struct registry *registry)
{
    uint32_t count = 0;
    MUTEX_GUARD(&registry->lock);
    for (size_t i = 0; i < registry->plugins_count; i++) {
        const struct generation *at = registry->plugins[i]->generations;
        for (; at != NULL; at = at->next)
            count += atomic_load(&at->hanging);
    }
    return count;
}
