/* Constructors that crash, leave, never end, or crash and leave a process behind; without a variant,
 * one that is fine. */
#include <sluice/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if defined VARIANT_crashes
/* What a sanitizer would say first. */
__attribute__((constructor, no_sanitize("address", "undefined"))) static void begin_badly(void)
{
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
}
#elif defined VARIANT_exits
__attribute__((constructor)) static void begin_badly(void)
{
    exit(0);
}
#elif defined VARIANT_loops
__attribute__((constructor)) static void begin_badly(void)
{
    for (volatile unsigned turn = 0;; turn++)
        continue;
}
#elif defined VARIANT_forks
__attribute__((constructor)) static void begin_badly(void)
{
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0); /* so that it is not found by its group */
        for (;;)
            pause();
    }
    FILE *file = fopen("left.pid", "w");
    if (file != NULL)
        fprintf(file, "%d\n", (int)child);
    if (file != NULL)
        fclose(file);
    abort();
}
#endif

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("constructor", NULL), .execute = run},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("constructor", "1.0.0", "constructor", types)
