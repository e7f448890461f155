/* fail: every way in which a task can end but well, and texts that are hard to show. */
#include <sluice/plugin.h>

#include <unistd.h>

struct fail_params {
    const char *code;
    const char *message;
    const char *pin;
};

static const struct sluice_param fail_table[] = {
    SLUICE_STRING(struct fail_params, code, .def = "broken", .help = "the reason"),
    SLUICE_STRING(struct fail_params, message, .def = "it broke", .help = "the message"),
    SLUICE_STRING(struct fail_params, pin, .secret = true, .help = "shown to nobody"),
    SLUICE_PARAMS_END,
};

struct again_params {
    const char *tries;
    int64_t until;
};

static const struct sluice_param again_table[] = {
    SLUICE_STRING(struct again_params, tries, .required = true,
                  .help = "file that grows by a byte"),
    SLUICE_INT(struct again_params, until, .def = "3", .min = 1, .max = 1000,
               .help = "its size at the end"),
    SLUICE_PARAMS_END,
};

struct flaky_params {
    int64_t until;
    bool hang;
};

static const struct sluice_param flaky_table[] = {
    SLUICE_INT(struct flaky_params, until, .def = "2", .min = 1, .max = 1000000, .help = "the attempt that succeeds"),
    SLUICE_BOOL(struct flaky_params, hang, .help = "those before do not end by themselves"),
    SLUICE_PARAMS_END,
};

static enum sluice_status fail(const struct sluice_call *call, const void *params)
{
    const struct fail_params *p = params;
    return sluice_fail(call, p->code, "%s", p->message);
}

static enum sluice_status fail_for_good(const struct sluice_call *call, const void *params)
{
    const struct fail_params *p = params;
    return sluice_fail_for_good(call, p->code, "%s", p->message);
}

static enum sluice_status fail_status(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return (enum sluice_status)57;
}

/* A message and an output with colours, a newline, and bytes that are not UTF-8. */
static enum sluice_status fail_ugly(const struct sluice_call *call, const void *params)
{
    (void)params;
    sluice_log(call, SLUICE_DEBUG, "one\ntwo \"\033[31m\" \xff");
    sluice_output(call, "ugly",
                  "a\xff"
                  "b\nc");
    return sluice_fail(call, "ugly", "one\ntwo \033[31mred\xff end");
}

static enum sluice_status try_again(const struct sluice_call *call, const void *params)
{
    const struct again_params *p = params;
    FILE *file = fopen(p->tries, "a");

    if (file == NULL)
        return sluice_fail(call, "cannot_open", "%s", p->tries);
    fputc('x', file);
    long size = ftell(file);
    fclose(file);
    return size >= p->until ? SLUICE_OK : sluice_try_again(call, 1000000);
}

/* Each attempt says who it is, so that the order of attempts can be seen. */
static enum sluice_status flaky(const struct sluice_call *call, const void *params)
{
    const struct flaky_params *p = params;
    int64_t attempt = sluice_attempt(call);

    sluice_output(call, "attempt", attempt < p->until ? "early" : "last");
    if (attempt >= p->until)
        return SLUICE_OK;
    while (p->hang && !sluice_cancelled(call))
        sluice_wait(call, 1000000000);
    return sluice_fail(call, "flaky", "attempt %lld", (long long)attempt);
}

static const struct sluice_type fail_types[] = {
    {SLUICE_TYPE("fail", "Fails."), .params = fail_table, .params_size = sizeof(struct fail_params),
     .execute = fail},
    {SLUICE_TYPE("fail_for_good", "Fails, and says that no retry helps."), .params = fail_table,
     .params_size = sizeof(struct fail_params), .execute = fail_for_good},
    {SLUICE_TYPE("fail_status", "Answers what no plugin may."), .execute = fail_status},
    {SLUICE_TYPE("fail_ugly", "Fails with a message that is no text."), .execute = fail_ugly},
    {SLUICE_TYPE("try_again", "Asks for another try until a file has grown."),
     .params = again_table, .params_size = sizeof(struct again_params), .execute = try_again},
    {SLUICE_TYPE("flaky", "Fails until an attempt."),
     .params = flaky_table, .params_size = sizeof(struct flaky_params), .execute = flaky},
    {SLUICE_TYPE("flaky_thrice", "The same, and asks for three attempts."),
     .params = flaky_table, .params_size = sizeof(struct flaky_params), .execute = flaky,
     .retry = {.attempts = 3, .delay_ns = 1000000}},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("fail", "1.0.0", "fail fail_for_good fail_status fail_ugly try_again flaky flaky_thrice", fail_types)
