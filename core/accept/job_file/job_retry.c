#include "accept/job_file/job_retry.h"

#include <stdlib.h>

#include "accept/job_file/job_keys.h"
#include "accept/job_file/job_reader.h"
#include "accept/job_file/job_report.h"
#include "accept/job_file/job_value.h"
#include "accept/job_file/yaml_map.h"
#include "support/cleanup.h"
#include "support/clock.h"

/* What holds where nobody says anything: only `attempts` asks for a retry. */
static const struct sluice_retry host_retry = {
    .attempts = 1,
    .backoff = SLUICE_BACKOFF_EXPONENTIAL,
    .delay_ns = NS_PER_S,
    .jitter = 0.1,
};

const char *const job_retry_backoffs[] = {[SLUICE_BACKOFF_CONSTANT] = "constant",
                                          [SLUICE_BACKOFF_LINEAR] = "linear",
                                          [SLUICE_BACKOFF_EXPONENTIAL] = "exponential",
                                          NULL};

static uint32_t bit(enum retry_key key)
{
    return UINT32_C(1) << key;
}

static void read_attempts(struct job_reader *reader, const struct yaml_node *node,
                          struct sluice_retry *policy)
{
    static const int64_t limits[2] = {1, JOB_FILE_ATTEMPTS_MOST};
    int64_t attempts;
    if (job_value_int(reader, node, (struct job_want){"", "attempts", "an int", JOB_QUOTES_REFUSED},
                      limits, &attempts))
        policy->attempts = (uint32_t)attempts;
}

static void read_backoff(struct job_reader *reader, const struct yaml_node *node,
                         struct sluice_retry *policy)
{
    int word = job_value_word(reader, node, "backoff", job_retry_backoffs);
    if (word >= 0)
        policy->backoff = (uint32_t)word;
}

/* Reads the value of a key. */
static bool read_value(struct job_reader *reader, enum retry_key key, struct sluice_retry *policy)
{
    static const double parts[2] = {0, 1};
    struct yaml_node node;
    if (!yaml_source_next(reader->source, &node))
        return false;
    switch (key) {
    case RETRY_KEY_ATTEMPTS:
        read_attempts(reader, &node, policy);
        break;
    case RETRY_KEY_DELAY:
        job_value_duration(reader, &node, "delay", 0, &policy->delay_ns);
        break;
    case RETRY_KEY_BACKOFF:
        read_backoff(reader, &node, policy);
        break;
    case RETRY_KEY_MAX_DELAY:
        job_value_duration(reader, &node, "max_delay", 1, &policy->max_delay_ns);
        break;
    case RETRY_KEY_JITTER:
        job_value_float(reader, &node, "jitter", parts, &policy->jitter);
        break;
    case RETRY_KEY_COUNT:
        break;
    }
    return yaml_source_skip(reader->source, &node);
}

/* Returns the key whose value is to be read, or RETRY_KEY_COUNT if it is to be skipped. */
static enum retry_key key_of(struct job_reader *reader, const struct yaml_node *node,
                             struct job_retry *retry, int *next)
{
    int found = key_find(&retry_keys, node, next);
    if (found < 0) {
        CLEANUP(cleanup_free) char *hint = key_hint(&retry_keys, node);
        job_report(&reader->faults, (struct job_fault){JOB_FILE_UNKNOWN_KEY, node->place, hint},
                   "unknown key '%s' in retry", yaml_node_shown(node).text);
        return RETRY_KEY_COUNT;
    }
    enum retry_key key = (enum retry_key)found;
    if (retry->given & bit(key)) {
        if (!node->merged)
            job_report(&reader->faults,
                       (struct job_fault){JOB_FILE_DUPLICATE_KEY, node->place, NULL},
                       "key '%s' stands here twice", node->text);
        return RETRY_KEY_COUNT;
    }
    retry->given |= bit(key);
    return key;
}

bool job_retry_read(struct job_reader *reader, const struct yaml_node *map, struct job_retry *retry)
{
    struct yaml_node node;
    int next = 0;
    bool goes_on = true;
    YAML_MAP_NEW(keys);
    retry->given = 0;
    if (map->kind != YAML_KIND_MAP) {
        job_value_refuse(reader, map,
                         (struct job_want){"", "retry", "a map such as {attempts: 3, delay: 1s}",
                                           JOB_QUOTES_ALLOWED});
        return yaml_source_skip(reader->source, map);
    }
    while (goes_on && yaml_map_key(reader->source, &keys, &node)) {
        enum retry_key key = key_of(reader, &node, retry, &next);
        goes_on = key != RETRY_KEY_COUNT ? read_value(reader, key, &retry->policy)
                                         : yaml_source_skip_next(reader->source);
    }
    return !yaml_source_broken(reader->source);
}

/* Returns what fields say, or NULL. */
static const struct job_retry *said(const struct task_fields *fields)
{
    return fields->given & task_key_bit(TASK_KEY_RETRY) ? &fields->retry : NULL;
}

static void put_over(struct sluice_retry *policy, const struct job_retry *over)
{
    if (over == NULL)
        return;
    if (over->given & bit(RETRY_KEY_ATTEMPTS))
        policy->attempts = over->policy.attempts;
    if (over->given & bit(RETRY_KEY_DELAY))
        policy->delay_ns = over->policy.delay_ns;
    if (over->given & bit(RETRY_KEY_BACKOFF))
        policy->backoff = over->policy.backoff;
    if (over->given & bit(RETRY_KEY_MAX_DELAY))
        policy->max_delay_ns = over->policy.max_delay_ns;
    if (over->given & bit(RETRY_KEY_JITTER))
        policy->jitter = over->policy.jitter;
}

static bool is_same(const struct sluice_retry *one, const struct sluice_retry *other)
{
    return one->attempts == other->attempts && one->backoff == other->backoff &&
           one->delay_ns == other->delay_ns && one->max_delay_ns == other->max_delay_ns &&
           one->jitter == other->jitter;
}

const struct sluice_retry *job_retry_keep(struct job_reader *reader,
                                          const struct task_fields *fields,
                                          const struct sluice_retry *of_type)
{
    const struct job_retry *own = said(fields), *defaults = said(&reader->defaults);
    const struct sluice_retry *last = reader->shared_retry;
    if (own == NULL && defaults == NULL && of_type->attempts <= 1)
        return NULL;
    struct sluice_retry policy = of_type->attempts > 0 ? *of_type : host_retry;
    put_over(&policy, defaults);
    put_over(&policy, own);
    if (policy.attempts == 1)
        return NULL;
    if (last != NULL && is_same(last, &policy)) /* tasks that look alike share it */
        return last;
    struct sluice_retry *kept = job_alloc(reader->job, sizeof *kept, _Alignof(struct sluice_retry));
    *kept = policy;
    reader->shared_retry = kept;
    return kept;
}
