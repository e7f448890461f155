#include "accept/job_file/job_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suggest.h"

enum { NOT_IN_DEFAULTS, IN_DEFAULTS };

static const struct key_word job_words[] = {
#define JOB_KEY(name, word, kind, help)                                                            \
    [JOB_KEY_##name] = {word, sizeof(word) - 1, false, KEY_KIND_##kind, help},
#include "accept/job_file/job_keys.def"
#undef JOB_KEY
};

static const struct key_word task_words[] = {
#define TASK_KEY(name, word, where, kind, help)                                                    \
    [TASK_KEY_##name] = {word, sizeof(word) - 1, where, KEY_KIND_##kind, help},
#include "accept/job_file/job_keys.def"
#undef TASK_KEY
};

static const struct key_word retry_words[] = {
#define RETRY_KEY(name, word, kind, help)                                                          \
    [RETRY_KEY_##name] = {word, sizeof(word) - 1, true, KEY_KIND_##kind, help},
#include "accept/job_file/job_keys.def"
#undef RETRY_KEY
};

static const struct key_word each_words[] = {
#define EACH_KEY(name, word, kind, help)                                                           \
    [EACH_KEY_##name] = {word, sizeof(word) - 1, false, KEY_KIND_##kind, help},
#include "accept/job_file/job_keys.def"
#undef EACH_KEY
};

const struct key_set job_keys = {"a job", job_words, JOB_KEY_COUNT};
const struct key_set task_keys = {"a task", task_words, TASK_KEY_COUNT};
const struct key_set retry_keys = {"retry", retry_words, RETRY_KEY_COUNT};
const struct key_set each_keys = {"items of for_each", each_words, EACH_KEY_COUNT};

static bool is_word(const struct key_word *word, const struct yaml_node *key)
{
    return word->length == key->length && memcmp(word->word, key->text, key->length) == 0;
}

int key_find(const struct key_set *set, const struct yaml_node *key, int *next)
{
    for (int i = 0; i < set->count; i++) {
        int at = *next + i < set->count ? *next + i : *next + i - set->count;
        if (is_word(&set->words[at], key)) {
            *next = at + 1 < set->count ? at + 1 : 0;
            return at;
        }
    }
    return -1;
}

static char *hint_write(const char *format, const char *word)
{
    char *hint;
    if (asprintf(&hint, format, word) < 0) /* NOLINT(clang-diagnostic-format-nonliteral) */
        abort();
    return hint;
}

char *key_hint(const struct key_set *set, const struct yaml_node *key)
{
    struct suggest suggest;
    suggest_begin(&suggest, key->text, key->length);
    for (int i = 0; i < set->count; i++)
        suggest_offer(&suggest, set->words[i].word);
    return suggest.best == NULL ? NULL : hint_write("did you mean '%s'?", suggest.best);
}
