/* findings: what a look at a plugin has found, a line or a JSON object for each check, printed as
 * it comes. Embedded by a command; main thread. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "cli/options.h"

enum findings_shown { FINDINGS_ALL, FINDINGS_FAILURES };

struct findings {
    json_t *list; /* all of them */
    size_t failed;
    enum format format; /* with JSON nothing is printed */
    enum findings_shown shown;
};

/* Begins an empty list. */
void findings_init(struct findings *findings, enum format format, enum findings_shown shown);

/* Frees it. Fits CLEANUP. */
void findings_fini(struct findings *findings);

/* Adds that a check is passed, with a text about what was found. */
void findings_ok(struct findings *findings, const char *check, const char *text);

/* Adds that it is not, and why; rule is the number of that of sluice/plugin.h which is broken, 0:
 * none of them. Texts may be a plugin's: what is no text in them is masked. Returns false. */
bool findings_failed(struct findings *findings, const char *check, int rule, const char *why);
