#include "config_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cleanup.h"

/* An absolute path, since the file may be read from anywhere; NULL with a message otherwise. */
static char *path_copy(const struct config_key *key, const char *value, struct error *error)
{
    const char *home = getenv("HOME");
    char *path = NULL;

    if (value[0] == '/')
        return config_copy(value);
    if (strncmp(value, "~/", 2) != 0)
        error_set(error, "out_of_range", "%s: '%s' is not an absolute path (~/ is allowed)",
                  key->name, value);
    else if (home == NULL || home[0] != '/')
        error_set(error, "out_of_range", "%s: '%s': there is no home folder ($HOME)", key->name,
                  value);
    else if (asprintf(&path, "%s/%s", home, value + 2) < 0)
        abort();
    return path;
}

bool config_set_path(const struct config_key *key, char **field, const char *value,
                     struct error *error)
{
    char *path = value[0] == '\0' ? NULL : path_copy(key, value, error);

    if (path == NULL && value[0] != '\0')
        return false;
    free(*field);
    *field = path;
    return true;
}

bool config_set_folders(const struct config_key *key, char **fields, const char *value,
                        struct error *error)
{
    CLEANUP(cleanup_free) char *words = config_copy(value);
    char *rest = words;
    size_t count = 0;

    for (; fields[count] != NULL; count++) {
        free(fields[count]);
        fields[count] = NULL;
    }
    count = 0;
    for (char *word = strsep(&rest, ":"); word != NULL; word = strsep(&rest, ":")) {
        if (word[0] == '\0')
            continue;
        if (count == CONFIG_PLUGIN_DIRS_MOST)
            return error_set(error, "out_of_range", "%s: more than %d folders", key->name,
                             CONFIG_PLUGIN_DIRS_MOST);
        fields[count] = path_copy(key, word, error);
        if (fields[count++] == NULL)
            return false;
    }
    return true;
}

void config_labels_fini(struct sluice_map *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        free((void *)labels->pairs[i].key);
        free((void *)labels->pairs[i].value);
    }
    free((void *)labels->pairs);
    *labels = (struct sluice_map){0};
}

static int pair_compare(const void *a, const void *b)
{
    return strcmp(((const struct sluice_pair *)a)->key, ((const struct sluice_pair *)b)->key);
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    for (size_t length = strlen(text); length > 0 && strchr(" \t", text[length - 1]) != NULL;)
        text[--length] = '\0';
    return text;
}

/* Adds one key=value to the pairs, which have room for it. */
static bool label_add(const struct config_key *key, char *word, struct sluice_pair *pairs,
                      size_t *count, struct error *error)
{
    word = trim(word);
    char *value = strchr(word, '=');

    if (value == NULL || value == word)
        return error_set(error, "wrong_type", "%s: '%s' is not key=value", key->name, word);
    *value++ = '\0';
    word = trim(word);
    for (size_t i = 0; i < *count; i++)
        if (strcmp(pairs[i].key, word) == 0)
            return error_set(error, "duplicate_key", "%s: '%s' stands twice", key->name, word);
    pairs[(*count)++] = (struct sluice_pair){config_copy(word), config_copy(trim(value))};
    return true;
}

bool config_set_labels(const struct config_key *key, struct sluice_map *field, const char *value,
                       struct error *error)
{
    CLEANUP(cleanup_free) char *words = config_copy(value);
    struct sluice_pair *pairs = calloc(CONFIG_LABELS_MOST, sizeof(*pairs));
    size_t count = 0;
    bool fine = true;

    if (pairs == NULL)
        abort();
    char *rest = words, *word = strsep(&rest, ",");
    for (; fine && word != NULL && value[0] != '\0'; word = strsep(&rest, ","))
        fine = count == CONFIG_LABELS_MOST ? error_set(error, "out_of_range", "%s: more than %d",
                                                       key->name, CONFIG_LABELS_MOST)
                                           : label_add(key, word, pairs, &count, error);
    qsort(pairs, count, sizeof(*pairs), pair_compare);
    config_labels_fini(field);
    *field = (struct sluice_map){.count = count, .pairs = pairs};
    return fine;
}
