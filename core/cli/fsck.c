#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/task_extra.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/subject.h"
#include "store/store_check.h"
#include "support/cleanup.h"
#include "support/utf8.h"

enum { OPTION_MEND = 2000 };

struct fsck {
    struct subject subject; /* first: its parser reads it; without a name: the configured file */
    enum store_check_mode mode;
    json_t *findings;
    uint64_t mendable; /* of what was found and is not mended */
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct fsck *fsck = state->input;

    if (key != OPTION_MEND)
        return subject_parse_optional(key, argument, state);
    fsck->mode = STORE_CHECK_MEND;
    return 0;
}

static const struct argp_option table[] = {
    {.name = "mend", .key = OPTION_MEND, .doc = "mend what can be mended; without it, only look"},
    {0},
};

static const struct argp argp = {
    .args_doc = "[FILE]",
    .options = table,
    .parser = parse,
    .doc = "Checks whether the file that jobs are kept in is sound, and what stands in it agrees: "
           "the one that is configured, or FILE, as of `run --state'. Nobody may have it open. "
           "Changes nothing without --mend; a copy of the file made before is a good idea."
           "\vFor example:\n\n"
           "  sluice fsck\n"
           "  sluice fsck --mend\n"
           "  sluice fsck /var/lib/sluice/sluice.db\n\n"
           "Exit code: 0 nothing was found, or all of it is mended; 1 something is wrong and not "
           "mended; 2 wrong usage; 3 the file cannot be checked: a daemon has it open, there is "
           "none, or it is too damaged to be read.\n",
    .children = options_children,
};

/* What is taken up at the start of a daemon has to say enough for that. */
static bool is_usable(const struct store_task_given *given)
{
    struct task_extra extra;
    size_t length = strlen(given->id);

    return length > 0 && length <= TASK_ID_MOST_BYTES && given->type[0] != '\0' &&
           task_extra_read(given->extra, given->extra_bytes, &extra);
}

static const char *word_of(const struct store_finding *finding)
{
    if (finding->is_mended)
        return "mended";
    return finding->can_be_mended ? "can be mended" : "cannot be mended";
}

static void report(void *context, const struct store_finding *finding)
{
    struct fsck *fsck = context;
    CLEANUP(cleanup_free) char *what = utf8_clean(finding->what, strlen(finding->what));

    fsck->mendable += finding->can_be_mended && !finding->is_mended;
    if (fsck->subject.common->format == FORMAT_JSON)
        json_array_append_new(fsck->findings,
                              json_pack("{ss sb sb}", "what", what, "can_be_mended",
                                        finding->can_be_mended, "mended", finding->is_mended));
    else
        printf("%s: %s\n", what, word_of(finding));
}

/* The last line: what is to be done. */
static void say_all(const struct fsck *fsck, const struct store_check *check)
{
    const char *next = check->pages_are_damaged
                           ? "; nothing is mended where pages are damaged, for "
                             "what is out of reach would be lost: go back to "
                             "a copy, or try `sqlite3 FILE .recover'"
                       : fsck->mendable > 0 ? "; see `sluice fsck --mend'"
                                            : "";

    if (check->found == 0)
        printf("%s: sound\n", check->place);
    else
        printf("%s: %" PRIu64 " found, %" PRIu64 " mended%s\n", check->place, check->found,
               check->mended, next);
}

static void finish(struct fsck *fsck, const struct store_check *check)
{
    if (fsck->subject.common->format == FORMAT_JSON)
        output_json(json_pack("{ss sO sI sI}", "file", check->place, "findings", fsck->findings,
                              "found", (json_int_t)check->found, "mended",
                              (json_int_t)check->mended));
    else if (!fsck->subject.common->quiet)
        say_all(fsck, check);
}

static int check_file(struct fsck *fsck, const char *file)
{
    struct store_check check = {.place = file,
                                .mode = fsck->mode,
                                .report = report,
                                .context = fsck,
                                .is_usable = is_usable};
    struct error error;

    if (!store_check(&check, &error)) {
        output_error("%s", error.message);
        return EXIT_HOST;
    }
    finish(fsck, &check);
    return check.found == check.mended ? EXIT_ALL_WELL : EXIT_TASKS;
}

static void fsck_fini(struct fsck *fsck)
{
    json_decref(fsck->findings);
}

/* Returns the path of the configured store, which the caller frees. NULL: the reason was
 * printed. */
static char *configured_file(const struct config *config)
{
    if (strcmp(config->store_backend, "memory") == 0)
        output_error("[store] backend is memory, so there is no file; name one");
    else if (config->state_dir_is_temporary && config->store_path == NULL)
        output_error("there is no state folder, so there is no file; name one");
    else
        return config_store_path(config);
    return NULL;
}

int command_fsck(struct options *common, int argc, char **argv)
{
    CLEANUP(fsck_fini)
    struct fsck fsck = {.subject = {.common = common, .what = "FILE"}, .findings = json_array()};
    CLEANUP(config_fini) struct config config;
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, &fsck);
    if (!options_configure(common, &config, &code))
        return code;
    if (fsck.subject.name != NULL)
        return check_file(&fsck, fsck.subject.name);
    CLEANUP(cleanup_free) char *file = configured_file(&config);
    return file != NULL ? check_file(&fsck, file) : EXIT_HOST;
}
