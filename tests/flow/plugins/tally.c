/* tally: adds to a file, for every number, that a task with it ran and in which version of this
 * plugin. Tests make other versions by writing other digits over "0.0000" in copies of the object,
 * and read the file, which all generations share, when the run is over. Settings: `file`, `most`
 * (the numbers are less), `spin_us` (what a call takes). */
#include <sluice/plugin.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct record {
    _Atomic int64_t sum;      /* of all numbers that ran */
    _Atomic uint32_t marks[]; /* a number's runs, and 65536 times the sum of their versions */
};

struct tally {
    struct record *record;
    size_t bytes;
    int64_t most;
    int64_t spin_ns;
    uint32_t version;
};

struct tally_params {
    int64_t n;
};

static const char version[] = "0.0000";

static const struct sluice_param tally_table[] = {
    SLUICE_INT(struct tally_params, n, .required = true, .help = "the number"),
    SLUICE_PARAMS_END,
};

static void spin(int64_t spin_ns)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t end_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec + spin_ns;
    while (now.tv_sec * INT64_C(1000000000) + now.tv_nsec < end_ns)
        clock_gettime(CLOCK_MONOTONIC, &now);
}

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    const struct tally_params *p = params;
    const struct tally *tally = sluice_self(call);

    if (p->n < 0 || p->n >= tally->most)
        return sluice_fail(call, "out_of_range", "%lld", (long long)p->n);
    atomic_fetch_add(&tally->record->marks[p->n], tally->version << 16 | 1);
    atomic_fetch_add(&tally->record->sum, p->n);
    spin(tally->spin_ns);
    return SLUICE_OK;
}

static const char *setting(const struct sluice_settings *settings, const char *key)
{
    for (uint32_t i = 0; i < settings->count; i++)
        if (strcmp(settings->pairs[i].key, key) == 0)
            return settings->pairs[i].value;
    return "0";
}

static bool record_map(struct tally *tally, const char *file)
{
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    tally->bytes = sizeof *tally->record + (size_t)tally->most * sizeof tally->record->marks[0];
    void *record = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, (off_t)tally->bytes) == 0)
        record = mmap(NULL, tally->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    tally->record = record;
    return record != MAP_FAILED;
}

static bool start(const struct sluice_host *host, const struct sluice_settings *settings,
                  void **self, struct sluice_error *err)
{
    (void)host;
    struct tally *tally = calloc(1, sizeof *tally);
    if (tally == NULL)
        return sluice_error_set(err, "no memory");
    tally->most = strtoll(setting(settings, "most"), NULL, 10);
    tally->spin_ns = strtoll(setting(settings, "spin_us"), NULL, 10) * 1000;
    tally->version = (uint32_t)strtoul(version + 2, NULL, 10);
    if (!record_map(tally, setting(settings, "file"))) {
        free(tally);
        return sluice_error_set(err, "%s cannot be mapped", setting(settings, "file"));
    }
    *self = tally;
    return true;
}

static void stop(void *self)
{
    struct tally *tally = self;
    munmap(tally->record, tally->bytes);
    free(tally);
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("tally", "Adds a number to a file."), .params = tally_table,
     .params_size = sizeof(struct tally_params), .execute = run},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("tally", "0.0000", "tally", types, .init = start, .deinit = stop)
