/* deadly: tasks that end the process that they run in, by a signal or by exit, unless a file spares it. */
#include <sluice/plugin.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_NS 5000000

struct deadly_params {
    int by;
    const char *open;
    const char *spared;
};

static const char *const ways[] = {"segv", "abort", "kill", "exit", NULL};

static const struct sluice_param deadly_table[] = {
    SLUICE_ENUM(struct deadly_params, by, .choices = ways, .def = "segv", .help = "what ends it"),
    SLUICE_STRING(struct deadly_params, open, .help = "not before this file is there"),
    SLUICE_STRING(struct deadly_params, spared, .help = "if this file is there, nothing is ended"),
    SLUICE_PARAMS_END,
};

static void end_process(int by)
{
    static int *volatile nowhere = (int *)16;

    switch (by) {
    case 0:
        *nowhere = 1;
        break;
    case 1:
        abort();
    case 2:
        raise(SIGKILL);
        break;
    default:
        exit(0);
    }
}

static enum sluice_status deadly(const struct sluice_call *call, const void *params)
{
    const struct deadly_params *p = params;

    while (p->open != NULL && access(p->open, F_OK) != 0)
        if (!sluice_wait(call, LOOK_NS))
            return SLUICE_CANCELLED;
    if (p->spared == NULL || access(p->spared, F_OK) != 0)
        end_process(p->by);
    return SLUICE_OK;
}

static const struct sluice_type deadly_types[] = {
    {SLUICE_TYPE("deadly", "Ends its process."), .params = deadly_table,
     .params_size = sizeof(struct deadly_params), .execute = deadly},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("deadly", "1.0.0", "deadly", deadly_types)
