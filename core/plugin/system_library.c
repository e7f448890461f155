/* system_library: the system's libraries are those in its folders and those that its administrator
 * has given to ldconfig, whose cache holds each path as text that ends with NUL. */
#include "plugin/system_library.h"

#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cleanup.h"

enum { PATH_BYTES = 4096 };

static bool exists(const char *folder, size_t folder_length, const char *name)
{
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof path, "%.*s/%s", (int)folder_length, folder, name);
    return length > 0 && length < (int)sizeof path && access(path, F_OK) == 0;
}

static bool in_cache(const char *name)
{
    char wanted[PATH_BYTES];
    int length = snprintf(wanted, sizeof wanted, "/%s", name);
    int fd CLEANUP(cleanup_close) = open("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0 || stat.st_size <= 0 || length >= (int)sizeof wanted)
        return false;
    size_t bytes = (size_t)stat.st_size;
    char *cache CLEANUP(cleanup_free) = malloc(bytes);
    if (cache == NULL || pread(fd, cache, bytes, 0) != (ssize_t)bytes)
        return false;
    return memmem(cache, bytes, wanted, (size_t)length + 1) != NULL;
}

static bool in_default_folder(const char *name)
{
    static const char *const folders[] = {"/lib", "/usr/lib", "/lib64", "/usr/lib64"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (exists(folders[i], strlen(folders[i]), name))
            return true;
    }
    return false;
}

struct loaded {
    const char *name;
    bool found;
};

/* The libraries of the program itself are there already, wherever they come from. */
static int compare_loaded(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct loaded *loaded = context;
    const char *slash = strrchr(info->dlpi_name, '/');
    loaded->found |= strcmp(slash == NULL ? info->dlpi_name : slash + 1, loaded->name) == 0;
    return loaded->found;
}

static bool is_loaded(const char *name)
{
    struct loaded loaded = {.name = name};
    dl_iterate_phdr(compare_loaded, &loaded);
    return loaded.found;
}

/* A folder with $ORIGIN is relative to the private copy, beside which nothing lies. */
static bool search_path_has(const char *search_path, const char *name, struct error *error)
{
    for (const char *folder = search_path; *folder != '\0';) {
        size_t length = strcspn(folder, ":");
        if (length > 0 && memchr(folder, '$', length) == NULL && exists(folder, length, name))
            return !error_set(error, "private_library",
                              "needs '%s' from its own search path %.*s: only system libraries "
                              "are allowed, link it statically",
                              name, (int)length, folder);
        folder += length + (folder[length] == ':');
    }
    return false;
}

bool system_library_check(const char *name, const char *search_path, struct error *error)
{
    if (strchr(name, '/') == NULL && name[0] != '\0' && is_loaded(name))
        return true;
    if (strchr(name, '/') != NULL || name[0] == '\0' ||
        (!in_default_folder(name) && !in_cache(name)))
        return error_set(error, "private_library",
                         "needs '%s', which is no system library: link it statically", name);
    return !search_path_has(search_path, name, error);
}
