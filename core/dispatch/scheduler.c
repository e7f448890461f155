#include "dispatch/scheduler.h"

#include <string.h>

static const struct scheduler *const schedulers[] = {
#define SCHEDULER(noun, meaning) &scheduler_##noun,
#include "dispatch/schedulers.def"
#undef SCHEDULER
};

const struct scheduler *scheduler_find(const char *name)
{
    for (size_t i = 0; i < sizeof schedulers / sizeof schedulers[0]; i++)
        if (strcmp(schedulers[i]->name, name) == 0)
            return schedulers[i];
    return NULL;
}
