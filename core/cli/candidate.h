/* candidate: a plugin's file that its author names, looked at as the host would before any of its
 * code runs, and the private copy that is then tried or installed: what was looked at is what is
 * taken. Embedded by a command; main thread. */
#pragma once

#include <stdbool.h>

#include "cli/findings.h"
#include "plugin/note.h"
#include "plugin/snapshot.h"

struct candidate {
    struct note note; /* empty where it could not be read */
    char *copy;       /* path of the copy, which lies in the state folder; NULL: none */
    int copy_fd;      /* for reading */
    struct snapshots *snapshots;
};

/* Looks at the file; false if anything is wrong with it, which is among the findings: its code
 * must not run. candidate_close is due either way. */
bool candidate_open(struct candidate *candidate, const char *file, const char *state_dir,
                    struct findings *findings);

/* Removes the copy. Fits CLEANUP. */
void candidate_close(struct candidate *candidate);
