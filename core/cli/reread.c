#include "cli/reread.h"

#include <string.h>

#include "cli/output.h"
#include "config_change.h"
#include "serve/json_text.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/log.h"

/* Who hears of the changes. */
struct listening {
    struct buffer changed; /* what is live, for the log */
    struct reread_report *report;
};

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
    struct listening *listening = context;
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;

    buffer_puts(&text, change->key);
    if (change->live)
        buffer_printf(&text, " %s -> %s", change->before, change->after);
    if (listening->report != NULL)
        json_array_append_new(change->live ? listening->report->changed
                                           : listening->report->restart,
                              json_text(text.bytes, text.length));
    if (!change->live)
        log_restart(change);
    else
        buffer_printf(&listening->changed, "%s%s", listening->changed.length > 0 ? ", " : "",
                      buffer_text(&text));
}

bool reread_take(struct config *config, struct config *next, struct reread_report *report)
{
    struct listening listening = {.report = report};
    struct config_listener listener = {.context = &listening, .changed = on_change};
    const char *file = next->file != NULL ? next->file : "none";
    struct error error;

    if (!config_change(config, next, &listener, &error))
        return output_error("%s: %s", file, error.message);
    log_configure(config->log_level, config->log_format);
    log_info("configuration read again", LOG_TEXT("file", file),
             LOG_TEXT("changed",
                      listening.changed.length > 0 ? buffer_text(&listening.changed) : "nothing"));
    buffer_fini(&listening.changed);
    if (report != NULL) {
        json_decref(report->file);
        report->file = json_text_or_null(next->file);
    }
    return true;
}

void reread_refuse(struct reread_report *report)
{
    const char *at = output_collected_text();

    if (report == NULL)
        return;
    report->valid = false;
    while (*at != '\0') {
        size_t length = strcspn(at, "\n");
        json_array_append_new(report->errors, json_text(at, length));
        at += length + (at[length] == '\n');
    }
}
