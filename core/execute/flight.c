#include "execute/flight.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cleanup.h"
#include "support/clock.h"
#include "support/log.h"
#include "support/memory.h"
#include "support/thread.h"

enum { VERSION = 1, PATH_MOST_BYTES = 4096, SLOTS_MOST = 1 << 16 };

static const char magic[8] = "SlFlight"; /* without NUL */

struct header {
    char magic[8];
    uint32_t version;
    uint32_t slot_bytes;
    uint32_t slots;
    uint32_t spare;
    uint64_t epoch;
    int64_t wall_ns; /* wall time less monotonic time, of started_ns */
    uint64_t more_spare[3];
};

static_assert(sizeof(struct header) == 64 && sizeof(struct flight_slot) == 64,
              "lines of the cache");

struct flight {
    char path[PATH_MOST_BYTES];
    struct header *header; /* the mapping */
    struct flight_slot *slots;
    uint32_t slots_count;
    struct mutex lock;
    /* guarded by lock */
    uint32_t *free; /* a stack: those given back last are in the cache */
    uint32_t free_count;
    uint64_t unrecorded;
};

static size_t file_bytes(uint32_t slots)
{
    return sizeof(struct header) + slots * sizeof(struct flight_slot);
}

/* ---- reading ---- */

static bool check_header(const char *path, const struct header *header, off_t size, uint64_t epoch,
                         struct error *error)
{
    if (memcmp(header->magic, magic, sizeof magic) != 0)
        return error_set(error, "flight_damaged", "%s is not a flight recorder's", path);
    if (header->version != VERSION)
        return error_set(error, "flight_version", "%s has version %u, this program reads %d", path,
                         header->version, VERSION);
    if (header->slot_bytes != sizeof(struct flight_slot) || header->slots > SLOTS_MOST ||
        size != (off_t)file_bytes(header->slots))
        return error_set(error, "flight_damaged",
                         "%s is damaged: it has %lld bytes for %u slots of %u", path,
                         (long long)size, header->slots, header->slot_bytes);
    if (header->epoch >= epoch)
        return error_set(error, "flight_foreign",
                         "%s is of another store: of epoch %llu, and this one begins epoch %llu",
                         path, (unsigned long long)header->epoch, (unsigned long long)epoch);
    return true;
}

static bool read_slot(const struct header *header, const struct flight_slot *slot,
                      struct flight_found *found)
{
    uint64_t at = atomic_load_explicit(&slot->at, memory_order_relaxed);
    struct flight_task task = {
        .job = atomic_load_explicit(&slot->job, memory_order_relaxed),
        .number = (uint32_t)(at >> 32),
        .attempt = (uint32_t)at,
        .is_apart = atomic_load_explicit(&slot->apart, memory_order_relaxed) != 0,
    };
    int64_t started_ns = atomic_load_explicit(&slot->started_ns, memory_order_relaxed);
    if (at == 0)
        return true;
    if (task.job == 0 || task.attempt == 0 ||
        __builtin_add_overflow(header->wall_ns, started_ns, &task.started_wall_ns))
        return false;
    found->tasks[found->count++] = task;
    return true;
}

static bool read_bytes(const char *path, int fd, void *bytes, size_t length, struct error *error)
{
    ssize_t got = read(fd, bytes, length);
    if (got < 0)
        return error_errno(error, "flight_read", "cannot read %s", path);
    return (size_t)got == length ||
           error_set(error, "flight_damaged", "%s is damaged: it is too short", path);
}

static bool read_slots(const char *path, int fd, const struct header *header,
                       struct flight_found *found, struct error *error)
{
    size_t bytes = header->slots * sizeof(struct flight_slot);
    CLEANUP(cleanup_free) struct flight_slot *slots = memory_grow(NULL, header->slots + 1, 64);
    if (!read_bytes(path, fd, slots, bytes, error))
        return false;
    found->tasks = memory_grow(NULL, header->slots + 1, sizeof *found->tasks);
    for (uint32_t i = 0; i < header->slots; i++)
        if (!read_slot(header, &slots[i], found))
            return error_set(error, "flight_damaged", "%s is damaged in slot %u", path, i);
    return true;
}

bool flight_read(const char *path, uint64_t epoch, struct flight_found *found, struct error *error)
{
    struct header header;
    struct stat facts;
    *found = (struct flight_found){0};
    CLEANUP(cleanup_close)
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0 || fstat(fd, &facts) != 0)
        return error_errno(error, "flight_read", "cannot read %s", path);
    if (!S_ISREG(facts.st_mode))
        return error_set(error, "flight_damaged", "%s is not a file", path);
    if (read_bytes(path, fd, &header, sizeof header, error) &&
        check_header(path, &header, facts.st_size, epoch, error) &&
        read_slots(path, fd, &header, found, error))
        return true;
    flight_found_fini(found);
    return false;
}

void flight_found_fini(struct flight_found *found)
{
    free(found->tasks);
    *found = (struct flight_found){0};
}

/* ---- making ---- */

static bool new_path(const struct flight *flight, char path[PATH_MOST_BYTES], struct error *error)
{
    int length = snprintf(path, PATH_MOST_BYTES, "%s.new", flight->path);
    return length < PATH_MOST_BYTES ||
           error_set(error, "flight_create", "%s: the path is too long", flight->path);
}

static bool map_file(struct flight *flight, int fd, const char *path, struct error *error)
{
    size_t bytes = file_bytes(flight->slots_count);
    errno = posix_fallocate(fd, 0, (off_t)bytes);
    void *memory =
        errno != 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return error_errno(error, "flight_create", "cannot make %s", path);
    flight->header = memory;
    flight->slots = (struct flight_slot *)(flight->header + 1);
    return true;
}

static bool make_file(struct flight *flight, struct error *error)
{
    char path[PATH_MOST_BYTES];
    if (!new_path(flight, path, error))
        return false;
    unlink(path); /* of a host that died before it was in place */
    CLEANUP(cleanup_close) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(error, "flight_create", "cannot make %s", path);
    if (map_file(flight, fd, path, error))
        return true;
    unlink(path);
    return false;
}

static void fill_header(struct header *header, uint64_t epoch, uint32_t slots)
{
    *header = (struct header){.version = VERSION,
                              .slot_bytes = sizeof(struct flight_slot),
                              .slots = slots,
                              .epoch = epoch,
                              .wall_ns = clock_wall_ns() - clock_now_ns()};
    memcpy(header->magic, magic, sizeof magic);
}

struct flight *flight_create(const char *path, uint64_t epoch, uint32_t slots, struct error *error)
{
    struct flight *flight = calloc(1, sizeof *flight);
    if (flight == NULL)
        abort();
    assert(slots <= SLOTS_MOST);
    mutex_init(&flight->lock);
    flight->slots_count = slots;
    snprintf(flight->path, sizeof flight->path, "%s", path);
    if (!make_file(flight, error)) {
        flight_destroy(&flight);
        return NULL;
    }
    fill_header(flight->header, epoch, slots);
    flight->free = memory_grow(NULL, slots + 1, sizeof *flight->free);
    while (flight->free_count < slots) {
        flight->free[flight->free_count] = slots - 1 - flight->free_count;
        flight->free_count++;
    }
    return flight;
}

bool flight_replace(struct flight *flight, struct error *error)
{
    char path[PATH_MOST_BYTES];
    size_t bytes = file_bytes(flight->slots_count);
    /* on disk first: else a power loss could leave an empty file of this name */
    return new_path(flight, path, error) &&
           ((msync(flight->header, bytes, MS_SYNC) == 0 && rename(path, flight->path) == 0) ||
            error_errno(error, "flight_replace", "cannot replace %s", flight->path));
}

void flight_destroy(struct flight **flight_pointer)
{
    struct flight *flight = *flight_pointer;
    if (flight == NULL)
        return;
    if (flight->header != NULL)
        munmap(flight->header, file_bytes(flight->slots_count));
    mutex_fini(&flight->lock);
    free(flight->free);
    free(flight);
    *flight_pointer = NULL;
}

/* ---- slots ---- */

static struct flight_slot *take(struct flight *flight, bool *first)
{
    MUTEX_GUARD(&flight->lock);
    if (flight->free_count > 0)
        return &flight->slots[flight->free[--flight->free_count]];
    *first = flight->unrecorded++ == 0;
    return NULL;
}

struct flight_slot *flight_take(struct flight *flight)
{
    bool first = false;
    struct flight_slot *slot = take(flight, &first);
    if (first)
        log_warning("there are more workers than the flight recorder has slots: what those do "
                    "more goes unrecorded",
                    LOG_NUMBER("slots", flight->slots_count));
    return slot;
}

void flight_give_back(struct flight *flight, struct flight_slot *slot)
{
    flight_clear(slot);
    MUTEX_GUARD(&flight->lock);
    flight->free[flight->free_count++] = (uint32_t)(slot - flight->slots);
}

uint64_t flight_unrecorded(struct flight *flight)
{
    MUTEX_GUARD(&flight->lock);
    return flight->unrecorded;
}
