/* system_library: which libraries a plugin may be linked to. The dynamic linker keeps one copy of a
 * library for the whole process: one that is not the system's would not be loaded anew with its
 * plugin. Stateless; the loader thread and whoever finds plugins. */
#pragma once

#include <stdbool.h>

#include "support/error.h"

/* Checks a DT_NEEDED name against the system's folders, and that nothing in search_path
 * (DT_RPATH or DT_RUNPATH, may be empty) is found before. False with the reason of refusal. */
bool system_library_check(const char *name, const char *search_path, struct error *error);
