#include "store/ledger_company.h"

#include "support/clock.h"

#define EXPECT_MOST_NS (1 * NS_PER_MS) /* a commit may have taken a checkpoint, or a slow disk */

enum { IN_VAIN_MOST = 6 };

static void learn(struct ledger_company *company, size_t told)
{
    if (told >= company->expected) {
        company->in_vain = 0;
        return;
    }
    if (company->in_vain < IN_VAIN_MOST)
        company->in_vain++;
    company->unasked = 1U << company->in_vain;
}

void ledger_company_wrote(struct ledger_company *company, size_t told, size_t waiting,
                          int64_t took_ns)
{
    if (company->expected > 1)
        learn(company, told);
    company->expected = told + waiting;
    company->until_ns =
        clock_now_ns() + (took_ns / 2 < EXPECT_MOST_NS ? took_ns / 2 : EXPECT_MOST_NS);
    if (company->unasked > 0) {
        company->unasked--;
        company->expected = 0;
    }
}

bool ledger_company_lacks(const struct ledger_company *company, size_t waiting)
{
    return company->expected > 1 && waiting < company->expected &&
           clock_now_ns() < company->until_ns;
}
