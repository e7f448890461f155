#include "store/ledger_company.h"

#include "support/clock.h"

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
    if (company->expected > 0)
        learn(company, told);
    company->expected = told + waiting;
    company->until_ns = clock_now_ns() + took_ns / 2;
    if (company->unasked > 0) {
        company->unasked--;
        company->expected = 0;
    }
}

void ledger_company_hurry(struct ledger_company *company)
{
    company->expected = 0;
}

bool ledger_company_lacks(const struct ledger_company *company, size_t waiting)
{
    return waiting < company->expected && clock_now_ns() < company->until_ns;
}
