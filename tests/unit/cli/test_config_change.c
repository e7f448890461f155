/* What is taken over from a configuration that is read later, and what is only told. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "config_change.h"
#include "config_keys.h"
#include "support/cleanup.h"

static void read_text(struct config *config, const char *text)
{
    CLEANUP(diagnostics_fini) struct diagnostics diagnostics;

    config_init(config);
    diagnostics_init(&diagnostics, "sluice.ini");
    cr_assert(config_read(config, text, strlen(text), &diagnostics), "%s",
              diagnostics.kept_count > 0 ? diagnostics.kept[0].message : "");
}

static void write_change(void *context, const struct config_change *change)
{
    buffer_printf(context, "%s %s: %s -> %s\n", change->live ? "live" : "restart", change->key,
                  change->before == NULL ? "-" : change->before,
                  change->after == NULL ? "-" : change->after);
}

/* Changes config to the text and expects to be told that. */
static void expect(struct config *config, const char *text, const char *told)
{
    CLEANUP(config_fini) struct config next;
    CLEANUP(buffer_fini) struct buffer said = BUFFER_EMPTY;
    struct config_listener listener = {.context = &said, .changed = write_change};
    struct error error;

    read_text(&next, text);
    cr_assert(config_change(config, &next, &listener, &error), "%s", error.message);
    cr_expect(eq(str, (char *)buffer_text(&said), (char *)told));
}

Test(config_change, takes_over_every_live_key_and_tells_of_it)
{
    CLEANUP(config_fini) struct config config;
    static const char text[] =
        "[host]\nmax_pending = 7\nmax_weight = 50\ngrace = 1s\n"
        "overflow = block\n[scheduler]\npolicy = tag_based\nheartbeat = 2s\n"
        "max_age = 2s\n[store]\nkeep_finished = 1h\nkeep_finished_max = 3\n"
        "[log]\nlevel = debug\nformat = json\n"
        "[group:a]\ntype = a\nworkers = 3\nmax_weight = 4\nqueue_capacity = 5\n";

    read_text(&config, "[group:a]\ntype = a\nworkers = 1\n");
    expect(&config, text,
           "live [host] max_pending: 10000000 -> 7\n"
           "live [host] overflow: reject -> block\n"
           "live [host] max_weight: 100 -> 50\n"
           "live [host] grace: 5s -> 1s\n"
           "live [scheduler] policy: round_robin -> tag_based\n"
           "live [scheduler] heartbeat: 1s -> 2s\n"
           "live [scheduler] max_age: 30s -> 2s\n"
           "live [store] keep_finished: 7d -> 1h\n"
           "live [store] keep_finished_max: 1000000 -> 3\n"
           "live [log] level: info -> debug\n"
           "live [log] format: logfmt -> json\n"
           "live [group:a] workers: 1 -> 3\n"
           "live [group:a] max_weight: 0 -> 4\n"
           "live [group:a] queue_capacity: 0 -> 5\n");
    cr_expect(eq(i64, config.max_pending, 7));
    cr_expect(eq(i64, config.max_weight, 50));
    cr_expect(eq(i64, config.grace_ns, NS_PER_S));
    cr_expect(eq(i64, config.max_age_ns, 2 * NS_PER_S));
    cr_expect(eq(int, config.overflow, OVERFLOW_BLOCK));
    cr_expect(eq(str, config.policy, "tag_based"));
    cr_expect(eq(int, config.log_level, LOG_DEBUG));
    cr_expect(eq(int, config.log_format, LOG_FORMAT_JSON));
    cr_expect(eq(i64, config.groups[0].workers, 3));
    cr_expect(eq(i64, config.groups[0].max_weight, 4));
    expect(&config, text, "");
}

Test(config_change, takes_over_labels_and_the_workers_of_groups_that_do_not_say)
{
    CLEANUP(config_fini) struct config config;
    static const char text[] = "[host]\nworkers = 5\n[group:a]\ntype = a\nlabels = x=1,y=2\n";

    read_text(&config, "[host]\nworkers = 4\n[group:a]\ntype = a\nlabels = x=1\n");
    expect(&config, text,
           "live [host] workers: 4 -> 5\n"
           "live [group:a] workers: 4 -> 5\n"
           "live [group:a] labels: x=1 -> x=1,y=2\n");
    cr_expect(eq(i64, config.workers, 5));
    cr_expect(eq(i64, config.groups[0].workers, 5));
    cr_assert(eq(sz, config.groups[0].labels.count, 2));
    cr_expect(eq(str, (char *)config.groups[0].labels.pairs[1].key, "y"));
    expect(&config, text, "");
}

Test(config_change, tells_of_every_key_that_needs_a_restart_and_keeps_it)
{
    CLEANUP(config_fini) struct config config;
    static const char text[] = "[host]\nplugin_dir = /a:/b\nstate_dir = /s\nruntime_dir = /r\n"
                               "dispatchers = 2\ntimeout = 1m\ninbound_capacity = 9\n"
                               "[http]\nlisten = unix:/l\ntoken_file = /t\nallowed_hosts = h\n"
                               "max_body = 1MiB\nmax_body_total = 2MiB\nmax_connections = 3\n"
                               "[group:a]\ntype = b\nreserve = 3\n";
    static const char told[] = "restart [host] plugin_dir:  -> /a:/b\n"
                               "restart [host] state_dir:  -> /s\n"
                               "restart [host] runtime_dir:  -> /r\n"
                               "restart [host] dispatchers: 1 -> 2\n"
                               "restart [host] timeout: 1h -> 1m\n"
                               "restart [host] inbound_capacity: 1024 -> 9\n"
                               "restart [http] listen:  -> unix:/l\n"
                               "restart [http] token_file:  -> /t\n"
                               "restart [http] allowed_hosts:  -> h\n"
                               "restart [http] max_body: 64MiB -> 1MiB\n"
                               "restart [http] max_body_total: 256MiB -> 2MiB\n"
                               "restart [http] max_connections: 256 -> 3\n"
                               "restart [group:a] type: a -> b\n"
                               "restart [group:a] reserve: 0 -> 3\n";

    read_text(&config, "[group:a]\ntype = a\n");
    expect(&config, text, told);
    cr_expect(eq(i64, config.dispatchers, 1));
    cr_expect(eq(str, config.groups[0].type, "a"));
    expect(&config, text, told);
}

Test(config_change, groups_that_come_and_go_need_a_restart)
{
    CLEANUP(config_fini) struct config config;

    read_text(&config, "[group:a]\ntype = a\n[group:b]\ntype = b\nworkers = 2\n");
    expect(&config, "[group:c]\ntype = c\n[group:b]\ntype = b\nworkers = 6\n",
           "live [group:b] workers: 2 -> 6\n"
           "restart [group:a]: a -> -\n"
           "restart [group:c]: - -> c\n");
    cr_assert(eq(sz, config.groups_count, 2));
    cr_expect(eq(i64, config.groups[1].workers, 6));
}

Test(config_change, what_plugins_are_handed_is_named_but_not_told)
{
    CLEANUP(config_fini) struct config config;

    read_text(&config, "[plugin:p]\nkept = 1\nother = 1\ngone = 1\n");
    expect(&config, "[plugin:p]\nkept = 1\nother = 2\nnew = 1\n",
           "restart [plugin:p] other: - -> -\n"
           "restart [plugin:p] gone: - -> -\n"
           "restart [plugin:p] new: - -> -\n");
}

Test(config_change, default_places_that_nobody_named_have_not_changed)
{
    CLEANUP(config_fini) struct config config;

    read_text(&config, "");
    config.plugin_dirs[0] = config_copy("/found/plugins");
    config.state_dir = config_copy("/found/state");
    config.plugin_dirs_are_default = config.state_dir_is_default = true;
    expect(&config, "", "");
    config.state_dir_is_default = false;
    expect(&config, "", "restart [host] state_dir: /found/state -> \n");
}

Test(config_change, weights_that_do_not_fit_what_stays_change_nothing)
{
    CLEANUP(config_fini) struct config config, next;
    CLEANUP(buffer_fini) struct buffer said = BUFFER_EMPTY;
    struct config_listener listener = {.context = &said, .changed = write_change};
    struct error error;

    read_text(&config, "[group:a]\ntype = a\nreserve = 20\n");
    read_text(&next, "[host]\nmax_weight = 20\ngrace = 1s\n[group:a]\ntype = a\n");
    cr_expect(not(config_change(&config, &next, &listener, &error)));
    cr_expect(eq(str, error.message,
                 "reserve: the groups keep 20 in all; of the host's max_weight "
                 "20 at least 1 must be left"));
    cr_expect(eq(sz, said.length, 0));
    cr_expect(eq(i64, config.max_weight, 100));
    cr_expect(eq(i64, config.grace_ns, 5 * NS_PER_S));
}
