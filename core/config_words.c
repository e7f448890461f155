#include "config_words.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const policies[] = {
#define SCHEDULER(noun, meaning) #noun,
#include "dispatch/schedulers.def"
#undef SCHEDULER
    NULL};
static const char *const overflows[] = {"block", "reject", "delay", NULL};
static const char *const stucks[] = {"report", "restart", NULL};
static const char *const isolations[] = {"thread", "process", NULL};
static const char *const backends[] = {"memory", "sqlite", NULL};
static const char *const levels[] = {"debug", "info", "warning", "error", NULL};
static const char *const formats[] = {"logfmt", "json", NULL};

/* Words that the design has and this version has not. */
static const struct {
    enum config_kind kind;
    const char *word, *why;
} later[] = {
    {CONFIG_BACKEND, "redis", "is not part of this version"},
};

static const char *const *words_of(enum config_kind kind)
{
    switch (kind) {
    case CONFIG_POLICY:
        return policies;
    case CONFIG_OVERFLOW:
        return overflows;
    case CONFIG_STUCK:
        return stucks;
    case CONFIG_ISOLATION:
        return isolations;
    case CONFIG_BACKEND:
        return backends;
    case CONFIG_LEVEL:
        return levels;
    case CONFIG_FORMAT:
        return formats;
    case CONFIG_COUNT:
    case CONFIG_WORKERS:
    case CONFIG_SPAN:
    case CONFIG_SIZE:
    case CONFIG_TEXT:
    case CONFIG_LISTEN:
    case CONFIG_LABELS:
    case CONFIG_PATH:
    case CONFIG_FOLDERS:
        break;
    }
    assert(false && "a kind without words");
    return NULL;
}

static bool say_unknown(const struct config_key *key, const char *value, struct error *error)
{
    const char *const *words = words_of(key->kind);
    char allowed[128] = "";

    for (size_t i = 0, used = 0; words[i] != NULL && used < sizeof(allowed); i++)
        used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%s", i == 0 ? "" : ", ",
                                 words[i]);
    return error_set(error, "out_of_range", "%s: '%s' is not one of: %s", key->name, value,
                     allowed);
}

bool config_word_read(const struct config_key *key, const char *value, size_t *index,
                      struct error *error)
{
    const char *const *words = words_of(key->kind);

    for (size_t i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], value) == 0) {
            *index = i;
            return true;
        }
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        if (later[i].kind == key->kind && strcmp(later[i].word, value) == 0)
            return error_set(error, "later", "%s: '%s' %s", key->name, value, later[i].why);
    return say_unknown(key, value, error);
}

const char *config_word(enum config_kind kind, size_t index)
{
    return words_of(kind)[index];
}
