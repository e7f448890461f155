/* descriptor: whatever a plugin says may be wrong; what cannot be checked is only whether its
 * pointers point to anything. */
#include "plugin/descriptor.h"

#include <stdlib.h>
#include <string.h>

#include "plugin/name.h"
#include "plugin/param_table.h"
#include "plugin/sized.h"

static const uint32_t known_flags = SLUICE_SERIAL | SLUICE_IDEMPOTENT | SLUICE_PROCESS_ONLY;

/* Neither has grown since ABI 1.0. */
static const struct sized_bytes type_bytes = {sizeof(struct sluice_type),
                                              sizeof(struct sluice_type)};
static const struct sized_bytes plugin_bytes = {sizeof(struct sluice_plugin),
                                                sizeof(struct sluice_plugin)};

static bool refuse(struct error *error, const struct sluice_type *type, const char *why)
{
    return error_set(error, "bad_descriptor", "type '%s': %s", type->name, why);
}

static bool check_flags(const struct sluice_type *type, struct error *error)
{
    if ((type->flags & ~known_flags) != 0)
        return error_set(
            error, "newer_abi", "needs a newer host than %d.%d: type '%s' has flags 0x%x",
            SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, type->name, type->flags & ~known_flags);
    return true;
}

static bool check_retry(const struct sluice_type *type, struct error *error)
{
    const struct sluice_retry *retry = &type->retry;
    if (retry->backoff > SLUICE_BACKOFF_EXPONENTIAL)
        return refuse(error, type, "retry.backoff is unknown");
    if (retry->delay_ns < 0 || retry->max_delay_ns < 0)
        return refuse(error, type, "retry.delay_ns or retry.max_delay_ns is negative");
    if (!(retry->jitter >= 0 && retry->jitter <= 1)) /* refuses NaN too */
        return refuse(error, type, "retry.jitter is not between 0 and 1");
    return true;
}

static bool check_type(const struct sluice_type *type, struct error *error)
{
    if (!name_is_type(type->name))
        return error_set(error, "bad_descriptor", "invalid type name '%.64s'", type->name);
    if (type->execute == NULL)
        return refuse(error, type, "execute is NULL");
    if (type->help != NULL &&
        strnlen(type->help, PARAM_TEXT_MOST_BYTES + 1) > PARAM_TEXT_MOST_BYTES)
        return refuse(error, type, "help is too long");
    if (type->params == NULL && type->params_size != 0)
        return refuse(error, type, "params_size without params");
    if (type->timeout_ns < 0)
        return refuse(error, type, "timeout_ns is negative");
    if (type->weight < 0 && type->weight != SLUICE_WEIGHT_AUTO)
        return refuse(error, type, "weight is negative");
    return check_flags(type, error) && check_retry(type, error);
}

static bool check_against_note(const struct sluice_type *type, const struct note *note,
                               size_t index, struct error *error)
{
    if (index >= note->types_count)
        return error_set(error, "note_differs",
                         "note and descriptor differ: type '%.64s' is not in the note", type->name);
    if (strcmp(type->name, note->types[index]) != 0)
        return error_set(error, "note_differs",
                         "note and descriptor differ: type %zu is '%s' in the note, '%.64s' in the "
                         "descriptor",
                         index + 1, note->types[index], type->name);
    return true;
}

/* The end element counts only by its size and name, so it is not copied. */
static bool read_types(struct descriptor *descriptor, const struct note *note, struct error *error)
{
    const struct sluice_type *from = descriptor->plugin.types;
    size_t count = 0;
    for (;; count++) {
        struct sluice_type type;
        char what[32];
        snprintf(what, sizeof what, "type %zu", count + 1);
        if (!sized_check(from, type_bytes, what, error))
            return false;
        if (from->name == NULL)
            break;
        if (!sized_copy(&type, type_bytes, from, what, error) ||
            !check_against_note(&type, note, count, error) || !check_type(&type, error))
            return false;
        descriptor->types[count] = type;
        from = sized_next(from);
    }
    if (count == 0)
        return error_set(error, "bad_descriptor", "descriptor: no types");
    return count == note->types_count ||
           error_set(error, "note_differs",
                     "note and descriptor differ: type '%s' is not in the descriptor",
                     note->types[count]);
}

static bool differs(struct error *error, const char *field, const char *in_note, const char *in_it)
{
    return error_set(error, "note_differs",
                     "note and descriptor differ: %s is '%s' in the note, '%.64s' in the "
                     "descriptor",
                     field, in_note, in_it);
}

static bool check_plugin(const struct sluice_plugin *plugin, const struct note *note,
                         struct error *error)
{
    if (plugin->name == NULL)
        return error_set(error, "bad_descriptor", "descriptor: name is NULL");
    if (plugin->version == NULL)
        return error_set(error, "bad_descriptor", "descriptor: version is NULL");
    if (plugin->types == NULL)
        return error_set(error, "bad_descriptor", "descriptor: types is NULL");
    if (plugin->abi_major != note->abi_major || plugin->abi_minor != note->abi_minor)
        return error_set(error, "note_differs",
                         "note and descriptor differ: the ABI is %u.%u in the note, %u.%u in the "
                         "descriptor",
                         note->abi_major, note->abi_minor, plugin->abi_major, plugin->abi_minor);
    if (strcmp(plugin->name, note->name) != 0)
        return differs(error, "name", note->name, plugin->name);
    if (strcmp(plugin->version, note->version) != 0)
        return differs(error, "version", note->version, plugin->version);
    return true;
}

bool descriptor_read(struct descriptor *descriptor, const struct sluice_plugin *from,
                     const struct note *note, struct error *error)
{
    memset(descriptor, 0, sizeof *descriptor);
    if (!sized_copy(&descriptor->plugin, plugin_bytes, from, "descriptor", error) ||
        !check_plugin(&descriptor->plugin, note, error))
        return false;
    descriptor->types = calloc(note->types_count, sizeof *descriptor->types);
    if (descriptor->types == NULL)
        return error_set(error, "no_memory", "out of memory");
    if (read_types(descriptor, note, error))
        return true;
    descriptor_fini(descriptor);
    return false;
}

void descriptor_fini(struct descriptor *descriptor)
{
    free(descriptor->types);
    memset(descriptor, 0, sizeof *descriptor);
}
