/* loading: from a plugin's file to a published generation, in steps between which the loader thread
 * does other things. A plugin has at most one of them at a time; what changes meanwhile is seen
 * when it is over. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin/image.h"
#include "plugin/internal.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/log.h"

static bool was_served(const struct plugin_file *file)
{
    for (size_t i = 0; i < file->note.types_count; i++) {
        if (slot_of(file->types[i])->served)
            return true;
    }
    return false;
}

bool loading_needed(const struct plugin *plugin)
{
    MUTEX_GUARD(&plugin->registry->lock); /* somebody may begin to want it now */
    const struct plugin_file *file = plugin->file;
    const struct generation *published = atomic_load(&plugin->published);
    if (file == NULL || file->rejected || plugin->loading != NULL || plugin->registry->closing)
        return false;
    if (published != NULL)
        return !identity_equals(&published->identity, &file->identity);
    return plugin->registry->loads_all || plugin->wanted || was_served(file);
}

/* Says what a plugin waits for that has as many generations as it may. */
static bool refuse_live(const struct plugin *plugin, struct error *error)
{
    struct buffer text CLEANUP(buffer_fini) = BUFFER_EMPTY;
    for (const struct generation *at = plugin->generations; at != NULL; at = at->next) {
        if (at->state == GENERATION_DRAINING || at->state == GENERATION_RETIRED)
            buffer_printf(&text, "%s%u", text.length == 0 ? "" : ", ", at->number);
    }
    return error_set(error, "limit",
                     "%d generations are alive, which is the most: waits for the end of %s",
                     GENERATIONS_LIVE_MOST, buffer_text(&text));
}

/* Says whether one more copy may be mapped. */
static bool has_room(const struct plugin *plugin, uint64_t bytes, struct error *error)
{
    uint32_t live = 0, pinned = 0;
    uint64_t pinned_bytes = 0;
    MUTEX_GUARD(&plugin->registry->lock); /* states change when the host says so */
    for (const struct generation *at = plugin->generations; at != NULL; at = at->next) {
        bool is_pinned = at->stuck || at->state == GENERATION_PINNED;
        live += !is_pinned;
        pinned += is_pinned;
        pinned_bytes += is_pinned ? at->bytes : 0;
    }
    if (live >= GENERATIONS_LIVE_MOST)
        return refuse_live(plugin, error);
    if (pinned >= COPIES_PINNED_MOST)
        return error_set(error, "limit",
                         "%u older builds are still mapped, at most %d may be: start anew", pinned,
                         COPIES_PINNED_MOST);
    return pinned == 0 || pinned_bytes + bytes <= COPIES_PINNED_MOST_BYTES ||
           error_set(error, "limit",
                     "older builds that are still mapped take %llu MiB, at most %d may be taken: "
                     "start anew",
                     (unsigned long long)(pinned_bytes >> 20), COPIES_PINNED_MOST_BYTES >> 20);
}

/* Checks the copy: it is the only thing that counts. */
static bool check_copy(int copy, const struct plugin_file *file, struct error *error)
{
    struct note note;
    bool sound = image_check(copy, &note, error);
    bool same = sound && note_equals(&note, &file->note);
    note_fini(&note);
    if (sound && !same)
        error_set(error, "changing", "has another note than when it was found");
    return same;
}

static struct generation *make_generation(struct plugin *plugin, const char *copy,
                                          const struct stat *stat, struct error *error)
{
    struct registry *registry = plugin->registry;
    const struct plugin_file *file = plugin->file;
    struct generation_origin origin = {
        .note = &file->note,
        .types = file->types,
        .file = file->path,
        .copy = copy,
        .bytes = (uint64_t)stat->st_size,
        .identity = identity_of(stat),
        .number = plugin->generations_count,
        .owner = plugin,
        .settings = registry->options.settings,
        .settings_count = registry->options.settings_count,
    };
    return generation_create(&registry->house, &origin, error);
}

/* Copies the plugin's file and checks the copy: a generation that has nothing mapped, or NULL. */
static struct generation *prepare(struct plugin *plugin, struct error *error)
{
    const struct plugin_file *file = plugin->file;
    struct snapshots *snapshots = plugin->registry->snapshots;
    char name[3 * SLUICE_NAME_MAX + 64];
    char *path CLEANUP(cleanup_free) = NULL;
    int from CLEANUP(cleanup_close) = -1;
    struct stat stat;
    if (folder_open_file(file->folder, file->name, &from, error) != FOLDER_OPENED)
        return NULL;
    if (fstat(from, &stat) != 0) {
        error_errno(error, "unreadable", "cannot be opened");
        return NULL;
    }
    if (!has_room(plugin, (uint64_t)stat.st_size, error))
        return NULL;
    snprintf(name, sizeof name, "%s.%u.%s.so", file->note.name, plugin->generations_count + 1,
             file->note.build_id);
    int copy CLEANUP(cleanup_close) = snapshot_take(snapshots, from, name, &path, error);
    if (copy < 0)
        return NULL;
    plugin->generations_count++;
    struct generation *generation = NULL;
    if (check_copy(copy, file, error))
        generation = make_generation(plugin, path, &stat, error);
    if (generation == NULL)
        snapshot_remove(snapshots, path);
    return generation;
}

/* Writes down why the file that a generation was made of (NULL: the plugin's) is refused. */
static void refuse(struct plugin *plugin, const struct generation *generation,
                   struct reload *reload, const struct error *why)
{
    struct registry *registry = plugin->registry;
    struct plugin_file *file = plugin->file;
    bool runs = atomic_load(&plugin->published) != NULL;
    mutex_lock(&registry->lock);
    if (file != NULL &&
        (generation == NULL || identity_equals(&generation->identity, &file->identity))) {
        plugin_file_reject(file, why);
        file->reported = true;
    }
    mutex_unlock(&registry->lock);
    if (!registry->options.refusals_listed)
        log_warning(runs ? "plugin refused; the running generation stays" : "plugin refused",
                    LOG_TEXT("file", generation != NULL ? generation->file : file->path),
                    LOG_TEXT("reason", why->message));
    if (reload == NULL)
        return;
    reload->counts.refused++;
    reload->counts.kept += runs;
}

static void load_over(struct plugin *plugin, struct reload *reload)
{
    struct registry *registry = plugin->registry;
    mutex_lock(&registry->lock);
    plugin->asked = false;
    cond_broadcast(&registry->changed);
    mutex_unlock(&registry->lock);
    if (loading_needed(plugin)) /* a scan has seen another file meanwhile */
        loading_begin(plugin, reload);
    reload_part_over(reload);
}

void loading_begin(struct plugin *plugin, struct reload *reload)
{
    struct registry *registry = plugin->registry;
    struct error error;
    if (reload != NULL)
        reload->pending++;
    struct generation *generation = prepare(plugin, &error);
    if (generation == NULL) {
        refuse(plugin, NULL, reload, &error);
        load_over(plugin, reload);
        return;
    }
    mutex_lock(&registry->lock);
    plugin->file->identity = generation->identity;
    generation->next = plugin->generations;
    plugin->generations = generation;
    plugin->loading = generation;
    generation->reload = reload;
    generation->busy = true;
    registry->busy++;
    mutex_unlock(&registry->lock);
    generation_start(generation);
}

void loading_demanded(void *context)
{
    struct plugin *plugin = context;
    struct registry *registry = plugin->registry;
    if (loading_needed(plugin))
        loading_begin(plugin, NULL);
    MUTEX_GUARD(&registry->lock);
    if (plugin->loading == NULL) {
        plugin->asked = false;
        cond_broadcast(&registry->changed);
    }
}

static void call_published(struct registry *registry)
{
    MUTEX_GUARD(&registry->hooks_lock);
    if (registry->hooks.published != NULL)
        registry->hooks.published(registry->hooks.context);
}

/* The one place where what serves types changes. */
static struct generation *swap(struct plugin *plugin, struct generation *generation)
{
    struct registry *registry = plugin->registry;
    MUTEX_GUARD(&registry->lock);
    struct generation *old = atomic_load(&plugin->published);
    if (generation != NULL)
        generation->state = GENERATION_ACTIVE;
    if (old != NULL)
        old->state = GENERATION_DRAINING;
    for (uint32_t i = 0; generation != NULL && i < generation->offers_count; i++)
        slot_of(generation->offers[i].type)->served = true;
    atomic_store(&plugin->published, generation);
    atomic_fetch_add(&registry->version, 1);
    return old;
}

static void publish(struct plugin *plugin, struct generation *generation)
{
    struct registry *registry = plugin->registry;
    struct generation *old = swap(plugin, generation);
    mutex_lock(&registry->lock);
    generation->busy = false;
    registry->busy--;
    mutex_unlock(&registry->lock);
    if (generation->reload != NULL) {
        generation->reload->counts.replaced += old != NULL;
        log_info("plugin reloaded", LOG_TEXT("plugin", generation->plugin),
                 LOG_TEXT("version", generation->version),
                 LOG_NUMBER("generation", generation->number));
    }
    call_published(registry);
    if (old != NULL)
        retire_superseded(registry, old);
}

void loading_unpublish(struct plugin *plugin)
{
    struct generation *old = swap(plugin, NULL);
    log_info("plugin removed", LOG_TEXT("plugin", old->plugin), LOG_TEXT("version", old->version),
             LOG_NUMBER("generation", old->number));
    call_published(plugin->registry);
    retire_superseded(plugin->registry, old);
}

void loading_settled(void *context, struct generation *generation, enum generation_state state,
                     const struct error *why)
{
    struct registry *registry = context;
    struct plugin *plugin = generation->owner;
    struct reload *reload = generation->reload;
    if (state == GENERATION_PROBED) {
        MUTEX_GUARD(&registry->lock);
        generation->state = state;
        return;
    }
    if (plugin->loading != generation) {
        retire_settled(registry, generation, state, why);
        return;
    }
    mutex_lock(&registry->lock);
    plugin->loading = NULL;
    mutex_unlock(&registry->lock);
    if (state != GENERATION_READY) {
        refuse(plugin, generation, reload, why);
        retire_settled(registry, generation, state, NULL);
    } else if (plugin->file != NULL && !registry->closing) {
        publish(plugin, generation);
    } else { /* its file is gone since */
        retire_begin(generation);
    }
    load_over(plugin, reload);
}
