/* probe: a plugin is first loaded by a process of its own that does nothing else: constructors and
 * an entry that crash, hang or exit cost that process. What it has found comes back in memory that
 * both share. Stateless. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "support/error.h"

/* Has the file at path loaded as far as its entry's answer, and waits for the end of that. False
 * with a message that says why it is refused, or that it could not be tried. Blocks for as long as
 * the limit, and a little more; any thread, which must live until then. */
bool probe_run(const char *path, int64_t limit_ns, struct error *error);

/* What the process does (a role_function of cli/roles.h): does not return. */
int probe_serve(const char *name);
