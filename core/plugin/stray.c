/* stray: whoever sleeps in a system call tells its stack pointer in /proc; from there to the top of
 * its stack lie the addresses to which it will return, and above them where the C library has noted
 * the function with which the thread began. */
#include "plugin/stray.h"

#include <dirent.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include "support/cleanup.h"
#include "support/clock.h"
#include "support/memory.h"
#include "support/thread.h"

enum { LOOKS_MOST = 50, PAGE_BYTES = 4096, STACK_MOST_BYTES = 1024 * 1024 };

struct image {
    const char *path;
    uintptr_t start, end; /* 0, 0: not mapped */
};

static int find_image(struct dl_phdr_info *info, size_t size, void *context)
{
    struct image *image = context;
    (void)size;
    if (strcmp(info->dlpi_name, image->path) != 0)
        return 0;
    image->start = UINTPTR_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type != PT_LOAD)
            continue;
        if (start < image->start)
            image->start = start;
        if (start + segment->p_memsz > image->end)
            image->end = start + segment->p_memsz;
    }
    return 1;
}

/* Reads through the kernel: the thread may end, and its stack with it, at any time. */
static bool stack_names(uintptr_t at, const struct image *image)
{
    uintptr_t words[PAGE_BYTES / sizeof(uintptr_t)];
    uintptr_t end = at + STACK_MOST_BYTES;
    for (at &= ~(sizeof at - 1); at < end;) {
        size_t bytes = PAGE_BYTES - at % PAGE_BYTES;
        struct iovec to = {words, bytes}, from = {(void *)at, bytes};
        if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != (ssize_t)bytes)
            return false;
        for (size_t i = 0; i < bytes / sizeof *words; i++) {
            if (words[i] >= image->start && words[i] < image->end)
                return true;
        }
        at += bytes;
    }
    return false;
}

static void close_stream(DIR **stream)
{
    if (*stream != NULL)
        closedir(*stream);
}

enum rest { RESTS, RUNS, IS_GONE };

/* "number arguments... stack-pointer program-counter", or "running". */
static enum rest find_stack(pid_t id, uintptr_t *stack)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)id);
    FILE *file CLEANUP(cleanup_fclose) = fopen(path, "re");
    if (file == NULL || fgets(line, sizeof line, file) == NULL)
        return IS_GONE;
    char *last = strrchr(line, ' ');
    if (last == NULL)
        return RUNS;
    *last = '\0';
    const char *before = strrchr(line, ' ');
    *stack = before == NULL ? 0 : (uintptr_t)strtoull(before + 1, NULL, 16);
    return RESTS;
}

/* A thread of the host may be so young that it is not known yet. */
static bool is_in(pid_t id, const struct image *image)
{
    uintptr_t stack = 0;
    for (int looks = 0; looks < LOOKS_MOST; looks++) {
        if (thread_is_ours(id))
            return false;
        switch (find_stack(id, &stack)) {
        case RESTS:
            return stack_names(stack, image);
        case IS_GONE:
            return false;
        case RUNS:
            nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
            break;
        }
    }
    return true;
}

/* Calls visit with each thread of the process until it returns true, and then does so too. */
static bool visit_threads(bool (*visit)(void *context, pid_t id), void *context)
{
    DIR *stream CLEANUP(close_stream) = opendir("/proc/self/task");
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] != '.' && visit(context, (pid_t)strtol(entry->d_name, NULL, 10)))
            return true;
    }
    return false;
}

static bool add_elder(void *context, pid_t id)
{
    struct stray_elders *elders = context;
    if (thread_is_ours(id))
        return false;
    elders->ids = memory_grow(elders->ids, elders->count + 1, sizeof *elders->ids);
    elders->ids[elders->count++] = id;
    return false;
}

void stray_elders_init(struct stray_elders *elders)
{
    *elders = (struct stray_elders){0};
    visit_threads(add_elder, elders);
}

void stray_elders_fini(struct stray_elders *elders)
{
    free(elders->ids);
    *elders = (struct stray_elders){0};
}

struct search {
    struct image image;
    const struct stray_elders *elders;
};

static bool is_stray(void *context, pid_t id)
{
    const struct search *search = context;
    for (size_t i = 0; i < search->elders->count; i++)
        if (search->elders->ids[i] == id)
            return false;
    return is_in(id, &search->image);
}

bool stray_is_in(const char *path, const struct stray_elders *elders)
{
    struct search search = {.image = {.path = path}, .elders = elders};
    return dl_iterate_phdr(find_image, &search.image) != 0 && visit_threads(is_stray, &search);
}
