/* name: how the names that plugins give must look. Stateless; any thread. The SDK's headers promise
 * the same rules to authors. */
#pragma once

#include <stdbool.h>

/* Says whether a text is a plugin's name: [a-z][a-z0-9_-]*, at most SLUICE_NAME_MAX bytes. */
bool name_is_plugin(const char *text);

/* Says whether a text is a plugin's version: printable without spaces, 1 to SLUICE_NAME_MAX
 * bytes. */
bool name_is_version(const char *text);

/* Says whether a text is a task type's name: [a-z][a-z0-9_.-]*, at most SLUICE_NAME_MAX bytes. */
bool name_is_type(const char *text);

/* Says whether a text is a parameter's name: [A-Za-z_][A-Za-z0-9_]*, at most SLUICE_NAME_MAX
 * bytes. */
bool name_is_param(const char *text);

/* Says whether a text is an output's name: [A-Za-z0-9_.-]+, at most SLUICE_NAME_MAX bytes. */
bool name_is_output(const char *text);

/* Says whether a text is the code of a failure: [a-z0-9_]+, at most SLUICE_CODE_MAX bytes. */
bool name_is_code(const char *text);
