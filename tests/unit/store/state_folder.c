#include "state_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stage.h"
#include "support/thread.h"

static char folder[64];
char state_place[96];

void state_folder_make(void)
{
    snprintf(folder, sizeof(folder), "/tmp/sluice-store-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(state_place, sizeof(state_place), "%s/store.db", folder);
    stage_place = state_place;
}

void state_folder_remove(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    char path[128];
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s%s", state_place, ends[i]);
        unlink(path);
    }
    cr_assert_eq(rmdir(folder), 0);
}

void state_reopen(uint64_t finished_max, uint64_t dead_max)
{
    stage_close();
    stage_open("sqlite", finished_max, dead_max);
}

struct hearing {
    struct store_wait wait;
    struct mutex lock;
    struct cond changed;
    bool is_done, durable;
};

static void hear(struct store_wait *wait, const struct store_told *told)
{
    struct hearing *hearing = (struct hearing *)wait;
    cr_assert(told->is_durable || told->reason != NULL);
    MUTEX_GUARD(&hearing->lock);
    hearing->durable = told->is_durable;
    hearing->is_done = true;
    cond_signal(&hearing->changed);
}

bool state_becomes_durable(uint64_t job)
{
    struct hearing hearing = {.wait = {.job = job, .done = hear}};
    mutex_init(&hearing.lock);
    cond_init(&hearing.changed);
    store_when_durable(stage, &hearing.wait);
    mutex_lock(&hearing.lock);
    while (!hearing.is_done)
        cond_wait(&hearing.changed, &hearing.lock);
    mutex_unlock(&hearing.lock);
    return hearing.durable;
}
