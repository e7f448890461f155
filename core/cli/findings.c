#include "cli/findings.h"

#include <stdio.h>
#include <string.h>

#include "support/cleanup.h"
#include "support/utf8.h"

/* The rules as the header of the SDK has them, in the fewest words. */
static const char *const rules[] = {
    NULL,
    "a call is over when execute returns",
    "pointers live until the function returns",
    "no threads, handlers or changes of the process are left behind",
    "no exception, longjmp or exit across the border",
    "look at sluice_cancelled every 100 ms",
};

void findings_init(struct findings *findings, enum format format, enum findings_shown shown)
{
    *findings = (struct findings){.list = json_array(), .format = format, .shown = shown};
    if (findings->list == NULL)
        abort();
}

void findings_fini(struct findings *findings)
{
    json_decref(findings->list);
}

static void add_json(struct findings *findings, const char *check, int rule, const char *ok,
                     const char *text)
{
    json_t *finding = json_pack("{ss, ss, ss}", "check", check, "result", ok, "text", text);

    if (rule > 0)
        json_object_set_new(finding, "rule", json_sprintf("R%d", rule));
    json_array_append_new(findings->list, finding);
}

void findings_ok(struct findings *findings, const char *check, const char *text)
{
    CLEANUP(cleanup_free) char *clean = utf8_clean_line(text, strlen(text));

    add_json(findings, check, 0, "ok", clean);
    if (findings->format == FORMAT_TEXT && findings->shown == FINDINGS_ALL)
        printf("ok      %-9s %s\n", check, clean);
    fflush(stdout);
}

bool findings_failed(struct findings *findings, const char *check, int rule, const char *why)
{
    CLEANUP(cleanup_free) char *clean = utf8_clean_line(why, strlen(why));

    add_json(findings, check, rule, "failed", clean);
    findings->failed++;
    if (findings->format != FORMAT_TEXT)
        return false;
    printf("FAILED  %-9s %s", check, clean);
    if (rule > 0)
        printf(" (R%d: %s)", rule, rules[rule]);
    printf("\n");
    fflush(stdout);
    return false;
}
