/* A group that asks and must wait is in one of two lines. Waiting: it could go but for the host's
 * capacity; served first come first served. Held: its own cap or its job's is reached; looked at
 * again whenever weight of that group or job comes back, and then it goes to the end of the line.
 * So a group that may not go never holds up those behind it. Where it is the job's cap, only what
 * the group has of that job waits: a wait of its own for each such job. */
#include "dispatch/admission.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "accept/job.h"
#include "dispatch/line.h"
#include "execute/group.h"
#include "support/clock.h"
#include "support/thread.h"

#define AUTO_STEP_NS INT64_C(10000000) /* weight auto: 1 for each started 10 ms */
enum { AUTO_SHARE = 4 };

struct party {
    struct party *next_made;
    int32_t max_weight, reserve;
    int32_t in_use, reserve_in_use;
    bool waits;          /* .own is in a line */
    uint32_t jobs_aside; /* that wait beside it */
    struct wait own;
};

struct admission {
    _Atomic int32_t capacity; /* changed under lock */
    struct mutex lock;
    /* guarded by lock */
    int32_t reserved; /* the sum of all reserves */
    int32_t in_use;   /* of everything */
    int32_t common_in_use;
    uint32_t waits_count; /* in both lines */
    struct line waiting, held;
    struct party *made;
};

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

/* A cap is reached: it waits until weight of that group or job comes back. */
static void hold(struct admission *admission, struct wait *wait)
{
    line_push(&admission->held, wait);
    if (!job_allows(wait->job, wait->asked))
        wait->job->held_count++;
}

static bool wait_allowed(const struct wait *wait)
{
    return within_caps(wait->party, wait->job, wait->asked);
}

static struct wait *wait_begin(struct admission *admission, struct party *party, bool aside)
{
    struct wait *wait = &party->own;
    if (aside) {
        wait = calloc(1, sizeof *wait);
        if (wait == NULL)
            abort();
        party->jobs_aside++;
    } else {
        party->waits = true;
    }
    wait->party = party;
    wait->aside = aside;
    wait->grant.weight = 0;
    wait->since_ns = clock_now_ns();
    admission->waits_count++;
    return wait;
}

/* It has left its line. Lock held. */
static void wait_end(struct admission *admission, struct wait *wait)
{
    if (wait->aside)
        wait->party->jobs_aside--;
    else
        wait->party->waits = false;
    admission->waits_count--;
}

/* Who asks holds the job until the grant is given back: a worker is still at it when the last task
 * has ended, and a group that waits may have lost its tasks meanwhile. */
static enum gate_answer ask(void *context, struct group *group, struct job *job, int32_t weight,
                            struct grant *grant)
{
    struct admission *admission = context;
    struct party *party = group_party(group);
    job_hold(job);
    MUTEX_GUARD(&admission->lock);
    int32_t asked = clamped(admission, party, job, weight);
    bool aside = !job_allows(job, asked);
    bool allowed = within_caps(party, job, asked);
    if (allowed && may_pass(admission, party, asked)) {
        *grant = take(admission, party, job, asked);
        return GATE_GRANTED;
    }
    struct wait *wait = wait_begin(admission, party, aside);
    wait->group = group;
    wait->job = job;
    wait->wanted = weight;
    wait->asked = asked;
    if (allowed)
        line_push(&admission->waiting, wait);
    else
        hold(admission, wait);
    return aside ? GATE_ASIDE : GATE_WAITS;
}

/* The held whose caps allow it now go to the end of the line. */
static void release_held(struct admission *admission)
{
    struct line held = admission->held;
    if (held.head == NULL)
        return;
    line_init(&admission->held);
    for (struct wait *wait = held.head; wait != NULL; wait = wait->next)
        wait->job->held_count = 0;
    for (struct wait *wait; (wait = line_pop(&held)) != NULL;) {
        if (wait_allowed(wait))
            line_push(&admission->waiting, wait);
        else
            hold(admission, wait);
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
    for (struct wait *wait; (wait = line_pop(&line)) != NULL;) {
        struct party *party = wait->party;
        bool goes = blocked ? from_reserve(party, wait->asked) == wait->asked
                            : has_room(admission, party, wait->asked);
        if (!wait->aside && !job_allows(wait->job, wait->asked)) {
            wait_end(admission, wait);
            line_push(granted, wait); /* with nothing: see tell */
        } else if (!wait_allowed(wait)) {
            hold(admission, wait);
        } else if (goes) {
            wait->grant = take(admission, party, wait->job, wait->asked);
            wait_end(admission, wait);
            line_push(granted, wait);
        } else {
            line_push(&admission->waiting, wait);
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

/* While it waited for room others have used its job's cap up: it asks anew, and steps aside. */
static void refuse(struct wait *wait)
{
    job_let_go(wait->job);
    group_refused(wait->group);
}

/* A group that is told may ask again at once, so its wait is over before. */
static void tell(struct admission *admission, struct line *granted)
{
    for (struct wait *wait; (wait = line_pop(granted)) != NULL;) {
        struct grant grant = wait->grant;
        struct group *group = wait->group;
        bool aside = wait->aside;
        if (grant.weight == 0) {
            refuse(wait);
            continue;
        }
        if (aside)
            free(wait);
        if (!(aside ? group_granted_job(group, &grant) : group_granted(group, &grant)))
            release(admission, group_party(group), &grant, granted);
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

/* Those held behind it may be the first of their job now. Lock held. */
static struct wait *take_out(struct admission *admission, const struct party *party,
                             const struct job *job)
{
    struct wait *wait = line_take(&admission->held, party, job);
    if (wait == NULL)
        return line_take(&admission->waiting, party, job);
    wait->job->held_count = 0;
    return wait;
}

static bool withdraw(void *context, struct group *group, const struct job *job)
{
    struct admission *admission = context;
    struct line granted;
    line_init(&granted);
    mutex_lock(&admission->lock);
    struct wait *wait = take_out(admission, group_party(group), job);
    if (wait != NULL) {
        wait_end(admission, wait);
        job_let_go(wait->job);
        release_held(admission);
        serve_line(admission, &granted);
    }
    mutex_unlock(&admission->lock);
    tell(admission, &granted);
    if (wait != NULL && wait->aside)
        free(wait);
    return wait != NULL;
}

static void clamp_anew(const struct admission *admission, const struct line *line)
{
    for (struct wait *wait = line->head; wait != NULL; wait = wait->next)
        wait->asked = clamped(admission, wait->party, wait->job, wait->wanted);
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

/* What most of the host a party may have that has nothing yet, and what others have of that. */
static struct gate_reason of_host(const struct admission *admission, const struct party *party,
                                  enum gate_limit limit)
{
    return (struct gate_reason){.limit = limit,
                                .in_use = admission->common_in_use,
                                .most = admission->capacity - admission->reserved +
                                        (party->reserve - party->reserve_in_use)};
}

static struct gate_reason reason_of(const struct admission *admission, const struct party *party,
                                    const struct job *job, int32_t weight)
{
    if (!job_allows(job, weight))
        return (struct gate_reason){
            .limit = GATE_OF_JOB, .in_use = job->weight_in_use, .most = job->max_weight};
    if (!within_caps(party, job, weight))
        return (struct gate_reason){
            .limit = GATE_OF_GROUP, .in_use = party->in_use, .most = party->max_weight};
    if (!has_room(admission, party, weight))
        return of_host(admission, party, GATE_OF_HOST);
    return of_host(admission, party, may_pass(admission, party, weight) ? GATE_FREE : GATE_IN_LINE);
}

static struct gate_reason explain(void *context, struct group *group, const struct job *job,
                                  int32_t weight)
{
    struct admission *admission = context;
    const struct party *party = group_party(group);
    MUTEX_GUARD(&admission->lock);
    int32_t needs = clamped(admission, party, job, weight);
    struct gate_reason reason = reason_of(admission, party, job, needs);
    reason.needs = needs;
    return reason;
}

struct gate admission_gate(struct admission *admission)
{
    return (struct gate){.context = admission,
                         .ask = ask,
                         .give_back = give_back,
                         .withdraw = withdraw,
                         .explain = explain,
                         .weigh = weigh};
}

int32_t admission_in_use(struct admission *admission)
{
    MUTEX_GUARD(&admission->lock);
    return admission->in_use;
}

struct admission_facts admission_facts(struct admission *admission)
{
    MUTEX_GUARD(&admission->lock);
    return (struct admission_facts){.in_use = admission->in_use,
                                    .capacity = admission->capacity,
                                    .reserved = admission->reserved,
                                    .waits = admission->waits_count};
}

struct party_facts admission_party_facts(struct admission *admission, const struct party *party)
{
    MUTEX_GUARD(&admission->lock);
    struct party_facts facts = {.in_use = party->in_use,
                                .max_weight = party->max_weight,
                                .reserve = party->reserve,
                                .waits = party->jobs_aside + (party->waits ? 1 : 0)};
    if (party->waits) {
        facts.asked = party->own.asked;
        facts.since_ns = party->own.since_ns;
    }
    return facts;
}
