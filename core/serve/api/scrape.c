/* What Prometheus scrapes. */
#include <stdlib.h>
#include <string.h>

#include "accept/inbound.h"
#include "dispatch/admission.h"
#include "dispatch/router.h"
#include "dispatch/scheduler.h"
#include "outcome/delayed.h"
#include "serve/api/internal.h"
#include "serve/metrics.h"
#include "support/clock.h"
#include "support/memory.h"

/* What a scrape gathers before it becomes text. */
struct scrape {
    struct stages *stages;
    int64_t now_ns;
    struct metrics_group *groups;
    size_t groups_count;
    struct metrics_count *dead;
    size_t dead_count;
    struct metrics_count rejected[SUBMISSION_ANSWER_COUNT];
    size_t rejected_count;
};

static void add_group(void *context, const struct router_facts *router)
{
    struct scrape *scrape = context;
    struct group_facts facts = group_facts(router->group);
    struct party_facts party =
        admission_party_facts(scrape->stages->admission, group_party(router->group));

    scrape->groups = memory_grow(scrape->groups, scrape->groups_count + 1, sizeof(*scrape->groups));
    scrape->groups[scrape->groups_count++] = (struct metrics_group){
        .name = facts.name,
        .type = router->type,
        .queued = facts.queued,
        .busy = facts.running,
        .stuck = facts.stuck,
        .oldest_waiting_ns = facts.oldest_ns == 0 ? 0 : scrape->now_ns - facts.oldest_ns,
        .waits_for_weight = party.waits > 0};
}

static bool add_dead(void *context, const char *type, uint64_t count)
{
    struct scrape *scrape = context;
    char *name = strdup(type);

    if (name == NULL)
        abort();
    scrape->dead = memory_grow(scrape->dead, scrape->dead_count + 1, sizeof(*scrape->dead));
    scrape->dead[scrape->dead_count++] = (struct metrics_count){name, count};
    return true;
}

static void gather_rejected(struct api *api, struct scrape *scrape)
{
    static const char *const reasons[SUBMISSION_ANSWER_COUNT] = {
        [SUBMISSION_INVALID] = "invalid_job",       [SUBMISSION_TOO_MANY] = "too_many_tasks",
        [SUBMISSION_PENDING_FULL] = "pending_full", [SUBMISSION_QUEUE_FULL] = "queue_full",
        [SUBMISSION_INBOUND_FULL] = "inbound_full", [SUBMISSION_STOPPING] = "stopping",
        [SUBMISSION_NOT_STORED] = "store_failed",
    };

    for (int answer = 0; answer < SUBMISSION_ANSWER_COUNT; answer++)
        if (reasons[answer] != NULL)
            scrape->rejected[scrape->rejected_count++] = (struct metrics_count){
                reasons[answer], host_refused(api->host, (enum submission_answer)answer)};
}

static void visit_plugins(void *registry,
                          void (*visit)(void *context, const struct registry_plugin *plugin),
                          void *context)
{
    registry_visit_plugins(registry, visit, context);
}

static void write_all(struct api *api, struct scrape *scrape, struct buffer *text)
{
    struct stages *stages = scrape->stages;
    struct admission_facts admission = admission_facts(stages->admission);
    struct metrics_sources sources = {
        .version = HOST_VERSION,
        .policy = stages->scheduler->name,
        .figures = stages->figures,
        .groups = scrape->groups,
        .groups_count = scrape->groups_count,
        .rejected = {scrape->rejected, scrape->rejected_count},
        .dead = {scrape->dead, scrape->dead_count},
        .reloads = host_reloads(api->host),
        .admission_in_use = (uint64_t)admission.in_use,
        .admission_capacity = (uint64_t)admission.capacity,
        .inbound_length = inbound_length(stages->inbound),
        .inbound_delayed = host_delayed(api->host),
        .delayed = delayed_count(stages->delayed) + host_aside_tasks(api->host),
        .store_commit = store_commit_times(stages->store),
        .registry = api->registry,
        .visit_plugins = visit_plugins,
    };

    metrics_write(text, &sources);
}

void api_metrics(void *context, struct http_request *request)
{
    struct api *api = context;
    struct scrape scrape = {.stages = host_stages(api->host), .now_ns = clock_now_ns()};
    struct buffer text = BUFFER_EMPTY;
    struct error error; /* a store that fails shows no dead letters here */

    router_visit(scrape.stages->router, add_group, &scrape);
    store_visit_dead_types(scrape.stages->store, add_dead, &scrape, &error);
    gather_rejected(api, &scrape);
    write_all(api, &scrape, &text);
    for (size_t i = 0; i < scrape.dead_count; i++)
        free((char *)scrape.dead[i].label);
    free(scrape.dead);
    free(scrape.groups);
    http_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", &text);
}
