/* plugin_file: what was checked when the file was found is checked again on the private copy,
 * the only thing that counts; the first time is for knowing types without copying or running
 * anything. */
#include "plugin/plugin_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin/image.h"
#include "support/cleanup.h"

static void set_state(struct plugin_file *file, enum generation_state state)
{
    atomic_store_explicit(&file->state, (int)state, memory_order_release);
}

void plugin_file_reject(struct plugin_file *file, const struct error *reason)
{
    if (atomic_load(&file->state) == GENERATION_REJECTED)
        return;
    file->reason = *reason;
    set_state(file, GENERATION_REJECTED);
}

static struct plugin_file *file_create(const struct folder *folder, const char *name)
{
    struct plugin_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    if (asprintf(&file->path, "%s/%s", folder->path, name) < 0)
        file->path = NULL;
    file->folder = folder;
    file->name = name;
    atomic_init(&file->state, GENERATION_FOUND);
    atomic_init(&file->current, NULL);
    if (file->path == NULL)
        plugin_file_destroy(&file);
    return file;
}

struct plugin_file *plugin_file_find(const struct folder *folder, const char *name,
                                     struct error *error)
{
    int fd CLEANUP(cleanup_close) = -1;
    enum folder_answer answer = folder_open_file(folder, name, &fd, error);
    if (answer == FOLDER_SKIPPED)
        return NULL;
    struct plugin_file *file = file_create(folder, name);
    if (file == NULL) {
        error_set(error, "no_memory", "out of memory");
        return NULL;
    }
    /* A refused file is read as well, to be able to say why its types are not there. */
    struct error bad_image;
    bool sound = fd >= 0 && image_check(fd, &file->note, &bad_image);
    if (answer == FOLDER_REFUSED)
        plugin_file_reject(file, error);
    else if (!sound)
        plugin_file_reject(file, &bad_image);
    return file;
}

void plugin_file_destroy(struct plugin_file **pointer)
{
    struct plugin_file *file = *pointer;
    *pointer = NULL;
    if (file == NULL)
        return;
    note_fini(&file->note);
    free(file->types);
    free(file->path);
    free(file);
}

/* Copies the file and checks the copy; returns its path, which the caller frees, or NULL. */
static char *take_copy(struct plugin_file *file, struct snapshots *snapshots, struct error *error)
{
    char name[3 * SLUICE_NAME_MAX + 64];
    char *path CLEANUP(cleanup_free) = NULL;
    int from CLEANUP(cleanup_close) = -1;
    if (folder_open_file(file->folder, file->name, &from, error) != FOLDER_OPENED)
        return NULL;
    snprintf(name, sizeof name, "%s.%u.%s.so", file->note.name, file->generations + 1,
             file->note.build_id);
    int copy CLEANUP(cleanup_close) = snapshot_take(snapshots, from, name, &path, error);
    if (copy < 0)
        return NULL;
    set_state(file, GENERATION_SNAPSHOT);
    struct note note;
    bool sound = image_check(copy, &note, error);
    bool same = sound && note_equals(&note, &file->note);
    note_fini(&note);
    if (!same && sound)
        error_set(error, "changing", "has another note than when it was found");
    if (!same)
        return NULL;
    set_state(file, GENERATION_CHECKED);
    char *checked = path;
    path = NULL;
    return checked;
}

void plugin_file_load(struct plugin_file *file, struct snapshots *snapshots,
                      const struct registry_options *options, uint32_t *left_behind)
{
    struct error error;
    char *copy CLEANUP(cleanup_free) = take_copy(file, snapshots, &error);
    if (copy == NULL) {
        plugin_file_reject(file, &error);
        return;
    }
    struct generation_origin origin = {
        .note = &file->note,
        .file = file->path,
        .copy = copy,
        .number = ++file->generations,
        .types = file->types,
        .settings = options->settings,
        .settings_count = options->settings_count,
        .start_limit_ns = options->start_limit_ns,
    };
    struct generation *generation = generation_load(&origin, left_behind, &error);
    if (generation == NULL) {
        plugin_file_reject(file, &error);
        return;
    }
    set_state(file, GENERATION_READY);
    atomic_store_explicit(&file->current, generation, memory_order_release);
    set_state(file, GENERATION_ACTIVE);
}
