#include "cli/reread.h"

#include "cli/output.h"
#include "config_change.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/log.h"

static void log_restart(const struct config_change *change)
{
    struct log_field fields[4] = {LOG_TEXT("key", change->key)};
    size_t count = 1;

    if (change->before != NULL)
        fields[count++] = (struct log_field)LOG_TEXT("old", change->before);
    if (change->after != NULL)
        fields[count++] = (struct log_field)LOG_TEXT("new", change->after);
    log_write(LOG_WARNING, "needs a restart; keeps its old value", fields);
}

static void on_change(void *context, const struct config_change *change)
{
    struct buffer *changed = context;

    if (!change->live)
        log_restart(change);
    else
        buffer_printf(changed, "%s%s %s -> %s", changed->length > 0 ? ", " : "", change->key,
                      change->before, change->after);
}

bool reread_take(struct config *config, struct config *next)
{
    CLEANUP(buffer_fini) struct buffer changed = BUFFER_EMPTY;
    struct config_listener listener = {.context = &changed, .changed = on_change};
    const char *file = next->file != NULL ? next->file : "none";
    struct error error;

    if (!config_change(config, next, &listener, &error))
        return output_error("%s: %s", file, error.message);
    log_configure(config->log_level, config->log_format);
    log_info("configuration read again", LOG_TEXT("file", file),
             LOG_TEXT("changed", changed.length > 0 ? buffer_text(&changed) : "nothing"));
    return true;
}
