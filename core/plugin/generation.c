/* generation: each step ends in settled, and nothing touches the generation after that call. What a
 * late thread may still use (its code struct, the mapped image) is kept until it comes back. */
#include "plugin/generation.h"

#include <stdlib.h>
#include <string.h>

#include "plugin/code.h"
#include "plugin/crash.h"
#include "plugin/errand.h"
#include "plugin/offers.h"
#include "plugin/probe.h"
#include "support/clock.h"
#include "support/units.h"

const char *generation_state_word(enum generation_state state)
{
    static const char *const words[] = {
#define STATE(name, word) [GENERATION_##name] = word,
#include "plugin/generation_states.def"
#undef STATE
    };
    return words[state];
}

const struct offer *generation_offer(const struct generation *generation, const struct type *type)
{
    uint32_t low = 0, high = generation->offers_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct offer *offer = generation->by_number[middle];
        if (offer->type == type)
            return offer;
        if (offer->type->number < type->number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void free_offers(struct generation *generation)
{
    offers_free(&generation->offers, &generation->offers_count);
    free(generation->by_number);
    generation->by_number = NULL;
}

struct generation *generation_create(const struct generation_house *house,
                                     const struct generation_origin *origin, struct error *error)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL) {
        error_set(error, "no_memory", "out of memory");
        return NULL;
    }
    generation->house = house;
    generation->plugin = strdup(origin->note->name);
    generation->version = strdup(origin->note->version);
    generation->file = strdup(origin->file);
    generation->copy = strdup(origin->copy);
    generation->bytes = origin->bytes;
    generation->identity = origin->identity;
    generation->number = origin->number;
    generation->owner = origin->owner;
    generation->state = GENERATION_CHECKED;
    generation->code = code_create(origin);
    if (generation->code != NULL)
        generation->settings = &generation->code->settings;
    if (generation->plugin == NULL || generation->version == NULL || generation->file == NULL ||
        generation->copy == NULL || generation->code == NULL) {
        generation_destroy(&generation);
        error_set(error, "no_memory", "out of memory");
        return NULL;
    }
    starts_name_build(generation->start.build, origin->note, &origin->identity);
    return generation;
}

void generation_destroy(struct generation **pointer)
{
    struct generation *generation = *pointer;
    *pointer = NULL;
    free_offers(generation);
    code_destroy(&generation->code);
    free(generation->plugin);
    free(generation->version);
    free(generation->file);
    free(generation->copy);
    free(generation);
}

static void settle(struct generation *generation, enum generation_state state,
                   const struct error *why)
{
    const struct generation_house *house = generation->house;
    if (atomic_load(&generation->hanging)) /* the thread left behind may still end the host */
        starts_give_up(house->starts, &generation->start);
    else if (state != GENERATION_PROBED)
        starts_end(house->starts, &generation->start);
    house->settled(house->context, generation, state, why);
    starts_next(house->starts);
}

/* Takes everything back; an error says why. */
static void unmap(struct generation *generation, const struct error *why)
{
    free_offers(generation);
    bool gone = code_unmap(generation->code);
    settle(generation, gone ? GENERATION_GONE : GENERATION_PINNED, why);
}

/* Sees to an errand of this name that has ended; true if all is well and the next step may come. */
static bool came_in_time(struct generation *generation, const char *name, enum errand_end end)
{
    struct error error;
    char limit[32];
    signals_restore(&generation->house->signals, generation->plugin);
    switch (end) {
    case ERRAND_DONE:
        return true;
    case ERRAND_RETURNED:
        atomic_store(&generation->hanging, false);
        unmap(generation, NULL);
        return false;
    case ERRAND_LATE:
        break;
    }
    free_offers(generation);
    atomic_store(&generation->hanging, true);
    error_set(&error, "late", "%s takes longer than %s", name,
              units_format_duration(generation->house->limit_ns, limit, sizeof limit));
    settle(generation, GENERATION_PINNED, &error);
    return false;
}

/* An errand's argument is the generation; what runs in it is about its code. */
static void run_step(const struct generation *generation, const char *step, void (*run)(void *code))
{
    crash_enter(generation->plugin, step);
    run(generation->code);
    crash_leave();
}

static void run_entry(void *context)
{
    run_step(context, "entry", code_run_entry);
}

static void run_init(void *context)
{
    run_step(context, "init", code_run_init);
}

static void run_deinit(void *context)
{
    run_step(context, "deinit", code_run_deinit);
}

static bool launch(struct generation *generation, struct errand_order order, struct error *error)
{
    order.argument = generation;
    order.limit_ns = generation->house->limit_ns;
    return errand_start(generation->house->loader, &order, error);
}

static int compare_numbers(const void *left, const void *right)
{
    const struct offer *const *one = left, *const *other = right;
    return ((*one)->type->number > (*other)->type->number) -
           ((*one)->type->number < (*other)->type->number);
}

static bool make_offers(struct generation *generation, struct error *error)
{
    struct generation_code *code = generation->code;
    size_t count = code->note.types_count;
    generation->by_number = calloc(count, sizeof *generation->by_number);
    if (generation->by_number == NULL)
        return error_set(error, "no_memory", "out of memory");
    if (!offers_make(code, generation, &generation->offers, &generation->offers_count, error))
        return false;
    for (size_t i = 0; i < count; i++)
        generation->by_number[i] = &generation->offers[i];
    qsort(generation->by_number, count, sizeof *generation->by_number, compare_numbers);
    return true;
}

static void on_initialised(void *context, enum errand_end end)
{
    struct generation *generation = context;
    struct error error;
    if (!came_in_time(generation, "init", end))
        return;
    if (!generation->code->initialised) {
        code_refused(generation->code, "init", &error);
        unmap(generation, &error);
        return;
    }
    generation->self = generation->code->self;
    settle(generation, GENERATION_READY, NULL);
}

static bool initialise(struct generation *generation, struct error *error)
{
    if (generation->code->descriptor.plugin.init != NULL)
        return launch(
            generation,
            (struct errand_order){.name = "init", .run = run_init, .ended = on_initialised}, error);
    generation->code->initialised = true;
    settle(generation, GENERATION_READY, NULL);
    return true;
}

static void on_entered(void *context, enum errand_end end)
{
    struct generation *generation = context;
    struct generation_code *code = generation->code;
    struct error error;
    if (!came_in_time(generation, "entry", end))
        return;
    bool answered = code->answer != NULL || code_refused(code, "entry", &error);
    if (!answered || !descriptor_read(&code->descriptor, code->answer, &code->note, &error) ||
        !make_offers(generation, &error) || !initialise(generation, &error))
        unmap(generation, &error);
}

static void load(void *context)
{
    struct generation *generation = context;
    struct error error;
    struct errand_order entry = {.name = "entry", .run = run_entry, .ended = on_entered};
    if (!code_map(generation->code, &error) || !launch(generation, entry, &error))
        unmap(generation, &error);
}

static void begin(struct generation *generation)
{
    generation->start.run = load;
    generation->start.context = generation;
    starts_begin(generation->house->starts, &generation->start);
}

/* A plugin that is tried before it is loaded. */
struct trial {
    struct generation *generation;
    bool is_sound; /* written by the errand, as is the reason */
    struct error why;
};

static void run_trial(void *context)
{
    struct trial *trial = context;
    const struct generation *generation = trial->generation;
    trial->is_sound = probe_run(generation->copy, generation->house->probe_limit_ns, &trial->why);
}

/* It sets itself its limit, so it is never late. */
static void on_tried(void *context, enum errand_end end)
{
    struct trial *trial = context;
    struct generation *generation = trial->generation;
    (void)end;
    if (trial->is_sound) {
        settle(generation, GENERATION_PROBED, NULL);
        begin(generation);
    } else {
        unmap(generation, &trial->why);
    }
    free(trial);
}

static bool try(struct generation *generation, struct error *error)
{
    struct trial *trial = calloc(1, sizeof *trial);
    if (trial == NULL)
        return error_set(error, "no_memory", "out of memory");
    trial->generation = generation;
    const struct errand_order order = {.name = "probe",
                                       .run = run_trial,
                                       .ended = on_tried,
                                       .argument = trial,
                                       .limit_ns = CLOCK_NEVER_NS};
    if (errand_start(generation->house->loader, &order, error))
        return true;
    free(trial);
    return false;
}

void generation_start(struct generation *generation)
{
    struct error error;
    if (!starts_allow(generation->house->starts, generation->start.build, &error))
        unmap(generation, &error);
    else if (generation->house->probe_limit_ns == 0)
        begin(generation);
    else if (!try(generation, &error))
        unmap(generation, &error);
}

static void on_deinitialised(void *context, enum errand_end end)
{
    struct generation *generation = context;
    if (came_in_time(generation, "deinit", end))
        unmap(generation, NULL);
}

void generation_unload(struct generation *generation)
{
    struct error error;
    struct errand_order deinit = {.name = "deinit", .run = run_deinit, .ended = on_deinitialised};
    free_offers(generation);
    if (generation->code->descriptor.plugin.deinit == NULL) {
        signals_restore(&generation->house->signals, generation->plugin);
        unmap(generation, NULL);
    } else if (!launch(generation, deinit, &error)) {
        settle(generation, GENERATION_PINNED, &error);
    }
}
