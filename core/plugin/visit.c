/* visit: what the registry shows of itself. */
#include <search.h>

#include "plugin/internal.h"

struct types_visit {
    void (*visit)(void *context, const char *type, const char *plugin);
    void *context;
};

static bool is_announced(const struct slot *slot, const struct plugin *owner)
{
    const struct generation *published = atomic_load(&owner->published);
    if (published != NULL && generation_offer(published, &slot->type) != NULL)
        return true;
    return owner->file != NULL && !owner->file->rejected &&
           plugin_file_names(owner->file, &slot->type);
}

static void visit_slot(const void *node, VISIT which, void *context)
{
    const struct types_visit *types = context;
    const struct slot *slot = *(const struct slot *const *)node;
    const struct plugin *owner = atomic_load(&slot->owner);
    if ((which == postorder || which == leaf) && owner != NULL && is_announced(slot, owner))
        types->visit(types->context, slot->type.name, owner->name);
}

void registry_visit_types(struct registry *registry,
                          void (*visit)(void *context, const char *type, const char *plugin),
                          void *context)
{
    struct types_visit types = {visit, context};
    MUTEX_GUARD(&registry->lock);
    twalk_r(registry->slots, visit_slot, &types);
}

static enum generation_state state_of(const struct plugin_file *file,
                                      const struct generation *published)
{
    if (published != NULL)
        return GENERATION_ACTIVE;
    if (file->rejected)
        return GENERATION_REJECTED;
    return file->plugin->loading != NULL ? GENERATION_CHECKED : GENERATION_FOUND;
}

/* A file that is refused while an older build of it runs shows what runs, and why it is old. */
static struct registry_plugin show_file(const struct plugin_file *file)
{
    const struct plugin *plugin = file->plugin;
    const struct generation *published = plugin == NULL ? NULL : atomic_load(&plugin->published);
    bool noted = file->note.types_count > 0;
    return (struct registry_plugin){
        .file = file->path,
        .plugin = plugin != NULL ? plugin->name
                  : noted        ? file->note.name
                                 : NULL,
        .version = published != NULL ? published->version
                   : noted           ? file->note.version
                                     : NULL,
        .state = generation_state_word(state_of(file, published)),
        .reason = file->rejected ? file->reason.message : NULL,
        .generation = published == NULL ? 0 : published->number,
        .types = file->types,
        .types_count = file->note.types_count,
    };
}

static const char *reason_of(const struct generation *generation)
{
    if (atomic_load(&generation->hanging))
        return "entry, init or deinit does not end";
    if (generation->stuck)
        return "calls in it are stuck";
    if (generation->state == GENERATION_PINNED)
        return "still mapped after dlclose";
    return generation->pins > 0 ? "waits for a reader of job files" : "waits for its workers";
}

static struct registry_plugin show_generation(const struct generation *generation)
{
    return (struct registry_plugin){
        .file = generation->file,
        .plugin = generation->plugin,
        .version = generation->version,
        .state = generation_state_word(generation->state),
        .reason = reason_of(generation),
        .generation = generation->number,
    };
}

struct plugins_visit {
    void (*visit)(void *context, const struct registry_plugin *plugin);
    void *context;
};

static void visit_old(const struct plugin *plugin, const struct plugins_visit *visit)
{
    for (const struct generation *at = plugin->generations; at != NULL; at = at->next) {
        if (at == plugin->loading || at->state == GENERATION_ACTIVE)
            continue;
        struct registry_plugin shown = show_generation(at);
        visit->visit(visit->context, &shown);
    }
}

void registry_visit_plugins(struct registry *registry,
                            void (*visit)(void *context, const struct registry_plugin *plugin),
                            void *context)
{
    struct plugins_visit visits = {visit, context};
    MUTEX_GUARD(&registry->lock);
    for (size_t i = 0; i < registry->files_count; i++) {
        const struct plugin_file *file = registry->files[i];
        struct registry_plugin shown = show_file(file);
        visit(context, &shown);
        if (file->plugin != NULL && file->plugin->file == file)
            visit_old(file->plugin, &visits);
    }
    for (size_t i = 0; i < registry->plugins_count; i++) {
        if (registry->plugins[i]->file == NULL)
            visit_old(registry->plugins[i], &visits);
    }
}
