/* A party that asks and must wait is in one of two lists. In line: it could go but for the host's
 * capacity; served first come first served. Held: its own cap or its job's is reached; looked at
 * again whenever weight of that group or job comes back, and then it goes to the end of the line.
 * So a group that may not go never holds up those behind it. */
#include "dispatch/admission.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "accept/job.h"
#include "execute/group.h"
#include "support/thread.h"

#define AUTO_STEP_NS INT64_C(10000000) /* weight auto: 1 for each started 10 ms */
enum { AUTO_SHARE = 4 };

struct party {
    struct party *next; /* in the line, among the held, or granted and not told yet */
    struct party *next_made;
    struct group *group;
    struct job *job; /* for which it asks */
    int32_t max_weight, reserve;
    int32_t in_use, reserve_in_use;
    int32_t wanted;     /* what it asks for */
    int32_t asked;      /* the same, clamped */
    struct grant grant; /* if it is granted and not told yet */
};

struct line {
    struct party *head, **tail;
};

struct admission {
    _Atomic int32_t capacity; /* changed under lock */
    struct mutex lock;
    /* guarded by lock */
    int32_t reserved; /* the sum of all reserves */
    int32_t in_use;   /* of everything */
    int32_t common_in_use;
    struct line waiting, held;
    struct party *made;
};

static void line_init(struct line *line)
{
    line->head = NULL;
    line->tail = &line->head;
}

static void line_push(struct line *line, struct party *party)
{
    party->next = NULL;
    *line->tail = party;
    line->tail = &party->next;
}

static struct party *line_pop(struct line *line)
{
    struct party *party = line->head;
    if (party == NULL)
        return NULL;
    line->head = party->next;
    if (line->head == NULL)
        line->tail = &line->head;
    return party;
}

struct admission *admission_create(int32_t capacity)
{
    struct admission *admission = calloc(1, sizeof *admission);
    if (admission == NULL)
        abort();
    admission->capacity = capacity;
    mutex_init(&admission->lock);
    line_init(&admission->waiting);
    line_init(&admission->held);
    return admission;
}

void admission_destroy(struct admission **admission_pointer)
{
    struct admission *admission = *admission_pointer;
    if (admission == NULL)
        return;
    assert(admission->in_use == 0);
    for (struct party *party; (party = admission->made) != NULL;) {
        admission->made = party->next_made;
        free(party);
    }
    mutex_fini(&admission->lock);
    free(admission);
    *admission_pointer = NULL;
}

struct party *admission_add(struct admission *admission, int32_t max_weight, int32_t reserve)
{
    struct party *party = calloc(1, sizeof *party);
    if (party == NULL)
        abort();
    party->max_weight = max_weight;
    party->reserve = reserve;
    MUTEX_GUARD(&admission->lock);
    admission->reserved += reserve;
    assert(admission->reserved < admission->capacity); /* others can always go */
    party->next_made = admission->made;
    admission->made = party;
    return party;
}

/* What a party can be granted at most, for one batch. */
static int32_t clamped(const struct admission *admission, const struct party *party,
                       const struct job *job, int32_t weight)
{
    int32_t most = admission->capacity - admission->reserved + party->reserve;
    if (party->max_weight > 0 && party->max_weight < most)
        most = party->max_weight;
    if (job->max_weight > 0 && job->max_weight < most)
        most = job->max_weight;
    return weight < most ? weight : most;
}

/* Nobody passes those of the same job that were held for its cap before. */
static bool job_allows(const struct job *job, int32_t weight)
{
    return job->max_weight == 0 ||
           (job->held_count == 0 && job->weight_in_use + weight <= job->max_weight);
}

static bool within_caps(const struct party *party, const struct job *job, int32_t weight)
{
    return job_allows(job, weight) &&
           (party->max_weight == 0 || party->in_use + weight <= party->max_weight);
}

static int32_t from_reserve(const struct party *party, int32_t weight)
{
    int32_t left = party->reserve - party->reserve_in_use;
    return weight < left ? weight : left;
}

static bool has_room(const struct admission *admission, const struct party *party, int32_t weight)
{
    int32_t common = weight - from_reserve(party, weight);
    return common == 0 ||
           admission->common_in_use + common <= admission->capacity - admission->reserved;
}

static struct grant take(struct admission *admission, struct party *party, struct job *job,
                         int32_t weight)
{
    struct grant grant = {.job = job, .weight = weight, .reserved = from_reserve(party, weight)};
    party->in_use += weight;
    party->reserve_in_use += grant.reserved;
    job->weight_in_use += weight;
    admission->in_use += weight;
    admission->common_in_use += weight - grant.reserved;
    return grant;
}

static void put_back(struct admission *admission, struct party *party, const struct grant *grant)
{
    party->in_use -= grant->weight;
    party->reserve_in_use -= grant->reserved;
    grant->job->weight_in_use -= grant->weight;
    admission->in_use -= grant->weight;
    admission->common_in_use -= grant->weight - grant->reserved;
    assert(party->in_use >= 0 && party->reserve_in_use >= 0 && admission->common_in_use >= 0);
    job_let_go(grant->job);
}

/* Whoever can go on its reserve alone need not stand in line. */
static bool may_pass(const struct admission *admission, const struct party *party, int32_t weight)
{
    bool on_reserve = from_reserve(party, weight) == weight;
    return on_reserve || (admission->waiting.head == NULL && has_room(admission, party, weight));
}

/* Its own cap or its job's is reached: it waits until weight of one of them comes back. */
static void hold(struct admission *admission, struct party *party)
{
    line_push(&admission->held, party);
    if (!job_allows(party->job, party->asked))
        party->job->held_count++;
}

/* Who asks holds the job until the grant is given back: a worker is still at it when the last task
 * has ended, and a group that waits may have lost its tasks meanwhile. */
static bool ask(void *context, struct group *group, struct job *job, int32_t weight,
                struct grant *grant)
{
    struct admission *admission = context;
    struct party *party = group_party(group);
    job_hold(job);
    MUTEX_GUARD(&admission->lock);
    int32_t wanted = weight;
    weight = clamped(admission, party, job, wanted);
    bool allowed = within_caps(party, job, weight);
    if (allowed && may_pass(admission, party, weight)) {
        *grant = take(admission, party, job, weight);
        return true;
    }
    party->group = group;
    party->job = job;
    party->wanted = wanted;
    party->asked = weight;
    if (allowed)
        line_push(&admission->waiting, party);
    else
        hold(admission, party);
    return false;
}

/* The held whose caps allow it now go to the end of the line. */
static void release_held(struct admission *admission)
{
    struct line held = admission->held;
    if (held.head == NULL)
        return;
    line_init(&admission->held);
    for (struct party *party = held.head; party != NULL; party = party->next)
        party->job->held_count = 0;
    for (struct party *party; (party = line_pop(&held)) != NULL;) {
        if (within_caps(party, party->job, party->asked))
            line_push(&admission->waiting, party);
        else
            hold(admission, party);
    }
}

/* Serves the line from its head while there is room; those further back only on their reserve. Adds
 * whom it grants to the line of the granted. */
static void serve_line(struct admission *admission, struct line *granted)
{
    struct line line = admission->waiting;
    bool blocked = false;
    if (line.head == NULL)
        return;
    line_init(&admission->waiting);
    for (struct party *party; (party = line_pop(&line)) != NULL;) {
        bool goes = blocked ? from_reserve(party, party->asked) == party->asked
                            : has_room(admission, party, party->asked);
        if (!within_caps(party, party->job, party->asked)) {
            hold(admission, party);
        } else if (goes) {
            party->grant = take(admission, party, party->job, party->asked);
            line_push(granted, party);
        } else {
            line_push(&admission->waiting, party);
            blocked = true;
        }
    }
}

static void release(struct admission *admission, struct party *party, const struct grant *grant,
                    struct line *granted)
{
    MUTEX_GUARD(&admission->lock);
    put_back(admission, party, grant);
    release_held(admission);
    serve_line(admission, granted);
}

/* A group that is told may ask again at once, so its party leaves the line before. */
static void tell(struct admission *admission, struct line *granted)
{
    for (struct party *party; (party = line_pop(granted)) != NULL;) {
        struct grant held = party->grant;
        if (!group_granted(party->group, &held))
            release(admission, party, &held, granted);
    }
}

static void give_back(void *context, struct group *group, const struct grant *grant)
{
    struct admission *admission = context;
    struct line granted;
    line_init(&granted);
    release(admission, group_party(group), grant, &granted);
    tell(admission, &granted);
}

static void clamp_anew(const struct admission *admission, const struct line *line)
{
    for (struct party *party = line->head; party != NULL; party = party->next)
        party->asked = clamped(admission, party, party->job, party->wanted);
}

/* Whoever waits may ask for more or less under the new limits, and may be able to go. Lock held. */
static void limits_changed(struct admission *admission, struct line *granted)
{
    line_init(granted);
    clamp_anew(admission, &admission->waiting);
    clamp_anew(admission, &admission->held);
    release_held(admission);
    serve_line(admission, granted);
}

void admission_set_capacity(struct admission *admission, int32_t capacity)
{
    struct line granted;
    mutex_lock(&admission->lock);
    assert(admission->reserved < capacity);
    admission->capacity = capacity;
    limits_changed(admission, &granted);
    mutex_unlock(&admission->lock);
    tell(admission, &granted);
}

void admission_set_cap(struct admission *admission, struct party *party, int32_t max_weight)
{
    struct line granted;
    mutex_lock(&admission->lock);
    party->max_weight = max_weight;
    limits_changed(admission, &granted);
    mutex_unlock(&admission->lock);
    tell(admission, &granted);
}

static int32_t weigh(void *context, int64_t mean_run_ns)
{
    const struct admission *admission = context;
    int64_t weight = mean_run_ns == 0 ? 1 : (mean_run_ns + AUTO_STEP_NS - 1) / AUTO_STEP_NS;
    int32_t capacity = atomic_load_explicit(&admission->capacity, memory_order_relaxed);
    int32_t most = capacity / AUTO_SHARE > 1 ? capacity / AUTO_SHARE : 1;
    return weight < most ? (int32_t)weight : most;
}

struct gate admission_gate(struct admission *admission)
{
    return (struct gate){.context = admission, .ask = ask, .give_back = give_back, .weigh = weigh};
}

int32_t admission_in_use(struct admission *admission)
{
    MUTEX_GUARD(&admission->lock);
    return admission->in_use;
}
