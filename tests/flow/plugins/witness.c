/* witness: hands out as outputs what its calls and its init were given, and uses every service once. */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/plugin.h>

struct witness_params {
    bool flag;
    int64_t count;
    double ratio;
    const char *text;
    int64_t pause;
    uint64_t room;
    int colour;
    struct sluice_list list;
    struct sluice_map map;
    const char *json;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

static const struct sluice_param witness_table[] = {
    SLUICE_BOOL(struct witness_params, flag),
    SLUICE_INT(struct witness_params, count, .def = "-7"),
    SLUICE_FLOAT(struct witness_params, ratio),
    SLUICE_STRING(struct witness_params, text),
    SLUICE_DURATION(struct witness_params, pause, .def = "1m30s"),
    SLUICE_SIZE(struct witness_params, room),
    SLUICE_ENUM(struct witness_params, colour, .def = "green", .choices = colours),
    SLUICE_LIST(struct witness_params, list),
    SLUICE_MAP(struct witness_params, map),
    SLUICE_ANY(struct witness_params, json),
    SLUICE_PARAMS_END,
};

static void say_number(const struct sluice_call *call, const char *name, int64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, number);
    sluice_output(call, name, text);
}

static void say_text(const struct sluice_call *call, const char *name, const char *text)
{
    sluice_output(call, name, text ? text : "(none)");
}

static enum sluice_status say_params(const struct sluice_call *call, const void *params)
{
    const struct witness_params *p = params;
    say_number(call, "flag", p->flag);
    say_number(call, "count", p->count);
    say_number(call, "thousandths", (int64_t)(p->ratio * 1000));
    say_text(call, "text", p->text);
    say_number(call, "pause_ms", p->pause / 1000000);
    say_number(call, "room", (int64_t)p->room);
    say_text(call, "colour", colours[p->colour]);
    say_number(call, "items", (int64_t)p->list.count);
    say_text(call, "last_item", p->list.count ? p->list.items[p->list.count - 1] : NULL);
    say_number(call, "pairs", (int64_t)p->map.count);
    say_text(call, "first_key", p->map.count ? p->map.pairs[0].key : NULL);
    say_text(call, "first_value", p->map.count ? p->map.pairs[0].value : NULL);
    say_text(call, "json", p->json);
    return SLUICE_OK;
}

static enum sluice_status say_call(const struct sluice_call *call, const void *params)
{
    (void)params;
    struct pollfd fd = {.fd = sluice_cancel_fd(call), .events = POLLIN};
    const char *memory = sluice_alloc(call, 4096);
    say_text(call, "task", sluice_task_id(call));
    say_number(call, "job_id_length", (int64_t)strlen(sluice_job_id(call)));
    say_number(call, "attempt", sluice_attempt(call));
    say_text(call, "key", sluice_idempotency_key(call));
    say_text(call, "region", sluice_label(call, "region"));
    say_text(call, "zone", sluice_label(call, "zone"));
    say_number(call, "node_length", (int64_t)strlen(sluice_node(call)));
    say_number(call, "deadline_is_set", sluice_deadline(call) != INT64_MAX);
    say_number(call, "cancel_fd_ready", poll(&fd, 1, 0));
    say_number(call, "cancelled", sluice_cancelled(call));
    say_number(call, "memory_is_zero", memory && memory[0] == 0 && memory[4095] == 0);
    say_text(call, "self", sluice_self(call));
    say_text(call, "worker", sluice_worker(call));
    sluice_progress(call, 1, 1);
    return SLUICE_OK;
}

/* Gives the task back once. */
static enum sluice_status come_again(const struct sluice_call *call, const void *params)
{
    static _Atomic int calls;
    (void)params;
    if (calls++ == 0)
        return sluice_try_again(call, 50000000);
    say_number(call, "attempt", sluice_attempt(call));
    return SLUICE_OK;
}

/* init: the value of the key "greeting"; the key "refuse" is refused with its value as the reason. */
static bool witness_init(const struct sluice_host *host, const struct sluice_settings *settings,
                         void **self, struct sluice_error *err)
{
    for (uint32_t i = 0; i < settings->count; i++) {
        if (strcmp(settings->pairs[i].key, "refuse") == 0)
            return sluice_error_set(err, "told to refuse: %s", settings->pairs[i].value);
        if (strcmp(settings->pairs[i].key, "greeting") == 0)
            *self = strdup(settings->pairs[i].value);
    }
    sluice_host_log(host, SLUICE_INFO, "witness has %u settings", settings->count);
    return true;
}

static void witness_deinit(void *self)
{
    free(self);
}

static bool witness_worker_init(void *self, void **worker, struct sluice_error *err)
{
    (void)self;
    (void)err;
    *worker = strdup("made by worker_init");
    return *worker != NULL;
}

static void witness_worker_exit(void *self, void *worker)
{
    (void)self;
    free(worker);
}

static const struct sluice_type witness_types[] = {
    {SLUICE_TYPE("witness.params", "What its parameters are."), .params = witness_table,
     .params_size = sizeof(struct witness_params), .execute = say_params},
    {SLUICE_TYPE("witness.call", "What a call offers."), .execute = say_call,
     .worker_init = witness_worker_init, .worker_exit = witness_worker_exit},
    {SLUICE_TYPE("witness.again", "Comes again."), .flags = SLUICE_SERIAL, .execute = come_again},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("witness", "1.0.0", "witness.params witness.call witness.again", witness_types,
              .init = witness_init, .deinit = witness_deinit)
