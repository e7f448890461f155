#include "config.h"

#include <fnmatch.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_keys.h"

void config_init(struct config *config)
{
    *config = (struct config){0};
    for (size_t i = 0; i < config_keys_count; i++) {
        const struct config_key *key = &config_keys[i];
        struct error error = {0};
        if (strcmp(key->section, "group") != 0 && !config_key_set(key, config, key->def, &error))
            abort();
    }
}

static int tree_remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void group_fini(struct config_group *group)
{
    free(group->name);
    free(group->type);
    config_labels_fini(&group->labels);
}

static void settings_fini(struct config *config)
{
    for (size_t i = 0; i < config->settings_count; i++) {
        free(config->settings[i].plugin);
        free(config->settings[i].key);
        free(config->settings[i].value);
    }
    free(config->settings);
}

void config_remove_temporary(const struct config *config)
{
    if (config->state_dir_is_temporary)
        nftw(config->state_dir, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void config_fini(struct config *config)
{
    config_remove_temporary(config);
    for (size_t i = 0; config->plugin_dirs[i] != NULL; i++)
        free(config->plugin_dirs[i]);
    for (size_t i = 0; i < config->groups_count; i++)
        group_fini(&config->groups[i]);
    free(config->groups);
    settings_fini(config);
    free(config->file);
    free(config->state_dir);
    free(config->state_dir_closed);
    free(config->runtime_dir);
    free(config->policy);
    free(config->http_listen);
    free(config->http_token_file);
    free(config->http_allowed_hosts);
    free(config->store_backend);
    free(config->store_path);
    *config = (struct config){0};
}

bool config_set_plugin_dirs(struct config *config, const char *const *folders, size_t count,
                            struct error *error)
{
    if (count > CONFIG_PLUGIN_DIRS_MOST)
        return error_set(error, "out_of_range", "more than %d plugin folders",
                         CONFIG_PLUGIN_DIRS_MOST);
    for (size_t i = 0; config->plugin_dirs[i] != NULL; i++) {
        free(config->plugin_dirs[i]);
        config->plugin_dirs[i] = NULL;
    }
    for (size_t i = 0; i < count; i++)
        config->plugin_dirs[i] = config_copy(folders[i]);
    return true;
}

struct config_group *config_add_group(struct config *config, const char *name, uint32_t line)
{
    if (config->groups_count == CONFIG_GROUPS_MOST)
        return NULL;
    size_t bytes = (config->groups_count + 1) * sizeof(*config->groups);
    config->groups = realloc(config->groups, bytes);
    if (config->groups == NULL)
        abort();
    struct config_group *group = &config->groups[config->groups_count++];
    *group = (struct config_group){.name = config_copy(name), .line = line};
    return group;
}

bool config_set_workers(struct config *config, const char *type, int64_t workers,
                        struct error *error)
{
    struct config_group *serves = NULL;

    for (size_t i = 0; i < config->groups_count; i++) {
        struct config_group *group = &config->groups[i];
        bool exact = strcmp(group->type, type) == 0;
        if (!exact && strcmp(group->name, type) != 0 && fnmatch(group->type, type, 0) != 0)
            continue;
        if (!exact || serves != NULL)
            return error_set(
                error, "conflict",
                "the configuration has [group:%s] for '%s' (%s): set its workers there",
                group->name, type, group->type);
        serves = group;
    }
    if (serves == NULL) {
        serves = config_add_group(config, type, 0);
        if (serves == NULL)
            return error_set(error, "out_of_range", "more than %d groups", CONFIG_GROUPS_MOST);
        serves->type = config_copy(type);
    }
    serves->workers = workers;
    return true;
}

void config_set_isolation(struct config *config, enum config_isolation isolation)
{
    config->isolation = isolation;
    for (size_t i = 0; i < config->groups_count; i++)
        config->groups[i].isolation = isolation;
}

bool config_check_overflow(const struct config *config, struct error *error)
{
    return config->overflow != OVERFLOW_DELAY || strcmp(config->store_backend, "memory") != 0 ||
           error_set(error, "out_of_range",
                     "overflow: 'delay' acknowledges what has no room yet, so it needs a store "
                     "that outlives the daemon: [store] backend is 'memory'");
}

bool config_check_weights(const struct config *config, const struct config_group **culprit,
                          struct error *error)
{
    const struct config_group *ignored;
    int64_t reserved = 0;

    culprit = culprit == NULL ? &ignored : culprit;
    for (size_t i = 0; i < config->groups_count; i++) {
        const struct config_group *group = *culprit = &config->groups[i];
        reserved += group->reserve;
        if (group->max_weight > config->max_weight)
            return error_set(
                error, "out_of_range", "max_weight: %lld of [group:%s] is over the host's %lld",
                (long long)group->max_weight, group->name, (long long)config->max_weight);
        if (group->max_weight > 0 && group->reserve > group->max_weight)
            return error_set(error, "out_of_range",
                             "reserve: %lld of [group:%s] is over its max_weight %lld",
                             (long long)group->reserve, group->name, (long long)group->max_weight);
        if (reserved >= config->max_weight) /* a group without a reserve would wait for ever */
            return error_set(
                error, "out_of_range",
                "reserve: the groups keep %lld in all; of the host's max_weight %lld at "
                "least 1 must be left",
                (long long)reserved, (long long)config->max_weight);
    }
    return true;
}
