#include "serve/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cleanup.h"

enum { TOKEN_BYTES_LEAST = 16 }; /* fewer could be guessed */

/* Others must neither know it nor choose it. */
static bool check_file(int fd, const char *path, struct error *error)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return error_errno(error, "token", "cannot look at the token file %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, "token", "the token file %s is not a regular file", path);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return error_set(error, "token",
                         "the token file %s belongs to user %u; allowed: yourself (%u) and root",
                         path, status.st_uid, geteuid());
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return error_set(error, "token",
                         "others may use the token file %s, its mode is %03o: chmod 600 %s", path,
                         status.st_mode & 07777, path);
    return true;
}

static bool check_token(const char *token, const char *path, struct error *error)
{
    size_t length = strlen(token);

    for (size_t i = 0; i < length; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return error_set(error, "token",
                             "the token in %s holds a character that is not printable ASCII "
                             "without spaces",
                             path);
    if (length >= TOKEN_BYTES_LEAST)
        return true;
    return error_set(error, "token",
                     "the token in %s has %zu characters; allowed: %d to %d. Remove the file and "
                     "start again: a new one is made",
                     path, length, TOKEN_BYTES_LEAST, TOKEN_BYTES_MOST);
}

/* Reads all of the file; NULL with a message. */
static char *read_file(int fd, const char *path, struct error *error)
{
    char text[TOKEN_BYTES_MOST + 2];
    size_t length = 0;
    ssize_t got;

    while (length < sizeof(text) && (got = read(fd, text + length, sizeof(text) - length)) != 0) {
        if (got < 0 && errno != EINTR) {
            error_errno(error, "token", "cannot read the token file %s", path);
            return NULL;
        }
        length += got > 0 ? (size_t)got : 0;
    }
    if (length == sizeof(text)) {
        error_set(error, "token", "the token file %s has more than %d bytes", path,
                  TOKEN_BYTES_MOST);
        return NULL;
    }
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    char *token = strndup(text, length);
    if (token == NULL)
        abort();
    return token;
}

static char *read_token(int fd, const char *path, struct error *error)
{
    char *token = check_file(fd, path, error) ? read_file(fd, path, error) : NULL;

    if (token != NULL && !check_token(token, path, error)) {
        free(token);
        return NULL;
    }
    return token;
}

/* Fills text with random digits and a newline. */
static bool make_text(char text[TOKEN_BYTES + 2], struct error *error)
{
    unsigned char bytes[TOKEN_BYTES / 2];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return error_errno(error, "token", "cannot make a random token");
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    text[TOKEN_BYTES] = '\n';
    return true;
}

/* Makes the file with all that is in it at once; another daemon may be faster, then its file
 * stays. */
static bool make_file(const char *path, struct error *error)
{
    CLEANUP(cleanup_free) char *draft = NULL;
    char text[TOKEN_BYTES + 2];

    if (!make_text(text, error))
        return false;
    if (asprintf(&draft, "%s.XXXXXX", path) < 0)
        abort();
    CLEANUP(cleanup_close) int fd = mkostemp(draft, O_CLOEXEC);
    if (fd < 0)
        return error_errno(error, "token", "cannot make the token file %s", path);
    bool made = write(fd, text, TOKEN_BYTES + 1) == TOKEN_BYTES + 1 && fsync(fd) == 0 &&
                (link(draft, path) == 0 || errno == EEXIST);
    if (!made)
        error_errno(error, "token", "cannot write the token file %s", path);
    unlink(draft);
    return made;
}

static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

char *token_load(const char *path, struct error *error)
{
    CLEANUP(cleanup_close) int fd = open_file(path);

    if (fd < 0 && errno == ENOENT) {
        if (!make_file(path, error))
            return NULL;
        fd = open_file(path);
    }
    if (fd >= 0)
        return read_token(fd, path, error);
    error_errno(error, "token", "cannot open the token file %s", path);
    return NULL;
}
