#include <assert.h>
#include <string.h>

#include "store/sqlite.h"
#include "store/sqlite_record.h"
#include "store/sqlite_said.h"

/* Begins a call that changes something: with the lock, once there is room. */
static struct sqlite *begin(struct store *store)
{
    struct sqlite *sqlite = (struct sqlite *)store;

    mutex_lock(&sqlite->lock);
    ledger_wait_for_room(sqlite->ledger);
    return sqlite;
}

static bool finish(struct sqlite *sqlite)
{
    ledger_notify(sqlite->ledger);
    mutex_unlock(&sqlite->lock);
    return true;
}

static bool finish_unknown(struct sqlite *sqlite, uint64_t key, struct error *error)
{
    bool given_up = sqlite_index_was_given_up(&sqlite->index, key);

    mutex_unlock(&sqlite->lock);
    if (given_up)
        return error_set(error, "given_up", "the job was given up: it could not be written");
    return error_set(error, "not_found", "there is no unfinished job %llu",
                     (unsigned long long)key);
}

/* Adds a record about a job. */
static void *push(struct sqlite *sqlite, enum sqlite_record_kind kind, struct sqlite_job *job,
                  size_t payload_bytes)
{
    struct sqlite_record *record = sqlite_queue_push(&sqlite->queue, kind, job, payload_bytes);

    if (job != NULL)
        job->said_at = sqlite->queue.pushed;
    return record->payload;
}

/* Says that there is a new job; NULL with a message if its id is taken. */
static struct sqlite_job *say_job(struct sqlite *sqlite, const struct store_job_given *given,
                                  struct error *error)
{
    if (dictionary_find(&sqlite->index.by_id, given->id) != NULL) {
        error_set(error, "duplicate_id", "there is a job '%s' already", given->id);
        return NULL;
    }
    struct sqlite_job *job = sqlite_job_create(given, sqlite->index.next_key++);
    sqlite_index_add(&sqlite->index, job);
    push(sqlite, SQLITE_RECORD_JOB, job, 0);
    job->added_at = job->said_at;
    return job;
}

bool sqlite_add_job(struct store *store, const struct store_job_given *given, uint64_t *key,
                    struct error *error)
{
    struct sqlite *sqlite = begin(store);
    const struct sqlite_job *job = say_job(sqlite, given, error);

    if (job != NULL)
        *key = job->key;
    return finish(sqlite) && job != NULL;
}

static void put_task(struct sqlite *sqlite, const struct store_new_task *task)
{
    struct store_task_given given = {0};

    sqlite->store.options.describe(task->handle, &given);
    given.extra = task->extra;
    given.extra_bytes = task->extra_bytes;
    sqlite_record_put_task(&sqlite->scratch, &given, task->due_wall_ns);
}

/* Packs the next tasks for one chunk; returns how many. */
static uint32_t put_tasks(struct sqlite *sqlite, const struct store_new_task *tasks, size_t count)
{
    uint32_t put = 0;

    sqlite->scratch.length = 0;
    while (put < count && put < SQLITE_CHUNK_TASKS && sqlite->scratch.length < SQLITE_CHUNK_BYTES)
        put_task(sqlite, &tasks[put++]);
    return put;
}

/* Returns how many of the tasks were said. */
static uint32_t say_chunk(struct sqlite *sqlite, struct sqlite_job *job,
                          const struct store_new_task *tasks, size_t most)
{
    const struct buffer *packed = &sqlite->scratch;
    uint32_t count = put_tasks(sqlite, tasks, most), first = job->words.count, due_count = 0;

    sqlite_words_add(&job->words, count, 1);
    for (uint32_t i = 0; i < count; i++) {
        if (tasks[i].due_wall_ns == 0)
            continue;
        due_count++;
        sqlite_words_set(&job->words, first + i, 1 | SQLITE_WORD_PENDING);
    }
    struct sqlite_said_chunk *said =
        push(sqlite, SQLITE_RECORD_CHUNK, job, sizeof(*said) + packed->length);
    *said = (struct sqlite_said_chunk){first, count, due_count, (uint32_t)packed->length};
    memcpy(said->tasks, packed->bytes, packed->length);
    job->added_at = job->said_at;
    return count;
}

/* Each is to have a place. */
static bool has_places(uint64_t tasks_count, struct error *error)
{
    return tasks_count <= STORE_TASKS_MOST ||
           error_set(error, "too_many_tasks", "a job has at most %d tasks in this store, not %llu",
                     STORE_TASKS_MOST, (unsigned long long)tasks_count);
}

static void say_tasks(struct sqlite *sqlite, struct sqlite_job *job,
                      const struct store_new_task *tasks, size_t count)
{
    assert(!job->sealed);
    for (size_t said = 0; said < count;)
        said += say_chunk(sqlite, job, tasks + said, count - said);
}

bool sqlite_add_tasks(struct store *store, uint64_t key, const struct store_new_task *tasks,
                      size_t count, struct error *error)
{
    struct sqlite *sqlite = begin(store);
    struct sqlite_job *job = sqlite_index_find(&sqlite->index, key);

    if (job == NULL)
        return finish_unknown(sqlite, key, error);
    bool right = has_places((uint64_t)job->words.count + count, error);
    if (right)
        say_tasks(sqlite, job, tasks, count);
    return finish(sqlite) && right;
}

static void say_seal(struct sqlite *sqlite, struct sqlite_job *job)
{
    assert(!job->sealed);
    job->sealed = true;
    push(sqlite, SQLITE_RECORD_SEAL, job, 0);
    job->added_at = job->said_at;
}

bool sqlite_seal_job(struct store *store, uint64_t key, struct error *error)
{
    struct sqlite *sqlite = begin(store);
    struct sqlite_job *job = sqlite_index_find(&sqlite->index, key);

    if (job == NULL)
        return finish_unknown(sqlite, key, error);
    say_seal(sqlite, job);
    return finish(sqlite);
}

/* Lock held. */
static bool say_whole(struct sqlite *sqlite, struct store_whole *whole, struct error *error)
{
    struct sqlite_job *job =
        has_places(whole->count, error) ? say_job(sqlite, &whole->given, error) : NULL;

    if (job == NULL)
        return false;
    whole->key = job->key;
    say_tasks(sqlite, job, whole->tasks, whole->count);
    say_seal(sqlite, job);
    return true;
}

bool sqlite_add_wholes(struct store *store, struct store_whole *wholes, size_t count,
                       struct error *error)
{
    struct sqlite *sqlite = begin(store);
    bool said = true;

    for (size_t i = 0; i < count && said; i++)
        said = say_whole(sqlite, &wholes[i], error);
    return finish(sqlite) && said;
}

/* What is said of a job that may be over, and then is an order to the ledger. */
static bool change_job(struct store *store, uint64_t key, enum sqlite_record_kind kind,
                       struct error *error)
{
    struct sqlite *sqlite = begin(store);
    struct sqlite_job *job = sqlite_index_find(&sqlite->index, key);

    if (job == NULL) {
        bool given_up = sqlite_index_was_given_up(&sqlite->index, key);
        mutex_unlock(&sqlite->lock);
        return given_up || sqlite_change_over(sqlite, key, kind, error);
    }
    push(sqlite, kind, job, 0);
    if (kind == SQLITE_RECORD_FORGET)
        sqlite_index_remove(&sqlite->index, job);
    return finish(sqlite);
}

bool sqlite_forget_job(struct store *store, uint64_t key, struct error *error)
{
    return change_job(store, key, SQLITE_RECORD_FORGET, error);
}

bool sqlite_stop_job(struct store *store, uint64_t key, struct error *error)
{
    return change_job(store, key, SQLITE_RECORD_STOP, error);
}

/* The fence. *word is what the index has of the task. */
static enum store_answer check_name(struct sqlite *sqlite, const struct store_name *name,
                                    struct sqlite_job **job, uint32_t *word)
{
    *job = sqlite_index_find(&sqlite->index, name->job);
    if (*job == NULL || name->number >= (*job)->words.count)
        return STORE_UNKNOWN;
    *word = sqlite_words_get(&(*job)->words, name->number);
    if (*word == 0)
        return STORE_ENDED;
    bool is_current =
        name->epoch == sqlite->store.epoch && name->attempt == (*word & SQLITE_WORD_ATTEMPT);
    return is_current ? STORE_DONE : STORE_STALE;
}

static void say_end(struct sqlite *sqlite, struct sqlite_job *job, const struct store_end *end,
                    uint32_t word)
{
    uint64_t most = sqlite->store.options.outputs_max_bytes;
    bool fits = end->outputs != NULL && (most == 0 || end->outputs_bytes <= most);
    size_t reason = strlen(end->how.reason) + 1, message = strlen(end->how.message) + 1;
    size_t outputs = fits ? end->outputs_bytes : 0;
    struct sqlite_said_end *said =
        push(sqlite, SQLITE_RECORD_END, job, sizeof(*said) + reason + message + outputs);

    said->number = end->name.number;
    said->word = word;
    said->state = end->state;
    said->message_at = (uint32_t)reason;
    said->outputs_at = (uint32_t)(reason + message);
    said->outputs_bytes = (uint32_t)outputs;
    said->started_wall_ns = end->how.started_wall_ns;
    said->ended_wall_ns = end->how.ended_wall_ns;
    memcpy(said->texts, end->how.reason, reason);
    memcpy(said->texts + reason, end->how.message, message);
    if (outputs > 0)
        memcpy(said->texts + said->outputs_at, end->outputs, outputs);
}

static void end_one(struct sqlite *sqlite, struct store_end *end)
{
    struct sqlite_job *job;
    uint32_t word, block = end->name.number / SQLITE_WORDS_IN_BLOCK;

    assert(end->state != STORE_UNFINISHED);
    end->answer = check_name(sqlite, &end->name, &job, &word);
    if (end->answer != STORE_DONE)
        return;
    say_end(sqlite, job, end, word);
    bool block_ended = sqlite_words_set(&job->words, end->name.number, 0);
    if (block_ended && job->words.count / SQLITE_WORDS_IN_BLOCK > block) {
        struct sqlite_said_block *said =
            push(sqlite, SQLITE_RECORD_BLOCK_ENDED, job, sizeof(*said));
        said->block = block;
    }
}

bool sqlite_end(struct store *store, struct store_end *ends, size_t count, struct error *error)
{
    struct sqlite *sqlite = begin(store);

    (void)error;
    for (size_t i = 0; i < count; i++)
        end_one(sqlite, &ends[i]);
    return finish(sqlite);
}

static void retry_one(struct sqlite *sqlite, struct store_retry *retry)
{
    size_t reason = strlen(retry->how.reason) + 1, message = strlen(retry->how.message) + 1;
    struct sqlite_job *job;
    uint32_t word;

    retry->answer = check_name(sqlite, &retry->name, &job, &word);
    if (retry->answer != STORE_DONE)
        return;
    struct sqlite_said_retry *said =
        push(sqlite, SQLITE_RECORD_RETRY, job, sizeof(*said) + reason + message);
    said->number = retry->name.number;
    said->word = word;
    said->charged = retry->how.charged;
    said->message_at = (uint32_t)reason;
    said->started_wall_ns = retry->how.started_wall_ns;
    said->ended_wall_ns = retry->how.ended_wall_ns;
    said->due_wall_ns = retry->due_wall_ns;
    memcpy(said->texts, retry->how.reason, reason);
    memcpy(said->texts + reason, retry->how.message, message);
    sqlite_words_set(&job->words, said->number, (word + 1) | SQLITE_WORD_PENDING);
    retry->next_attempt = retry->name.attempt + 1;
}

bool sqlite_retry(struct store *store, struct store_retry *retries, size_t count,
                  struct error *error)
{
    struct sqlite *sqlite = begin(store);

    (void)error;
    for (size_t i = 0; i < count; i++)
        retry_one(sqlite, &retries[i]);
    return finish(sqlite);
}

static void write_one(struct sqlite *sqlite, struct store_written *written)
{
    struct sqlite_job *job;
    uint32_t word;

    written->answer = check_name(sqlite, &written->name, &job, &word);
    if (written->answer != STORE_DONE || sqlite->store.options.log_max_bytes == 0 ||
        written->length == 0)
        return;
    struct sqlite_said_log *said =
        push(sqlite, SQLITE_RECORD_LOG, job, sizeof(*said) + written->length);
    said->number = written->name.number;
    said->length = (uint32_t)written->length;
    memcpy(said->text, written->text, written->length);
    sqlite_words_set(&job->words, said->number, word | SQLITE_WORD_LOG);
}

bool sqlite_write_log(struct store *store, struct store_written *written, size_t count,
                      struct error *error)
{
    struct sqlite *sqlite = begin(store);

    (void)error;
    for (size_t i = 0; i < count; i++)
        write_one(sqlite, &written[i]);
    return finish(sqlite);
}

static void say_claim(struct sqlite *sqlite, enum sqlite_record_kind kind, const char *key,
                      const char *id)
{
    size_t key_bytes = strlen(key) + 1, id_bytes = strlen(id) + 1;
    struct sqlite_said_claim *said = push(sqlite, kind, NULL, sizeof(*said) + key_bytes + id_bytes);

    said->id_at = (uint32_t)key_bytes;
    memcpy(said->texts, key, key_bytes);
    memcpy(said->texts + key_bytes, id, id_bytes);
}

bool sqlite_claim(struct store *store, const char *key, const char *id,
                  char holder[STORE_HOLDER_BYTES], struct error *error)
{
    struct sqlite *sqlite = begin(store);
    struct claims *claims = &sqlite->index.claims;
    const char *held_by = claims_find(claims, key);

    if (held_by == NULL) {
        if (!claims_have_room(claims, sqlite->store.options.claims_max, error)) {
            mutex_unlock(&sqlite->lock);
            return false;
        }
        claims_add(claims, key, id);
        say_claim(sqlite, SQLITE_RECORD_CLAIM, key, id);
        held_by = "";
    }
    memcpy(holder, held_by, strlen(held_by) + 1);
    return finish(sqlite);
}

bool sqlite_release(struct store *store, const char *key, const char *id, struct error *error)
{
    struct sqlite *sqlite = begin(store);

    (void)error;
    if (claims_release(&sqlite->index.claims, key, id))
        say_claim(sqlite, SQLITE_RECORD_RELEASE, key, "");
    return finish(sqlite);
}
