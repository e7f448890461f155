/* gate: tasks that a test can hold. A gate says that it has started by adding the number of its attempt to a file, and ends when
 * another file appears or it is cancelled; a deaf gate does not look whether it is cancelled, of narrow ones
 * only one is called at a time. One that has something to say logs it when it starts, and "through" when it was let through. */
#include <sluice/plugin.h>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 5000000

struct gate_params {
    const char *started;
    const char *open;
    const char *say;
};

static const struct sluice_param gate_table[] = {
    SLUICE_STRING(struct gate_params, started, .help = "made, or made longer, when a call begins"),
    SLUICE_STRING(struct gate_params, open, .required = true, .help = "when it is there, it ends"),
    SLUICE_STRING(struct gate_params, say, .help = "logged when a call begins"),
    SLUICE_PARAMS_END,
};

static void say_started(const struct sluice_call *call, const struct gate_params *p)
{
    if (p->started == NULL)
        return;
    int64_t attempt = sluice_attempt(call);
    char digit = (char)(attempt < 10 ? '0' + attempt : '+');
    int fd = open(p->started, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, &digit, 1) != 1)
        sluice_log(call, SLUICE_WARNING, "cannot write %s", p->started);
    if (fd >= 0)
        close(fd);
}

static enum sluice_status gate(const struct sluice_call *call, const void *params)
{
    const struct gate_params *p = params;

    if (p->say != NULL)
        sluice_log(call, SLUICE_DEBUG, "%s", p->say);
    say_started(call, p);
    while (access(p->open, F_OK) != 0)
        if (!sluice_wait(call, LOOK_NS))
            return SLUICE_CANCELLED;
    if (p->say != NULL)
        sluice_log(call, SLUICE_DEBUG, "through");
    return SLUICE_OK;
}

static enum sluice_status deaf_gate(const struct sluice_call *call, const void *params)
{
    const struct gate_params *p = params;
    const struct timespec look = {.tv_nsec = LOOK_NS};

    say_started(call, p);
    while (access(p->open, F_OK) != 0)
        nanosleep(&look, NULL);
    return SLUICE_OK;
}

static const struct sluice_type gate_types[] = {
    {SLUICE_TYPE("gate", "Waits for a file."), .params = gate_table,
     .params_size = sizeof(struct gate_params), .execute = gate},
    {SLUICE_TYPE("deaf_gate", "Waits for a file, cancelled or not."), .params = gate_table,
     .params_size = sizeof(struct gate_params), .execute = deaf_gate},
    {SLUICE_TYPE("narrow_gate", "Waits for a file, one call at a time."), .flags = SLUICE_SERIAL,
     .params = gate_table, .params_size = sizeof(struct gate_params), .execute = gate},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("gate", "1.0.0", "gate deaf_gate narrow_gate", gate_types)
