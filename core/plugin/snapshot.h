/* snapshot: private copies of plugin files: the host maps only these, so that nothing that
 * happens to the file in its folder reaches running code. The folder of this process's copies is
 * made by the registry; one thread at a time, the loader. */
#pragma once

#include <stdbool.h>

#include "support/error.h"

struct snapshots;

/* Makes <state_dir>/code/<instance>/ (0700; state_dir is made as well), locks it for the life of
 * this process, and removes what instances that no longer live have left there. NULL with a
 * message: not ours alone, or on a file system that is mounted noexec, which is named. */
struct snapshots *snapshots_create(const char *state_dir, struct error *error);

/* Removes all copies and the folder, clears the pointer. Accepts NULL. */
void snapshots_destroy(struct snapshots **snapshots);

/* Copies an open file under a file name (mode 0500). Returns a descriptor of the copy, for
 * reading, and in *path its path (the caller frees both), or -1 with a message; a file that
 * changes meanwhile is refused. */
int snapshot_take(struct snapshots *snapshots, int from_fd, const char *name, char **path,
                  struct error *error);

/* Removes a copy by the path that snapshot_take gave: nothing of it is mapped. */
void snapshot_remove(struct snapshots *snapshots, const char *path);
