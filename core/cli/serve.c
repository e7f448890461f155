#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/endpoint.h"
#include "cli/lifeline.h"
#include "cli/monitor.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/reread.h"
#include "execute/last_words.h"
#include "host.h"
#include "plugin/fallen.h"
#include "serve/api.h"
#include "serve/http.h"
#include "serve/listener.h"
#include "serve/notify.h"
#include "support/cleanup.h"
#include "support/log.h"
#include "support/ready.h"

enum { OPTION_CHECK_CONFIG = 2000, OPTION_NO_MONITOR };

/* What the memory store keeps, beside the number of tasks that is configured. */
enum {
    FINISHED_MOST_BYTES = 256 * 1024 * 1024,
    DEAD_MOST = 100 * 1000,
    DEAD_MOST_BYTES = 64 * 1024 * 1024,
    LOG_MOST_BYTES = 64 * 1024,
};

#define TICK_MOST_NS NS_PER_S       /* who follows a log waits no longer for the next lines */
#define FAREWELL_NS  (2 * NS_PER_S) /* for the last answers, once all tasks have ended */

struct serve_options {
    struct options *common;
    bool check_config, no_monitor;
};

struct serve {
    const struct serve_options *options;
    struct config *config;
    struct plugins plugins;
    struct host *host;
    struct api *api;
    struct http *http;
    struct endpoint endpoint;
    char *store_path;                  /* NULL: jobs are in memory */
    char *flight_path, *isolated_path; /* the same */
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct serve_options *options = state->input;

    (void)argument;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options->common;
        return 0;
    case OPTION_CHECK_CONFIG:
        options->check_config = true;
        return 0;
    case OPTION_NO_MONITOR:
        options->no_monitor = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "`serve' takes no arguments; jobs are sent by `sluice submit'");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option table[] = {
    {.name = "check-config",
     .key = OPTION_CHECK_CONFIG,
     .doc = "only say what is wrong with the configuration"},
    {.name = "no-monitor",
     .key = OPTION_NO_MONITOR,
     .doc = "run in one process, as a debugger likes it: nothing starts it again if it dies"},
    {0},
};

static const struct argp argp = {
    .options = table,
    .parser = parse,
    .doc =
        "The daemon: takes jobs over HTTP, runs them, and goes on. It listens on a Unix socket in "
        "its runtime folder unless [http] listen says otherwise."
        "\vFor example:\n\n"
        "  sluice serve &\n"
        "  sluice submit --wait nightly.yaml\n"
        "  sluice stop\n\n"
        "It is two processes: a small monitor, and the host under it, which is started again when "
        "it dies. "
        "SIGHUP reloads plugins and configuration. SIGTERM and SIGINT let running tasks finish "
        "within the grace period; a second one cancels them.\n\n"
        "Exit code: 0 stopped by `sluice stop'; 2 wrong usage or configuration; 3 it could not "
        "start; 130, 143 stopped by SIGINT, SIGTERM.\n",
    .children = options_children,
};

/* Tells the monitor, if there is one. */
static void tell_monitor(const struct serve *serve, enum lifeline_kind kind, int fd)
{
    const struct lifeline_word word = {.kind = (uint8_t)kind,
                                       .log_level = (uint8_t)serve->config->log_level,
                                       .log_format = (uint8_t)serve->config->log_format};

    if (lifeline_of_host() >= 0)
        lifeline_tell(lifeline_of_host(), &word, fd);
}

/* ---- what the host tells ---- */

static void on_ended(void *context, const struct outcome_record *record)
{
    const struct serve *serve = context;

    api_task_ended(serve->api, record);
}

static void on_job_over(void *context, const struct job *job)
{
    const struct serve *serve = context;

    api_job_over(serve->api, job);
}

static void on_stops(void *context, int64_t until_ns)
{
    const struct serve *serve = context;

    api_stops(serve->api);
    notify_send(NOTIFY_STOPPING, "stopping");
    if (host_ends(serve->host) != HOST_RESTARTS) /* else it takes the end for a death */
        tell_monitor(serve, LIFELINE_STOPS, -1);
    ready_give_up_at(until_ns);
}

static void on_tick(void *context, int64_t now_ns)
{
    const struct serve *serve = context;

    api_tick(serve->api, now_ns);
    if (notify_watchdog_ns() > 0)
        notify_send(NOTIFY_WATCHDOG, NULL);
}

/* The control loop wakes up for heartbeats, and ticks when it does; more often if somebody waits
 * for its ticks: those who follow a log, and the watchdog, twice in the time that it allows. */
static int64_t tick_ns(const struct serve *serve)
{
    int64_t watchdog_ns = notify_watchdog_ns();
    int64_t most_ns = serve->config->heartbeat_ns;

    if (most_ns > TICK_MOST_NS)
        most_ns = TICK_MOST_NS;
    return watchdog_ns > 0 && watchdog_ns / 2 < most_ns ? watchdog_ns / 2 : most_ns;
}

static void on_reread(void *context, void *report)
{
    struct serve *serve = context;
    CLEANUP(config_fini) struct config next;

    notify_send(NOTIFY_RELOADING, NULL);
    output_collect();
    bool taken = options_reread(serve->options->common, serve->config, &next) &&
                 reread_take(serve->config, &next, report);
    if (!taken)
        reread_refuse(report);
    output_collected();
    if (taken)
        host_apply(serve->host, tick_ns(serve));
    else
        log_error("the configuration is not valid: nothing of it has changed");
    notify_send(NOTIFY_READY, NULL);
    tell_monitor(serve, LIFELINE_READY, -1);
}

/* ---- starting ---- */

/* Takes what the monitor has counted, which it says after the socket. */
static void take_fallen(struct serve *serve)
{
    struct lifeline_word word;
    int fd;

    if (lifeline_of_host() < 0 || lifeline_hear(lifeline_of_host(), &word, &fd) != LIFELINE_WORD ||
        fd < 0)
        return;
    if (word.kind == LIFELINE_FALLEN)
        serve->plugins.fallen = fallen_map(fd);
    close(fd);
}

/* The first two words of the lifeline, then what the host says of its socket. */
static bool open_endpoint(struct serve *serve)
{
    if (!endpoint_take(&serve->endpoint))
        return false;
    take_fallen(serve);
    if (!endpoint_open(&serve->endpoint, serve->config))
        return false;
    if (serve->endpoint.is_new)
        tell_monitor(serve, LIFELINE_LISTENS, serve->endpoint.listen_fd);
    return true;
}

/* Keys need no limit of their own: each is held by a task, of which there are max_pending. */
static struct store_options kept(const struct config *config, const char *place)
{
    return (struct store_options){.place = place,
                                  .watched_by = lifeline_monitor(),
                                  .commit_interval_ns = config->commit_interval_ns,
                                  .finished_max = (uint64_t)config->keep_finished_max,
                                  .finished_max_bytes = FINISHED_MOST_BYTES,
                                  .dead_max = DEAD_MOST,
                                  .dead_max_bytes = DEAD_MOST_BYTES,
                                  .log_max_bytes = LOG_MOST_BYTES};
}

/* What is to survive the daemon needs a place that does. */
static bool find_store(struct serve *serve)
{
    const struct config *config = serve->config;

    if (strcmp(config->store_backend, "memory") == 0)
        return true;
    if (config->state_dir_closed != NULL && config->store_path == NULL)
        return output_error("jobs are kept in %s, which cannot be written: name another folder by "
                            "[host] state_dir, or set [store] backend = memory",
                            config->state_dir_closed);
    if (config->state_dir_is_temporary && config->store_path == NULL)
        return output_error("there is no folder that jobs could be kept in: name one by [host] "
                            "state_dir, or set [store] backend = memory");
    serve->store_path = config_store_path(config);
    if (asprintf(&serve->flight_path, "%s.flight", serve->store_path) < 0 ||
        asprintf(&serve->isolated_path, "%s.isolated", serve->store_path) < 0)
        abort();
    return true;
}

static bool start_host(struct serve *serve)
{
    struct error error;
    struct host_handlers handlers = {.context = serve,
                                     .ended = on_ended,
                                     .wants_all = true,
                                     .measures_cpu = true,
                                     .store_backend = serve->config->store_backend,
                                     .store = kept(serve->config, serve->store_path),
                                     .monitor = lifeline_monitor(),
                                     .flight_path = serve->flight_path,
                                     .isolated_path = serve->isolated_path,
                                     .stops = on_stops,
                                     .tick = on_tick,
                                     .tick_ns = tick_ns(serve),
                                     .reread = on_reread,
                                     .job_over = on_job_over};

    log_spare_main();
    serve->host =
        host_create(serve->config, serve->plugins.registry, JOB_CHECKED, &handlers, &error);
    if (serve->host == NULL)
        return output_error("%s", error.message);
    serve->api = api_create(serve->host, serve->config, serve->plugins.registry);
    if (host_open(serve->host, &error) && api_restore(serve->api, &error))
        return true;
    output_error("%s", error.message);
    output_leave(EXIT_HOST); /* its threads are there already */
}

static bool start_http(struct serve *serve)
{
    struct http_options options = {.listen_fd = serve->endpoint.listen_fd,
                                   .token = serve->endpoint.token,
                                   .allowed_hosts = serve->endpoint.hosts,
                                   .context = serve->api,
                                   .called = api_called,
                                   .handled = api_handled,
                                   .limits = HTTP_LIMITS_DEFAULT};
    struct error error;

    if (!api_start(serve->api, &error))
        return output_error("%s", error.message);
    options.routes = api_routes(&options.routes_count);
    options.limits.max_body = (size_t)serve->config->http_max_body;
    options.limits.max_body_total = (size_t)serve->config->http_max_body_total;
    options.limits.max_connections = (unsigned)serve->config->http_max_connections;
    serve->http = http_start(&options, &error);
    return serve->http != NULL || output_error("%s", error.message);
}

static void say_ready(const struct serve *serve)
{
    char port[32];

    snprintf(port, sizeof(port), "port %u", listener_port(serve->endpoint.listen_fd));
    api_ready(serve->api);
    log_info("ready", LOG_TEXT("version", HOST_VERSION),
             LOG_TEXT("listen", serve->endpoint.is_passed ? "a socket of the service manager"
                                                          : serve->endpoint.address),
             LOG_TEXT("at", listener_port(serve->endpoint.listen_fd) == 0 ? "socket" : port));
    notify_send(NOTIFY_READY, "serving");
    tell_monitor(serve, LIFELINE_READY, -1);
}

/* ---- ending ---- */

static void serve_fini(struct serve *serve)
{
    host_destroy(&serve->host);
    api_destroy(&serve->api);
    plugins_close(&serve->plugins);
    fallen_unmap(&serve->plugins.fallen);
    endpoint_fini(&serve->endpoint);
    free(serve->store_path);
    free(serve->flight_path);
    free(serve->isolated_path);
}

static int exit_code_of(enum host_end end)
{
    switch (end) {
    case HOST_FINISHED:
        return EXIT_ALL_WELL;
    case HOST_INTERRUPTED:
        return EXIT_INTERRUPTED;
    case HOST_TERMINATED:
        return EXIT_TERMINATED;
    case HOST_INVALID:
    case HOST_RESTARTS:
    case HOST_LOST:
        break;
    }
    return EXIT_HOST;
}

/* Against the stream: no more answers, then no more threads. */
static int stop_all(struct serve *serve, int code)
{
    api_stops(serve->api);
    api_ends(serve->api);
    http_stop(&serve->http, clock_now_ns() + FAREWELL_NS);
    api_join(serve->api);
    if (!host_stop(serve->host)) {
        log_warning("a call does not end: it is left behind");
        endpoint_close(&serve->endpoint);
        config_remove_temporary(serve->config);
        output_leave(code);
    }
    endpoint_close(&serve->endpoint);
    log_info("stopped");
    return plugins_leave_if_stuck(&serve->plugins, code);
}

static int serve_all(const struct serve_options *options, struct config *config)
{
    CLEANUP(serve_fini)
    struct serve serve = {.options = options, .config = config, .endpoint.listen_fd = -1};

    last_words_prepare(&(struct last_words_options){0});
    if (!find_store(&serve) || !open_endpoint(&serve) || !plugins_open(&serve.plugins, config))
        return EXIT_HOST;
    registry_load_all(serve.plugins.registry);
    if (!start_host(&serve))
        return EXIT_HOST;
    if (!start_http(&serve)) {
        host_ask_stop(serve.host);
        return stop_all(&serve, EXIT_HOST);
    }
    say_ready(&serve);
    return stop_all(&serve, exit_code_of(host_serve(serve.host)));
}

static int serve_configured(const struct serve_options *options)
{
    CLEANUP(config_fini) struct config config;
    int code;

    if (!options_configure(options->common, &config, &code))
        return code;
    if (!options->check_config)
        return serve_all(options, &config);
    if (!options->common->quiet)
        printf("%s: no errors\n", config.file != NULL ? config.file : "no configuration file");
    return EXIT_ALL_WELL;
}

int command_serve(struct options *common, int argc, char **argv)
{
    struct serve_options options = {.common = common};

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (options.check_config || options.no_monitor || lifeline_of_host() >= 0)
        return serve_configured(&options);
    if (common->quiet)
        log_configure(LOG_ERROR, LOG_FORMAT_LOGFMT);
    return monitor_run();
}
