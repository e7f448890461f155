#include "plugin/fallen.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A slot without a name is free. */
struct slot {
    char build[FALLEN_BUILD_BYTES];
    char cause[FALLEN_CAUSE_BYTES];
    _Atomic uint32_t is_starting; /* 1: it is; stored after the name */
    uint32_t deaths;
};

struct fallen {
    struct slot slots[FALLEN_BUILDS_MOST];
};

int fallen_make(void)
{
    int fd = memfd_create("fallen", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || (ftruncate(fd, sizeof(struct fallen)) == 0 &&
                   fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0))
        return fd;
    close(fd);
    return -1;
}

struct fallen *fallen_map(int fd)
{
    struct stat stat;

    if (fstat(fd, &stat) != 0 || stat.st_size != sizeof(struct fallen))
        return NULL;
    void *fallen = mmap(NULL, sizeof(struct fallen), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return fallen == MAP_FAILED ? NULL : fallen;
}

void fallen_unmap(struct fallen **pointer)
{
    if (*pointer != NULL)
        munmap(*pointer, sizeof(struct fallen));
    *pointer = NULL;
}

/* ---- the host ---- */

/* The empty name finds a free slot. */
static struct slot *find(struct fallen *fallen, const char *build)
{
    for (size_t i = 0; i < FALLEN_BUILDS_MOST; i++)
        if (strncmp(fallen->slots[i].build, build, FALLEN_BUILD_BYTES - 1) == 0)
            return &fallen->slots[i];
    return NULL;
}

void fallen_begin(struct fallen *fallen, const char *build)
{
    struct slot *slot = find(fallen, build);

    if (slot == NULL && (slot = find(fallen, "")) != NULL)
        slot->deaths = 0;
    if (slot == NULL)
        return;
    snprintf(slot->build, sizeof(slot->build), "%s", build);
    atomic_store(&slot->is_starting, 1);
}

void fallen_end(struct fallen *fallen, const char *build)
{
    struct slot *slot = find(fallen, build);

    if (slot == NULL)
        return;
    atomic_store(&slot->is_starting, 0); /* first: whatever ends the host in between is not its */
    slot->deaths = 0;
    memset(slot->build, 0, sizeof(slot->build));
}

uint32_t fallen_deaths(struct fallen *fallen, const char *build, char cause[FALLEN_CAUSE_BYTES])
{
    const struct slot *slot = find(fallen, build);

    if (slot == NULL)
        return 0;
    snprintf(cause, FALLEN_CAUSE_BYTES, "%.*s", FALLEN_CAUSE_BYTES - 1, slot->cause);
    return slot->deaths < FALLEN_DEATHS_MOST ? slot->deaths : FALLEN_DEATHS_MOST;
}

/* ---- the monitor ---- */

static bool is_starting(const struct slot *slot)
{
    return atomic_load(&slot->is_starting) == 1;
}

bool fallen_is_starting(const struct fallen *fallen)
{
    for (size_t i = 0; i < FALLEN_BUILDS_MOST; i++)
        if (is_starting(&fallen->slots[i]))
            return true;
    return false;
}

void fallen_count(struct fallen *fallen, const char *cause)
{
    for (size_t i = 0; i < FALLEN_BUILDS_MOST; i++) {
        struct slot *slot = &fallen->slots[i];
        if (!is_starting(slot))
            continue;
        slot->deaths += slot->deaths < FALLEN_DEATHS_MOST;
        atomic_store(&slot->is_starting, 0);
        snprintf(slot->cause, sizeof(slot->cause), "%s", cause);
    }
}
