#include "serve/stored_json.h"

#include <stdio.h>

#include "serve/json_text.h"

enum { NAME_BYTES = STORE_HOLDER_BYTES };

json_t *stored_job_json(const struct store_job *job)
{
    bool over = job->sealed && job->by_state[STORE_UNFINISHED] == 0;
    json_t *json =
        json_pack("{ss so so so ss sI}", "id", job->given.id, "name",
                  json_text_or_null(job->given.name), "file", json_text_or_null(job->given.file),
                  "submitted", json_wall_time(job->given.submitted_wall_ns), "state",
                  over ? "over" : "unfinished", "tasks", (json_int_t)job->tasks_count);
    for (int state = 0; state < STORE_STATE_COUNT; state++)
        json_object_set_new(json, store_state_word((enum store_state)state),
                            json_integer(job->by_state[state]));
    return json;
}

/* When the last attempt began and how it ended; of an unfinished task that is not the current
 * one. */
static void add_last_attempt(json_t *json, const struct store_task *task)
{
    static const struct store_attempt none = {.reason = "", .message = ""};
    const struct store_attempt *last =
        task->attempts_count > 0 ? &task->attempts[task->attempts_count - 1] : &none;
    bool ended = task->state != STORE_UNFINISHED;

    json_object_set_new(json, "started", json_wall_time(ended ? last->started_wall_ns : 0));
    json_object_set_new(json, "ended", json_wall_time(ended ? last->ended_wall_ns : 0));
    json_object_set_new(json, "reason", json_text_or_null(last->reason));
    json_object_set_new(json, "message", json_text_or_null(last->message));
}

json_t *stored_task_json(const struct store_task *task, const char *now)
{
    const struct store_task_given *given = &task->given;
    const char *state =
        task->state == STORE_UNFINISHED && now != NULL ? now : store_state_word(task->state);
    char name[NAME_BYTES];

    snprintf(name, sizeof(name), "%s:%s", task->job->given.id, given->id);
    json_t *json = json_pack(
        "{ss ss ss ss ss sI sI si so so so}", "task", name, "job", task->job->given.id, "id",
        given->id, "type", given->type, "state", state, "attempt", (json_int_t)task->attempt,
        "line", (json_int_t)given->line, "priority", (int)given->priority, "weight",
        given->weight == TASK_WEIGHT_AUTO ? json_string("auto") : json_integer(given->weight),
        "labels", json_labels(given->labels), "due", json_wall_time(task->due_wall_ns));
    add_last_attempt(json, task);
    return json;
}

json_t *stored_attempts_json(const struct store_task *task)
{
    json_t *list = json_array();

    for (size_t i = 0; i < task->attempts_count; i++) {
        const struct store_attempt *attempt = &task->attempts[i];
        json_array_append_new(list,
                              json_pack("{sI sb so so so so}", "attempt",
                                        (json_int_t)attempt->attempt, "charged", attempt->charged,
                                        "started", json_wall_time(attempt->started_wall_ns),
                                        "ended", json_wall_time(attempt->ended_wall_ns), "reason",
                                        json_text_or_null(attempt->reason), "message",
                                        json_text_or_null(attempt->message)));
    }
    return list;
}
