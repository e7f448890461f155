/* note: libFuzzer has each input looked at as a file that wants to be a plugin, and as the note of
 * one. Beyond crashes it looks for a refusal without a reason and for a note whose names are none.
 * Started by run.sh. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plugin/image.h"
#include "plugin/name.h"
#include "plugin/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void expect(bool right, const char *sentence)
{
    if (right)
        return;
    fprintf(stderr, "note: not so: %s\n", sentence);
    abort();
}

static void expect_note(const struct note *note)
{
    expect(name_is_plugin(note->name), "a plugin has a name");
    expect(name_is_version(note->version), "a plugin has a version");
    expect(note->types_count > 0 && note->types_count <= SLUICE_TYPES_MAX, "types are limited");
    for (size_t i = 0; i < note->types_count; i++)
        expect(name_is_type(note->types[i]), "a type has a name");
}

static void expect_reason(const struct error *error)
{
    expect(error->code[0] != '\0' && error->message[0] != '\0', "a refusal has a reason");
}

/* A file without a path, used again. */
static int file_of(const uint8_t *data, size_t length)
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("input", MFD_CLOEXEC);
    expect(ftruncate(fd, 0) == 0 && pwrite(fd, data, length, 0) == (ssize_t)length,
           "it is written");
    return fd;
}

static void check_image(const uint8_t *data, size_t length)
{
    struct note note;
    struct error error = {0};
    if (image_check(file_of(data, length), &note, &error))
        expect_note(&note);
    else
        expect_reason(&error);
    if (note.types != NULL)
        expect_note(&note);
    note_fini(&note);
}

static void parse_note(const uint8_t *data, size_t length)
{
    struct note note = {0};
    struct error error = {0};
    if (note_parse(&note, data, length, &error)) {
        expect_note(&note);
        expect(note_equals(&note, &note), "a note is like itself");
    } else {
        expect_reason(&error);
        expect(note.types == NULL, "of a malformed note nothing is left");
    }
    note_fini(&note);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    check_image(data, length);
    parse_note(data, length);
    return 0;
}
