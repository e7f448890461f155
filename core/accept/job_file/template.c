#include "accept/job_file/template.h"

#include <string.h>

static const struct {
    const char *word;
    size_t length;
    enum template_kind kind;
} scopes[] = {
    {"vars.", 5, TEMPLATE_VARS},
    {"env.", 4, TEMPLATE_ENV},
    {"each.", 5, TEMPLATE_EACH},
    {"tasks.", 6, TEMPLATE_TASKS},
};

/* Finds "${" or "$${"; the end if neither comes any more. */
static const char *dollar_find(const char *at, const char *end)
{
    for (; (at = memchr(at, '$', (size_t)(end - at))) != NULL; at++) {
        size_t left = (size_t)(end - at);
        if ((left >= 2 && at[1] == '{') || (left >= 3 && at[1] == '$' && at[2] == '{'))
            return at;
    }
    return end;
}

bool template_has_reference(const char *text, size_t length)
{
    struct template template = {text, text + length};
    struct template_part part;
    while (template_next(&template, &part))
        if (part.kind != TEMPLATE_TEXT)
            return true;
    return false;
}

static void read_reference(struct template *template, struct template_part *part)
{
    const char *from = template->at, *name = from + 2;
    const char *brace = memchr(name, '}', (size_t)(template->end - name));
    const char *behind = brace != NULL ? brace + 1 : template->end;
    size_t length = (size_t)((brace != NULL ? brace : template->end) - name);
    *part = (struct template_part){.kind = brace != NULL ? TEMPLATE_UNKNOWN : TEMPLATE_OPEN,
                                   .text = from,
                                   .length = (size_t)(behind - from),
                                   .name = name,
                                   .name_length = length};
    template->at = behind;
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0] && brace != NULL; i++) {
        if (length < scopes[i].length || memcmp(name, scopes[i].word, scopes[i].length) != 0)
            continue;
        part->kind = scopes[i].kind;
        part->name = name + scopes[i].length;
        part->name_length = length - scopes[i].length;
    }
}

bool template_next(struct template *template, struct template_part *part)
{
    if (template->at == template->end)
        return false;
    const char *dollar = dollar_find(template->at, template->end);
    if (dollar == template->at && dollar[1] == '{') {
        read_reference(template, part);
        return true;
    }
    bool escaped = dollar == template->at;
    *part = (struct template_part){.kind = TEMPLATE_TEXT,
                                   .text = template->at + escaped,
                                   .length = escaped ? 2 : (size_t)(dollar - template->at)};
    template->at = part->text + part->length;
    return true;
}
