#include "store/sqlite_index.h"

#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

enum { BUCKETS_FIRST = 64 };

static void *zeroed(size_t bytes)
{
    return memset(memory_grow(NULL, 1, bytes), 0, bytes);
}

void sqlite_index_init(struct sqlite_index *index)
{
    *index = (struct sqlite_index){.buckets_count = BUCKETS_FIRST};
    index->buckets = zeroed(BUCKETS_FIRST * sizeof(struct sqlite_job *));
    dictionary_init(&index->by_id);
    claims_init(&index->claims);
}

void sqlite_index_fini(struct sqlite_index *index)
{
    for (size_t i = 0; i < index->buckets_count; i++)
        while (index->buckets[i] != NULL) {
            struct sqlite_job *job = index->buckets[i];
            index->buckets[i] = job->next;
            sqlite_job_destroy(&job);
        }
    free(index->buckets);
    dictionary_fini(&index->by_id);
    claims_fini(&index->claims);
}

/* Keys come one after the other, so their low bits spread them. */
static struct sqlite_job **bucket_of(const struct sqlite_index *index, uint64_t key)
{
    return &index->buckets[key & (index->buckets_count - 1)];
}

struct sqlite_job *sqlite_index_find(struct sqlite_index *index, uint64_t key)
{
    if (index->in_hand != NULL && index->in_hand->key == key)
        return index->in_hand;
    struct sqlite_job *job = *bucket_of(index, key);
    while (job != NULL && job->key != key)
        job = job->next;
    index->in_hand = job;
    return job;
}

static const char *put_text(char **end, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = memcpy(*end, text, bytes);
    *end += bytes;
    return copy;
}

struct sqlite_job *sqlite_job_create(const struct store_job_given *given, uint64_t key)
{
    size_t origin = given->origin == NULL ? 0 : strlen(given->origin) + 1;
    struct sqlite_job *job = zeroed(sizeof(*job) + strlen(given->id) + strlen(given->name) +
                                    strlen(given->file) + 3 + origin);
    char *end = job->texts;

    job->key = job->row.key = key;
    job->row.job = job;
    job->given = *given;
    job->given.id = put_text(&end, given->id);
    dictionary_entry_init(&job->by_id, job->given.id);
    job->given.name = put_text(&end, given->name);
    job->given.file = put_text(&end, given->file);
    job->given.origin = origin == 0 ? NULL : put_text(&end, given->origin);
    return job;
}

void sqlite_job_destroy(struct sqlite_job **job)
{
    if (*job != NULL)
        sqlite_words_fini(&(*job)->words);
    free(*job);
    *job = NULL;
}

static void grow(struct sqlite_index *index)
{
    struct sqlite_job **old = index->buckets;
    size_t old_count = index->buckets_count;

    index->buckets_count *= 2;
    index->buckets = zeroed(index->buckets_count * sizeof(struct sqlite_job *));
    for (size_t i = 0; i < old_count; i++)
        while (old[i] != NULL) {
            struct sqlite_job *job = old[i];
            old[i] = job->next;
            struct sqlite_job **bucket = bucket_of(index, job->key);
            job->next = *bucket;
            *bucket = job;
        }
    free(old);
}

void sqlite_index_add(struct sqlite_index *index, struct sqlite_job *job)
{
    if (++index->count > index->buckets_count)
        grow(index);
    struct sqlite_job **bucket = bucket_of(index, job->key);
    job->next = *bucket;
    *bucket = job;
    dictionary_add(&index->by_id, &job->by_id);
}

void sqlite_index_remove(struct sqlite_index *index, struct sqlite_job *job)
{
    struct sqlite_job **place = bucket_of(index, job->key);

    while (*place != job)
        place = &(*place)->next;
    *place = job->next;
    index->count--;
    job->is_out = true;
    dictionary_remove(&index->by_id, &job->by_id);
    if (index->in_hand == job)
        index->in_hand = NULL;
}

void sqlite_index_give_up(struct sqlite_index *index, struct sqlite_job *job)
{
    sqlite_index_remove(index, job);
    job->given_up = true;
    bool goes_on = index->given_up[index->given_up_latest].first != 0 &&
                   index->given_up[index->given_up_latest].last + 1 == job->key;
    if (!goes_on) {
        index->given_up_latest = (index->given_up_latest + 1) % SQLITE_GIVEN_UP_RANGES;
        index->given_up[index->given_up_latest].first = job->key;
    }
    index->given_up[index->given_up_latest].last = job->key;
}

bool sqlite_index_was_given_up(const struct sqlite_index *index, uint64_t key)
{
    for (uint32_t back = 0; back < SQLITE_GIVEN_UP_RANGES; back++) {
        uint32_t at = (index->given_up_latest - back) % SQLITE_GIVEN_UP_RANGES;
        if (index->given_up[at].first == 0)
            return false;
        if (key >= index->given_up[at].first && key <= index->given_up[at].last)
            return true;
    }
    return false;
}
