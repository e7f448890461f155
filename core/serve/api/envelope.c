#include "serve/api/envelope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *find_text(json_t *envelope, const char *map, const char *name)
{
    return json_string_value(json_object_get(json_object_get(envelope, map), name));
}

static const char *find_env(void *context, const char *name)
{
    const struct envelope *envelope = context;

    return find_text(envelope->json, "env", name);
}

static int open_file(void *context, const char *name)
{
    const struct envelope *envelope = context;
    const json_t *file = json_object_get(json_object_get(envelope->json, "files"), name);

    if (file == NULL) {
        errno = ENOENT;
        return -1;
    }
    int fd = memfd_create("items", MFD_CLOEXEC);
    size_t length = json_string_length(file);
    if (fd >= 0 && write(fd, json_string_value(file), length) != (ssize_t)length) {
        close(fd);
        errno = ENOSPC;
        return -1;
    }
    return fd;
}

static bool refuse(struct submission *submission, const char *message)
{
    diagnostics_add(&submission->diagnostics, (struct place){0}, "envelope", message, NULL);
    return false;
}

/* Whether a member is a map of texts, or not there. */
static bool is_map(json_t *json, const char *name)
{
    json_t *map = json_object_get(json, name), *value;
    const char *key;

    if (map == NULL)
        return true;
    json_object_foreach(map, key, value)
    {
        if (!json_is_string(value))
            return false;
    }
    return json_is_object(map);
}

static bool is_right(json_t *json)
{
    static const char *const known[] = {"file", "text", "set", "env", "files", NULL};
    json_t *value;
    const char *key;

    json_object_foreach(json, key, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0)
            i++;
        if (known[i] == NULL)
            return false;
    }
    return json_is_string(json_object_get(json, "text")) &&
           (json_object_get(json, "file") == NULL ||
            json_is_string(json_object_get(json, "file"))) &&
           is_map(json, "set") && is_map(json, "env") && is_map(json, "files");
}

static void take_settings(struct envelope *envelope, struct submission *submission)
{
    json_t *set = json_object_get(envelope->json, "set"), *value;
    const char *name;

    envelope->settings = calloc(json_object_size(set) + 1, sizeof(*envelope->settings));
    if (envelope->settings == NULL)
        abort();
    json_object_foreach(set, name, value) envelope->settings[submission->settings_count++] =
        (struct job_setting){.name = name, .value = json_string_value(value)};
    submission->settings = envelope->settings;
}

bool envelope_read(struct envelope *envelope, struct submission *submission)
{
    json_error_t error;

    envelope->json =
        json_loadb(submission->text, submission->length, JSON_REJECT_DUPLICATES, &error);
    if (envelope->json == NULL)
        return refuse(submission, error.text);
    if (!is_right(envelope->json))
        return refuse(submission,
                      "an envelope is an object with 'text' and perhaps 'file', and the "
                      "maps of texts 'set', 'env' and 'files'");
    const json_t *text = json_object_get(envelope->json, "text");
    const json_t *file = json_object_get(envelope->json, "file");
    envelope->sources = (struct job_sources){envelope, find_env, open_file};
    submission->text = json_string_value(text);
    submission->length = json_string_length(text);
    submission->sources = &envelope->sources;
    if (file != NULL)
        submission->file = json_string_value(file);
    take_settings(envelope, submission);
    return true;
}

void envelope_fini(struct envelope *envelope)
{
    free(envelope->settings);
    json_decref(envelope->json);
}
