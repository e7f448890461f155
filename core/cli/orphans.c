#include "cli/orphans.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "support/process.h"

/* Calls visit for each child and returns how many there are. */
static size_t visit_children(void (*visit)(void *context, pid_t child), void *context)
{
    DIR *folder = opendir("/proc");
    size_t count = 0;

    if (folder == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct process process;
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || !process_look(pid, &process) || process.parent != getpid())
            continue;
        visit(context, pid);
        count++;
    }
    closedir(folder);
    return count;
}

static void spare(void *context, pid_t child)
{
    struct orphans *orphans = context;

    if (orphans->spared_count < ORPHANS_SPARED_MOST)
        orphans->spared[orphans->spared_count++] = child;
}

void orphans_adopt(struct orphans *orphans)
{
    orphans->spared_count = 0;
    visit_children(spare, orphans);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

struct killing {
    const struct orphans *orphans;
    size_t spared_count;
};

static void kill_one(void *context, pid_t child)
{
    struct killing *killing = context;

    for (size_t i = 0; i < killing->orphans->spared_count; i++)
        if (killing->orphans->spared[i] == child) {
            killing->spared_count++;
            return;
        }
    kill(child, SIGKILL);
}

size_t orphans_kill(const struct orphans *orphans)
{
    struct killing killing = {.orphans = orphans};

    return visit_children(kill_one, &killing) - killing.spared_count;
}
