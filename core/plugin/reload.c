/* reload: a scan, and then the loads that it makes needed; those that hang hold up only the line
 * that sums it up. Another reload may begin meanwhile. */
#include <stdlib.h>

#include "plugin/internal.h"
#include "support/log.h"

void registry_reload(struct registry *registry)
{
    if (!atomic_exchange(&registry->reload_asked, true))
        loader_post(registry->loader, &registry->reloading);
}

static void update(struct plugin *plugin, struct reload *reload)
{
    bool published = atomic_load(&plugin->published) != NULL;
    if (plugin->file == NULL && published)
        loading_unpublish(plugin);
    else if (loading_needed(plugin))
        loading_begin(plugin, reload);
    else if (published && plugin->loading == NULL)
        reload->counts.kept++;
}

void reload_begin(void *context)
{
    struct registry *registry = context;
    atomic_store(&registry->reload_asked, false);
    if (registry->closing)
        return;
    struct reload *reload = calloc(1, sizeof *reload);
    if (reload == NULL)
        abort();
    reload->registry = registry;
    reload->pending = 1;
    signals_restore(&registry->house.signals, "-");
    scan_list_anew(registry);
    scan_files(registry, &reload->counts);
    for (size_t i = 0; i < registry->plugins_count; i++)
        update(registry->plugins[i], reload);
    reload_part_over(reload);
}

void reload_part_over(struct reload *reload)
{
    if (reload == NULL || --reload->pending > 0)
        return;
    struct registry *registry = reload->registry;
    const struct registry_reloaded *counts = &reload->counts;
    log_info("plugins looked at again", LOG_NUMBER("kept", counts->kept),
             LOG_NUMBER("replaced", counts->replaced), LOG_NUMBER("added", counts->added),
             LOG_NUMBER("removed", counts->removed), LOG_NUMBER("refused", counts->refused));
    mutex_lock(&registry->hooks_lock);
    if (registry->hooks.reloaded != NULL)
        registry->hooks.reloaded(registry->hooks.context, counts);
    mutex_unlock(&registry->hooks_lock);
    free(reload);
}
