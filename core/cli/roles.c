#include "cli/roles.h"

#include <string.h>

#include "execute/isolate/inside.h"
#include "support/child.h"

static const struct role {
    const char *name;
    int (*run)(int argc, char **argv);
} roles[] = {
#define ROLE(name_, run_) {.name = name_, .run = run_},
#include "cli/roles.def"
#undef ROLE
};

bool roles_run(int argc, char **argv, int *code)
{
    size_t prefix = sizeof(CHILD_ROLE_PREFIX) - 1;

    if (argc == 0 || strncmp(argv[0], CHILD_ROLE_PREFIX, prefix) != 0)
        return false;
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(argv[0] + prefix, roles[i].name) != 0)
            continue;
        *code = roles[i].run(argc, argv);
        return true;
    }
    return false;
}
