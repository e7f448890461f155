/* note: every byte is looked at inside its bounds; the texts are copied out with limits. */
#include "plugin/note.h"

#include <stdlib.h>
#include <string.h>

#include "plugin/name.h"

static bool malformed(struct error *error, const char *what)
{
    return error_set(error, "bad_note", "malformed note: %s", what);
}

/* Takes the next text off *at; NULL where no NUL ends it. */
static const char *take_text(const char **at, const char *end)
{
    const char *text = *at;
    const char *nul = memchr(text, '\0', (size_t)(end - text));
    if (nul == NULL)
        return NULL;
    *at = nul + 1;
    return text;
}

static bool add_type(struct note *note, const char *name, size_t length, struct error *error)
{
    if (note->types_count == SLUICE_TYPES_MAX)
        return error_set(error, "bad_note", "more than %d types", SLUICE_TYPES_MAX);
    char *copy = note->types[note->types_count];
    snprintf(copy, sizeof note->types[0], "%.*s", length > SLUICE_NAME_MAX ? 0 : (int)length, name);
    if (!name_is_type(copy))
        return error_set(error, "bad_note", "invalid type name '%.*s'", (int)length, name);
    for (size_t i = 0; i < note->types_count; i++) {
        if (strcmp(note->types[i], copy) == 0)
            return error_set(error, "bad_note", "type '%s' stands twice", copy);
    }
    note->types_count++;
    return true;
}

static bool add_types(struct note *note, const char *text, struct error *error)
{
    if (text[0] == '\0')
        return error_set(error, "bad_note", "no types");
    note->types = calloc(SLUICE_TYPES_MAX, sizeof *note->types);
    if (note->types == NULL)
        return error_set(error, "no_memory", "out of memory");
    for (const char *name = text;;) {
        const char *end = strchrnul(name, ' ');
        if (!add_type(note, name, (size_t)(end - name), error))
            return false;
        if (*end == '\0')
            return true;
        name = end + 1;
    }
}

static bool check_abi(const struct sluice_note_desc *fixed, struct error *error)
{
    if (fixed->magic != SLUICE_NOTE_MAGIC)
        return malformed(error, "wrong magic");
    if (fixed->abi_major != SLUICE_ABI_MAJOR)
        return error_set(error, "abi", "needs Sluice ABI %d, this host offers %d.%d",
                         fixed->abi_major, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR);
    if (fixed->pointer_size != sizeof(void *))
        return error_set(error, "abi", "built for pointers of %u bytes, this host has %zu",
                         fixed->pointer_size, sizeof(void *));
    return true;
}

static bool parse(struct note *note, const void *desc, size_t bytes, struct error *error)
{
    struct sluice_note_desc fixed;
    if (bytes < sizeof fixed || bytes > SLUICE_NOTE_BYTES_MAX)
        return malformed(error, "its size cannot be");
    memcpy(&fixed, desc, sizeof fixed);
    if (!check_abi(&fixed, error))
        return false;
    note->abi_major = fixed.abi_major;
    note->abi_minor = fixed.abi_minor;
    const char *at = (const char *)desc + sizeof fixed;
    const char *end = (const char *)desc + bytes;
    const char *name = take_text(&at, end);
    const char *version = name == NULL ? NULL : take_text(&at, end);
    const char *types = version == NULL ? NULL : take_text(&at, end);
    if (types == NULL || at != end)
        return malformed(error, "its texts do not end where it ends");
    if (!name_is_plugin(name))
        return error_set(error, "bad_note", "invalid plugin name '%.64s'", name);
    if (!name_is_version(version))
        return error_set(error, "bad_note", "invalid version '%.64s'", version);
    snprintf(note->name, sizeof note->name, "%s", name);
    snprintf(note->version, sizeof note->version, "%s", version);
    return add_types(note, types, error);
}

bool note_parse(struct note *note, const void *desc, size_t bytes, struct error *error)
{
    if (parse(note, desc, bytes, error))
        return true;
    note_fini(note);
    return false;
}

void note_fini(struct note *note)
{
    free(note->types);
    note->types = NULL;
    note->types_count = 0;
}

bool note_equals(const struct note *one, const struct note *other)
{
    if (strcmp(one->name, other->name) != 0 || strcmp(one->version, other->version) != 0 ||
        one->types_count != other->types_count)
        return false;
    return memcmp(one->types, other->types, one->types_count * sizeof *one->types) == 0;
}
