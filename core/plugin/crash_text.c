/* crash_text: what a crash record says to people. It may come from memory into which a plugin can
 * write: it is copied first, all counts are bounded, all texts masked. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "plugin/crash.h"
#include "plugin/symbols.h"
#include "support/cleanup.h"

enum {
    FUNCTION_BYTES = 128,
    LINE_BYTES = 512, /* more than a frame's, or the cause's */
    HEX_BYTES = 2 * CRASH_BUILD_ID_BYTES + 1,
    MIB = 1024 * 1024,
};

static size_t build_id_bytes(const struct crash_frame *frame)
{
    return frame->build_id_bytes < CRASH_BUILD_ID_BYTES ? frame->build_id_bytes
                                                        : CRASH_BUILD_ID_BYTES;
}

void crash_say_cause(const struct crash_record *seen, struct words *words)
{
    int signal = seen->signal;
    const char *name = sigabbrev_np(signal);
    words_put(words, name != NULL ? "SIG" : "signal ");
    if (name != NULL)
        words_put(words, name);
    else
        words_put_number(words, signal);
    if (seen->address != 0 || (signal == SIGSEGV && seen->code == SEGV_MAPERR)) {
        words_put(words, " at ");
        words_put_hex(words, seen->address);
    }
    words_put(words, " (");
    words_put(words, crash_is_overflow(seen) ? "stack overflow" : crash_cause(signal, seen->code));
    words_put(words, ")");
    if (seen->error != ENOMEM)
        return;
    words_put(words, ", out of memory (ENOMEM) with ");
    words_put_number(words, (int64_t)(seen->data_bytes / MIB));
    words_put(words, "MiB of its own");
}

/* The function (NULL: not known) stands between the place and the build-id. */
static void say_frame(const struct crash_frame *frame, uint32_t number, const char *function,
                      struct words *words)
{
    words_put(words, "#");
    words_put_number(words, number);
    words_put(words, " ");
    if (frame->module[0] != '\0') {
        words_put_masked(words, frame->module, sizeof frame->module);
        words_put(words, " +");
    }
    words_put_hex(words, frame->offset);
    if (function != NULL) {
        words_put(words, " ");
        words_put(words, function);
    }
    if (frame->build_id_bytes > 0) {
        words_put(words, " (build-id ");
        words_put_bytes(words, frame->build_id, build_id_bytes(frame));
        words_put(words, ")");
    }
}

void crash_say_frame(const struct crash_record *record, uint32_t number, struct words *words)
{
    say_frame(&record->frames[number], number, NULL, words);
}

/* Of a longer build-id the frame has the beginning. */
static bool is_of(const struct crash_frame *frame, const char *file_id)
{
    char hex[HEX_BYTES];
    struct words words = {.bytes = hex, .capacity = sizeof hex - 1};
    bool has_none = strcmp(file_id, "0") == 0;
    words_put_bytes(&words, frame->build_id, build_id_bytes(frame));
    if (words.length == 0)
        return has_none && frame->is_plugin == 1;
    return !has_none && strncmp(hex, file_id, words.length) == 0;
}

static void describe_frame(const struct crash_frame *frame, uint32_t number,
                           const struct symbols *symbols, struct buffer *text)
{
    char line[LINE_BYTES], function[FUNCTION_BYTES];
    struct words words = {.bytes = line, .capacity = sizeof line};
    bool known =
        symbols != NULL && is_of(frame, symbols_build_id(symbols)) &&
        symbols_find(symbols, frame->offset - (frame->is_return == 1), function, sizeof function);
    say_frame(frame, number, known ? function : NULL, &words);
    buffer_append(text, line, words.length);
    buffer_puts(text, "\n");
}

void crash_describe(const struct crash_record *record, const char *plugin_path, struct buffer *text)
{
    char line[LINE_BYTES];
    struct words words = {.bytes = line, .capacity = sizeof line};
    struct crash_record seen;
    memcpy(&seen, record, sizeof seen);
    CLEANUP(symbols_close)
    struct symbols *symbols = plugin_path != NULL ? symbols_open(plugin_path) : NULL;
    crash_say_cause(&seen, &words);
    buffer_append(text, line, words.length);
    buffer_puts(text, "\n");
    for (uint32_t i = 0; i < seen.frames_count && i < CRASH_FRAMES_MOST; i++)
        describe_frame(&seen.frames[i], i, symbols, text);
}
