/* code: dlclose may keep the image for several good reasons and says nothing, so the list of what
 * is mapped is asked. */
#include "plugin/code.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/call.h"
#include "plugin/generation.h"
#include "plugin/signals.h"
#include "support/log.h"

enum { TEXTS_BLOCK_BYTES = 1024 };

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

static bool keep_note(struct generation_code *code, const struct generation_origin *origin)
{
    const struct note *note = origin->note;
    size_t bytes = note->types_count * sizeof *note->types;
    code->note = *note;
    code->note.types = malloc(bytes + 1);
    code->types = calloc(note->types_count + 1, sizeof *code->types);
    if (code->note.types == NULL || code->types == NULL)
        return false;
    memcpy(code->note.types, note->types, bytes);
    memcpy(code->types, origin->types, note->types_count * sizeof *code->types);
    return true;
}

struct generation_code *code_create(const struct generation_origin *origin)
{
    struct generation_code *code = calloc(1, sizeof *code);
    if (code == NULL)
        return NULL;
    arena_init(&code->texts, TEXTS_BLOCK_BYTES, 0);
    code->copy = strdup(origin->copy);
    code->host = *call_host();
    code->host.context = keep(code, origin->note->name);
    if (code->copy == NULL || code->host.context == NULL || !keep_settings(code, origin) ||
        !keep_note(code, origin))
        code_destroy(&code);
    return code;
}

void code_destroy(struct generation_code **pointer)
{
    struct generation_code *code = *pointer;
    *pointer = NULL;
    if (code == NULL)
        return;
    stray_elders_fini(&code->elders);
    descriptor_fini(&code->descriptor);
    note_fini(&code->note);
    free(code->types);
    arena_fini(&code->texts);
    free(code->copy);
    free(code);
}

bool code_map(struct generation_code *code, struct error *error)
{
    sigset_t mask;
    stray_elders_init(&code->elders);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    code->handle = dlopen(code->copy, RTLD_NOW | RTLD_LOCAL);
    signals_restore_mask(&mask, code->note.name);
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

static int compare_image(struct dl_phdr_info *info, size_t size, void *copy)
{
    (void)size;
    return strcmp(info->dlpi_name, copy) == 0;
}

bool code_unmap(struct generation_code *code)
{
    sigset_t mask;
    if (code->handle != NULL && stray_is_in(code->copy, &code->elders)) {
        log_warning("plugin left a thread running: it stays mapped (rule R3)",
                    LOG_TEXT("plugin", code->note.name), LOG_TEXT("version", code->note.version));
        return false;
    }
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    if (code->handle != NULL)
        dlclose(code->handle);
    code->handle = NULL;
    signals_restore_mask(&mask, code->note.name);
    return dl_iterate_phdr(compare_image, code->copy) == 0;
}

bool code_refused(const struct generation_code *code, const char *what, struct error *error)
{
    size_t length = strnlen(code->err.message, sizeof code->err.message - 1);
    if (length == 0)
        return error_set(error, "refused_itself", "%s refused without a reason", what);
    return error_set(error, "refused_itself", "%s refused: %.*s", what, (int)length,
                     code->err.message);
}

static void prepare(struct generation_code *code, sigset_t *mask)
{
    memset(&code->err, 0, sizeof code->err);
    code->err.size = sizeof code->err;
    pthread_sigmask(SIG_SETMASK, NULL, mask);
}

void code_run_entry(void *context)
{
    struct generation_code *code = context;
    sigset_t mask;
    prepare(code, &mask);
    code->answer = code->entry(&code->host, &code->err);
    signals_restore_mask(&mask, code->note.name);
}

void code_run_init(void *context)
{
    struct generation_code *code = context;
    sigset_t mask;
    prepare(code, &mask);
    code->initialised =
        code->descriptor.plugin.init(&code->host, &code->settings, &code->self, &code->err);
    signals_restore_mask(&mask, code->note.name);
}

void code_run_deinit(void *context)
{
    struct generation_code *code = context;
    sigset_t mask;
    prepare(code, &mask);
    code->descriptor.plugin.deinit(code->self);
    signals_restore_mask(&mask, code->note.name);
}
