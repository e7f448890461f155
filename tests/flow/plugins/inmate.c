/* inmate: tells in which process it runs, by its output `pid`, and says what it is told in every way that there is; on the way it may
 * wait for a file, and end its process in its first attempts. `inmate.only` is never called in the host. It does not start while the file of
 * its setting `barred` is there. */
#include <sluice/plugin.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_NS 5000000

struct inmate_params {
    const char *say;
    const char *open;
    int64_t crashes;
};

static const struct sluice_param inmate_table[] = {
    SLUICE_STRING(struct inmate_params, say, .help = "said by stdout, stderr, print and log"),
    SLUICE_STRING(struct inmate_params, open, .help = "when it is there, it ends"),
    SLUICE_INT(struct inmate_params, crashes, .def = "0",
               .help = "how many attempts end the process"),
    SLUICE_PARAMS_END,
};

/* Some end with a line, some do not. */
static void say(const struct sluice_call *call, const char *text)
{
    char line[128];
    snprintf(line, sizeof line, "print %s\n", text);
    sluice_print(call, line, strlen(line));
    sluice_log(call, SLUICE_INFO, "log %s", text);
    fprintf(stderr, "stderr %s\n", text);
    printf("stdout %s\n", text);
    printf("partial %s", text);
}

static enum sluice_status inmate(const struct sluice_call *call, const void *params)
{
    const struct inmate_params *p = params;
    char pid[32];

    snprintf(pid, sizeof pid, "%d", (int)getpid());
    sluice_output(call, "pid", pid);
    if (p->say != NULL)
        say(call, p->say);
    if (sluice_attempt(call) <= (uint32_t)p->crashes)
        kill(getpid(), SIGKILL);
    sluice_progress(call, 3, 7);
    while (p->open != NULL && access(p->open, F_OK) != 0)
        if (!sluice_wait(call, LOOK_NS))
            return SLUICE_CANCELLED;
    return SLUICE_OK;
}

static const struct sluice_type inmate_types[] = {
    {SLUICE_TYPE("inmate", "Tells where it runs."), .params = inmate_table,
     .params_size = sizeof(struct inmate_params), .execute = inmate},
    {SLUICE_TYPE("inmate.only", "The same, in a worker process alone."), .params = inmate_table,
     .params_size = sizeof(struct inmate_params), .execute = inmate, .flags = SLUICE_PROCESS_ONLY},
    SLUICE_TYPES_END,
};

static bool init(const struct sluice_host *host, const struct sluice_settings *settings,
                 void **self, struct sluice_error *error)
{
    (void)host;
    (void)self;
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->pairs[i].key, "barred") == 0 &&
            access(settings->pairs[i].value, F_OK) == 0)
            return sluice_error_set(error, "the door is barred");
    return true;
}

SLUICE_PLUGIN("inmate", "1.0.0", "inmate inmate.only", inmate_types, .init = init)
