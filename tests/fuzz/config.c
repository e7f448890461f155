/* config: libFuzzer reads each input as a configuration; what stands behind a line `# next` is the
 * same file when it is read again. Beyond crashes it looks for a wrong file without an error, an
 * error that says nothing or has no place, a value that is written in a way that is not read, and a
 * change that is told and not made or made and not told. Started by run.sh. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_change.h"
#include "config_keys.h"
#include "support/buffer.h"
#include "support/cleanup.h"

static const char separator[] = "\n# next\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void expect(bool right, const char *sentence)
{
    if (right)
        return;
    fprintf(stderr, "config: not so: %s\n", sentence);
    abort();
}

static void expect_places(const struct diagnostics *diagnostics, const char *text, size_t length)
{
    uint32_t lines = 1;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    expect(diagnostics->found_count > 0, "a wrong file has errors");
    for (size_t i = 0; i < diagnostics->kept_count; i++) {
        const struct diagnostic *one = &diagnostics->kept[i];
        expect(one->message[0] != '\0', "an error says something");
        expect(one->code != NULL && one->code[0] != '\0', "an error has a code");
        expect(one->place.line >= 1 && one->place.line <= lines, "an error has its line");
    }
}

/* Where written values are read into. */
struct copy {
    struct config config;
    struct config_group group;
};

static void expect_readable(struct copy *copy, const struct config_key *key, const void *from)
{
    CLEANUP(buffer_fini) struct buffer once = BUFFER_EMPTY, again = BUFFER_EMPTY;
    struct error error;
    void *into = strcmp(key->section, "group") == 0 ? (void *)&copy->group : (void *)&copy->config;

    config_key_write(key, from, &once);
    if (once.length == 0)
        return;
    expect(config_key_set(key, into, buffer_text(&once), &error), "what is written is read");
    config_key_write(key, into, &again);
    expect(strcmp(buffer_text(&once), buffer_text(&again)) == 0, "and is the same");
}

static void expect_limits(const struct config *config)
{
    struct error error;

    expect(config->groups_count <= CONFIG_GROUPS_MOST, "groups are limited");
    expect(config->settings_count <= CONFIG_SETTINGS_MOST, "settings are limited");
    expect(config_check_weights(config, NULL, &error), "the weights of a right file fit");
    for (size_t i = 0; i < config->groups_count; i++) {
        const struct config_group *group = &config->groups[i];
        expect(group->type != NULL && group->type[0] != '\0', "a group has a type");
        expect(group->workers >= 1, "a group has workers");
        expect(group->labels.count <= CONFIG_LABELS_MOST, "labels are limited");
    }
}

static void expect_all_readable(const struct config *config)
{
    struct copy copy = {0};

    config_init(&copy.config);
    for (size_t k = 0; k < config_keys_count; k++) {
        bool of_groups = strcmp(config_keys[k].section, "group") == 0;
        if (!of_groups)
            expect_readable(&copy, &config_keys[k], config);
        for (size_t i = 0; of_groups && i < config->groups_count; i++)
            expect_readable(&copy, &config_keys[k], &config->groups[i]);
    }
    config_labels_fini(&copy.group.labels);
    free(copy.group.type);
    config_fini(&copy.config);
}

static bool read_text(struct config *config, const char *text, size_t length)
{
    CLEANUP(diagnostics_fini) struct diagnostics diagnostics;

    diagnostics_init(&diagnostics, "sluice.ini");
    config_init(config);
    bool right = config_read(config, text, length, &diagnostics);
    expect(right == (diagnostics.found_count == 0), "a file is wrong if it has errors");
    if (!right) {
        expect_places(&diagnostics, text, length);
        return false;
    }
    expect_limits(config);
    expect_all_readable(config);
    return true;
}

/* ---- the file read again ---- */

struct told {
    size_t live, all;
};

static void count_change(void *context, const struct config_change *change)
{
    struct told *told = context;

    expect(change->key[0] == '[', "a change names its key");
    told->live += change->live;
    told->all++;
}

static struct told change(struct config *config, struct config *next, bool *taken)
{
    struct told told = {0};
    const struct config_listener listener = {&told, count_change};
    struct error error = {0};

    *taken = config_change(config, next, &listener, &error);
    expect(*taken || error.message[0] != '\0', "a change that is refused has a reason");
    expect(*taken || told.all == 0, "of a change that is refused nothing is told");
    return told;
}

/* Changes to the text, which is right. */
static struct told change_to(struct config *config, const char *text, size_t length, bool *taken)
{
    CLEANUP(config_fini) struct config next;

    read_text(&next, text, length);
    return change(config, &next, taken);
}

/* Both are right. Afterwards what is LIVE is as in the second, and all else as it was. */
static void read_again(struct config *config, const char *text, size_t length)
{
    struct error error;
    bool taken;

    struct told first = change_to(config, text, length, &taken);
    if (!taken)
        return;
    expect(config_check_weights(config, NULL, &error), "the weights fit after a change");
    struct told second = change_to(config, text, length, &taken);
    expect(taken, "what was taken once is taken again");
    expect(second.live == 0, "what is live has changed at once");
    expect(second.all == first.all - first.live, "what is not live stays");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    const char *text = (const char *)data,
               *next = memmem(text, length, separator, sizeof(separator) - 1);
    CLEANUP(config_fini) struct config config;
    CLEANUP(config_fini) struct config alone;

    size_t first_length = next != NULL ? (size_t)(next - text) + 1 : length;
    bool right = read_text(&config, text, first_length);
    if (next == NULL) {
        config_init(&alone);
        return 0;
    }
    const char *rest = next + sizeof(separator) - 1;
    size_t rest_length = length - (size_t)(rest - text);
    if (read_text(&alone, rest, rest_length) && right)
        read_again(&config, rest, rest_length);
    return 0;
}
