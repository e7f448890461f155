/* starter: the template is a plugin that builds as it is, named greet. Whatever is called so there
 * is called as the new plugin: "greet" is its name, "greet_" begins a word of C. What stands
 * between two @ is a place of this machine. */
#include "cli/starter.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "config_keys.h"
#include "support/cleanup.h"

enum { FILE_MOST_BYTES = 64 * 1024 };

static const char model[] = "greet";

/* A word of the template and what it stands for. The first that fits counts. */
struct word {
    const char *from;
    char *to; /* malloc'ed */
};

enum { WORDS_COUNT = 5 };

struct starter {
    struct word words[WORDS_COUNT];
    DIR *template;
    int folder;
    struct buffer made; /* names of the files that are in the folder, each with its NUL */
};

static void starter_fini(struct starter *starter)
{
    for (size_t i = 0; i < WORDS_COUNT; i++)
        free(starter->words[i].to);
    if (starter->template != NULL)
        closedir(starter->template);
    cleanup_close(&starter->folder);
    buffer_fini(&starter->made);
}

/* A name as it may stand in C, with what "greet_" ends with. */
static char *word_of_c(const char *name)
{
    char *word;

    if (asprintf(&word, "%s_", name) < 0)
        abort();
    for (char *at = word; *at != '\0'; at++)
        if (*at == '-')
            *at = '_';
    return word;
}

/* A path as make, CMake and the shell all take it without quotes; another one is left out, and what
 * is installed is found instead. */
static char *plain_path(const char *in_build, const char *in_prefix)
{
    char *path = config_beside_program(in_build, in_prefix);

    if (path != NULL && path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789/._+-")] == '\0')
        return path;
    free(path);
    return config_copy("/usr/local");
}

static void choose_words(struct starter *starter, const char *name)
{
    const struct word words[WORDS_COUNT] = {
        {"greet_", word_of_c(name)},
        {model, config_copy(name)},
        {"@program@", plain_path("sluice", "sluice")},
        {"@include@", plain_path(HOST_INCLUDE_IN_BUILD, HOST_INCLUDE_IN_PREFIX)},
        {"@prefix@", plain_path("..", "..")},
    };

    memcpy(starter->words, words, sizeof(words));
}

static const struct word *word_at(const struct starter *starter, const char *text)
{
    for (size_t i = 0; i < WORDS_COUNT; i++)
        if (strncmp(text, starter->words[i].from, strlen(starter->words[i].from)) == 0)
            return &starter->words[i];
    return NULL;
}

static void put_in_words(const struct starter *starter, const char *text, struct buffer *result)
{
    while (*text != '\0') {
        const struct word *word = word_at(starter, text);
        if (word != NULL)
            buffer_puts(result, word->to);
        else
            buffer_append(result, text, 1);
        text += word != NULL ? strlen(word->from) : 1;
    }
}

/* Reads a file of the template as a text. */
static bool read_model(const struct starter *starter, const char *name, struct buffer *text)
{
    int fd CLEANUP(cleanup_close) =
        openat(dirfd(starter->template), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, buffer_reserve(text, FILE_MOST_BYTES), FILE_MOST_BYTES);

    if (got < 0)
        return false;
    text->length += (size_t)got;
    return true;
}

static bool write_whole(int fd, const struct buffer *text)
{
    size_t written = 0;

    while (written < text->length) {
        ssize_t put = write(fd, text->bytes + written, text->length - written);
        if (put < 0)
            return false;
        written += (size_t)put;
    }
    return true;
}

static bool make_file(struct starter *starter, const char *from, struct error *error)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    CLEANUP(buffer_fini) struct buffer named = BUFFER_EMPTY;
    CLEANUP(buffer_fini) struct buffer ours = BUFFER_EMPTY;

    if (!read_model(starter, from, &text))
        return error_errno(error, "template", "cannot read %s of the template", from);
    put_in_words(starter, from, &named);
    put_in_words(starter, buffer_text(&text), &ours);
    const char *name = buffer_text(&named);
    int fd CLEANUP(cleanup_close) =
        openat(starter->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_errno(error, "unwritable", "cannot make %s", name);
    buffer_append(&starter->made, name, named.length + 1);
    return write_whole(fd, &ours) || error_errno(error, "unwritable", "cannot write %s", name);
}

static bool make_files(struct starter *starter, struct error *error)
{
    const struct dirent *entry;

    while ((entry = readdir(starter->template)) != NULL)
        if (entry->d_name[0] != '.' && !make_file(starter, entry->d_name, error))
            return false;
    return starter->made.length > 0 || error_set(error, "template", "the template is empty");
}

/* Removes what there is of a folder that could not be made in full. */
static void take_back(const struct starter *starter, const char *name)
{
    for (size_t at = 0; at < starter->made.length; at += strlen(starter->made.bytes + at) + 1)
        unlinkat(starter->folder, starter->made.bytes + at, 0);
    rmdir(name);
}

static bool open_template(struct starter *starter, struct error *error)
{
    char *path CLEANUP(cleanup_free) =
        config_beside_program(HOST_TEMPLATE_IN_BUILD, HOST_TEMPLATE_IN_PREFIX);

    starter->template = path == NULL ? NULL : opendir(path);
    return starter->template != NULL ||
           error_errno(error, "template", "cannot open the template %s", path == NULL ? "" : path);
}

/* Nobody else may write in there, whatever the umask says: code of it is to be run. */
static bool make_folder(struct starter *starter, const char *name, struct error *error)
{
    if (mkdir(name, 0755) != 0)
        return errno == EEXIST
                   ? error_set(error, "exists",
                               "%s is there already: choose another name, or remove it", name)
                   : error_errno(error, "unwritable", "cannot make the folder %s", name);
    starter->folder = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (starter->folder >= 0)
        return true;
    error_errno(error, "unwritable", "cannot open the folder %s", name);
    rmdir(name);
    return false;
}

bool starter_make(const char *name, struct buffer *files, struct error *error)
{
    CLEANUP(starter_fini) struct starter starter = {.folder = -1};

    choose_words(&starter, name);
    if (!open_template(&starter, error) || !make_folder(&starter, name, error))
        return false;
    if (!make_files(&starter, error)) {
        take_back(&starter, name);
        return false;
    }
    for (size_t at = 0; at < starter.made.length; at += strlen(starter.made.bytes + at) + 1)
        buffer_printf(files, "%s\n", starter.made.bytes + at);
    return true;
}
