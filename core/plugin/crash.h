/* crash: what is known of a process that dies of a signal, written down by a handler on an
 * alternate stack before the default action: which signal, where, and the frames as build-id +
 * offset, which mean something in another process too. Also the text of it for people. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "support/buffer.h"
#include "support/words.h"

enum { CRASH_FRAMES_MOST = 32, CRASH_BUILD_ID_BYTES = 20, CRASH_MODULE_BYTES = 64 };

struct crash_frame {
    uint64_t offset;                        /* from where its module begins, as addr2line has it */
    uint8_t build_id[CRASH_BUILD_ID_BYTES]; /* of a longer one its beginning */
    uint8_t build_id_bytes;                 /* 0: has none */
    uint8_t is_plugin;               /* 1: of the module that crash_know was told of; no bool, which
                                        could not be looked at if it held something else */
    uint8_t is_return;               /* 1: where a call will return to, the call stands before it */
    char module[CRASH_MODULE_BYTES]; /* name of the file without its folder; empty: unknown, the
                                        offset is an address */
};

/* Plain memory, of any process: in a mapping that two processes share the reader must expect
 * anything in it (crash_describe does). */
struct crash_record {
    _Atomic int32_t signal; /* 0: nothing was written; stored last, but for the frames: walking a
                               broken stack may be the end of it */
    int32_t code;           /* si_code */
    int32_t error;          /* errno of the thread: ENOMEM says a lot */
    uint32_t frames_count;
    uint64_t address;    /* si_addr, for signals that have one, else 0 */
    uint64_t stack;      /* the stack pointer */
    uint64_t data_bytes; /* private memory of the process at that moment */
    uint64_t peak_bytes; /* the most that was resident until then; 0: not known */
    struct crash_frame frames[CRASH_FRAMES_MOST];
};

/* Who was at work when it happened: called in the handler, on the thread that crashed: only what is
 * safe there. NULL: nobody is asked. */
typedef void crash_witness(int signal);

/* Has SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT and SIGSYS written into the record (NULL:
 * nowhere; it stays the caller's), then witness called, then the default action taken, with the
 * siginfo of the first: a core shows what really happened. Of threads that crash together the first
 * is written down. The calling thread has its alternate stack then. Main thread, before others
 * start; once a process. */
void crash_watch(struct crash_record *record, crash_witness *witness);

/* Gives the calling thread its alternate stack, without which a stack overflow cannot be written
 * down. Nothing happens where crash_watch was not called. */
void crash_thread_begin(void);

/* Takes it back, before the thread ends. */
void crash_thread_end(void);

/* Code of a plugin that is no task. */
struct crash_scene {
    const char *plugin, *step; /* "init", say; NULL: the thread is in none */
};

/* Says that the calling thread is about to run such code; the texts stay until crash_leave. It has
 * its alternate stack meanwhile. */
void crash_enter(const char *plugin, const char *step);

/* Ends that. */
void crash_leave(void);

/* Returns where the calling thread is. Safe in a handler. */
struct crash_scene crash_scene(void);

/* Says under which path a plugin will be loaded, or was: its frames are marked. Main thread of a
 * process that has one plugin. */
void crash_know(const char *plugin_path);

/* Returns what an si_code of a signal means, in static memory. Safe in a handler. */
const char *crash_cause(int signal, int code);

/* Returns whether the crash looks as if the stack had ended. Safe in a handler. */
bool crash_is_overflow(const struct crash_record *record);

/* Adds the first line of crash_describe without its line feed. The record is the process's own.
 * Safe in a handler. */
void crash_say_cause(const struct crash_record *record, struct words *words);

/* The same for the line of a frame. */
void crash_say_frame(const struct crash_record *record, uint32_t number, struct words *words);

/* Adds a text for people, one fact a line: "SIGSEGV at 0x10 (address not mapped)", then the frames,
 * "#0 greet.so +0x1139 (build-id 91ab...)"; with the name of the function where the file at
 * plugin_path (NULL: none) has symbols and that build-id. The record may hold anything. Reads the
 * file: milliseconds. */
void crash_describe(const struct crash_record *record, const char *plugin_path,
                    struct buffer *text);
