/* Has an address inside its code that the dynamic linker has to write. */
#include <sluice/plugin.h>

__asm__(".pushsection .text\n.balign 8\naddress: .quad address\n.popsection");

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("text_relocation", NULL), .execute = run},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("text_relocation", "1.0.0", "text_relocation", types)
