/* findings: what a look at a plugin has found, a line or a JSON object for each check, printed as
 * it comes. Embedded by a command; main thread. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "cli/options.h"

enum finding_result {
#define FINDING(name, shown, word) FINDING_##name,
#include "cli/findings.def"
#undef FINDING
    FINDING_COUNT,
};

enum findings_shown { FINDINGS_ALL, FINDINGS_FAILURES };

struct finding {
    enum finding_result result;
    const char *check; /* its name, a word */
    int rule;          /* the number of that of sluice/plugin.h which is broken; 0: none of them */
    const char *text;  /* what was found; may be a plugin's: what is no text in it is masked */
};

enum { FINDINGS_RULE_MOST = 5 };

struct findings {
    json_t *list; /* all of them */
    size_t failed;
    enum format format; /* with JSON nothing is printed */
    enum findings_shown shown;
};

/* Begins an empty list. */
void findings_init(struct findings *findings);

/* Frees it. Fits CLEANUP. */
void findings_fini(struct findings *findings);

/* Adds one, unless the very same was found before. Returns whether it is no failure. */
bool findings_add(struct findings *findings, const struct finding *finding);

/* Adds that a check was passed. */
void findings_ok(struct findings *findings, const char *check, const char *text);

/* Adds that one was not, for another reason than one of the rules; returns false. */
bool findings_failed(struct findings *findings, const char *check, const char *why);
