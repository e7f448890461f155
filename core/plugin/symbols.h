/* symbols: names of the functions of a plugin's file, for people who read of a crash. In one
 * thread's hands. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/note.h"

struct symbols;

/* Opens a plugin's file; NULL if it is not one, or not sound. It may change meanwhile: then names
 * are wrong. */
struct symbols *symbols_open(const char *path);

/* Closes it; clears the pointer; accepts NULL. */
void symbols_close(struct symbols **symbols);

/* Returns its build-id as hex; "0" if it has none. */
const char *symbols_build_id(const struct symbols *symbols);

/* Finds the function in which an address of the file lies: writes its name, cut to what fits, with
 * what is not printable masked. False: there is none, or the file has been stripped. */
bool symbols_find(const struct symbols *symbols, uint64_t address, char *name, size_t capacity);
