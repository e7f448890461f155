/* generation: what a late thread may still use (its code struct, the mapped image) is never
 * freed. */
#include "plugin/generation.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/call.h"
#include "plugin/descriptor.h"
#include "plugin/errand.h"
#include "support/arena.h"
#include "support/units.h"

enum { TEXTS_BLOCK_BYTES = 1024 };

typedef const struct sluice_plugin *entry_function(const struct sluice_host *host,
                                                   struct sluice_error *err);

struct generation_code {
    void *handle;
    char *copy;
    struct arena texts;      /* settings, help */
    struct sluice_host host; /* this plugin's own table: the log names it outside calls */
    struct sluice_settings settings;
    entry_function *entry;
    struct descriptor descriptor;
    /* written by the errand, read when it is done */
    struct sluice_error err;
    const struct sluice_plugin *answer;
    void *self;
    bool initialised;
};

const char *generation_state_word(enum generation_state state)
{
    static const char *const words[] = {
#define STATE(name, word) [GENERATION_##name] = word,
#include "plugin/generation_states.def"
#undef STATE
    };
    return words[state];
}

const struct offer *generation_offer(const struct generation *generation, const struct type *type)
{
    for (uint32_t i = 0; i < generation->offers_count; i++) {
        if (generation->offers[i].type == type)
            return &generation->offers[i];
    }
    return NULL;
}

static void generation_free(struct generation *generation)
{
    for (uint32_t i = 0; i < generation->offers_count; i++)
        param_table_fini(&generation->offers[i].params);
    free(generation->offers);
    free(generation->plugin);
    free(generation->version);
    free(generation->file);
    free(generation);
}

static void code_free(struct generation_code *code)
{
    descriptor_fini(&code->descriptor);
    arena_fini(&code->texts);
    free(code->copy);
    free(code);
}

static int compare_image(struct dl_phdr_info *info, size_t size, void *copy)
{
    (void)size;
    return strcmp(info->dlpi_name, copy) == 0;
}

/* dlclose may keep the code for several good reasons and says nothing. */
static enum generation_state unmap(struct generation_code *code)
{
    if (code->handle != NULL)
        dlclose(code->handle);
    code->handle = NULL;
    return dl_iterate_phdr(compare_image, code->copy) == 0 ? GENERATION_GONE : GENERATION_PINNED;
}

static bool map(struct generation_code *code, struct error *error)
{
    code->handle = dlopen(code->copy, RTLD_NOW | RTLD_LOCAL);
    if (code->handle == NULL) {
        const char *why = dlerror();
        size_t length = strlen(code->copy);
        if (strncmp(why, code->copy, length) == 0 && strncmp(why + length, ": ", 2) == 0)
            why += length + 2;
        return error_set(error, "not_loadable", "cannot be loaded: %s", why);
    }
    void *entry = dlsym(code->handle, SLUICE_ENTRY_SYMBOL);
    memcpy(&code->entry, &entry, sizeof entry);
    return entry != NULL || error_set(error, "no_entry", "no function %s", SLUICE_ENTRY_SYMBOL);
}

static void prepare_error(struct generation_code *code)
{
    memset(&code->err, 0, sizeof code->err);
    code->err.size = sizeof code->err;
}

static void run_entry(void *context)
{
    struct generation_code *code = context;
    code->answer = code->entry(&code->host, &code->err);
}

static void run_init(void *context)
{
    struct generation_code *code = context;
    code->initialised =
        code->descriptor.plugin.init(&code->host, &code->settings, &code->self, &code->err);
}

static void run_deinit(void *context)
{
    struct generation_code *code = context;
    code->descriptor.plugin.deinit(code->self);
}

/* Runs one of the plugin's own functions; *late tells a thread that stays behind from a refusal. */
static bool start(struct generation_code *code, const char *what, void (*run)(void *),
                  int64_t limit_ns, struct error *error)
{
    char limit[32];
    prepare_error(code);
    switch (errand_run(what, run, code, limit_ns, error)) {
    case ERRAND_DONE:
        return true;
    case ERRAND_NOT_STARTED:
        return false;
    case ERRAND_LATE:
        break;
    }
    return error_set(error, "late", "%s takes longer than %s", what,
                     units_format_duration(limit_ns, limit, sizeof limit));
}

static bool refused(struct generation_code *code, const char *what, struct error *error)
{
    code->err.message[sizeof code->err.message - 1] = '\0';
    if (code->err.message[0] == '\0')
        return error_set(error, "refused_itself", "%s refused without a reason", what);
    return error_set(error, "refused_itself", "%s refused: %s", what, code->err.message);
}

static bool enter(struct generation_code *code, const struct generation_origin *origin,
                  struct error *error)
{
    if (!map(code, error) || !start(code, "entry", run_entry, origin->start_limit_ns, error))
        return false;
    if (code->answer == NULL)
        return refused(code, "entry", error);
    return descriptor_read(&code->descriptor, code->answer, origin->note, error);
}

static bool initialise(struct generation_code *code, const struct generation_origin *origin,
                       struct error *error)
{
    if (code->descriptor.plugin.init == NULL) {
        code->initialised = true;
        return true;
    }
    if (!start(code, "init", run_init, origin->start_limit_ns, error))
        return false;
    return code->initialised || refused(code, "init", error);
}

static char *keep(struct generation_code *code, const char *text)
{
    return arena_strndup(&code->texts, text, strlen(text));
}

/* The settings of this plugin alone, copied: init may outlive its caller's patience. */
static bool keep_settings(struct generation_code *code, const struct generation_origin *origin)
{
    size_t bytes = (origin->settings_count + 1) * sizeof(struct sluice_pair);
    struct sluice_pair *pairs = arena_alloc(&code->texts, bytes, _Alignof(struct sluice_pair));
    uint32_t count = 0;
    for (size_t i = 0; pairs != NULL && i < origin->settings_count; i++) {
        const struct registry_setting *setting = &origin->settings[i];
        if (strcmp(setting->plugin, origin->note->name) != 0)
            continue;
        pairs[count] = (struct sluice_pair){keep(code, setting->key), keep(code, setting->value)};
        if (pairs[count].key == NULL || pairs[count].value == NULL)
            return false;
        count++;
    }
    code->settings = (struct sluice_settings){sizeof code->settings, count, pairs};
    return pairs != NULL;
}

static struct generation_code *code_create(const struct generation_origin *origin)
{
    struct generation_code *code = calloc(1, sizeof *code);
    if (code == NULL)
        return NULL;
    arena_init(&code->texts, TEXTS_BLOCK_BYTES, 0);
    code->copy = strdup(origin->copy);
    code->host = *call_host();
    code->host.context = keep(code, origin->note->name);
    if (code->copy != NULL && code->host.context != NULL && keep_settings(code, origin))
        return code;
    code_free(code);
    return NULL;
}

static bool make_offer(struct generation *generation, const struct generation_origin *origin,
                       struct error *error)
{
    uint32_t index = generation->offers_count;
    const struct sluice_type *type = &generation->code->descriptor.types[index];
    struct offer *offer = &generation->offers[index];
    struct error why;
    if (!param_table_init(&offer->params, type->params, type->params_size, &why))
        return error_set(error, why.code, "type '%s': %s", type->name, why.message);
    generation->offers_count++;
    offer->type = origin->types[index];
    offer->generation = generation;
    offer->index = index;
    offer->flags = type->flags;
    offer->help = type->help == NULL ? NULL : keep(generation->code, type->help);
    offer->timeout_ns = type->timeout_ns;
    offer->weight = type->weight == 0 ? 1 : type->weight;
    offer->retry = type->retry;
    offer->execute = type->execute;
    offer->worker_init = type->worker_init;
    offer->worker_exit = type->worker_exit;
    return true;
}

static bool make_offers(struct generation *generation, const struct generation_origin *origin,
                        struct error *error)
{
    generation->offers = calloc(origin->note->types_count, sizeof *generation->offers);
    if (generation->offers == NULL)
        return error_set(error, "no_memory", "out of memory");
    while (generation->offers_count < origin->note->types_count) {
        if (!make_offer(generation, origin, error))
            return false;
    }
    return true;
}

static struct generation *generation_create(const struct generation_origin *origin)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL)
        return NULL;
    generation->plugin = strdup(origin->note->name);
    generation->version = strdup(origin->note->version);
    generation->file = strdup(origin->file);
    generation->number = origin->number;
    generation->code = code_create(origin);
    if (generation->plugin != NULL && generation->version != NULL && generation->file != NULL &&
        generation->code != NULL)
        return generation;
    if (generation->code != NULL)
        code_free(generation->code);
    generation_free(generation);
    return NULL;
}

struct generation *generation_load(const struct generation_origin *origin, uint32_t *left_behind,
                                   struct error *error)
{
    struct generation *generation = generation_create(origin);
    if (generation == NULL) {
        error_set(error, "no_memory", "out of memory");
        return NULL;
    }
    struct generation_code *code = generation->code;
    if (enter(code, origin, error) && make_offers(generation, origin, error) &&
        initialise(code, origin, error)) {
        generation->self = code->self;
        return generation;
    }
    generation_free(generation);
    if (strcmp(error->code, "late") == 0) {
        ++*left_behind;
        return NULL;
    }
    unmap(code);
    code_free(code);
    return NULL;
}

enum generation_state generation_unload(struct generation **pointer, int64_t limit_ns,
                                        uint32_t *left_behind)
{
    struct generation *generation = *pointer;
    struct generation_code *code = generation->code;
    struct error error;
    *pointer = NULL;
    generation_free(generation);
    enum errand_end end = code->descriptor.plugin.deinit == NULL
                              ? ERRAND_DONE
                              : errand_run("deinit", run_deinit, code, limit_ns, &error);
    if (end != ERRAND_DONE) {
        *left_behind += end == ERRAND_LATE;
        return GENERATION_PINNED;
    }
    enum generation_state state = unmap(code);
    code_free(code);
    return state;
}
