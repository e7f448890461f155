/* Has a segment that is writable and executable. */
#include <sluice/plugin.h>

__asm__(".pushsection .both, \"awx\", @progbits\n.byte 0\n.popsection");

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("rwx_segment", NULL), .execute = run},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("rwx_segment", "1.0.0", "rwx_segment", types)
