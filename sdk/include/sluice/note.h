/* sluice/note.h - the ELF note by which the host knows a plugin before any code of it runs.
 * SLUICE_PLUGIN writes it; the host and anybody with `readelf -n` read it. It lies in the section
 * .note.sluice (SHT_NOTE, PT_NOTE, aligned to 4):
 *
 *     namesz = 7   descsz   type = 1   "Sluice\0" and one byte of padding
 *     uint32 magic, uint16 ABI major, uint16 ABI minor, uint32 pointer size      (machine's order)
 *     name NUL version NUL types NUL          types are separated by single spaces
 *
 * descsz is exact: it counts the last NUL and no padding. A file has exactly one such note. */
#pragma once

#include <stdint.h>

#define SLUICE_NOTE_SECTION   ".note.sluice"
#define SLUICE_NOTE_VENDOR    "Sluice"
#define SLUICE_NOTE_TYPE      1
#define SLUICE_NOTE_MAGIC     0x53e1c0deu
#define SLUICE_NOTE_BYTES_MAX 65536 /* the longest desc that a host reads */

/* The fixed part of desc; the three texts follow it. */
struct sluice_note_desc {
    uint32_t magic;
    uint16_t abi_major;
    uint16_t abi_minor;
    uint32_t pointer_size;
};

/* Defines the note as the constant sluice_note_of_this_plugin. Address sanitizers put red zones
 * around globals, which would break a note: hence the attribute. */
#define SLUICE_NOTE(major, minor, plugin_name, plugin_version, types_text)                         \
    static const struct {                                                                          \
        uint32_t namesz, descsz, type;                                                             \
        char vendor[8];                                                                            \
        struct sluice_note_desc desc;                                                              \
        char name[sizeof(plugin_name)];                                                            \
        char version[sizeof(plugin_version)];                                                      \
        char types[sizeof(types_text)];                                                            \
    } sluice_note_of_this_plugin                                                                   \
        __attribute__((section(SLUICE_NOTE_SECTION), used, aligned(4), SLUICE_NO_RED_ZONE)) = {    \
            sizeof(SLUICE_NOTE_VENDOR),                                                            \
            sizeof(struct sluice_note_desc) + sizeof(plugin_name) + sizeof(plugin_version) +       \
                sizeof(types_text),                                                                \
            SLUICE_NOTE_TYPE,                                                                      \
            SLUICE_NOTE_VENDOR,                                                                    \
            {SLUICE_NOTE_MAGIC, major, minor, sizeof(void *)},                                     \
            plugin_name,                                                                           \
            plugin_version,                                                                        \
            types_text,                                                                            \
    };

#ifdef __clang__
#define SLUICE_NO_RED_ZONE no_sanitize("address")
#else
#define SLUICE_NO_RED_ZONE no_reorder
#endif
