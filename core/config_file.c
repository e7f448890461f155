/* Debian's inih tells its handler no line numbers, cuts long lines and section names silently,
 * takes indented lines for continuations and reports only the first line that it does not
 * understand. So the reader that hands it the lines counts them, refuses those, and hands an
 * empty line instead. */
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_keys.h"
#include "support/cleanup.h"
#include "support/suggest.h"
#include "support/utf8.h"

enum section_kind { SECTION_NONE, SECTION_UNKNOWN, SECTION_FIXED, SECTION_GROUP, SECTION_PLUGIN };

struct reading {
    struct config *config;
    struct diagnostics *diagnostics;
    const char *at, *end;
    uint32_t line;
    enum section_kind kind;
    char section[CONFIG_SECTION_MOST_BYTES + 1]; /* as it stands between the brackets */
    const char *table;                           /* its name in the table: "host", "group" */
    const char *name;                            /* what follows the ':', or "" */
    uint32_t *key_lines;                         /* by key: where it stands in this section */
    char **sections;                             /* seen so far */
    uint32_t *section_lines;
    size_t sections_count;
    uint32_t overflow_line; /* where that key stands; 0: it does not */
};

static const char *const section_names[] = {"host", "scheduler", "http",  "store",
                                            "log",  "group",     "plugin"};
enum { SECTION_NAMES_COUNT = sizeof(section_names) / sizeof(section_names[0]) };

__attribute__((format(printf, 3, 4))) static void report(struct reading *reading, const char *code,
                                                         const char *format, ...)
{
    va_list arguments;
    char *message;

    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0)
        abort();
    va_end(arguments);
    diagnostics_add(reading->diagnostics, (struct place){.line = reading->line}, code, message,
                    NULL);
    free(message);
}

static void report_with_hint(struct reading *reading, const char *code, const char *what,
                             const struct suggest *suggest)
{
    if (suggest->best != NULL)
        report(reading, code, "%s: did you mean '%s'?", what, suggest->best);
    else
        report(reading, code, "%s", what);
}

static void report_unknown_section(struct reading *reading)
{
    struct suggest suggest;
    char what[128];

    if (strcmp(reading->section, "group") == 0 || strcmp(reading->section, "plugin") == 0) {
        report(reading, "unknown_section", "section [%s] needs a name: [%s:NAME]", reading->section,
               reading->section);
        return;
    }
    suggest_begin(&suggest, reading->section, strcspn(reading->section, ":"));
    for (size_t i = 0; i < SECTION_NAMES_COUNT; i++)
        suggest_offer(&suggest, section_names[i]);
    snprintf(what, sizeof(what), "unknown section [%s]", reading->section);
    report_with_hint(reading, "unknown_section", what, &suggest);
}

static void report_unknown_key(struct reading *reading, const char *name)
{
    struct suggest suggest;
    char what[384];

    suggest_begin(&suggest, name, strlen(name));
    for (size_t i = 0; i < config_keys_count; i++)
        if (strcmp(config_keys[i].section, reading->table) == 0)
            suggest_offer(&suggest, config_keys[i].name);
    snprintf(what, sizeof(what), "unknown key '%s' in [%s]", name, reading->section);
    report_with_hint(reading, "unknown_key", what, &suggest);
}

/* Notes the section; false if it stands twice. */
static bool section_note(struct reading *reading)
{
    for (size_t i = 0; i < reading->sections_count; i++)
        if (strcmp(reading->sections[i], reading->section) == 0) {
            report(reading, "duplicate_section", "section [%s] stands twice, first on line %u",
                   reading->section, reading->section_lines[i]);
            return false;
        }
    size_t count = ++reading->sections_count;
    reading->sections = realloc(reading->sections, count * sizeof(*reading->sections));
    reading->section_lines = realloc(reading->section_lines, count * sizeof(uint32_t));
    if (reading->sections == NULL || reading->section_lines == NULL)
        abort();
    reading->sections[count - 1] = config_copy(reading->section);
    reading->section_lines[count - 1] = reading->line;
    return true;
}

static bool section_name_is_valid(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return name[0] != '\0' && name[strspn(name, letters)] == '\0';
}

/* Splits reading->section, "group:mail" or "host", into table name and name. */
static void section_classify(struct reading *reading)
{
    const char *colon = strchr(reading->section, ':');
    size_t length = strcspn(reading->section, ":");

    reading->kind = SECTION_UNKNOWN;
    for (size_t i = 0; i < SECTION_NAMES_COUNT; i++) {
        const char *name = section_names[i];
        bool named = strcmp(name, "group") == 0 || strcmp(name, "plugin") == 0;
        if (strlen(name) != length || memcmp(name, reading->section, length) != 0 ||
            named != (colon != NULL))
            continue;
        reading->table = name;
        reading->name = named ? colon + 1 : "";
        reading->kind = !named ? SECTION_FIXED : name[0] == 'g' ? SECTION_GROUP : SECTION_PLUGIN;
    }
}

static void group_begin(struct reading *reading)
{
    struct config_group *group = config_add_group(reading->config, reading->name, reading->line);

    if (group == NULL) {
        report(reading, "out_of_range", "more than %d groups", CONFIG_GROUPS_MOST);
        reading->kind = SECTION_UNKNOWN;
    }
}

static void section_enter(struct reading *reading)
{
    section_classify(reading);
    memset(reading->key_lines, 0, config_keys_count * sizeof(*reading->key_lines));
    if (reading->kind == SECTION_UNKNOWN) {
        report_unknown_section(reading);
    } else if (reading->kind != SECTION_FIXED && !section_name_is_valid(reading->name)) {
        report(reading, "invalid_name", "[%s]: the name has letters, digits, . _ - only",
               reading->section);
        reading->kind = SECTION_UNKNOWN;
    } else if (!section_note(reading)) {
        reading->kind = SECTION_UNKNOWN;
    } else if (reading->kind == SECTION_GROUP) {
        group_begin(reading);
    }
}

/* A line that begins with '['. */
static bool line_is_section(struct reading *reading, const char *line, size_t length)
{
    const char *end = memchr(line, ']', length);
    const char *rest = end == NULL ? NULL : end + 1;

    reading->kind = SECTION_UNKNOWN;
    while (rest != NULL && rest < line + length && (*rest == ' ' || *rest == '\t'))
        rest++;
    if (end == NULL || (rest < line + length && *rest != ';')) {
        report(reading, "syntax", "expected [section] and nothing behind it");
        return false;
    }
    if (end - line - 1 > CONFIG_SECTION_MOST_BYTES) {
        report(reading, "too_large", "the section's name is over %d bytes",
               CONFIG_SECTION_MOST_BYTES);
        return false;
    }
    snprintf(reading->section, sizeof(reading->section), "%.*s", (int)(end - line - 1), line + 1);
    section_enter(reading);
    return true;
}

static bool is_text(const char *line, size_t length)
{
    for (size_t i = 0, bytes; i < length; i += bytes) {
        uint32_t character;
        bytes = utf8_read(line + i, length - i, &character);
        if (bytes == 0 || character == 0)
            return false;
    }
    return true;
}

/* Whether inih may see the line; all that it would take wrongly is reported here. */
static bool line_is_fit(struct reading *reading, const char *line, size_t length)
{
    size_t blank = 0;

    while (blank < length && (line[blank] == ' ' || line[blank] == '\t'))
        blank++;
    if (blank == length || line[blank] == '#' || line[blank] == ';')
        return false;
    if (length > CONFIG_LINE_MOST_BYTES)
        report(reading, "too_large", "the line is over %d bytes", CONFIG_LINE_MOST_BYTES);
    else if (!is_text(line, length))
        report(reading, "encoding", "the line is not UTF-8 text");
    else if (blank > 0)
        report(reading, "syntax", "the line is indented: continued lines are not allowed");
    else if (line[0] == '[')
        return line_is_section(reading, line, length);
    else if (memchr(line, '=', length) == NULL || line[0] == '=')
        report(reading, "syntax", "expected key = value");
    else
        return true;
    if (line[0] == '[')
        reading->kind = SECTION_UNKNOWN;
    return false;
}

/* The ini_reader: as fgets, and what is not fit becomes an empty line. */
static char *line_read(char *into, int capacity, void *stream)
{
    struct reading *reading = stream;

    if (reading->at == reading->end)
        return NULL;
    const char *line = reading->at;
    const char *newline = memchr(line, '\n', (size_t)(reading->end - line));
    reading->at = newline == NULL ? reading->end : newline + 1;
    size_t length = (size_t)((newline == NULL ? reading->end : newline) - line);
    if (length > 0 && line[length - 1] == '\r')
        length--;
    reading->line++;
    bool fit = line_is_fit(reading, line, length);
    snprintf(into, (size_t)capacity, "%.*s", fit ? (int)length : 0, line);
    return into;
}

static void setting_add(struct reading *reading, const char *key, const char *value)
{
    struct config *config = reading->config;

    for (size_t i = 0; i < config->settings_count; i++)
        if (strcmp(config->settings[i].plugin, reading->name) == 0 &&
            strcmp(config->settings[i].key, key) == 0) {
            report(reading, "duplicate_key", "key '%s' stands twice in [%s]", key,
                   reading->section);
            return;
        }
    if (config->settings_count == CONFIG_SETTINGS_MOST) {
        report(reading, "too_large", "more than %d keys for plugins", CONFIG_SETTINGS_MOST);
        return;
    }
    size_t bytes = (config->settings_count + 1) * sizeof(*config->settings);
    config->settings = realloc(config->settings, bytes);
    if (config->settings == NULL)
        abort();
    config->settings[config->settings_count++] =
        (struct config_setting){config_copy(reading->name), config_copy(key), config_copy(value),
                                reading->section_lines[reading->sections_count - 1]};
}

static void key_set(struct reading *reading, const char *name, const char *value)
{
    const struct config_key *key = config_key_find(reading->table, name);
    struct config *config = reading->config;
    struct error error;

    if (key == NULL && config_key_is_later(reading->table, name)) {
        report(reading, "later", "key '%s' in [%s] is not part of this version", name,
               reading->section);
        return;
    }
    if (key == NULL) {
        report_unknown_key(reading, name);
        return;
    }
    uint32_t *first = &reading->key_lines[key - config_keys];
    if (*first != 0) {
        report(reading, "duplicate_key", "key '%s' stands twice in [%s], first on line %u", name,
               reading->section, *first);
        return;
    }
    *first = reading->line;
    if (key->kind == CONFIG_OVERFLOW)
        reading->overflow_line = reading->line;
    void *into = reading->kind == SECTION_GROUP ? (void *)&config->groups[config->groups_count - 1]
                                                : (void *)config;
    if (!config_key_set(key, into, value, &error))
        report(reading, error.code, "%s", error.message);
}

/* The ini_handler. */
static int key_read(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;

    (void)section;
    switch (reading->kind) {
    case SECTION_NONE:
        report(reading, "syntax", "key '%s' stands before the first [section]", name);
        break;
    case SECTION_UNKNOWN:
        break;
    case SECTION_FIXED:
    case SECTION_GROUP:
        key_set(reading, name, value);
        break;
    case SECTION_PLUGIN:
        setting_add(reading, name, value);
        break;
    }
    return 1;
}

/* What can only be said once all is read. */
static void groups_finish(struct reading *reading)
{
    struct config *config = reading->config;
    const struct config_group *culprit;
    struct error error;

    for (size_t i = 0; i < config->groups_count; i++) {
        struct config_group *group = &config->groups[i];
        reading->line = group->line;
        if (group->type == NULL)
            report(reading, "missing_key", "[group:%s] has no type", group->name);
        if (group->workers == 0)
            group->workers = config->workers;
    }
    if (!config_check_weights(config, &culprit, &error)) {
        reading->line = culprit->line;
        report(reading, error.code, "%s", error.message);
    }
}

static void overflow_finish(struct reading *reading)
{
    struct error error;

    if (config_check_overflow(reading->config, &error))
        return;
    reading->line = reading->overflow_line;
    report(reading, error.code, "%s", error.message);
}

static void reading_fini(struct reading *reading)
{
    for (size_t i = 0; i < reading->sections_count; i++)
        free(reading->sections[i]);
    free(reading->sections);
    free(reading->section_lines);
    free(reading->key_lines);
}

bool config_read(struct config *config, const char *text, size_t length,
                 struct diagnostics *diagnostics)
{
    CLEANUP(reading_fini)
    struct reading reading = {
        .config = config,
        .diagnostics = diagnostics,
        .at = text,
        .end = text + length,
        .name = "",
        .key_lines = calloc(config_keys_count, sizeof(uint32_t)),
    };

    if (reading.key_lines == NULL)
        abort();
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        reading.at += 3;
    int first_wrong = ini_parse_stream(line_read, &reading, key_read, &reading);
    if (first_wrong != 0 && diagnostics->found_count == 0) {
        reading.line = (uint32_t)first_wrong;
        report(&reading, "syntax", "expected key = value");
    }
    groups_finish(&reading);
    overflow_finish(&reading);
    return diagnostics->found_count == 0;
}
