#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "accept/job_file/template.h"
#include "support/buffer.h"

/* Takes a text apart: T text, V name, ... with a bar behind each part. */
static const char *parts_of(const char *text, struct buffer *parts)
{
    static const char letters[] = {
        [TEMPLATE_TEXT] = 'T', [TEMPLATE_VARS] = 'V',  [TEMPLATE_ENV] = 'E',
        [TEMPLATE_EACH] = 'I', [TEMPLATE_TASKS] = 'D', [TEMPLATE_UNKNOWN] = 'U',
        [TEMPLATE_OPEN] = 'O'};
    struct template template = {text, text + strlen(text)};
    struct template_part part;
    parts->length = 0;
    while (template_next(&template, &part)) {
        bool own = part.kind == TEMPLATE_TEXT || part.kind == TEMPLATE_OPEN;
        buffer_printf(parts, "%c %.*s|", letters[part.kind],
                      (int)(own ? part.length : part.name_length), own ? part.text : part.name);
    }
    return buffer_text(parts);
}

Test(template, takes_a_text_apart_at_its_references)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"plain", "T plain|"},
        {"${vars.out}/a", "V out|T /a|"},
        {"a${env.HOME}${each.x.y}b", "T a|E HOME|I x.y|T b|"},
        {"${tasks.a.b.status}", "D a.b.status|"},
        {"${}${x}${varsx}${vars}", "U |U x|U varsx|U vars|"},
        {"${vars.}", "V |"},
        {"a $b $ $", "T a $b $ $|"},
        {"$${x}", "T ${|T x}|"},
        {"$$${x}$$", "T $|T ${|T x}$$|"},
        {"a${vars.x", "T a|O ${vars.x|"},
        {"${a${vars.x}", "U a${vars.x|"},
    };
    struct buffer parts = BUFFER_EMPTY;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        cr_assert(eq(str, (char *)parts_of(pairs[i][0], &parts), (char *)pairs[i][1]));
    buffer_fini(&parts);
}

Test(template, knows_whether_a_text_is_all_its_own)
{
    cr_assert(not(template_has_reference("$5 $${x} $", 10)));
    cr_assert(template_has_reference("a${x}", 5));
    cr_assert(not(template_has_reference("", 0)));
}
