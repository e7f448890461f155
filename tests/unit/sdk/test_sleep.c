/* The plugin sleep in their static form. */
#define SLUICE_STATIC
#define SLUICE_ENTRY sleep_entry
#include "../../../plugins/sleep/sleep.c"

#include <criterion/criterion.h>

#include "fake_host.h"

static struct fake fake;

static void setup(void)
{
    fake_init(&fake);
}

static void teardown(void)
{
    fake_fini(&fake);
}

TestSuite(sleep, .init = setup, .fini = teardown);

static enum sluice_status sleep_for(int64_t ns)
{
    struct sluice_error err = {.size = sizeof err};
    const struct sluice_plugin *plugin = sleep_entry(fake_host(), &err);
    cr_assert_not_null(plugin, "%s", err.message);
    return fake_execute(&fake, plugin->types, &(struct sleep_params){.duration_ns = ns});
}

Test(sleep, it_succeeds_when_its_time_is_over)
{
    cr_assert_eq(sleep_for(1000000), SLUICE_OK);
}

Test(sleep, it_ends_at_once_when_it_is_cancelled)
{
    fake_cancel(&fake);
    cr_assert_eq(sleep_for(INT64_C(3600) * 1000000000), SLUICE_CANCELLED);
}
