/* config: what the configuration file and the options say, from one table of keys (config.def).
 * Loaded by main before any thread starts; immutable afterwards in this version. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/params.h"
#include "support/diagnostic.h"
#include "support/error.h"
#include "support/log.h"

enum { CONFIG_PLUGIN_DIRS_MOST = 16, CONFIG_GROUPS_MOST = 1024 };

/* [group:NAME] */
struct config_group {
    char *name;
    char *type;               /* a type or a glob of types */
    struct sluice_map labels; /* sorted by key; each pair is its own memory */
    int64_t workers;          /* calls at once */
    int64_t max_weight;       /* 0: none of its own */
    int64_t reserve;          /* weight that is its alone */
};

/* One key of [plugin:NAME]. */
struct config_setting {
    char *plugin, *key, *value;
};

struct config {
    char *file; /* which file was read; NULL: none */
    char *plugin_dirs[CONFIG_PLUGIN_DIRS_MOST + 1]; /* NULL-terminated */
    char *state_dir;
    int64_t dispatchers;
    int64_t workers; /* of a group that does not say */
    int64_t timeout_ns;
    int64_t inbound_capacity;
    int64_t max_pending;
    int64_t max_weight;
    int64_t grace_ns;
    char *policy;
    int64_t max_age_ns;
    enum log_level log_level;
    enum log_format log_format;
    struct config_group *groups;
    size_t groups_count;
    struct config_setting *settings;
    size_t settings_count;
};
