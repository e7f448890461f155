/* scan: what the folders hold, looked at anew. Files are matched with those of the scan before by
 * folder and name; an unchanged one stays the very same plugin_file. Whoever has a plugin's name or
 * a type keeps it: first those files have their say that continue a plugin, then the others in the
 * order of folders and names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin/internal.h"
#include "support/cleanup.h"
#include "support/log.h"
#include "support/memory.h"

enum { REFUSALS_LOGGED_MOST = 100 };

struct scan {
    struct registry *registry;
    struct registry_reloaded *counts;
    struct plugin_file **files;
    size_t files_count, files_capacity;
    size_t *lines; /* by folder: what was refused or skipped in it */
};

bool scan_open(struct registry *registry, struct error *error)
{
    size_t count = 0, opened = 0;
    while (registry->options.plugin_dirs[count] != NULL)
        count++;
    registry->folders = calloc(count + 1, sizeof *registry->folders);
    if (registry->folders == NULL)
        return error_set(error, "no_memory", "out of memory");
    registry->folders_count = count;
    for (size_t i = 0; i < count; i++) {
        if (folder_open(&registry->folders[i], registry->options.plugin_dirs[i], error))
            opened++;
        else if (count > 1)
            log_warning("plugin folder left out", LOG_TEXT("reason", error->message));
    }
    return opened > 0 || count == 0;
}

/* A folder that is gone has no files any more; one that cannot be read now keeps those it had. */
static void list_anew(struct folder *folder, const char *path)
{
    struct folder now;
    struct error error;
    if (!folder_open(&now, path, &error)) {
        log_warning("plugin folder cannot be read", LOG_TEXT("reason", error.message));
        if (access(path, F_OK) != 0 && errno == ENOENT)
            folder_close(folder);
        return;
    }
    folder_close(folder);
    *folder = now;
}

void scan_list_anew(struct registry *registry)
{
    for (size_t i = 0; i < registry->folders_count; i++)
        list_anew(&registry->folders[i], registry->options.plugin_dirs[i]);
}

/* Finds the file of the scan before; the same one if it is unchanged. */
static struct plugin_file *find_before(const struct registry *registry, const struct folder *folder,
                                       const char *name)
{
    size_t low = 0, high = registry->files_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct plugin_file *file = registry->files[middle];
        int order =
            folder != file->folder ? (folder < file->folder ? -1 : 1) : strcmp(name, file->name);
        if (order == 0)
            return file;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static void keep_file(struct scan *scan, struct plugin_file *file)
{
    if (scan->files_count == scan->files_capacity) {
        scan->files_capacity = scan->files_capacity * 2 + 16;
        scan->files = memory_grow(scan->files, scan->files_capacity, sizeof *scan->files);
    }
    scan->files[scan->files_count++] = file;
}

/* Counts what is to be logged about a folder; false: it is too much. */
static bool may_log(struct scan *scan, const struct folder *folder)
{
    return scan->lines[folder - scan->registry->folders]++ < REFUSALS_LOGGED_MOST;
}

static void look_at_folder(struct scan *scan, const struct folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        struct error error;
        struct plugin_file *file = find_before(scan->registry, folder, folder->names[i]);
        if (file == NULL || !plugin_file_stays(file))
            file = plugin_file_find(folder, folder->names[i], &error);
        if (file != NULL)
            keep_file(scan, file);
        else if (may_log(scan, folder))
            log_warning("plugin file skipped", LOG_TEXT("folder", folder->path),
                        LOG_TEXT("file", folder->names[i]), LOG_TEXT("reason", error.message));
    }
    if (folder->left_out > 0)
        log_warning("too many files in the plugin folder", LOG_TEXT("folder", folder->path),
                    LOG_NUMBER("most", FOLDER_FILES_MOST),
                    LOG_NUMBER("not_looked_at", folder->left_out));
}

/* ---- whose is what; under the lock ---- */

/* Types that only refused files name are known too, so that a task can be told why. */
static void take_types(struct registry *registry, struct plugin_file *file)
{
    struct error error;
    size_t count = file->note.types_count;
    if (file->types != NULL)
        return;
    file->types = calloc(count + 1, sizeof *file->types);
    if (file->types == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = slot_get(registry, file->note.types[i], &error);
        if (slot == NULL) {
            note_fini(&file->note);
            plugin_file_reject(file, &error);
            return;
        }
        file->types[i] = &slot->type;
    }
}

static struct plugin *plugin_find(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->plugins_count; i++) {
        if (strcmp(registry->plugins[i]->name, name) == 0)
            return registry->plugins[i];
    }
    return NULL;
}

static struct plugin *plugin_get(struct registry *registry, const char *name)
{
    struct plugin *plugin = plugin_find(registry, name);
    if (plugin != NULL)
        return plugin;
    if (registry->plugins_count == registry->plugins_capacity) {
        registry->plugins_capacity = registry->plugins_capacity * 2 + 16;
        registry->plugins =
            memory_grow(registry->plugins, registry->plugins_capacity, sizeof *registry->plugins);
    }
    plugin = calloc(1, sizeof *plugin);
    if (plugin == NULL)
        abort();
    plugin->registry = registry;
    plugin->name = strdup(name);
    plugin->demand = (struct loader_work){.run = loading_demanded, .context = plugin};
    if (plugin->name == NULL)
        abort();
    registry->plugins[registry->plugins_count++] = plugin;
    return plugin;
}

static void attach(struct scan *scan, struct plugin *plugin, struct plugin_file *file)
{
    if (plugin->file == NULL)
        scan->counts->added++;
    plugin->file = file;
    plugin->round = scan->registry->round;
    file->plugin = plugin;
}

static void protect(const struct plugin *plugin, const struct type *type, uint32_t round)
{
    struct slot *slot = slot_of(type);
    if (atomic_load(&slot->owner) == plugin)
        slot->round = round;
}

/* Sees whether a file continues a plugin; then the plugin keeps the types that it has. */
static void continue_plugin(struct scan *scan, struct plugin_file *file)
{
    struct registry *registry = scan->registry;
    const struct plugin_file *before = find_before(registry, file->folder, file->name);
    struct plugin *plugin = before == NULL ? NULL : before->plugin;
    if (plugin == NULL || (!file->rejected && strcmp(file->note.name, plugin->name) != 0))
        return;
    const struct generation *published = atomic_load(&plugin->published);
    attach(scan, plugin, file);
    for (size_t i = 0; i < file->note.types_count; i++)
        protect(plugin, file->types[i], registry->round);
    for (uint32_t i = 0; published != NULL && i < published->offers_count; i++)
        protect(plugin, published->offers[i].type, registry->round);
}

/* keeper: whoever may have them already, or NULL. */
static bool types_are_free(const struct registry *registry, const struct plugin *keeper,
                           const struct plugin_file *file, struct error *error)
{
    for (size_t i = 0; i < file->note.types_count; i++) {
        const struct slot *slot = slot_of(file->types[i]);
        const struct plugin *owner = atomic_load(&slot->owner);
        if (slot->round == registry->round && owner != keeper)
            return error_set(error, "duplicate", "type '%s' belongs to %s already", slot->type.name,
                             owner->file->path);
    }
    return true;
}

static void claim_types(const struct registry *registry, struct plugin *plugin,
                        const struct plugin_file *file)
{
    for (size_t i = 0; i < file->note.types_count; i++) {
        struct slot *slot = slot_of(file->types[i]);
        slot->round = registry->round;
        atomic_store_explicit(&slot->owner, plugin, memory_order_release);
    }
}

static void join(struct scan *scan, struct plugin_file *file)
{
    struct error error;
    struct registry *registry = scan->registry;
    struct plugin *plugin = plugin_get(registry, file->note.name);
    bool free = types_are_free(registry, NULL, file, &error);
    if (free && plugin->round == registry->round)
        free = error_set(&error, "duplicate", "plugin '%s' is %s already", plugin->name,
                         plugin->file->path);
    if (!free) {
        plugin_file_reject(file, &error);
        return;
    }
    claim_types(registry, plugin, file);
    attach(scan, plugin, file);
}

static bool continues(const struct registry *registry, const struct plugin_file *file)
{
    return file->plugin != NULL && file->plugin->file == file &&
           file->plugin->round == registry->round;
}

static void settle_owners(struct scan *scan)
{
    struct registry *registry = scan->registry;
    struct error error;
    for (size_t i = 0; i < scan->files_count; i++)
        take_types(registry, scan->files[i]);
    for (size_t i = 0; i < scan->files_count; i++)
        continue_plugin(scan, scan->files[i]);
    for (size_t i = 0; i < scan->files_count; i++) {
        struct plugin_file *file = scan->files[i];
        if (file->rejected || !continues(registry, file))
            continue;
        if (types_are_free(registry, file->plugin, file, &error))
            claim_types(registry, file->plugin, file);
        else
            plugin_file_reject(file, &error);
    }
    for (size_t i = 0; i < scan->files_count; i++) {
        struct plugin_file *file = scan->files[i];
        if (!file->rejected && !continues(registry, file))
            join(scan, file);
    }
    for (size_t i = 0; i < registry->plugins_count; i++) {
        struct plugin *plugin = registry->plugins[i];
        if (plugin->round == registry->round || plugin->file == NULL)
            continue;
        plugin->file = NULL;
        scan->counts->removed++;
    }
}

/* ---- what is said, and the end ---- */

static bool was_reported(const struct registry *registry, const struct plugin_file *file)
{
    const struct plugin_file *before = find_before(registry, file->folder, file->name);
    return before != NULL && before->reported &&
           identity_equals(&before->identity, &file->identity) &&
           strcmp(before->reason.message, file->reason.message) == 0;
}

static void report(struct scan *scan, struct plugin_file *file)
{
    if (!file->rejected || file->reported)
        return;
    bool again = was_reported(scan->registry, file);
    file->reported = true;
    if (again)
        return;
    scan->counts->refused++;
    if (scan->registry->options.refusals_listed || !may_log(scan, file->folder))
        return;
    bool runs = file->plugin != NULL && atomic_load(&file->plugin->published) != NULL;
    log_warning(runs ? "plugin refused; the running generation stays" : "plugin refused",
                LOG_TEXT("file", file->path), LOG_TEXT("reason", file->reason.message));
}

static void report_all(struct scan *scan)
{
    for (size_t i = 0; i < scan->files_count; i++)
        report(scan, scan->files[i]);
    for (size_t i = 0; i < scan->registry->folders_count; i++) {
        if (scan->lines[i] > REFUSALS_LOGGED_MOST)
            log_warning("more plugin files refused or skipped",
                        LOG_TEXT("folder", scan->registry->folders[i].path),
                        LOG_NUMBER("count", scan->lines[i] - REFUSALS_LOGGED_MOST));
    }
}

static void destroy_unseen(struct plugin_file **files, size_t count, uint32_t round)
{
    for (size_t i = 0; i < count; i++) {
        if (files[i]->round != round)
            plugin_file_destroy(&files[i]);
    }
    free(files);
}

void scan_files(struct registry *registry, struct registry_reloaded *counts)
{
    size_t *lines CLEANUP(cleanup_free) = calloc(registry->folders_count + 1, sizeof *lines);
    struct scan scan = {.registry = registry, .counts = counts, .lines = lines};
    if (lines == NULL)
        abort();
    for (size_t i = 0; i < registry->folders_count; i++)
        look_at_folder(&scan, &registry->folders[i]);
    mutex_lock(&registry->lock);
    registry->round++;
    for (size_t i = 0; i < scan.files_count; i++)
        scan.files[i]->round = registry->round;
    settle_owners(&scan);
    mutex_unlock(&registry->lock);
    report_all(&scan);
    struct plugin_file **before = registry->files;
    size_t before_count = registry->files_count;
    mutex_lock(&registry->lock);
    registry->files = scan.files;
    registry->files_count = scan.files_count;
    mutex_unlock(&registry->lock);
    destroy_unseen(before, before_count, registry->round);
}
