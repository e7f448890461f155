/* registry: the set of types is made once, while the registry is created. What changes after that
 * is which generation a plugin's file has published: one pointer for all its types. */
#include "plugin/registry.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/generation.h"
#include "plugin/loader.h"
#include "plugin/plugin_file.h"
#include "support/cleanup.h"
#include "support/log.h"

enum { REFUSALS_LOGGED_MOST = 100 };

struct slot { /* one type; tasks hold a pointer to its first member */
    struct type type;
    struct plugin_file *owner;
    uint32_t index; /* among the types of its owner */
};

struct registry {
    /* immutable */
    struct registry_options options;
    struct folder *folders;
    size_t folders_count;
    struct plugin_file **files; /* by folder, then by name */
    size_t files_count, files_capacity;
    void *slots; /* a tree of tsearch, by name */
    uint32_t slots_count;
    struct loader *loader;
    /* the loader thread */
    struct snapshots *snapshots;
    /* atomic */
    _Atomic uint32_t left_behind;
};

static int compare_slots(const void *left, const void *right)
{
    const struct slot *one = left, *other = right;
    return strcmp(one->type.name, other->type.name);
}

static struct slot *slot_find(const struct registry *registry, const char *name)
{
    struct slot wanted = {.type.name = name};
    struct slot *const *node = tfind(&wanted, &registry->slots, compare_slots);
    return node == NULL ? NULL : *node;
}

/* Adds a type that is not there yet; its name is the note's, which lives as long. */
static bool slot_add(struct registry *registry, struct plugin_file *owner, uint32_t index)
{
    struct slot *slot = calloc(1, sizeof *slot);
    if (slot == NULL)
        return false;
    *slot = (struct slot){{owner->note.types[index], registry->slots_count}, owner, index};
    if (tsearch(slot, &registry->slots, compare_slots) == NULL) {
        free(slot);
        return false;
    }
    registry->slots_count++;
    return true;
}

static enum generation_state state_of(const struct plugin_file *file)
{
    return (enum generation_state)atomic_load_explicit(&file->state, memory_order_acquire);
}

static void log_refusal(const struct plugin_file *file)
{
    log_warning("plugin refused", LOG_TEXT("file", file->path),
                LOG_TEXT("reason", file->reason.message));
}

/* Says why a file may not join those before it, or that it may. */
static bool may_join(const struct registry *registry, const struct plugin_file *file,
                     struct error *error)
{
    for (size_t i = 0; i < file->note.types_count; i++) {
        const struct slot *slot = slot_find(registry, file->note.types[i]);
        if (slot != NULL)
            return error_set(error, "duplicate", "type '%s' belongs to %s already",
                             file->note.types[i], slot->owner->path);
    }
    for (size_t i = 0; i < registry->files_count; i++) {
        const struct plugin_file *other = registry->files[i];
        if (other != file && state_of(other) != GENERATION_REJECTED &&
            strcmp(other->note.name, file->note.name) == 0)
            return error_set(error, "duplicate", "plugin '%s' is %s already", file->note.name,
                             other->path);
    }
    return registry->slots_count + file->note.types_count <= REGISTRY_TYPES_MOST ||
           error_set(error, "limit", "more than %d types", REGISTRY_TYPES_MOST);
}

static bool join(struct registry *registry, struct plugin_file *file, struct error *error)
{
    if (!may_join(registry, file, error))
        return false;
    for (uint32_t i = 0; i < file->note.types_count; i++) {
        if (!slot_add(registry, file, i))
            return error_set(error, "no_memory", "out of memory");
    }
    return true;
}

static bool keep_file(struct registry *registry, struct plugin_file *file)
{
    if (registry->files_count == registry->files_capacity) {
        size_t capacity = registry->files_capacity * 2 + 16;
        struct plugin_file **files = realloc(registry->files, capacity * sizeof *files);
        if (files == NULL)
            return false;
        registry->files = files;
        registry->files_capacity = capacity;
    }
    registry->files[registry->files_count++] = file;
    return true;
}

/* Adds one file of a folder; what goes wrong is written down, at most so many times. */
static void scan_file(struct registry *registry, const struct folder *folder, const char *name,
                      size_t *refusals)
{
    struct error error;
    struct plugin_file *file = plugin_file_find(folder, name, &error);
    if (file == NULL) {
        if ((*refusals)++ < REFUSALS_LOGGED_MOST)
            log_warning("plugin file skipped", LOG_TEXT("folder", folder->path),
                        LOG_TEXT("file", name), LOG_TEXT("reason", error.message));
        return;
    }
    if (!keep_file(registry, file)) {
        plugin_file_destroy(&file);
        return;
    }
    if (state_of(file) != GENERATION_REJECTED && !join(registry, file, &error))
        plugin_file_reject(file, &error);
    if (state_of(file) == GENERATION_REJECTED && (*refusals)++ < REFUSALS_LOGGED_MOST)
        log_refusal(file);
}

static void scan_folder(struct registry *registry, const struct folder *folder)
{
    size_t refusals = 0;
    for (size_t i = 0; i < folder->count; i++)
        scan_file(registry, folder, folder->names[i], &refusals);
    if (refusals > REFUSALS_LOGGED_MOST)
        log_warning("more plugin files refused or skipped", LOG_TEXT("folder", folder->path),
                    LOG_NUMBER("count", refusals - REFUSALS_LOGGED_MOST));
    if (folder->left_out > 0)
        log_warning("too many files in the plugin folder", LOG_TEXT("folder", folder->path),
                    LOG_NUMBER("most", FOLDER_FILES_MOST),
                    LOG_NUMBER("not_looked_at", folder->left_out));
}

static bool open_folders(struct registry *registry, struct error *error)
{
    size_t count = 0;
    while (registry->options.plugin_dirs[count] != NULL)
        count++;
    registry->folders = calloc(count + 1, sizeof *registry->folders);
    if (registry->folders == NULL)
        return error_set(error, "no_memory", "out of memory");
    for (size_t i = 0; i < count; i++) {
        struct folder *folder = &registry->folders[registry->folders_count];
        if (folder_open(folder, registry->options.plugin_dirs[i], error))
            registry->folders_count++;
        else if (count > 1)
            log_warning("plugin folder left out", LOG_TEXT("reason", error->message));
    }
    return registry->folders_count > 0 || count == 0;
}

static bool file_join_refused(struct registry *registry, struct plugin_file *file)
{
    for (uint32_t i = 0; i < file->note.types_count; i++) {
        if (slot_find(registry, file->note.types[i]) == NULL && !slot_add(registry, file, i))
            return false;
    }
    return true;
}

static bool file_take_types(struct registry *registry, struct plugin_file *file)
{
    file->types = calloc(file->note.types_count + 1, sizeof *file->types);
    for (size_t i = 0; file->types != NULL && i < file->note.types_count; i++)
        file->types[i] = &slot_find(registry, file->note.types[i])->type;
    return file->types != NULL;
}

/* Types that only refused plugins name are known too, so that a task can be told why. */
static bool complete_types(struct registry *registry, struct error *error)
{
    bool complete = true;
    for (size_t i = 0; complete && i < registry->files_count; i++)
        complete = state_of(registry->files[i]) != GENERATION_REJECTED ||
                   file_join_refused(registry, registry->files[i]);
    for (size_t i = 0; complete && i < registry->files_count; i++)
        complete = file_take_types(registry, registry->files[i]);
    return complete || error_set(error, "no_memory", "out of memory");
}

struct registry *registry_create(const struct registry_options *options, struct error *error)
{
    struct registry *registry = calloc(1, sizeof *registry);
    if (registry == NULL) {
        error_set(error, "no_memory", "out of memory");
        return NULL;
    }
    registry->options = *options;
    bool made = open_folders(registry, error);
    for (size_t i = 0; made && i < registry->folders_count; i++)
        scan_folder(registry, &registry->folders[i]);
    made = made && complete_types(registry, error);
    if (made)
        registry->snapshots = snapshots_create(options->state_dir, error);
    if (registry->snapshots != NULL)
        registry->loader = loader_create(error);
    if (registry->loader == NULL)
        registry_destroy(&registry);
    return registry;
}

static void count_left_behind(struct registry *registry, uint32_t more)
{
    atomic_fetch_add(&registry->left_behind, more);
}

static void unload_file(struct registry *registry, struct plugin_file *file)
{
    struct generation *generation = atomic_exchange(&file->current, NULL);
    uint32_t left_behind = 0;
    if (generation == NULL)
        return;
    enum generation_state state =
        generation_unload(&generation, registry->options.start_limit_ns, &left_behind);
    count_left_behind(registry, left_behind);
    if (left_behind > 0)
        log_warning("deinit does not end: the plugin stays mapped", LOG_TEXT("file", file->path));
    else if (state == GENERATION_PINNED)
        log_info("plugin stays mapped after dlclose", LOG_TEXT("file", file->path));
}

static void unload_all(void *context)
{
    struct registry *registry = context;
    for (size_t i = registry->files_count; i > 0; i--)
        unload_file(registry, registry->files[i - 1]);
}

void registry_destroy(struct registry **pointer)
{
    struct registry *registry = *pointer;
    *pointer = NULL;
    if (registry == NULL)
        return;
    if (registry->loader != NULL)
        loader_run(registry->loader, unload_all, registry);
    loader_destroy(&registry->loader);
    snapshots_destroy(&registry->snapshots);
    tdestroy(registry->slots, free);
    for (size_t i = 0; i < registry->files_count; i++)
        plugin_file_destroy(&registry->files[i]);
    free(registry->files);
    for (size_t i = 0; i < registry->folders_count; i++)
        folder_close(&registry->folders[i]);
    free(registry->folders);
    free(registry);
}

struct load {
    struct registry *registry;
    struct plugin_file *file;
};

static void load_file(void *context)
{
    const struct load *load = context;
    struct registry *registry = load->registry;
    struct plugin_file *file = load->file;
    uint32_t left_behind = 0;
    if (state_of(file) != GENERATION_FOUND)
        return; /* somebody else asked before */
    plugin_file_load(file, registry->snapshots, &registry->options, &left_behind);
    count_left_behind(registry, left_behind);
    if (state_of(file) == GENERATION_REJECTED)
        log_refusal(file);
}

/* Returns the file's generation; NULL: it was refused. */
static struct generation *require(struct registry *registry, struct plugin_file *file)
{
    struct generation *current = atomic_load_explicit(&file->current, memory_order_acquire);
    if (current != NULL || state_of(file) == GENERATION_REJECTED)
        return current;
    loader_run(registry->loader, load_file, &(struct load){registry, file});
    return atomic_load_explicit(&file->current, memory_order_acquire);
}

enum registry_answer registry_find(struct registry *registry, const char *name, size_t length,
                                   const struct offer **offer, struct error *error)
{
    char text[TYPE_NAME_MOST_BYTES + 1];
    *offer = NULL;
    if (length > TYPE_NAME_MOST_BYTES || memchr(name, '\0', length) != NULL)
        return REGISTRY_UNKNOWN;
    memcpy(text, name, length);
    text[length] = '\0';
    const struct slot *slot = slot_find(registry, text);
    if (slot == NULL)
        return REGISTRY_UNKNOWN;
    const struct generation *generation = require(registry, slot->owner);
    if (generation == NULL) {
        error_set(error, slot->owner->reason.code, "%s: %s", slot->owner->path,
                  slot->owner->reason.message);
        return REGISTRY_REFUSED;
    }
    *offer = &generation->offers[slot->index];
    return REGISTRY_FOUND;
}

const struct offer *registry_offer(struct registry *registry, const struct type *type)
{
    const struct slot *slot = (const struct slot *)type; /* its first member */
    (void)registry;
    const struct generation *generation =
        atomic_load_explicit(&slot->owner->current, memory_order_acquire);
    return generation == NULL ? NULL : &generation->offers[slot->index];
}

uint32_t registry_types_count(struct registry *registry)
{
    return registry->slots_count;
}

uint32_t registry_left_behind(struct registry *registry)
{
    return atomic_load(&registry->left_behind);
}

void registry_load_all(struct registry *registry)
{
    for (size_t i = 0; i < registry->files_count; i++)
        require(registry, registry->files[i]);
}

struct types_visit {
    void (*visit)(void *context, const char *type, const char *plugin);
    void *context;
};

static void visit_slot(const void *node, VISIT which, void *context)
{
    const struct types_visit *types = context;
    const struct slot *slot = *(const struct slot *const *)node;
    if ((which == postorder || which == leaf) && state_of(slot->owner) != GENERATION_REJECTED)
        types->visit(types->context, slot->type.name, slot->owner->note.name);
}

void registry_visit_types(struct registry *registry,
                          void (*visit)(void *context, const char *type, const char *plugin),
                          void *context)
{
    struct types_visit types = {visit, context};
    twalk_r(registry->slots, visit_slot, &types);
}

static struct registry_plugin plugin_show(struct plugin_file *file)
{
    enum generation_state state = state_of(file);
    const struct generation *current = atomic_load(&file->current);
    bool noted = file->note.types_count > 0;
    return (struct registry_plugin){
        .file = file->path,
        .plugin = noted ? file->note.name : NULL,
        .version = noted ? file->note.version : NULL,
        .state = generation_state_word(state),
        .reason = state == GENERATION_REJECTED ? file->reason.message : NULL,
        .generation = current == NULL ? 0 : current->number,
        .types = file->types,
        .types_count = file->note.types_count,
    };
}

void registry_visit_plugins(struct registry *registry,
                            void (*visit)(void *context, const struct registry_plugin *plugin),
                            void *context)
{
    for (size_t i = 0; i < registry->files_count; i++) {
        struct registry_plugin plugin = plugin_show(registry->files[i]);
        visit(context, &plugin);
    }
}
