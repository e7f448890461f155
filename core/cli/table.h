/* table: rows of text in aligned columns. Embedded by a command; main
 * thread. */
#pragma once

#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MOST = 8 };

struct table {
    size_t columns;
    char **cells; /* row by row */
    size_t rows;
};

/* Begins a table; the first row added is its head. */
void table_init(struct table *table, size_t columns);

/* Frees it. Fits CLEANUP. */
void table_fini(struct table *table);

/* Adds a row of as many texts as there are columns; they are copied, control characters are not. */
void table_add(struct table *table, const char *const *texts);

/* Prints it without columns that are empty below their head, two spaces between the columns and
 * none at the ends of lines. */
void table_print(const struct table *table, FILE *to);
