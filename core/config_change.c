#include "config_change.h"

#include <stdlib.h>
#include <string.h>

#include "config_keys.h"
#include "support/buffer.h"
#include "support/cleanup.h"

static struct config_group *find_group(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->groups_count; i++)
        if (strcmp(config->groups[i].name, name) == 0)
            return &config->groups[i];
    return NULL;
}

static const struct config_setting *find_setting(const struct config *config,
                                                 const struct config_setting *like)
{
    for (size_t i = 0; i < config->settings_count; i++)
        if (strcmp(config->settings[i].plugin, like->plugin) == 0 &&
            strcmp(config->settings[i].key, like->key) == 0)
            return &config->settings[i];
    return NULL;
}

static bool is_of_groups(const struct config_key *key)
{
    return strcmp(key->section, "group") == 0;
}

static void tell(const struct config_listener *listener, const char *key, const char *before,
                 const char *after)
{
    struct config_change change = {.key = key, .before = before, .after = after};
    listener->changed(listener->context, &change);
}

/* Tells of a key if its field differs. group is NULL unless the key is one of a group's. */
static void compare_key(const struct config_listener *listener, const struct config_key *key,
                        const void *from, const void *to, const char *group)
{
    CLEANUP(buffer_fini) struct buffer before = BUFFER_EMPTY, after = BUFFER_EMPTY;
    CLEANUP(buffer_fini) struct buffer name = BUFFER_EMPTY;

    config_key_write(key, from, &before);
    config_key_write(key, to, &after);
    if (strcmp(buffer_text(&before), buffer_text(&after)) == 0)
        return;
    buffer_printf(&name, "[%s%s%s] %s", key->section, group == NULL ? "" : ":",
                  group == NULL ? "" : group, key->name);
    struct config_change change = {.key = buffer_text(&name),
                                   .before = buffer_text(&before),
                                   .after = buffer_text(&after),
                                   .live = key->effect == CONFIG_LIVE};
    listener->changed(listener->context, &change);
}

static void compare_group(const struct config_listener *listener, const struct config_group *from,
                          const struct config_group *to)
{
    for (size_t i = 0; i < config_keys_count; i++)
        if (is_of_groups(&config_keys[i]))
            compare_key(listener, &config_keys[i], from, to, from->name);
}

/* Tells of the groups of one that the other does not have. */
static void tell_groups_without(const struct config_listener *listener, const struct config *one,
                                const struct config *other, bool added)
{
    for (size_t i = 0; i < one->groups_count; i++) {
        const struct config_group *group = &one->groups[i];
        CLEANUP(buffer_fini) struct buffer key = BUFFER_EMPTY;
        if (find_group(other, group->name) != NULL)
            continue;
        buffer_printf(&key, "[group:%s]", group->name);
        tell(listener, buffer_text(&key), added ? NULL : group->type, added ? group->type : NULL);
    }
}

/* A value of a plugin's own may be a secret, so it is not told. */
static void tell_setting(const struct config_listener *listener,
                         const struct config_setting *setting)
{
    CLEANUP(buffer_fini) struct buffer key = BUFFER_EMPTY;

    buffer_printf(&key, "[plugin:%s] %s", setting->plugin, setting->key);
    tell(listener, buffer_text(&key), NULL, NULL);
}

static void compare_settings(const struct config_listener *listener, const struct config *config,
                             const struct config *next)
{
    for (size_t i = 0; i < config->settings_count; i++) {
        const struct config_setting *setting = &config->settings[i];
        const struct config_setting *other = find_setting(next, setting);
        if (other == NULL || strcmp(setting->value, other->value) != 0)
            tell_setting(listener, setting);
    }
    for (size_t i = 0; i < next->settings_count; i++)
        if (find_setting(config, &next->settings[i]) == NULL)
            tell_setting(listener, &next->settings[i]);
}

static void compare(const struct config_listener *listener, const struct config *config,
                    const struct config *next)
{
    for (size_t i = 0; i < config_keys_count; i++)
        if (!is_of_groups(&config_keys[i]))
            compare_key(listener, &config_keys[i], config, next, NULL);
    for (size_t i = 0; i < config->groups_count; i++) {
        const struct config_group *other = find_group(next, config->groups[i].name);
        if (other != NULL)
            compare_group(listener, &config->groups[i], other);
    }
    tell_groups_without(listener, config, next, false);
    tell_groups_without(listener, next, config, true);
    compare_settings(listener, config, next);
}

static void swap_keys(bool of_groups, void *one, void *other)
{
    for (size_t i = 0; i < config_keys_count; i++)
        if (config_keys[i].effect == CONFIG_LIVE && is_of_groups(&config_keys[i]) == of_groups)
            config_key_swap(&config_keys[i], one, other);
}

/* Swaps the fields of LIVE keys and no other: threads may be reading the rest. */
static void swap_live(struct config *config, struct config *next)
{
    swap_keys(false, config, next);
    for (size_t i = 0; i < config->groups_count; i++) {
        struct config_group *other = find_group(next, config->groups[i].name);
        if (other != NULL)
            swap_keys(true, &config->groups[i], other);
    }
}

/* Whether all fits together once what is LIVE is taken over and all the rest has stayed. */
static bool fits(struct config *config, struct config *next, struct error *error)
{
    swap_live(config, next);
    bool fine = config_check_weights(config, NULL, error) && config_check_overflow(config, error);
    swap_live(config, next);
    return fine;
}

bool config_change(struct config *config, struct config *next,
                   const struct config_listener *listener, struct error *error)
{
    config_places_as(next, config);
    if (!fits(config, next, error))
        return false;
    compare(listener, config, next);
    swap_live(config, next);
    return true;
}
