#include "config_keys.h"

#include <arpa/inet.h>
#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "config_values.h"
#include "config_words.h"
#include "support/cleanup.h"
#include "support/units.h"

/* The fields of the table by section, so that each offset is one of the right struct. */
#define STRUCT_host      struct config
#define STRUCT_scheduler struct config
#define STRUCT_http      struct config
#define STRUCT_store     struct config
#define STRUCT_log       struct config
#define STRUCT_group     struct config_group

const struct config_key config_keys[] = {
#define KEY(section_, name_, kind_, effect_, field, def_, least_, most_, why_)                     \
    {#section_,                                                                                    \
     #name_,                                                                                       \
     CONFIG_##kind_,                                                                               \
     CONFIG_##effect_,                                                                             \
     offsetof(STRUCT_##section_, field),                                                           \
     def_,                                                                                         \
     least_,                                                                                       \
     most_,                                                                                        \
     why_},
#include "config.def"
#undef KEY
};
const size_t config_keys_count = sizeof(config_keys) / sizeof(config_keys[0]);

static const struct {
    const char *section, *name;
} later[] = {
#define LATER(section, name) {#section, #name},
#include "config.def"
#undef LATER
};

char *config_copy(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        abort();
    return copy;
}

static void *field_of(const struct config_key *key, void *into)
{
    return (char *)into + key->offset;
}

const struct config_key *config_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < config_keys_count; i++)
        if (strcmp(config_keys[i].section, section) == 0 && strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    return NULL;
}

bool config_key_is_later(const char *section, const char *name)
{
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        if (strcmp(later[i].section, section) == 0 && strcmp(later[i].name, name) == 0)
            return true;
    return false;
}

static bool set_count(const struct config_key *key, int64_t *field, const char *value,
                      struct error *error)
{
    int64_t number;

    bool fits = units_parse_int(value, strlen(value), &number);
    if (!fits && !units_is_int(value, strlen(value)))
        return error_set(error, "wrong_type", "%s: '%s' is not an integer", key->name, value);
    if (!fits || number < key->least || number > key->most)
        return error_set(error, "out_of_range", "%s: %s is not between %lld and %lld", key->name,
                         value, (long long)key->least, (long long)key->most);
    *field = number;
    return true;
}

static bool set_workers(const struct config_key *key, int64_t *field, const char *value,
                        struct error *error)
{
    cpu_set_t cpus;

    if (strcmp(value, "auto") != 0)
        return set_count(key, field, value, error);
    *field = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    return true;
}

static bool set_span(const struct config_key *key, int64_t *field, const char *value,
                     struct error *error)
{
    char least[32], most[32];
    int64_t ns;

    if (!units_parse_duration(value, strlen(value), &ns))
        return error_set(error, "wrong_type",
                         "%s: '%s' is not a duration such as 250ms, 30s, 1h30m", key->name, value);
    if (ns < key->least || ns > key->most)
        return error_set(error, "out_of_range", "%s: %s is not between %s and %s", key->name, value,
                         units_format_duration(key->least, least, sizeof(least)),
                         units_format_duration(key->most, most, sizeof(most)));
    *field = ns;
    return true;
}

static bool set_size(const struct config_key *key, int64_t *field, const char *value,
                     struct error *error)
{
    char least[32], most[32];
    uint64_t bytes;

    if (!units_parse_size(value, strlen(value), &bytes))
        return error_set(error, "wrong_type", "%s: '%s' is not a size such as 512, 64KiB, 10MB",
                         key->name, value);
    if (bytes < (uint64_t)key->least || bytes > (uint64_t)key->most)
        return error_set(error, "out_of_range", "%s: %s is not between %s and %s", key->name, value,
                         units_format_size((uint64_t)key->least, least, sizeof(least)),
                         units_format_size((uint64_t)key->most, most, sizeof(most)));
    *field = (int64_t)bytes;
    return true;
}

/* An empty value is none: NULL. */
static void keep_text(char **field, const char *value)
{
    free(*field);
    *field = value[0] == '\0' ? NULL : config_copy(value);
}

static bool set_text(const struct config_key *key, char **field, const char *value,
                     struct error *error)
{
    if ((int64_t)strlen(value) < key->least)
        return error_set(error, "out_of_range", "%s: a value is missing", key->name);
    keep_text(field, value);
    return true;
}

static bool is_socket_path(const char *path)
{
    return path[0] == '/' && strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

/* 127.0.0.1:8080 or [::1]:8080, as the listener takes it; port 0 is any that is free. */
static bool is_address(const char *value)
{
    CLEANUP(cleanup_free) char *host = config_copy(value);
    unsigned char address[sizeof(struct in6_addr)];
    int64_t port;

    char *colon = strrchr(host, ':');
    if (colon == NULL || !units_parse_int(colon + 1, strlen(colon + 1), &port) || port < 0 ||
        port > UINT16_MAX)
        return false;
    *colon = '\0';
    if (host[0] != '[')
        return inet_pton(AF_INET, host, address) == 1;
    if (colon[-1] != ']')
        return false;
    colon[-1] = '\0';
    return inet_pton(AF_INET6, host + 1, address) == 1;
}

static bool set_listen(const struct config_key *key, char **field, const char *value,
                       struct error *error)
{
    bool is_unix = strncmp(value, "unix:", strlen("unix:")) == 0;

    if (value[0] != '\0' &&
        !(is_unix ? is_socket_path(value + strlen("unix:")) : is_address(value)))
        return error_set(
            error, "out_of_range",
            "%s: '%s' is not unix:/PATH (of at most %zu bytes) or ADDRESS:PORT such as "
            "127.0.0.1:8080",
            key->name, value, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
    keep_text(field, value);
    return true;
}

/* Of an enum that counts as its words do. */
static bool set_word(const struct config_key *key, unsigned int *field, const char *value,
                     struct error *error)
{
    size_t index;

    if (!config_word_read(key, value, &index, error))
        return false;
    *field = (unsigned int)index;
    return true;
}

bool config_key_set(const struct config_key *key, void *into, const char *value,
                    struct error *error)
{
    void *field = field_of(key, into);
    size_t word;

    switch (key->kind) {
    case CONFIG_COUNT:
        return set_count(key, field, value, error);
    case CONFIG_WORKERS:
        return set_workers(key, field, value, error);
    case CONFIG_SPAN:
        return set_span(key, field, value, error);
    case CONFIG_SIZE:
        return set_size(key, field, value, error);
    case CONFIG_TEXT:
        return set_text(key, field, value, error);
    case CONFIG_LISTEN:
        return set_listen(key, field, value, error);
    case CONFIG_LABELS:
        return config_set_labels(key, field, value, error);
    case CONFIG_PATH:
        return config_set_path(key, field, value, error);
    case CONFIG_FOLDERS:
        return config_set_folders(key, field, value, error);
    case CONFIG_POLICY:
    case CONFIG_BACKEND:
        return config_word_read(key, value, &word, error) && set_text(key, field, value, error);
    case CONFIG_OVERFLOW:
    case CONFIG_STUCK:
    case CONFIG_ISOLATION:
    case CONFIG_LEVEL:
    case CONFIG_FORMAT:
        return set_word(key, field, value, error);
    }
    return false;
}

static void write_folders(char *const *folders, struct buffer *text)
{
    for (size_t i = 0; folders[i] != NULL; i++)
        buffer_printf(text, "%s%s", i > 0 ? ":" : "", folders[i]);
}

static void write_labels(const struct sluice_map *labels, struct buffer *text)
{
    for (size_t i = 0; i < labels->count; i++)
        buffer_printf(text, "%s%s=%s", i > 0 ? "," : "", labels->pairs[i].key,
                      labels->pairs[i].value);
}

void config_key_write(const struct config_key *key, const void *from, struct buffer *text)
{
    const void *field = (const char *)from + key->offset;
    char span[32];

    switch (key->kind) {
    case CONFIG_COUNT:
    case CONFIG_WORKERS:
        buffer_printf(text, "%lld", (long long)*(const int64_t *)field);
        break;
    case CONFIG_SPAN:
        buffer_puts(text, units_format_duration(*(const int64_t *)field, span, sizeof(span)));
        break;
    case CONFIG_SIZE:
        if (*(const int64_t *)field >= key->least) /* else it is without */
            buffer_puts(text, units_format_size(*(const uint64_t *)field, span, sizeof(span)));
        break;
    case CONFIG_TEXT:
    case CONFIG_LISTEN:
    case CONFIG_PATH:
    case CONFIG_POLICY:
    case CONFIG_BACKEND:
        if (*(char *const *)field != NULL)
            buffer_puts(text, *(char *const *)field);
        break;
    case CONFIG_LABELS:
        write_labels(field, text);
        break;
    case CONFIG_FOLDERS:
        write_folders(field, text);
        break;
    case CONFIG_OVERFLOW:
    case CONFIG_STUCK:
    case CONFIG_ISOLATION:
    case CONFIG_LEVEL:
    case CONFIG_FORMAT:
        buffer_puts(text, config_word(key->kind, *(const unsigned int *)field));
        break;
    }
}

/* Of a field whose key may be LIVE: a number, a word, or labels. */
static size_t field_bytes(const struct config_key *key)
{
    switch (key->kind) {
    case CONFIG_COUNT:
    case CONFIG_WORKERS:
    case CONFIG_SPAN:
    case CONFIG_SIZE:
        return sizeof(int64_t);
    case CONFIG_OVERFLOW:
    case CONFIG_STUCK:
    case CONFIG_ISOLATION:
    case CONFIG_LEVEL:
    case CONFIG_FORMAT:
        return sizeof(unsigned int);
    case CONFIG_LABELS:
        return sizeof(struct sluice_map);
    case CONFIG_POLICY:
        return sizeof(char *);
    case CONFIG_TEXT:
    case CONFIG_LISTEN:
    case CONFIG_PATH:
    case CONFIG_FOLDERS:
    case CONFIG_BACKEND:
        break;
    }
    abort();
}

void config_key_swap(const struct config_key *key, void *one, void *other)
{
    char *left = (char *)one + key->offset, *right = (char *)other + key->offset;
    char kept[sizeof(struct sluice_map)];
    size_t bytes = field_bytes(key);

    assert(key->effect == CONFIG_LIVE && bytes <= sizeof(kept));
    memcpy(kept, left, bytes);
    memcpy(left, right, bytes);
    memcpy(right, kept, bytes);
}
