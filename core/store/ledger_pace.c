#include "store/ledger_pace.h"

#include "store/sqlite.h"
#include "support/clock.h"

void ledger_pace_said(struct ledger_pace *pace)
{
    if (pace->unseen_ns == 0 && pace->queue->pushed > pace->seen)
        pace->unseen_ns = clock_now_ns();
}

void ledger_pace_want(struct ledger_pace *pace, uint64_t until)
{
    if (pace->wanted < until)
        pace->wanted = until;
}

void ledger_pace_demand(struct ledger_pace *pace, uint64_t until)
{
    if (pace->demanded < until)
        pace->demanded = until;
}

uint64_t ledger_pace_look(struct ledger_pace *pace)
{
    pace->seen = pace->queue->pushed;
    pace->unseen_ns = 0;
    return pace->seen;
}

void ledger_pace_wrote(struct ledger_pace *pace, const struct sqlite_cursor *cursor,
                       int64_t took_ns, size_t told)
{
    pace->durable = cursor->passed;
    pace->durable_bytes = cursor->passed_bytes;
    pace->wrote_ns = clock_now_ns();
    ledger_company_wrote(&pace->company, told, pace->waits->count, took_ns);
}

static bool lacks_company(const struct ledger_pace *pace)
{
    return ledger_company_lacks(&pace->company, pace->waits->count);
}

bool ledger_pace_presses(const struct ledger_pace *pace)
{
    return pace->demanded > pace->durable || pace->seen > pace->durable ||
           (pace->wanted > pace->durable && !lacks_company(pace)) ||
           pace->queue->pushed - pace->durable >= SQLITE_COMMIT_RECORDS ||
           pace->queue->pushed_bytes - pace->durable_bytes >= SQLITE_COMMIT_BYTES;
}

int64_t ledger_pace_latest_ns(const struct ledger_pace *pace)
{
    bool is_new = pace->unseen_ns != 0 && pace->seen == pace->durable;

    return is_new ? pace->unseen_ns + pace->interval_ns : 0;
}

bool ledger_pace_is_late(const struct ledger_pace *pace)
{
    return pace->unseen_ns != 0 && clock_now_ns() >= ledger_pace_latest_ns(pace);
}

enum ledger_rest ledger_pace_rest(const struct ledger_pace *pace, int64_t *until_ns)
{
    bool is_new = pace->unseen_ns != 0;

    *until_ns = (is_new ? pace->unseen_ns : pace->wrote_ns) + pace->interval_ns;
    if (lacks_company(pace)) { /* who comes first does not wake it */
        if (!is_new || *until_ns > pace->company.until_ns)
            *until_ns = pace->company.until_ns;
        return LEDGER_DOZES;
    }
    return is_new || clock_now_ns() < *until_ns ? LEDGER_DOZES : LEDGER_SLEEPS;
}
