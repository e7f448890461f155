#include "plugin/solo.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "plugin/code.h"
#include "plugin/generation.h"
#include "plugin/image.h"
#include "plugin/offers.h"
#include "support/cleanup.h"

struct solo {
    struct note note;
    struct type *types; /* in the order of the note */
    const struct type **types_listed;
    struct generation_code *code;
    struct offer *offers;
    uint32_t offers_count;
};

static bool read_note(struct solo *solo, const char *path, struct error *error)
{
    CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return error_errno(error, "unreadable", "cannot be opened");
    return image_check(fd, &solo->note, error);
}

static void list_types(struct solo *solo)
{
    size_t count = solo->note.types_count;
    solo->types = calloc(count + 1, sizeof *solo->types);
    solo->types_listed = calloc(count + 1, sizeof *solo->types_listed);
    if (solo->types == NULL || solo->types_listed == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        solo->types[i] = (struct type){.name = solo->note.types[i], .number = (uint32_t)i};
        solo->types_listed[i] = &solo->types[i];
    }
}

static bool make_code(struct solo *solo, const struct solo_order *order, struct error *error)
{
    struct registry_setting *settings = calloc(order->settings_count + 1, sizeof *settings);
    for (size_t i = 0; settings != NULL && i < order->settings_count; i++)
        settings[i] = (struct registry_setting){
            .plugin = solo->note.name,
            .key = order->settings[i].key,
            .value = order->settings[i].value,
        };
    const struct generation_origin origin = {
        .note = &solo->note,
        .types = solo->types_listed,
        .copy = order->path,
        .settings = settings,
        .settings_count = settings != NULL ? order->settings_count : 0,
    };
    solo->code = code_create(&origin);
    free(settings);
    return solo->code != NULL || error_set(error, "no_memory", "out of memory");
}

static bool enter(struct solo *solo, struct error *error)
{
    struct generation_code *code = solo->code;
    if (!code_map(code, error))
        return false;
    code_run_entry(code);
    if (code->answer == NULL)
        return code_refused(code, "entry", error);
    return descriptor_read(&code->descriptor, code->answer, &code->note, error) &&
           offers_make(code, NULL, &solo->offers, &solo->offers_count, error);
}

static bool initialise(struct solo *solo, struct error *error)
{
    struct generation_code *code = solo->code;
    if (code->descriptor.plugin.init != NULL)
        code_run_init(code);
    else
        code->initialised = true;
    return code->initialised || code_refused(code, "init", error);
}

static bool load(struct solo *solo, const struct solo_order *order, enum solo_step step,
                 struct error *error)
{
    if (!read_note(solo, order->path, error))
        return false;
    list_types(solo);
    if (!make_code(solo, order, error) || !enter(solo, error))
        return false;
    switch (step) {
    case SOLO_ENTERED:
        return true;
    case SOLO_INITIALISED:
        return initialise(solo, error);
    }
    return false;
}

struct solo *solo_load(const struct solo_order *order, enum solo_step step, struct error *error)
{
    struct solo *solo = calloc(1, sizeof *solo);
    if (solo == NULL)
        abort();
    if (!load(solo, order, step, error))
        solo_unload(&solo);
    return solo;
}

const struct offer *solo_offers(const struct solo *solo, uint32_t *count)
{
    *count = solo->offers_count;
    return solo->offers;
}

void *solo_self(const struct solo *solo)
{
    return solo->code->self;
}

const char *solo_plugin(const struct solo *solo)
{
    return solo->note.name;
}

const char *solo_version(const struct solo *solo)
{
    return solo->note.version;
}

bool solo_unload(struct solo **pointer)
{
    struct solo *solo = *pointer;
    bool gone = true;
    *pointer = NULL;
    if (solo == NULL)
        return true;
    struct generation_code *code = solo->code;
    if (code != NULL && code->initialised && code->descriptor.plugin.deinit != NULL)
        code_run_deinit(code);
    offers_free(&solo->offers, &solo->offers_count);
    if (code != NULL)
        gone = code_unmap(code);
    code_destroy(&solo->code);
    note_fini(&solo->note);
    free(solo->types);
    free(solo->types_listed);
    free(solo);
    return gone;
}
