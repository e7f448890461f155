#include <criterion/criterion.h>

#include "store/ledger_company.h"
#include "support/clock.h"

enum { LONG_NS = 2000000000 }; /* so long has a commit taken */

static struct ledger_company company;

/* A commit has ended, after which somebody is expected for longer than a test takes. */
static void wrote(size_t told, size_t waiting)
{
    ledger_company_wrote(&company, told, waiting, LONG_NS);
    company.until_ns = clock_now_ns() + 3600 * NS_PER_S;
}

static void begin(void)
{
    company = (struct ledger_company){0};
}

TestSuite(ledger_company, .init = begin);

Test(ledger_company, nobody_is_expected_before_the_first_commit)
{
    cr_assert_not(ledger_company_lacks(&company, 0));
}

Test(ledger_company, who_comes_alone_never_waits)
{
    for (int i = 0; i < 10; i++) {
        wrote(1, 0);
        cr_assert_not(ledger_company_lacks(&company, 1));
    }
}

Test(ledger_company, two_who_took_turns_are_written_together)
{
    wrote(1, 1); /* one has come while the other was written */
    cr_assert(ledger_company_lacks(&company, 1));
    cr_assert_not(ledger_company_lacks(&company, 2));
    wrote(2, 0);
    cr_assert(ledger_company_lacks(&company, 1));
    cr_assert_not(ledger_company_lacks(&company, 2));
}

Test(ledger_company, nobody_is_waited_for_longer_than_half_a_commit)
{
    ledger_company_wrote(&company, 2, 0, 0);
    cr_assert_not(ledger_company_lacks(&company, 1));
}

Test(ledger_company, nobody_is_waited_for_longer_than_a_millisecond)
{
    ledger_company_wrote(&company, 2, 0, LONG_NS);
    cr_assert_leq(company.until_ns, clock_now_ns() + NS_PER_MS);
}

/* Returns after how many commits of one each, while another waits, some are waited for again. */
static int commits_until_asked(void)
{
    int commits = 0;
    do
        wrote(1, 1);
    while (commits++, !ledger_company_lacks(&company, 1));
    return commits;
}

Test(ledger_company, it_is_tried_less_and_less_often_when_nobody_comes)
{
    int last = commits_until_asked();
    cr_assert_eq(last, 1);
    for (int i = 0; i < 5; i++) {
        int commits = commits_until_asked();
        cr_assert_gt(commits, last);
        last = commits;
    }
    cr_assert_leq(last, 100);
    for (int i = 0; i < 5; i++)
        cr_assert_leq(commits_until_asked(), 100, "it is tried again at some time");
}

Test(ledger_company, it_is_tried_at_once_after_all_have_come)
{
    for (int i = 0; i < 5; i++)
        commits_until_asked();
    wrote(2, 0);
    wrote(2, 0);
    cr_assert(ledger_company_lacks(&company, 1));
}
