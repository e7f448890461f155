/* The configuration as it is read from text: values, limits, and every error at once. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_keys.h"
#include "support/buffer.h"
#include "support/cleanup.h"

/* What diagnostics_print says about a text; empty if it is valid. The caller frees it. */
static char *errors_of(const char *text)
{
    CLEANUP(config_fini) struct config config;
    CLEANUP(diagnostics_fini) struct diagnostics diagnostics;
    char *said = NULL;
    size_t length = 0;

    config_init(&config);
    diagnostics_init(&diagnostics, "sluice.ini");
    bool valid = config_read(&config, text, strlen(text), &diagnostics);
    FILE *to = open_memstream(&said, &length);
    diagnostics_print(&diagnostics, to, false);
    fclose(to);
    cr_assert(eq(int, valid, length == 0));
    return said;
}

static void expect(const char *text, const char *errors)
{
    CLEANUP(cleanup_free) char *said = errors_of(text);
    cr_expect(eq(str, said, (char *)errors), "of: %s", text);
}

static void read_valid(struct config *config, const char *text)
{
    CLEANUP(diagnostics_fini) struct diagnostics diagnostics;

    config_init(config);
    diagnostics_init(&diagnostics, "sluice.ini");
    cr_assert(config_read(config, text, strlen(text), &diagnostics), "%s",
              diagnostics.kept_count > 0 ? diagnostics.kept[0].message : "");
}

Test(config, the_defaults_are_those_of_the_table)
{
    CLEANUP(config_fini) struct config config;

    config_init(&config);
    cr_expect(eq(i64, config.dispatchers, 1));
    cr_expect(ge(i64, config.workers, 1));
    cr_expect(eq(i64, config.timeout_ns, 3600 * NS_PER_S));
    cr_expect(eq(i64, config.inbound_capacity, 1024));
    cr_expect(eq(i64, config.max_pending, 10000000));
    cr_expect(eq(i64, config.max_weight, 100));
    cr_expect(eq(i64, config.grace_ns, 5 * NS_PER_S));
    cr_expect(eq(str, config.policy, "round_robin"));
    cr_expect(eq(int, config.overflow, OVERFLOW_REJECT));
    cr_expect(eq(i64, config.heartbeat_ns, NS_PER_S));
    cr_expect(eq(ptr, config.http_listen, NULL));
    cr_expect(eq(i64, config.http_max_body, 64 << 20));
    cr_expect(eq(i64, config.keep_finished_ns, 7 * 24 * 3600 * NS_PER_S));
    cr_expect(eq(i64, config.max_age_ns, 30 * NS_PER_S));
    cr_expect(eq(int, config.log_level, LOG_INFO));
    cr_expect(eq(int, config.log_format, LOG_FORMAT_LOGFMT));
    cr_expect(eq(ptr, config.plugin_dirs[0], NULL));
}

Test(config, a_label_has_a_key)
{
    expect("[group:a]\ntype = a\nlabels = =b\n",
           "sluice.ini:3: error: labels: '=b' is not key=value\n");
    expect("[group:a]\ntype = a\nlabels = a=b, =c\n",
           "sluice.ini:3: error: labels: '=c' is not key=value\n");
    expect("[group:a]\ntype = a\nlabels = a=b, = \n",
           "sluice.ini:3: error: labels: '=' is not key=value\n");
}

Test(config, every_kind_of_value_is_read)
{
    CLEANUP(config_fini) struct config config;

    read_valid(&config, "\xef\xbb\xbf[host]\r\n"
                        "plugin_dir = /a:/b ; two\n"
                        "workers=7\n"
                        "timeout = 1h30m\n"
                        "[log]\n"
                        "level = warning\n"
                        "format = json\n"
                        "[group:mail]\n"
                        "type = send_email\n"
                        "labels = region=sh , disk = ssd\n"
                        "reserve = 0x10\n"
                        "[plugin:http]\n"
                        "proxy = http://p:3128/?a=b\n");
    cr_expect(eq(str, config.plugin_dirs[0], "/a"));
    cr_expect(eq(str, config.plugin_dirs[1], "/b"));
    cr_expect(eq(ptr, config.plugin_dirs[2], NULL));
    cr_expect(eq(i64, config.workers, 7));
    cr_expect(eq(i64, config.timeout_ns, 5400 * NS_PER_S));
    cr_expect(eq(int, config.log_level, LOG_WARNING));
    cr_expect(eq(int, config.log_format, LOG_FORMAT_JSON));
    cr_assert(eq(sz, config.groups_count, 1));
    cr_expect(eq(str, config.groups[0].name, "mail"));
    cr_expect(eq(str, config.groups[0].type, "send_email"));
    cr_expect(eq(i64, config.groups[0].workers, 7));
    cr_expect(eq(i64, config.groups[0].reserve, 16));
    cr_assert(eq(sz, config.groups[0].labels.count, 2));
    cr_expect(eq(str, (char *)config.groups[0].labels.pairs[0].key, "disk"));
    cr_expect(eq(str, (char *)config.groups[0].labels.pairs[1].value, "sh"));
    cr_assert(eq(sz, config.settings_count, 1));
    cr_expect(eq(str, config.settings[0].value, "http://p:3128/?a=b"));
}

Test(config, a_wrong_key_is_named_with_its_line_and_the_nearest_one)
{
    expect("[host]\n\n# why\nworkers = 2\n\n\ninbond_capacity = 5\n",
           "sluice.ini:7: error: unknown key 'inbond_capacity' in [host]: did you mean "
           "'inbound_capacity'?\n");
    expect("[hots]\nworkers = 2\n",
           "sluice.ini:1: error: unknown section [hots]: did you mean 'host'?\n");
}

Test(config, a_number_that_no_integer_holds_is_out_of_range)
{
    expect("[host]\nworkers = 99999999999999999999\n",
           "sluice.ini:2: error: workers: 99999999999999999999 is not between 1 and 1024\n");
}

Test(config, all_errors_are_reported_at_once)
{
    expect("workers = 1\n"
           "[host]\n"
           "workers = 0\n"
           "timeout = soon\n"
           "  grace = 1s\n"
           "no equals sign\n"
           "dispatchers = 1\n"
           "dispatchers = 2\n"
           "[host]\n"
           "[log]\n"
           "level = loud\n",
           "sluice.ini:1: error: key 'workers' stands before the first [section]\n"
           "sluice.ini:3: error: workers: 0 is not between 1 and 1024\n"
           "sluice.ini:4: error: timeout: 'soon' is not a duration such as 250ms, 30s, 1h30m\n"
           "sluice.ini:5: error: the line is indented: continued lines are not allowed\n"
           "sluice.ini:6: error: expected key = value\n"
           "sluice.ini:8: error: key 'dispatchers' stands twice in [host], first on line 7\n"
           "sluice.ini:9: error: section [host] stands twice, first on line 2\n"
           "sluice.ini:11: error: level: 'loud' is not one of: debug, info, warning, error\n");
}

Test(config, what_a_later_version_will_know_is_told_apart_from_a_mistake)
{
    expect("[store]\nurl = x\nbackend = redis\n",
           "sluice.ini:2: error: key 'url' in [store] is not part of this version\n"
           "sluice.ini:3: error: backend: 'redis' is not part of this version\n");
}

Test(config, what_is_to_be_put_aside_needs_a_store_that_outlives_the_daemon)
{
    expect("[host]\noverflow = delay\n[store]\nbackend = sqlite\n", "");
    expect(
        "[store]\nbackend = memory\n[host]\n\noverflow = delay\n",
        "sluice.ini:5: error: overflow: 'delay' acknowledges what has no room yet, so it needs a "
        "store that outlives the daemon: [store] backend is 'memory'\n");
}

Test(config, a_word_that_is_none_of_those_allowed_is_refused)
{
    expect("[host]\noverflow = drop\n[scheduler]\npolicy = random\n",
           "sluice.ini:2: error: overflow: 'drop' is not one of: block, reject, delay\n"
           "sluice.ini:4: error: policy: 'random' is not one of: round_robin, load_aware, "
           "tag_based\n");
}

Test(config, what_the_daemon_needs_is_read)
{
    CLEANUP(config_fini) struct config config;

    read_valid(&config, "[host]\nruntime_dir = /run/sluice\noverflow = block\n"
                        "[scheduler]\nheartbeat = 250ms\n"
                        "[http]\nlisten = 127.0.0.1:8080\ntoken_file = /etc/sluice/token\n"
                        "allowed_hosts = a.example, b.example\nmax_body = 1MiB\n"
                        "max_body_total = 2MiB\nmax_connections = 8\n"
                        "[store]\nbackend = memory\npath = /srv/jobs.db\ncommit_interval = "
                        "2ms\nkeep_finished = 1h\nkeep_finished_max = 5\n"
                        "[group:a]\ntype = a\nqueue_capacity = 9\n");
    cr_expect(eq(str, config.runtime_dir, "/run/sluice"));
    cr_expect(eq(int, config.overflow, OVERFLOW_BLOCK));
    cr_expect(eq(i64, config.heartbeat_ns, 250 * NS_PER_MS));
    cr_expect(eq(str, config.http_listen, "127.0.0.1:8080"));
    cr_expect(eq(str, config.http_token_file, "/etc/sluice/token"));
    cr_expect(eq(str, config.http_allowed_hosts, "a.example, b.example"));
    cr_expect(eq(i64, config.http_max_body, 1 << 20));
    cr_expect(eq(i64, config.http_max_body_total, 2 << 20));
    cr_expect(eq(i64, config.http_max_connections, 8));
    cr_expect(eq(str, config.store_backend, "memory"));
    cr_expect(eq(str, config.store_path, "/srv/jobs.db"));
    cr_expect(eq(i64, config.commit_interval_ns, 2 * NS_PER_MS));
    cr_expect(eq(i64, config.keep_finished_ns, 3600 * NS_PER_S));
    cr_expect(eq(i64, config.keep_finished_max, 5));
    cr_expect(eq(i64, config.groups[0].queue_capacity, 9));
}

Test(config, a_place_to_listen_is_a_socket_or_an_address_with_a_port)
{
    static const char *const valid[] = {"", "unix:/run/s", "127.0.0.1:0", "[::1]:65535"};
    static const char *const wrong[] = {"unix:run/s", "8080",    "127.0.0.1",    "127.0.0.1:65536",
                                        "::1:80",     "[::1:80", "localhost:80", ":80"};
    char text[256], said[256];

    for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
        snprintf(text, sizeof(text), "[http]\nlisten = %s\n", valid[i]);
        expect(text, "");
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "[http]\nlisten = %s\n", wrong[i]);
        snprintf(said, sizeof(said),
                 "sluice.ini:2: error: listen: '%s' is not unix:/PATH (of at most 107 bytes) or "
                 "ADDRESS:PORT such as 127.0.0.1:8080\n",
                 wrong[i]);
        expect(text, said);
    }
}

Test(config, a_size_has_a_unit_and_limits)
{
    expect("[http]\nmax_body = 64 apples\n",
           "sluice.ini:2: error: max_body: '64 apples' is not a size such as 512, 64KiB, 10MB\n");
    expect("[http]\nmax_body = 1\n",
           "sluice.ini:2: error: max_body: 1 is not between 1KiB and 1TiB\n");
}

Test(config, lines_and_sections_that_would_be_cut_are_refused)
{
    char text[600];

    snprintf(text, sizeof(text),
             "[plugin:a]\nk=%0197d\n[plugin:b]\nk=%0198d\n[plugin:%042d]\n"
             "[plugin:%043d]\n",
             1, 1, 1, 1);
    expect(text, "sluice.ini:4: error: the line is over 199 bytes\n"
                 "sluice.ini:6: error: the section's name is over 49 bytes\n");
}

Test(config, a_value_of_the_longest_line_arrives_whole)
{
    CLEANUP(config_fini) struct config config;
    char text[600];

    snprintf(text, sizeof(text), "[plugin:a]\nkey=%0195d\n", 7);
    read_valid(&config, text);
    cr_assert(eq(sz, config.settings_count, 1));
    cr_expect(eq(sz, strlen(config.settings[0].value), 195));
}

Test(config, bytes_that_are_no_text_are_refused)
{
    CLEANUP(config_fini) struct config config;
    CLEANUP(diagnostics_fini) struct diagnostics diagnostics;
    static const char text[] = "[host]\nworkers = 2\0\ngrace = \xff\n";

    config_init(&config);
    diagnostics_init(&diagnostics, "sluice.ini");
    cr_expect(not(config_read(&config, text, sizeof(text) - 1, &diagnostics)));
    cr_assert(eq(sz, diagnostics.kept_count, 2));
    cr_expect(eq(u32, diagnostics.kept[0].place.line, 2));
    cr_expect(eq(u32, diagnostics.kept[1].place.line, 3));
}

Test(config, the_weights_of_groups_must_fit)
{
    expect("[host]\nmax_weight = 10\n[group:a]\ntype = a\nreserve = 6\n[group:b]\ntype = "
           "b\nreserve = 5\n",
           "sluice.ini:6: error: reserve: the groups keep 11 in all; of the host's max_weight 10 "
           "at least 1 must be left\n");
    expect("[group:a]\ntype = a\nreserve = 60\n[group:b]\ntype = b\nreserve = 40\n",
           "sluice.ini:4: error: reserve: the groups keep 100 in all; of the host's max_weight 100 "
           "at least 1 must be left\n");
    expect("[group:a]\ntype = a\nreserve = 6\nmax_weight = 5\n",
           "sluice.ini:1: error: reserve: 6 of [group:a] is over its max_weight 5\n");
    expect("[group:a]\ntype = a\nmax_weight = 101\n",
           "sluice.ini:1: error: max_weight: 101 of [group:a] is over the host's 100\n");
    expect("[group:a]\n", "sluice.ini:1: error: [group:a] has no type\n");
}

Test(config, folders_are_absolute)
{
    expect("[host]\nplugin_dir = /a:b\nstate_dir = ./state\n",
           "sluice.ini:2: error: plugin_dir: 'b' is not an absolute path (~/ is allowed)\n"
           "sluice.ini:3: error: state_dir: './state' is not an absolute path (~/ is allowed)\n");
}

Test(config, names_of_groups_have_letters_digits_dots_only)
{
    expect("[group:a b]\n[group:]\n[group]\n",
           "sluice.ini:1: error: [group:a b]: the name has letters, digits, . _ - only\n"
           "sluice.ini:2: error: [group:]: the name has letters, digits, . _ - only\n"
           "sluice.ini:3: error: section [group] needs a name: [group:NAME]\n");
}

Test(config, workers_of_a_type_go_to_its_group_or_make_one)
{
    CLEANUP(config_fini) struct config config;
    struct error error;

    read_valid(&config, "[group:m]\ntype = mail\nworkers = 2\n[group:h]\ntype = http.*\n");
    cr_expect(config_set_workers(&config, "mail", 9, &error));
    cr_expect(eq(i64, config.groups[0].workers, 9));
    cr_expect(config_set_workers(&config, "hash", 3, &error));
    cr_assert(eq(sz, config.groups_count, 3));
    cr_expect(eq(str, config.groups[2].type, "hash"));
    cr_expect(eq(i64, config.groups[2].workers, 3));
    cr_expect(not(config_set_workers(&config, "http.get", 3, &error)));
    cr_expect(eq(str, error.message,
                 "the configuration has [group:h] for 'http.get' (http.*): set "
                 "its workers there"));
}

static void read_example(struct buffer *text)
{
    CLEANUP(cleanup_fclose) FILE *file = fopen(TEST_SOURCE_DIR "/configs/sluice.ini", "r");
    char line[256];

    cr_assert(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL)
        buffer_puts(text, line);
}

/* Its text with the commented examples ("#[group:x]", "#type = y") made real. */
static void uncomment(struct buffer *text, const char *from)
{
    while (*from != '\0') {
        size_t length = strcspn(from, "\n") + 1;
        bool example = from[0] == '#' && from[1] != ' ' && from[1] != '\n';
        buffer_append(text, from + example, length - example);
        from += length;
    }
}

Test(example, the_file_has_every_key_and_only_known_ones)
{
    CLEANUP(buffer_fini) struct buffer example = BUFFER_EMPTY;
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    CLEANUP(config_fini) struct config config;

    read_example(&example);
    uncomment(&text, buffer_text(&example));
    read_valid(&config, buffer_text(&text));
    const char *section = NULL;
    for (size_t i = 0; i < config_keys_count; i++) {
        char head[64], key[64];
        snprintf(head, sizeof(head), "\n[%s%s", config_keys[i].section,
                 strcmp(config_keys[i].section, "group") == 0 ? ":" : "]");
        snprintf(key, sizeof(key), "\n%s =", config_keys[i].name);
        section = strstr(buffer_text(&text), head);
        cr_assert(section != NULL, "%s is missing", head + 1);
        const char *found = strstr(section, key);
        const char *next = strstr(section + 1, "\n[");
        cr_expect(found != NULL && found < next, "%s %s is missing", head + 1, key + 1);
    }
}

Test(example, the_file_says_the_defaults)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;

    read_example(&text);
    for (size_t i = 0; i < config_keys_count; i++) {
        char line[128];
        if (strcmp(config_keys[i].section, "group") == 0)
            continue;
        snprintf(line, sizeof(line), "\n%s =%s%s\n", config_keys[i].name,
                 config_keys[i].def[0] == '\0' ? "" : " ", config_keys[i].def);
        cr_expect(strstr(buffer_text(&text), line) != NULL, "expected: %s", line + 1);
    }
}

/* The comment above a key in the example, as far as the line before it that is not one. */
static void read_comment(const char *example, const struct config_key *key, struct buffer *comment)
{
    char head[64], line[64], commented[64];
    bool group = strcmp(key->section, "group") == 0;

    snprintf(head, sizeof(head), "\n%s[%s%s", group ? "#" : "", key->section, group ? ":" : "]");
    snprintf(line, sizeof(line), "\n%s =", key->name);
    snprintf(commented, sizeof(commented), "\n#%s =", key->name);
    const char *section = strstr(example, head);
    cr_assert(section != NULL, "%s is missing", head + 1);
    const char *end = strstr(section, group ? commented : line);
    cr_assert(end != NULL, "%s is missing", line + 1);
    const char *begin = end;
    while (begin > example) {
        const char *before = begin;
        while (before > example && before[-1] != '\n')
            before--;
        if (strncmp(before, "# ", 2) != 0)
            break;
        begin = before - 1;
    }
    buffer_append(comment, begin, (size_t)(end - begin));
}

Test(example, the_file_says_of_each_key_when_a_change_takes_effect)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;

    read_example(&text);
    for (size_t i = 0; i < config_keys_count; i++) {
        CLEANUP(buffer_fini) struct buffer comment = BUFFER_EMPTY;
        read_comment(buffer_text(&text), &config_keys[i], &comment);
        bool live = strstr(buffer_text(&comment), " Live.") != NULL;
        bool restart = strstr(buffer_text(&comment), " Restart.") != NULL;
        cr_expect(eq(int, live, config_keys[i].effect == CONFIG_LIVE), "[%s] %s",
                  config_keys[i].section, config_keys[i].name);
        cr_expect(eq(int, restart, config_keys[i].effect == CONFIG_RESTART), "[%s] %s",
                  config_keys[i].section, config_keys[i].name);
    }
}
