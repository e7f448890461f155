#include "cli/pages.h"

#include "cli/field.h"
#include "support/cleanup.h"

/* Returns whether there is more to be visited. */
static bool visit_rows(const struct pages *pages, const json_t *answer)
{
    const json_t *rows = json_object_get(answer, pages->key);

    for (size_t i = 0; i < json_array_size(rows); i++)
        if (!pages->visit(pages->context, json_array_get(rows, i)))
            return false;
    return json_array_size(rows) > 0;
}

static json_t *page_ask(struct daemon *daemon, const struct pages *pages, const char *after,
                        int *code)
{
    CLEANUP(buffer_fini) struct buffer behind = BUFFER_EMPTY;

    buffer_printf(&behind, "%s?limit=%d", pages->behind == NULL ? "" : pages->behind, PAGES_ROWS);
    if (pages->query != NULL)
        buffer_printf(&behind, "&%s", pages->query);
    if (after[0] != '\0') {
        buffer_puts(&behind, "&after=");
        daemon_put_encoded(&behind, after);
    }
    const struct daemon_question question = {
        .before = pages->before, .name = pages->name, .behind = buffer_text(&behind)};
    return daemon_ask(daemon, &question, code);
}

bool pages_visit(struct daemon *daemon, const struct pages *pages, int *code)
{
    CLEANUP(buffer_fini) struct buffer after = BUFFER_EMPTY;
    bool more = true;

    buffer_puts(&after, pages->after == NULL ? "" : pages->after);
    while (more) {
        json_t *answer = page_ask(daemon, pages, buffer_text(&after), code);
        if (answer == NULL)
            return false;
        if (pages->note != NULL)
            pages->note(pages->context, answer);
        const char *next = field_text(answer, "next");
        more = visit_rows(pages, answer) && next[0] != '\0';
        after.length = 0;
        buffer_puts(&after, next);
        json_decref(answer);
    }
    return true;
}
