#include "cli/findings.h"

#include <stdio.h>
#include <string.h>

#include "support/cleanup.h"
#include "support/utf8.h"

/* The rules of the header of the SDK in the fewest words. */
static const char *const rules[FINDINGS_RULE_MOST + 1] = {
    [1] = "nothing of a call is touched after execute has returned",
    [2] = "pointers live until the function returns",
    [3] = "no threads or handlers are left, nothing of the process is changed",
    [4] = "no exception or longjmp across the border, no exit",
    [5] = "look at sluice_cancelled at least every 100 ms",
};

static const struct {
    const char *shown, *word;
} results[] = {
#define FINDING(name, shown_, word_) {.shown = shown_, .word = word_},
#include "cli/findings.def"
#undef FINDING
};

void findings_init(struct findings *findings)
{
    *findings = (struct findings){.list = json_array()};
    if (findings->list == NULL)
        abort();
}

void findings_fini(struct findings *findings)
{
    json_decref(findings->list);
}

static bool is_known(const struct findings *findings, const json_t *finding)
{
    for (size_t i = 0; i < json_array_size(findings->list); i++)
        if (json_equal(json_array_get(findings->list, i), finding))
            return true;
    return false;
}

static void print(const struct finding *finding, const char *text)
{
    printf("%-8s%-10s%s", results[finding->result].shown, finding->check, text);
    if (finding->rule > 0)
        printf(" (R%d: %s)", finding->rule, rules[finding->rule]);
    printf("\n");
    fflush(stdout); /* the next one may take a while */
}

bool findings_add(struct findings *findings, const struct finding *finding)
{
    bool failed = finding->result == FINDING_FAILED;
    CLEANUP(cleanup_free) char *text = utf8_clean_line(finding->text, strlen(finding->text));
    json_t *json = json_pack("{ss, ss, ss}", "check", finding->check, "result",
                             results[finding->result].word, "text", text);

    if (finding->rule > 0)
        json_object_set_new(json, "rule", json_sprintf("R%d", finding->rule));
    if (is_known(findings, json)) {
        json_decref(json);
        return !failed;
    }
    json_array_append_new(findings->list, json);
    findings->failed += failed;
    if (findings->format == FORMAT_TEXT && (failed || findings->shown == FINDINGS_ALL))
        print(finding, text);
    return !failed;
}

void findings_ok(struct findings *findings, const char *check, const char *text)
{
    findings_add(findings, &(struct finding){FINDING_OK, check, 0, text});
}

bool findings_failed(struct findings *findings, const char *check, const char *why)
{
    return findings_add(findings, &(struct finding){FINDING_FAILED, check, 0, why});
}
