/* hash: the digest of a file, by any algorithm that OpenSSL knows. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <sluice/plugin.h>

enum { CHUNK_BYTES = 128 * 1024 }; /* far less than 100 ms of any algorithm: R5 */

struct hash_params {
    const char *path;
    const char *algorithm;
    const char *expect;
};

static const struct sluice_param hash_table[] = {
    SLUICE_STRING(struct hash_params, path, .required = true, .help = "the file"),
    SLUICE_STRING(struct hash_params, algorithm, .def = "sha256",
                  .help = "sha256, sha512, sha1, md5, blake2b512, sha3-256, ..."),
    SLUICE_STRING(struct hash_params, expect,
                  .help = "the digest that it must have, in hexadecimal"),
    SLUICE_PARAMS_END,
};

/* One a worker: made once, used by all its calls. */
struct hash_worker {
    EVP_MD_CTX *digest;
    unsigned char chunk[CHUNK_BYTES];
};

/* R3: without this OpenSSL would register an atexit handler. */
static bool hash_init(const struct sluice_host *host, const struct sluice_settings *settings,
                      void **self, struct sluice_error *err)
{
    (void)host;
    (void)settings;
    (void)self;
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) ||
           sluice_error_set(err, "OpenSSL does not start");
}

static void hash_worker_exit(void *self, void *worker)
{
    (void)self;
    struct hash_worker *w = worker;
    EVP_MD_CTX_free(w->digest);
    free(w);
}

static bool hash_worker_init(void *self, void **worker, struct sluice_error *err)
{
    struct hash_worker *w = malloc(sizeof *w);
    if (!w)
        return sluice_error_set(err, "out of memory");
    w->digest = EVP_MD_CTX_new();
    if (!w->digest) {
        hash_worker_exit(self, w);
        return sluice_error_set(err, "out of memory");
    }
    *worker = w;
    return true;
}

/* Reads the file into the digest. */
static enum sluice_status file_digest(const struct sluice_call *call, const char *path, int fd,
                                      uint64_t size)
{
    struct hash_worker *w = sluice_worker(call);
    uint64_t done = 0;
    for (;;) {
        if (sluice_cancelled(call))
            return SLUICE_CANCELLED;
        ssize_t got = read(fd, w->chunk, sizeof w->chunk);
        if (got < 0)
            return sluice_fail(call, "cannot_read", "cannot read '%s': %s", path, strerror(errno));
        if (got == 0)
            return SLUICE_OK;
        EVP_DigestUpdate(w->digest, w->chunk, (size_t)got);
        done += (uint64_t)got;
        sluice_progress(call, done, size);
    }
}

/* Opens the file (a FIFO must not hold us) and reads it into the digest. */
static enum sluice_status path_digest(const struct sluice_call *call, const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return sluice_fail(call, "cannot_open", "cannot open '%s': %s", path, strerror(errno));
    enum sluice_status status;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        status = sluice_fail_for_good(call, "not_a_file", "'%s' is not a regular file", path);
    else
        status = file_digest(call, path, fd, (uint64_t)info.st_size);
    close(fd);
    return status;
}

static enum sluice_status digest_answer(const struct sluice_call *call, const char *expect)
{
    struct hash_worker *w = sluice_worker(call);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int count = 0;
    char text[2 * EVP_MAX_MD_SIZE + 1];
    if (!EVP_DigestFinal_ex(w->digest, bytes, &count))
        return sluice_fail(call, "openssl", "OpenSSL does not finish the digest");
    for (unsigned int i = 0; i < count; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    sluice_output(call, "digest", text);
    if (expect && strcasecmp(expect, text) != 0)
        return sluice_fail_for_good(call, "mismatch", "digest is %s, expected %s", text, expect);
    return SLUICE_OK;
}

static enum sluice_status hash(const struct sluice_call *call, const void *params)
{
    const struct hash_params *p = params;
    struct hash_worker *w = sluice_worker(call);
    const EVP_MD *algorithm = EVP_get_digestbyname(p->algorithm);
    if (!algorithm || !EVP_DigestInit_ex(w->digest, algorithm, NULL))
        return sluice_fail_for_good(call, "unknown_algorithm", "unknown algorithm '%s'",
                                    p->algorithm);
    enum sluice_status status = path_digest(call, p->path);
    return status == SLUICE_OK ? digest_answer(call, p->expect) : status;
}

static const struct sluice_type hash_types[] = {
    {SLUICE_TYPE("hash", "Computes the digest of a file."), .params = hash_table,
     .params_size = sizeof(struct hash_params), .flags = SLUICE_IDEMPOTENT, .execute = hash,
     .worker_init = hash_worker_init, .worker_exit = hash_worker_exit},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("hash", "1.0.0", "hash", hash_types, .init = hash_init)
