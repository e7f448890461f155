#include "store/stored.h"

#include <string.h>

static const char *const state_words[STORE_STATE_COUNT] = {
#define STATE(name, word, dead) [STORE_##name] = word,
#include "store/store_states.def"
#undef STATE
};

const char *store_state_word(enum store_state state)
{
    return state_words[state];
}

int store_state_find(const char *word)
{
    for (int state = 0; state < STORE_STATE_COUNT; state++)
        if (strcmp(state_words[state], word) == 0)
            return state;
    return -1;
}

static bool text_matches(const char *wanted, const char *text)
{
    return wanted == NULL || strcmp(wanted, text) == 0;
}

static bool label_matches(const struct store_query *query, const struct sluice_map *labels)
{
    if (query->label == NULL)
        return true;
    for (size_t i = 0; labels != NULL && i < labels->count; i++)
        if (strcmp(labels->pairs[i].key, query->label) == 0)
            return text_matches(query->label_value, labels->pairs[i].value);
    return false;
}

static bool last_attempt_matches(const struct store_query *query, const struct store_task *task)
{
    if (query->reason == NULL && query->since_wall_ns == 0)
        return true;
    if (task->attempts_count == 0)
        return false;
    const struct store_attempt *last = &task->attempts[task->attempts_count - 1];
    return text_matches(query->reason, last->reason) && last->ended_wall_ns >= query->since_wall_ns;
}

bool store_query_matches(const struct store_query *query, const struct store_task *task)
{
    return (query->job == 0 || query->job == task->job->key) &&
           (query->states == 0 || (query->states & STORE_SET(task->state)) != 0) &&
           text_matches(query->id, task->given.id) && text_matches(query->type, task->given.type) &&
           label_matches(query, task->given.labels) && last_attempt_matches(query, task);
}
