#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "config_keys.h"
#include "support/cleanup.h"

/* Joins up to three parts into a malloc'ed path. */
static char *path_join(const char *first, const char *second, const char *third)
{
    char *path;

    if (asprintf(&path, "%s%s%s", first, second, third) < 0)
        abort();
    return path;
}

/* The folder in an environment variable; NULL unless it is an absolute path, as XDG asks for. */
static const char *folder_from(const char *variable)
{
    const char *folder = getenv(variable);
    return folder != NULL && folder[0] == '/' ? folder : NULL;
}

/* The user's folder for configuration or caches; NULL without a home. */
static char *user_folder(const char *variable, const char *below_home, const char *name)
{
    const char *folder = folder_from(variable);
    const char *home = folder_from("HOME");

    if (folder != NULL)
        return path_join(folder, "/", name);
    return home == NULL ? NULL : path_join(home, below_home, name);
}

/* Whether the folder of a path may be entered: a home that belongs to somebody else (sudo keeps
 * HOME) has no configuration of ours. */
static bool folder_is_closed(const char *path)
{
    CLEANUP(cleanup_free) char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));
    return folder != NULL && access(folder, X_OK) != 0 && errno == EACCES;
}

/* Opens a file if it is there; false with a message if it is there and cannot be opened. Without
 * O_NONBLOCK a pipe in its place would hang a host that reads it again. */
static bool open_if_there(char *path, char **found, int *fd, struct error *error)
{
    *fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (*fd >= 0) {
        *found = path;
        return true;
    }
    int reason = errno;
    bool absent =
        reason == ENOENT || reason == ENOTDIR || (reason == EACCES && folder_is_closed(path));
    errno = reason;
    if (!absent)
        error_errno(error, "unreadable", "cannot read the configuration %s", path);
    free(path);
    return absent;
}

bool config_open(const char *named, char **path, int *fd, struct error *error)
{
    *path = NULL;
    *fd = -1;
    if (named == NULL)
        named = getenv("SLUICE_CONFIG");
    if (named != NULL && named[0] != '\0') {
        *fd = open(named, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (*fd < 0)
            return error_errno(error, "unreadable", "cannot read the configuration %s", named);
        *path = config_copy(named);
        return true;
    }
    char *user = user_folder("XDG_CONFIG_HOME", "/.config/", "sluice/sluice.ini");
    if (user != NULL && !open_if_there(user, path, fd, error))
        return false;
    return *fd >= 0 || open_if_there(config_copy("/etc/sluice/sluice.ini"), path, fd, error);
}

char *config_beside_program(const char *in_build, const char *in_prefix)
{
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

    if (length < 0)
        return NULL;
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    *slash = '\0';
    CLEANUP(cleanup_free) char *cache = path_join(program, "/../", "CMakeCache.txt");
    bool is_build = access(cache, F_OK) == 0;
    CLEANUP(cleanup_free) char *path = path_join(program, "/", is_build ? in_build : in_prefix);
    char *real = realpath(path, NULL);
    return real != NULL ? real : config_copy(path);
}

/* Makes a folder and those above it, as far as they are not there. */
static bool folder_make(const char *path)
{
    CLEANUP(cleanup_free) char *copy = config_copy(path);

    for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
            return false;
        *slash = '/';
    }
    return (mkdir(copy, 0700) == 0 || errno == EEXIST) && access(copy, W_OK | X_OK) == 0;
}

static bool state_dir_temporary(struct config *config, struct error *error)
{
    const char *folder = folder_from("TMPDIR");
    char *path = path_join(folder == NULL ? "/tmp" : folder, "/", "sluice-XXXXXX");

    if (mkdtemp(path) == NULL) {
        error_errno(error, "state_dir", "cannot make a state folder %s", path);
        free(path);
        return false;
    }
    config->state_dir = path;
    config->state_dir_is_temporary = true;
    return true;
}

/* Takes a folder for the state if it can be written; one that cannot and has jobs is remembered. */
static bool state_dir_take(struct config *config, char *path)
{
    if (path != NULL && folder_make(path)) {
        config->state_dir = path;
        return true;
    }
    CLEANUP(cleanup_free) char *jobs = path == NULL ? NULL : path_join(path, "/", "sluice.db");
    if (jobs != NULL && config->state_dir_closed == NULL && access(jobs, F_OK) == 0)
        config->state_dir_closed = path;
    else
        free(path);
    return false;
}

/* In a container, or for a user such as nobody, the home is often not there. */
static bool state_dir_find(struct config *config, struct error *error)
{
    if (config->state_dir != NULL)
        return folder_make(config->state_dir) ||
               error_errno(error, "state_dir", "cannot make the state folder %s",
                           config->state_dir);
    const char *service = folder_from("STATE_DIRECTORY");
    return state_dir_take(config, service == NULL ? NULL : config_copy(service)) ||
           state_dir_take(config, user_folder("XDG_STATE_HOME", "/.local/state/", "sluice")) ||
           state_dir_take(config, config_copy("/var/lib/sluice")) ||
           state_dir_temporary(config, error);
}

bool config_places(struct config *config, struct error *error)
{
    config->plugin_dirs_are_default = config->plugin_dirs[0] == NULL;
    config->state_dir_is_default = config->state_dir == NULL;
    if (config->plugin_dirs_are_default)
        config->plugin_dirs[0] =
            config_beside_program(HOST_PLUGINS_IN_BUILD, HOST_PLUGINS_IN_PREFIX);
    if (config->plugin_dirs[0] == NULL)
        return error_errno(error, "plugin_dir", "cannot read /proc/self/exe");
    return state_dir_find(config, error);
}

static char *runtime_dir(const struct config *config)
{
    const char *service = folder_from("RUNTIME_DIRECTORY");
    const char *session = folder_from("XDG_RUNTIME_DIR");

    if (config->runtime_dir != NULL)
        return config_copy(config->runtime_dir);
    if (service != NULL)
        return config_copy(service);
    return session != NULL ? path_join(session, "/", "sluice")
                           : path_join(config->state_dir, "/", "run");
}

char *config_listen(const struct config *config)
{
    CLEANUP(cleanup_free) char *folder = runtime_dir(config);

    return config->http_listen != NULL ? config_copy(config->http_listen)
                                       : path_join("unix:", folder, "/sluice.sock");
}

char *config_token_file(const struct config *config)
{
    return config->http_token_file != NULL ? config_copy(config->http_token_file)
                                           : path_join(config->state_dir, "/", "token");
}

char *config_store_path(const struct config *config)
{
    return config->store_path != NULL ? config_copy(config->store_path)
                                      : path_join(config->state_dir, "/", "sluice.db");
}

void config_places_as(struct config *config, const struct config *other)
{
    if (config->plugin_dirs[0] == NULL && other->plugin_dirs_are_default)
        config->plugin_dirs[0] = config_copy(other->plugin_dirs[0]);
    if (config->state_dir == NULL && other->state_dir_is_default)
        config->state_dir = config_copy(other->state_dir);
}
