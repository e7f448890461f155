/* probe: notes how long each task was on its way from its submission to its start. Of settings it
 * takes `tasks`, how many there will be, and `file`, to which it writes at the end how many came,
 * the sum of their n, and how long they were on their way, in microseconds:
 *   tasks 1000000 sum 499999500000 p50 12.3 p99 80.1 max 700.0 */
#include <sluice/plugin.h>

#include <stdlib.h>
#include <time.h>

enum { TASKS_MOST = 10 * 1000 * 1000 };

struct probe {
    int64_t *taken_ns; /* by n; -1: has not come. Each is written by the one call that has it */
    int64_t tasks;
    char *file;
};

struct probe_params {
    int64_t n, at;
};

static const struct sluice_param probe_table[] = {
    SLUICE_INT(struct probe_params, n, .required = true, .help = "which task, from 0"),
    SLUICE_INT(struct probe_params, at, .required = true,
               .help = "when it was submitted, in ns of the monotonic clock"),
    SLUICE_PARAMS_END,
};

static enum sluice_status probe(const struct sluice_call *call, const void *params)
{
    const struct probe_params *p = params;
    const struct probe *probe = sluice_self(call);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (p->n < 0 || p->n >= probe->tasks)
        return sluice_fail(call, "out_of_range", "n is %lld of %lld", (long long)p->n,
                           (long long)probe->tasks);
    probe->taken_ns[p->n] = now.tv_sec * INT64_C(1000000000) + now.tv_nsec - p->at;
    return SLUICE_OK;
}

static const char *setting(const struct sluice_settings *settings, const char *key)
{
    for (uint32_t i = 0; i < settings->count; i++)
        if (strcmp(settings->pairs[i].key, key) == 0)
            return settings->pairs[i].value;
    return "";
}

static bool probe_create(const struct sluice_host *host, const struct sluice_settings *settings,
                         void **self, struct sluice_error *err)
{
    (void)host;
    int64_t tasks = strtoll(setting(settings, "tasks"), NULL, 10);
    if (tasks <= 0 || tasks > TASKS_MOST)
        return sluice_error_set(err, "the setting 'tasks' is not from 1 to %d", TASKS_MOST);
    struct probe *made = calloc(1, sizeof *made);
    int64_t *taken_ns = calloc((size_t)tasks, sizeof *taken_ns);
    char *file = strdup(setting(settings, "file"));
    if (made == NULL || taken_ns == NULL || file == NULL) {
        free(made);
        free(taken_ns);
        free(file);
        return sluice_error_set(err, "no memory");
    }
    memset(taken_ns, -1, (size_t)tasks * sizeof *taken_ns); /* no first touch during a call */
    *made = (struct probe){.taken_ns = taken_ns, .tasks = tasks, .file = file};
    *self = made;
    return true;
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static double at_us(const int64_t *sorted, int64_t count, double part)
{
    int64_t index = (int64_t)((double)(count - 1) * part);
    return count == 0 ? 0 : (double)sorted[index] / 1000;
}

static void write_result(const struct probe *probe, FILE *file)
{
    int64_t came = 0, sum = 0;
    for (int64_t n = 0; n < probe->tasks; n++) {
        if (probe->taken_ns[n] < 0)
            continue;
        probe->taken_ns[came++] = probe->taken_ns[n];
        sum += n;
    }
    qsort(probe->taken_ns, (size_t)came, sizeof *probe->taken_ns, compare);
    fprintf(file, "tasks %lld sum %lld p50 %.1f p99 %.1f max %.1f\n", (long long)came,
            (long long)sum, at_us(probe->taken_ns, came, 0.5), at_us(probe->taken_ns, came, 0.99),
            at_us(probe->taken_ns, came, 1));
}

static void probe_destroy(void *self)
{
    struct probe *probe = self;
    FILE *file = fopen(probe->file, "w");
    if (file != NULL) {
        write_result(probe, file);
        fclose(file);
    }
    free(probe->file);
    free(probe->taken_ns);
    free(probe);
}

static const struct sluice_type probe_types[] = {
    {SLUICE_TYPE("probe", "Notes when it starts."), .params = probe_table,
     .params_size = sizeof(struct probe_params), .flags = SLUICE_IDEMPOTENT, .execute = probe},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("probe", "1.0.0", "probe", probe_types, .init = probe_create, .deinit = probe_destroy)
