#include "support/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "support/cleanup.h"

bool process_look(pid_t pid, struct process *process)
{
    char path[32], text[256], state = '\0';

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (length <= 0)
        return false;
    text[length] = '\0';
    /* "PID (NAME) STATE PARENT ...": the name may have parentheses. */
    const char *name_end = strrchr(text, ')');
    if (name_end == NULL || sscanf(name_end, ") %c %d", &state, &process->parent) != 2)
        return false;
    process->is_zombie = state == 'Z' || state == 'X';
    return true;
}

bool process_is_over(pid_t pid)
{
    struct process process;

    return !process_look(pid, &process) || process.is_zombie;
}
