/* crash_text: what a crash record says to people. It may come from memory into which a plugin can
 * write: it is copied first, all counts are bounded, all texts masked. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "plugin/crash.h"
#include "plugin/symbols.h"
#include "support/cleanup.h"
#include "support/units.h"

enum { FUNCTION_BYTES = 128, HEX_BYTES = 2 * CRASH_BUILD_ID_BYTES + 1 };

static void describe_cause(const struct crash_record *seen, struct buffer *text)
{
    int signal = seen->signal;
    const char *name = sigabbrev_np(signal);
    if (name != NULL)
        buffer_printf(text, "SIG%s", name);
    else
        buffer_printf(text, "signal %d", signal);
    if (seen->address != 0 || (signal == SIGSEGV && seen->code == SEGV_MAPERR))
        buffer_printf(text, " at 0x%llx", (unsigned long long)seen->address);
    buffer_printf(text, " (%s)\n",
                  crash_is_overflow(seen) ? "stack overflow" : crash_cause(signal, seen->code));
}

static void describe_memory(const struct crash_record *seen, struct buffer *text)
{
    char size[32];
    if (seen->error != ENOMEM)
        return;
    buffer_printf(text, "out of memory (errno ENOMEM), with %s of its own\n",
                  units_format_size(seen->data_bytes, size, sizeof size));
}

static void put_masked(struct buffer *text, const char *name, size_t capacity)
{
    for (size_t i = 0; i < capacity && name[i] != '\0'; i++)
        buffer_printf(text, "%c", name[i] > ' ' && name[i] < 0x7f ? name[i] : '?');
}

static const char *build_id_of(const struct crash_frame *frame, char hex[HEX_BYTES])
{
    hex[0] = '\0';
    for (size_t i = 0; i < frame->build_id_bytes && i < CRASH_BUILD_ID_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", frame->build_id[i]);
    return hex;
}

/* Of a longer build-id the frame has the beginning. */
static bool is_of(const struct crash_frame *frame, const char *build_id, const char *file_id)
{
    bool has_none = strcmp(file_id, "0") == 0;
    if (build_id[0] == '\0')
        return has_none && frame->is_plugin == 1;
    return !has_none && strncmp(build_id, file_id, strlen(build_id)) == 0;
}

static void describe_frame(const struct crash_frame *frame, const struct symbols *symbols,
                           struct buffer *text)
{
    char build_id[HEX_BYTES], function[FUNCTION_BYTES];
    build_id_of(frame, build_id);
    if (frame->module[0] == '\0') {
        buffer_printf(text, "0x%llx\n", (unsigned long long)frame->offset);
        return;
    }
    put_masked(text, frame->module, sizeof frame->module);
    buffer_printf(text, " +0x%llx", (unsigned long long)frame->offset);
    if (symbols != NULL && is_of(frame, build_id, symbols_build_id(symbols)) &&
        symbols_find(symbols, frame->offset - (frame->is_return == 1), function, sizeof function))
        buffer_printf(text, " %s", function);
    if (build_id[0] != '\0')
        buffer_printf(text, " (build-id %s)", build_id);
    buffer_puts(text, "\n");
}

void crash_describe(const struct crash_record *record, const char *plugin_path, struct buffer *text)
{
    struct crash_record seen;
    memcpy(&seen, record, sizeof seen);
    CLEANUP(symbols_close)
    struct symbols *symbols = plugin_path != NULL ? symbols_open(plugin_path) : NULL;
    describe_cause(&seen, text);
    describe_memory(&seen, text);
    for (uint32_t i = 0; i < seen.frames_count && i < CRASH_FRAMES_MOST; i++) {
        buffer_printf(text, "#%u ", i);
        describe_frame(&seen.frames[i], symbols, text);
    }
}
