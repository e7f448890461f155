#include "accept/job_file/job_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job_file/job_reader.h"
#include "accept/job_file/job_report.h"
#include "support/error.h"
#include "support/memory.h"
#include "support/suggest.h"

void job_types_clear(struct job_types *types)
{
    for (size_t i = 0; i < types->count; i++) {
        registry_unpin(types->registry, types->types[i].offer);
        free(types->types[i].refused);
        free(types->types[i].hint);
    }
    name_table_clear(&types->names);
    types->count = 0;
    types->registry = NULL;
    types->last = NULL;
}

void job_types_fini(struct job_types *types)
{
    job_types_clear(types);
    free(types->types);
    name_table_fini(&types->names);
}

/* Forgets what was found before the plugins changed. */
static void keep_up(struct job_types *types, struct registry *registry)
{
    uint32_t version = registry_version(registry);
    if (types->registry != NULL && types->version == version)
        return;
    job_types_clear(types);
    types->registry = registry;
    types->version = version;
}

static void offer_name(void *suggest, const char *type, const char *plugin)
{
    (void)plugin;
    suggest_offer(suggest, type);
}

static char *suggest_type(struct registry *registry, const struct yaml_node *name)
{
    struct suggest suggest;
    char *hint = NULL;
    suggest_begin(&suggest, name->text, name->length);
    registry_visit_types(registry, offer_name, &suggest);
    if (suggest.best != NULL && asprintf(&hint, "did you mean '%s'?", suggest.best) < 0)
        abort();
    return hint;
}

static enum registry_answer find(const struct job_file_options *options,
                                 const struct yaml_node *name, const struct offer **offer,
                                 struct error *error)
{
    if (options->must_wait == NULL)
        return registry_find(options->registry, name->text, name->length, offer, error);
    return registry_peek(options->registry, name->text, name->length, offer, error);
}

static struct job_type look_up(const struct job_file_options *options, const struct yaml_node *name)
{
    struct job_type type = {0};
    struct error error;
    switch (find(options, name, &type.offer, &error)) {
    case REGISTRY_FOUND:
        break;
    case REGISTRY_LOADING:
        type.offer = NULL;
        *options->must_wait = true; /* only who must not wait is told so */
        break;
    case REGISTRY_UNKNOWN:
        type.offer = NULL;
        type.hint = suggest_type(options->registry, name);
        break;
    case REGISTRY_REFUSED:
        type.offer = NULL;
        type.refused = strdup(error.message);
        if (type.refused == NULL)
            abort();
        break;
    }
    return type;
}

static struct job_type *type_add(struct job_types *types)
{
    if (types->count == types->capacity) {
        types->capacity = types->capacity == 0 ? 4 : types->capacity * 2;
        types->types = memory_grow(types->types, types->capacity, sizeof types->types[0]);
    }
    return &types->types[types->count++];
}

static struct job_type *type_get(struct job_reader *reader, const struct yaml_node *name)
{
    struct job_types *types = &reader->types;
    const uint32_t *index = name_table_find(&types->names, name->text, name->length);
    if (index != NULL)
        return &types->types[*index];
    name_table_set(&types->names, name->text, name->length, (uint32_t)types->count);
    struct job_type *type = type_add(types);
    *type = look_up(reader->options, name);
    return type;
}

static void report_type(struct job_reader *reader, const struct job_type *type,
                        const struct yaml_node *name)
{
    struct yaml_shown shown = yaml_node_shown(name);
    if (type->refused != NULL)
        job_report(&reader->faults, (struct job_fault){JOB_FILE_REFUSED_TYPE, name->place, NULL},
                   "the plugin with task type '%s' was refused: %s", shown.text, type->refused);
    else
        job_report(&reader->faults,
                   (struct job_fault){JOB_FILE_UNKNOWN_TYPE, name->place, type->hint},
                   "no plugin has the task type '%s'", shown.text);
}

const struct offer *job_types_find(struct job_reader *reader, const struct yaml_node *name)
{
    struct job_types *types = &reader->types;
    keep_up(types, reader->options->registry);
    if (types->last != NULL && types->last_length == name->length &&
        memcmp(types->last->type->name, name->text, name->length) == 0)
        return types->last;
    const struct job_type *type = type_get(reader, name);
    if (type->offer == NULL) {
        report_type(reader, type, name);
        return NULL;
    }
    types->last = type->offer;
    types->last_length = name->length;
    return type->offer;
}
