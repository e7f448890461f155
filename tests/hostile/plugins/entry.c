/* Entries that are not there, refuse, crash, leave, or never answer. */
#include <sluice/plugin.h>

#include <stdlib.h>
#include <unistd.h>

SLUICE_NOTE(SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, "entry", "1", "entry")

#ifndef VARIANT_missing
const struct sluice_plugin *sluice_plugin_entry(const struct sluice_host *host,
                                                struct sluice_error *err)
{
    (void)host;
    (void)err;
#if defined VARIANT_refuses
    sluice_error_set(err, "the licence ended in %d", 1999);
#elif defined VARIANT_hangs
    for (;;)
        pause();
#elif defined VARIANT_crashes
    abort();
#elif defined VARIANT_exits
    _exit(3);
#endif
    return NULL;
}
#endif
