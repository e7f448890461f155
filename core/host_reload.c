/* Reloads of a host that goes on, and who waits for them. */
#include "host_internal.h"

/* Requests before a reload begins become one; those that come while it is under way, the next. The
 * lock is held. */
static bool ask_reload(struct host_served *served, struct host_reload *reload)
{
    struct host_asked *line = served->reloading ? &served->next : &served->now;
    if (reload != NULL) {
        reload->next = NULL;
        *line->last = reload;
        line->last = &reload->next;
    }
    bool begins = !served->reloading;
    served->reloading = true;
    return begins;
}

static void begin_reload(struct host *host, struct host_reload *reload)
{
    mutex_lock(&host->lock);
    bool begins = !host_serves(host) || ask_reload(&host->served, reload);
    mutex_unlock(&host->lock);
    if (begins)
        registry_reload(host->registry);
}

void host_reload(struct host *host, struct host_reload *reload)
{
    if (host->handlers.reread != NULL)
        host->handlers.reread(host->handlers.context, reload != NULL ? reload->report : NULL);
    begin_reload(host, reload);
}

static void add_up(struct registry_reloaded *sum, const struct registry_reloaded *one)
{
    sum->kept += one->kept;
    sum->replaced += one->replaced;
    sum->added += one->added;
    sum->removed += one->removed;
    sum->refused += one->refused;
}

/* Takes those who waited for the reload that is over; *again: others wait for the next. The lock is
 * held. */
static struct host_reload *take_asked(struct host_served *served, bool *again)
{
    struct host_reload *asked = served->now.first;
    *again = served->next.first != NULL;
    served->now = served->next;
    if (!*again)
        served->now.last = &served->now.first;
    served->next.first = NULL;
    served->next.last = &served->next.first;
    served->reloading = *again;
    return asked;
}

static void answer_asked(struct host_reload *asked, const struct registry_reloaded *reloaded)
{
    for (struct host_reload *next; asked != NULL; asked = next) {
        next = asked->next;
        asked->done(asked, reloaded);
    }
}

void host_give_up_reloads(struct host *host)
{
    bool again = true;
    while (again) {
        mutex_lock(&host->lock);
        struct host_reload *asked = take_asked(&host->served, &again);
        mutex_unlock(&host->lock);
        answer_asked(asked, NULL);
    }
}

void host_reloaded(void *context, const struct registry_reloaded *reloaded)
{
    struct host *host = context;
    bool again;
    if (!host_serves(host))
        return;
    mutex_lock(&host->lock);
    add_up(&host->served.reloads, reloaded);
    struct host_reload *asked = take_asked(&host->served, &again);
    mutex_unlock(&host->lock);
    answer_asked(asked, reloaded);
    if (again)
        registry_reload(host->registry);
}

struct registry_reloaded host_reloads(struct host *host)
{
    MUTEX_GUARD(&host->lock);
    return host->served.reloads;
}
