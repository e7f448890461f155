/* state_folder: a temporary folder with the file of a store, for one test in a process of its own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The path of the store's file, which stage_open takes as well. */
extern char state_place[96];

/* Makes the folder; removes it with the files of the store, of which nothing else is left. */
void state_folder_make(void);
/* As above. */
void state_folder_remove(void);

/* Closes the stage's store and opens it again. */
void state_reopen(uint64_t finished_max, uint64_t dead_max);

/* Waits for the answer whether a job is durable. */
bool state_becomes_durable(uint64_t job);
