/* config: what the configuration file and the options say, from one table of keys (config.def).
 * Loaded by a command before any thread starts. Afterwards only config_change changes it, and only
 * what is LIVE in the table, which the main thread alone reads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/params.h"
#include "support/clock.h"
#include "support/diagnostic.h"
#include "support/error.h"
#include "support/log.h"

enum {
    CONFIG_PLUGIN_DIRS_MOST = 16,
    CONFIG_GROUPS_MOST = 1024,
    CONFIG_SETTINGS_MOST = 4096, /* keys of all [plugin:NAME] */
    CONFIG_LABELS_MOST = 64,     /* of one group */
    CONFIG_FILE_MOST_BYTES = 1024 * 1024,
    CONFIG_LINE_MOST_BYTES = 199,   /* inih would cut it */
    CONFIG_SECTION_MOST_BYTES = 49, /* inih would cut it */
};
#define CONFIG_SPAN_MOST_NS (INT64_C(10) * 365 * 24 * 3600 * NS_PER_S)

#define CONFIG_BODY_MOST_BYTES (INT64_C(1) << 40)

/* What becomes of a submission to the daemon for which there is no room. */
/* What follows if a call does not return. */
enum config_stuck { STUCK_REPORT, STUCK_RESTART };

/* Where the calls of a group are made. */
enum config_isolation { ISOLATION_THREAD, ISOLATION_PROCESS };

enum config_overflow { OVERFLOW_BLOCK, OVERFLOW_REJECT, OVERFLOW_DELAY };

/* [group:NAME] */
struct config_group {
    char *name;
    char *type;               /* a type or a glob of types */
    struct sluice_map labels; /* sorted by key; each pair is its own memory */
    int64_t workers;          /* calls at once */
    int64_t max_weight;       /* 0: none of its own */
    int64_t reserve;          /* weight that is its alone */
    int64_t queue_capacity;   /* tasks that have not started, of a daemon; 0: no limit */
    enum config_isolation isolation;
    int64_t recycle_after; /* tasks of a worker process, and the rest of a batch; 0: any */
    int64_t memory_limit;  /* bytes of a worker process; 0: any number */
    uint32_t line;         /* where it begins; 0: made by an option */
};

/* One key of [plugin:NAME]. */
struct config_setting {
    char *plugin, *key, *value;
    uint32_t line; /* where its section begins */
};

struct config {
    char *file;                                     /* which file was read; NULL: none */
    char *plugin_dirs[CONFIG_PLUGIN_DIRS_MOST + 1]; /* NULL-terminated */
    char *state_dir;
    bool state_dir_is_temporary; /* made for this process, and removed by config_fini */
    char *state_dir_closed;      /* has jobs and cannot be written; NULL: there is none such */
    bool state_dir_is_default, plugin_dirs_are_default; /* nobody has named them */
    char *runtime_dir;                                  /* NULL: nobody has named it */
    int64_t dispatchers;
    int64_t workers; /* of a group that does not say */
    int64_t timeout_ns;
    int64_t inbound_capacity;
    int64_t max_pending;
    enum config_overflow overflow;
    int64_t max_weight;
    int64_t grace_ns;
    enum config_stuck on_stuck;
    char *policy;
    int64_t heartbeat_ns;
    int64_t max_age_ns;
    char *http_listen;        /* unix:PATH or ADDRESS:PORT; NULL: nobody has said where */
    char *http_token_file;    /* NULL: nobody has named it */
    char *http_allowed_hosts; /* as in the file, ',' between; NULL: none */
    int64_t http_max_body, http_max_body_total;
    int64_t http_max_connections;
    char *store_backend;
    char *store_path; /* NULL: nobody has named it */
    int64_t commit_interval_ns;
    int64_t keep_finished_ns;
    int64_t keep_finished_max;
    enum log_level log_level;
    enum log_format log_format;
    enum config_isolation isolation; /* of groups that the configuration does not name */
    struct config_group *groups;
    size_t groups_count;
    struct config_setting *settings;
    size_t settings_count;
};

/* Fills *config with the defaults of the table; places (plugin_dirs, state_dir) are left empty,
 * see config_places. */
void config_init(struct config *config);

/* Frees everything; removes a temporary state folder. Fits CLEANUP. */
void config_fini(struct config *config);

/* Removes a temporary state folder and leaves the rest alone, for a program that ends while threads
 * still look at the configuration. */
void config_remove_temporary(const struct config *config);

/* Reads a configuration over the defaults; false with everything that is wrong in *diagnostics.
 * text need not end with NUL. */
bool config_read(struct config *config, const char *text, size_t length,
                 struct diagnostics *diagnostics);

/* Finds and opens the file: the named one (NULL: none is named), then $SLUICE_CONFIG, then the
 * user's, then the system's. False with a message if a file is there or named and cannot be
 * opened. True: *path (malloc'ed) and *fd say which, or are NULL and -1 if there is none. */
bool config_open(const char *named, char **path, int *fd, struct error *error);

/* Gives plugin_dirs and state_dir their default places where they are empty, and makes the state
 * folder if it is not there (0700); false with a message. Without a home that can be written to,
 * the state folder is a temporary one. */
bool config_places(struct config *config, struct error *error);

/* Returns a malloc'ed path beside the program: the first one (seen from its folder) in a build
 * tree, the second in a prefix; NULL if the program cannot be found. */
char *config_beside_program(const char *in_build, const char *in_prefix);

/* Returns where the daemon listens, malloc'ed: unix:PATH or ADDRESS:PORT. Without http_listen it is
 * sluice.sock in the runtime folder: runtime_dir, else $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR/sluice,
 * or run in the state folder. Makes no folder; config_places was called before. */
char *config_listen(const struct config *config);

/* Returns the file of the token for TCP, malloc'ed: http_token_file, else token in the state
 * folder. config_places was called before. */
char *config_token_file(const struct config *config);

/* Returns the file of a durable store, malloc'ed: store_path, else sluice.db in the state folder.
 * config_places was called before. */
char *config_store_path(const struct config *config);

/* Gives the same default places as another configuration was given, where neither names any. */
void config_places_as(struct config *config, const struct config *other);

/* Replaces the plugin folders by copies of these; false with a message if they are too many. */
bool config_set_plugin_dirs(struct config *config, const char *const *folders, size_t count,
                            struct error *error);

/* Has the calls of all groups be made there, whatever the file says. */
void config_set_isolation(struct config *config, enum config_isolation isolation);

/* Sets how many calls of a type run at once: in its group, or in a new one; false with a message
 * if the configuration gives the type several groups or a pattern. */
bool config_set_workers(struct config *config, const char *type, int64_t workers,
                        struct error *error);

/* Checks that what overflow says can be done with the store; false with a message. */
bool config_check_overflow(const struct config *config, struct error *error);

/* Checks that the groups' weights fit into max_weight; false with a message, and the group in
 * *culprit (which may be NULL). */
bool config_check_weights(const struct config *config, const struct config_group **culprit,
                          struct error *error);
