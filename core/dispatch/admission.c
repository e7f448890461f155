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
#include "dispatch/budget.h"
#include "dispatch/line.h"
#include "execute/group.h"
#include "support/clock.h"
#include "support/thread.h"

#define AUTO_STEP_NS INT64_C(10000000) /* weight auto: 1 for each started 10 ms */
enum { AUTO_SHARE = 4 };

struct party {
    struct party *next_made;
    struct share share;
    bool waits;          /* .own is in a line */
    uint32_t jobs_aside; /* that wait beside it */
    struct wait own;
};

struct admission {
    struct mutex lock;
    /* guarded by lock */
    struct budget budget;
    uint32_t waits_count; /* in both lines */
    struct line waiting, held;
    struct party *made;
};

struct admission *admission_create(int32_t capacity)
{
    struct admission *admission = calloc(1, sizeof *admission);
    if (admission == NULL)
        abort();
    admission->budget.capacity = capacity;
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
    assert(admission->budget.in_use == 0);
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
    party->share.max_weight = max_weight;
    party->share.reserve = reserve;
    MUTEX_GUARD(&admission->lock);
    admission->budget.reserved += reserve;
    assert(admission->budget.reserved < admission->budget.capacity); /* others can always go */
    party->next_made = admission->made;
    admission->made = party;
    return party;
}

/* Whoever can go on its reserve alone need not stand in line. */
static bool may_pass(const struct admission *admission, const struct party *party, int32_t weight)
{
    bool on_reserve = budget_is_reserved(&party->share, weight);
    return on_reserve || (admission->waiting.head == NULL &&
                          budget_has_room(&admission->budget, &party->share, weight));
}

/* A cap is reached: it waits until weight of that group or job comes back. */
static void hold(struct admission *admission, struct wait *wait)
{
    line_push(&admission->held, wait);
    if (!budget_job_allows(wait->job, wait->asked))
        wait->job->held_count++;
}

static bool wait_allowed(const struct wait *wait)
{
    return budget_allows(&wait->party->share, wait->job, wait->asked);
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
    int32_t asked = budget_clamp(&admission->budget, &party->share, job, weight);
    bool aside = !budget_job_allows(job, asked);
    bool allowed = budget_allows(&party->share, job, asked);
    if (allowed && may_pass(admission, party, asked)) {
        *grant = budget_take(&admission->budget, &party->share, job, asked);
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
        bool goes = blocked ? budget_is_reserved(&party->share, wait->asked)
                            : budget_has_room(&admission->budget, &party->share, wait->asked);
        if (!wait->aside && !budget_job_allows(wait->job, wait->asked)) {
            wait_end(admission, wait);
            line_push(granted, wait); /* with nothing: see tell */
        } else if (!wait_allowed(wait)) {
            hold(admission, wait);
        } else if (goes) {
            wait->grant = budget_take(&admission->budget, &party->share, wait->job, wait->asked);
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
    budget_put_back(&admission->budget, &party->share, grant);
    job_let_go(grant->job);
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
        wait->asked =
            budget_clamp(&admission->budget, &wait->party->share, wait->job, wait->wanted);
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
    assert(admission->budget.reserved < capacity);
    admission->budget.capacity = capacity;
    limits_changed(admission, &granted);
    mutex_unlock(&admission->lock);
    tell(admission, &granted);
}

void admission_set_cap(struct admission *admission, struct party *party, int32_t max_weight)
{
    struct line granted;
    mutex_lock(&admission->lock);
    party->share.max_weight = max_weight;
    limits_changed(admission, &granted);
    mutex_unlock(&admission->lock);
    tell(admission, &granted);
}

static int32_t weigh(void *context, int64_t mean_run_ns)
{
    const struct admission *admission = context;
    int64_t weight = mean_run_ns == 0 ? 1 : (mean_run_ns + AUTO_STEP_NS - 1) / AUTO_STEP_NS;
    int32_t capacity = atomic_load_explicit(&admission->budget.capacity, memory_order_relaxed);
    int32_t most = capacity / AUTO_SHARE > 1 ? capacity / AUTO_SHARE : 1;
    return weight < most ? (int32_t)weight : most;
}

static struct gate_reason explain(void *context, struct group *group, const struct job *job,
                                  int32_t weight)
{
    struct admission *admission = context;
    const struct party *party = group_party(group);
    MUTEX_GUARD(&admission->lock);
    int32_t needs = budget_clamp(&admission->budget, &party->share, job, weight);
    struct gate_reason reason = budget_explain(&admission->budget, &party->share, job, needs);
    if (reason.limit == GATE_FREE && !may_pass(admission, party, needs))
        reason.limit = GATE_IN_LINE;
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
    return admission->budget.in_use;
}

struct admission_facts admission_facts(struct admission *admission)
{
    MUTEX_GUARD(&admission->lock);
    return (struct admission_facts){.in_use = admission->budget.in_use,
                                    .capacity = admission->budget.capacity,
                                    .reserved = admission->budget.reserved,
                                    .waits = admission->waits_count};
}

struct party_facts admission_party_facts(struct admission *admission, const struct party *party)
{
    MUTEX_GUARD(&admission->lock);
    struct party_facts facts = {.in_use = party->share.in_use,
                                .max_weight = party->share.max_weight,
                                .reserve = party->share.reserve,
                                .waits = party->jobs_aside + (party->waits ? 1 : 0)};
    if (party->waits) {
        facts.asked = party->own.asked;
        facts.since_ns = party->own.since_ns;
    }
    return facts;
}
