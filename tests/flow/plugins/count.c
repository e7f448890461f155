/* count: leaves a line in a file for every call, so that a test can see what ran, how often and in
 * which order. */
#include <sluice/plugin.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct count_params {
    const char *file;
};

static const struct sluice_param count_table[] = {
    SLUICE_STRING(struct count_params, file, .required = true, .help = "where the ids are added"),
    SLUICE_PARAMS_END,
};

/* One write a line, so that lines of several calls do not mix. */
static enum sluice_status count(const struct sluice_call *call, const void *params)
{
    const struct count_params *p = params;
    char line[256];
    int length = snprintf(line, sizeof line, "%s\n", sluice_task_id(call));
    int fd = open(p->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    if (fd < 0)
        return sluice_fail(call, "cannot_open", "%s", p->file);
    ssize_t written = write(fd, line, (size_t)length);
    close(fd);
    return written == length ? SLUICE_OK : sluice_fail(call, "cannot_write", "%s", p->file);
}

static const struct sluice_type count_types[] = {
    {SLUICE_TYPE("count", "Adds its id to a file."), .params = count_table,
     .params_size = sizeof(struct count_params), .execute = count},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("count", "1.0.0", "count", count_types)
