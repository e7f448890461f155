#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/subject.h"
#include "cli/table.h"
#include "plugin/generation.h"
#include "plugin/param_one_of.h"
#include "serve/type_example.h"
#include "serve/type_json.h"
#include "support/cleanup.h"
#include "support/units.h"

enum { ALLOWED_WIDTH = 48 };

static error_t parse(int key, char *argument, struct argp_state *state)
{
    if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "which task type? See `sluice plugin list'");
    return subject_parse(key, argument, state);
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "TYPE",
    .doc = "Tells about a task type: what it does, its parameters, and a job file that uses it."
           "\vFor example:\n\n"
           "  sluice plugin info exec\n",
    .children = options_children,
};

static const char *backoff_word(uint32_t backoff)
{
    return backoff == SLUICE_BACKOFF_EXPONENTIAL ? "exponential"
           : backoff == SLUICE_BACKOFF_LINEAR    ? "linear"
                                                 : "constant";
}

static void print_flags(const struct offer *offer)
{
    const char *between = "flags    ";

    for (size_t i = 0; type_flags[i].word != NULL; i++) {
        if ((offer->flags & type_flags[i].flag) == 0)
            continue;
        printf("%s%s", between, type_flags[i].word);
        between = ", ";
    }
    if (offer->flags != 0)
        printf("\n");
}

static void print_head(const struct offer *offer)
{
    const struct generation *generation = offer->generation;
    char text[32];

    printf("%s: %s\n\n", offer->type->name, offer->help == NULL ? "-" : offer->help);
    printf("plugin   %s %s, %s\n", generation->plugin, generation->version, generation->file);
    print_flags(offer);
    printf("timeout  %s\n", offer->timeout_ns == 0
                                ? "as the host's"
                                : units_format_duration(offer->timeout_ns, text, sizeof(text)));
    if (offer->weight == SLUICE_WEIGHT_AUTO)
        printf("weight   auto\n");
    else
        printf("weight   %d\n", offer->weight);
    if (offer->retry.attempts > 1)
        printf("retry    %u attempts, %s, %s\n", offer->retry.attempts,
               units_format_duration(offer->retry.delay_ns, text, sizeof(text)),
               backoff_word(offer->retry.backoff));
}

/* What values a parameter takes: the range, the choices, or how many items. */
static void allowed_text(const struct param *param, struct buffer *text)
{
    char least[32], most[32];

    for (size_t i = 0; param->choices != NULL && param->choices[i] != NULL; i++)
        buffer_printf(text, "%s%s", i == 0 ? "" : " ", param->choices[i]);
    if (param->min_items > 0)
        buffer_printf(text, "%u or more items", param->min_items);
    if (!param->has_range)
        return;
    if (param->kind == SLUICE_KIND_FLOAT)
        buffer_printf(text, "%g to %g", param->float_min, param->float_max);
    else if (param->kind == SLUICE_KIND_DURATION)
        buffer_printf(text, "%s to %s", units_format_duration(param->min, least, sizeof(least)),
                      units_format_duration(param->max, most, sizeof(most)));
    else if (param->kind == SLUICE_KIND_SIZE)
        buffer_printf(text, "%s to %s",
                      units_format_size((uint64_t)param->min, least, sizeof(least)),
                      units_format_size((uint64_t)param->max, most, sizeof(most)));
    else
        buffer_printf(text, "%" PRId64 " to %" PRId64, param->min, param->max);
}

/* Returns how many bytes of a text of words fit into ALLOWED_WIDTH; at least one word. */
static size_t line_length(const char *text)
{
    size_t fits = strcspn(text, " ");

    while (text[fits] != '\0') {
        size_t next = fits + 1 + strcspn(text + fits + 1, " ");
        if (next > ALLOWED_WIDTH)
            break;
        fits = next;
    }
    return fits;
}

static const char *required_text(const struct param *param)
{
    return param->required ? "yes" : param->one_of != NULL ? "one of" : "";
}

static void add_param(struct table *table, const struct param *param)
{
    CLEANUP(buffer_fini) struct buffer allowed = BUFFER_EMPTY;
    char kind[32], line[ALLOWED_WIDTH + SLUICE_NAME_MAX];

    allowed_text(param, &allowed);
    const char *text = buffer_text(&allowed);
    snprintf(kind, sizeof(kind), "%s%s", type_example_kind(param->kind),
             param->secret ? ", secret" : "");
    const char *shown = param->def == NULL ? "" : param->secret ? "(secret)" : param->def;
    for (bool first = true; first || *text != '\0'; first = false) {
        size_t length = line_length(text);
        snprintf(line, sizeof(line), "%.*s", (int)length, text);
        text += length + (text[length] == ' ');
        table_add(table,
                  (const char *const[]){first ? param->name : "", first ? kind : "",
                                        first ? required_text(param) : "", first ? shown : "", line,
                                        first && param->help != NULL ? param->help : ""});
    }
}

static void print_one_of(const struct param_table *params, size_t index)
{
    CLEANUP(buffer_fini) struct buffer names = BUFFER_EMPTY;

    param_one_of_names(params, index, &names);
    printf("\nExactly one is given of %s.\n", buffer_text(&names));
}

static void print_text(const struct offer *offer)
{
    CLEANUP(buffer_fini) struct buffer example = BUFFER_EMPTY;
    CLEANUP(table_fini) struct table table;

    print_head(offer);
    if (offer->params.count == 0)
        printf("\nIt takes no parameters.\n");
    table_init(&table, 6);
    table_add(&table, (const char *const[]){"PARAMETER", "KIND", "REQUIRED", "DEFAULT", "ALLOWED",
                                            "WHAT IT IS"});
    for (size_t i = 0; i < offer->params.count; i++)
        add_param(&table, &offer->params.rows[i]);
    if (offer->params.count > 0) {
        printf("\n");
        table_print(&table, stdout);
    }
    for (size_t i = 0; i < offer->params.one_ofs_count; i++)
        print_one_of(&offer->params, i);
    type_example_write(offer, &example);
    printf("\nA job file with it:\n\n%s", buffer_text(&example));
}

static int show(const struct subject *subject, const struct plugins *plugins)
{
    const char *type = subject->name;
    const struct offer *offer;
    struct error error;

    switch (registry_find(plugins->registry, type, strlen(type), &offer, &error)) {
    case REGISTRY_UNKNOWN:
        plugins_know(plugins, type);
        return EXIT_USAGE;
    case REGISTRY_REFUSED:
    case REGISTRY_LOADING: /* which nobody answers who has waited */
        output_error("%s", error.message);
        return EXIT_HOST;
    case REGISTRY_FOUND:
        break;
    }
    if (subject->common->format == FORMAT_JSON)
        output_json(type_json(offer));
    else
        print_text(offer);
    registry_unpin(plugins->registry, offer);
    return EXIT_ALL_WELL;
}

int command_plugin_info(struct options *common, int argc, char **argv)
{
    struct subject subject = {.common = common, .what = "task type"};
    CLEANUP(config_fini) struct config config;
    CLEANUP(plugins_close) struct plugins plugins = {0};
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, &subject);
    if (!options_configure(common, &config, &code))
        return code;
    if (!plugins_open(&plugins, &config))
        return EXIT_HOST;
    return plugins_leave_if_stuck(&plugins, show(&subject, &plugins));
}
