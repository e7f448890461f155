/* ledger_company: for whom it pays to wait before a commit. Who was told that it is on disk often
 * comes again at once; one commit for all who come and go together costs little more than one for
 * each. So those who were just told, and those who came meanwhile, are expected, for half as long
 * as the commit has taken, a millisecond at most; and if they do not all come, not for some commits
 * from then on.
 *
 * The idea is PostgreSQL's commit_delay and commit_siblings; that it learns whether it pays is not.
 *
 * Embedded in ledger_pace; all with the store's lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ledger_company {
    size_t expected;  /* who come, and are there; below 2: nobody is waited for */
    int64_t until_ns; /* for so long */
    unsigned in_vain; /* how often in a row not all have come */
    unsigned unasked; /* so many commits do not wait */
};

/* Notes a commit that has told some, while others have come since it began. */
void ledger_company_wrote(struct ledger_company *company, size_t told, size_t waiting,
                          int64_t took_ns);

/* Returns whether more than those who wait already are still expected. One alone never is: he would
 * be waited for by nobody. */
bool ledger_company_lacks(const struct ledger_company *company, size_t waiting);
