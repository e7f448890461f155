#include "cli/roles.h"

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/trial.h"
#include "execute/isolate/inside.h"
#include "plugin/probe.h"
#include "support/child.h"

struct role {
    const char *name;
    role_function *run;
    int fds_count;
};

static const struct role roles[] = {
#define ROLE(name_, function_, fds_count_)                                                         \
    {.name = name_, .run = function_, .fds_count = fds_count_},
#include "cli/roles.def"
#undef ROLE
    {0},
};

/* NULL: none has this name. */
static const struct role *find(const char *program)
{
    static const char prefix[] = "sluice-";
    if (program == NULL || strncmp(program, prefix, sizeof prefix - 1) != 0)
        return NULL;
    const struct role *role = roles;
    while (role->name != NULL && strcmp(role->name, program + sizeof prefix - 1) != 0)
        role++;
    return role->name != NULL ? role : NULL;
}

/* A shell may have anything open, but hardly a socket in front of the others. */
static bool was_started_by_us(const struct role *role)
{
    struct stat status;
    for (int i = 0; i < role->fds_count; i++) {
        if (fstat(CHILD_FIRST_FD + i, &status) != 0 || (i == 0 && !S_ISSOCK(status.st_mode)))
            return false;
    }
    return true;
}

bool roles_run(int argc, char **argv, int *code)
{
    const struct role *role = find(argv[0]);
    if (role == NULL)
        return false;
    if (argc == 2 && was_started_by_us(role)) {
        *code = role->run(argv[1]);
        return true;
    }
    output_error("'%s' is a part of sluice that it starts itself: see `sluice --help'", argv[0]);
    *code = EXIT_USAGE;
    return true;
}
