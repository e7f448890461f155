#include "serve/idempotency.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "support/dictionary.h"
#include "support/thread.h"

struct known {
    struct dictionary_entry entry; /* by key; first */
    TAILQ_ENTRY(known) link;       /* oldest first */
    uint64_t body_hash;
    size_t body_length;
    int64_t begun_ns;
    char *answer; /* NULL: not answered yet */
    char key[];
};

struct idempotency {
    struct mutex lock;
    /* guarded by lock */
    struct dictionary by_key;
    size_t bytes; /* of keys and answers, with what each takes beside */
    TAILQ_HEAD(known_list, known) oldest;
};

struct idempotency *idempotency_create(void)
{
    struct idempotency *idempotency = calloc(1, sizeof(*idempotency));

    if (idempotency == NULL)
        abort();
    mutex_init(&idempotency->lock);
    dictionary_init(&idempotency->by_key);
    TAILQ_INIT(&idempotency->oldest);
    return idempotency;
}

static size_t bytes_of(const struct known *known)
{
    return sizeof(*known) + strlen(known->key) + 1 +
           (known->answer != NULL ? strlen(known->answer) + 1 : 0);
}

/* Lock held, or nobody else is there. */
static void drop(struct idempotency *idempotency, struct known *known)
{
    dictionary_remove(&idempotency->by_key, &known->entry);
    TAILQ_REMOVE(&idempotency->oldest, known, link);
    idempotency->bytes -= bytes_of(known);
    free(known->answer);
    free(known);
}

void idempotency_destroy(struct idempotency **idempotency)
{
    struct known *known;

    if (*idempotency == NULL)
        return;
    while ((known = TAILQ_FIRST(&(*idempotency)->oldest)) != NULL)
        drop(*idempotency, known);
    dictionary_fini(&(*idempotency)->by_key);
    mutex_fini(&(*idempotency)->lock);
    free(*idempotency);
    *idempotency = NULL;
}

bool idempotency_key_is_valid(const char *key)
{
    size_t length = strlen(key);

    for (size_t i = 0; i < length; i++)
        if (key[i] < ' ' || key[i] > '~')
            return false;
    return length > 0 && length <= IDEMPOTENCY_KEY_MOST_BYTES;
}

/* FNV-1a: who holds the token gains nothing by finding two bodies that look alike. */
static uint64_t hash_of(const char *body, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)body[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Lets the oldest go; one that is not answered yet stays, and the one that is the newest. Lock
 * held. */
static void trim(struct idempotency *idempotency, int64_t now_ns, const struct known *newest)
{
    struct known *known = TAILQ_FIRST(&idempotency->oldest), *next;

    for (; known != NULL; known = next) {
        next = TAILQ_NEXT(known, link);
        if (idempotency->by_key.count <= IDEMPOTENCY_KEYS_MOST &&
            idempotency->bytes <= IDEMPOTENCY_MOST_BYTES &&
            now_ns - known->begun_ns < IDEMPOTENCY_AGE_NS)
            return;
        if (known->answer != NULL && known != newest)
            drop(idempotency, known);
    }
}

/* Lock held. */
static struct known *find(struct idempotency *idempotency, const char *key)
{
    return (struct known *)dictionary_find(&idempotency->by_key, key);
}

/* A request and what it was begun with. */
struct begun {
    const char *key;
    uint64_t body_hash;
    size_t body_length;
    int64_t begun_ns;
};

/* Lock held. */
static struct known *add(struct idempotency *idempotency, const struct begun *begun)
{
    size_t key_bytes = strlen(begun->key) + 1;
    struct known *known = calloc(1, sizeof(*known) + key_bytes);

    if (known == NULL)
        abort();
    memcpy(known->key, begun->key, key_bytes);
    dictionary_entry_init(&known->entry, known->key);
    known->body_hash = begun->body_hash;
    known->body_length = begun->body_length;
    known->begun_ns = begun->begun_ns;
    dictionary_add(&idempotency->by_key, &known->entry);
    TAILQ_INSERT_TAIL(&idempotency->oldest, known, link);
    idempotency->bytes += bytes_of(known);
    return known;
}

enum idempotency_answer idempotency_begin(struct idempotency *idempotency, const char *key,
                                          const char *body, size_t length, struct buffer *answer)
{
    const struct begun begun = {key, hash_of(body, length), length, clock_now_ns()};

    MUTEX_GUARD(&idempotency->lock);
    const struct known *known = find(idempotency, key);
    if (known == NULL) {
        trim(idempotency, begun.begun_ns, add(idempotency, &begun));
        return IDEMPOTENCY_NEW;
    }
    if (known->body_hash != begun.body_hash || known->body_length != length)
        return IDEMPOTENCY_OTHER;
    if (known->answer == NULL)
        return IDEMPOTENCY_BUSY;
    buffer_puts(answer, known->answer);
    return IDEMPOTENCY_KNOWN;
}

void idempotency_note(struct idempotency *idempotency, const char *key, struct buffer *note)
{
    MUTEX_GUARD(&idempotency->lock);
    const struct known *known = find(idempotency, key);
    assert(known != NULL);
    buffer_printf(note, "%016" PRIx64 " %zu %s", known->body_hash, known->body_length, key);
}

/* The caller has made a copy of the answer. Lock held. */
static void keep(struct idempotency *idempotency, struct known *known, char *copy)
{
    known->answer = copy;
    idempotency->bytes += strlen(copy) + 1;
    trim(idempotency, clock_now_ns(), known);
}

static char *copy_of(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        abort();
    return copy;
}

void idempotency_restore(struct idempotency *idempotency, const char *note, int64_t age_ns,
                         const char *answer)
{
    struct begun begun = {.begun_ns = clock_now_ns() - age_ns};
    int at = 0;

    if (age_ns >= IDEMPOTENCY_AGE_NS ||
        sscanf(note, "%16" SCNx64 " %zu %n", &begun.body_hash, &begun.body_length, &at) != 2 ||
        note[at] == '\0')
        return;
    begun.key = note + at;
    MUTEX_GUARD(&idempotency->lock);
    struct known *before = find(idempotency, begun.key);
    if (before != NULL)
        drop(idempotency, before);
    keep(idempotency, add(idempotency, &begun), copy_of(answer));
}

void idempotency_keep(struct idempotency *idempotency, const char *key, const char *answer)
{
    char *copy = copy_of(answer);

    MUTEX_GUARD(&idempotency->lock);
    struct known *known = find(idempotency, key);
    assert(known != NULL && known->answer == NULL);
    keep(idempotency, known, copy);
}

void idempotency_forget(struct idempotency *idempotency, const char *key)
{
    MUTEX_GUARD(&idempotency->lock);
    struct known *known = find(idempotency, key);
    assert(known != NULL && known->answer == NULL);
    drop(idempotency, known);
}
