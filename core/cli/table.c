#include "cli/table.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/utf8.h"

void table_init(struct table *table, size_t columns)
{
    assert(columns <= TABLE_COLUMNS_MOST);
    *table = (struct table){.columns = columns};
}

void table_fini(struct table *table)
{
    for (size_t i = 0; i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
}

void table_add(struct table *table, const char *const *texts)
{
    size_t cells = (table->rows + 1) * table->columns;

    table->cells = realloc(table->cells, cells * sizeof(*table->cells));
    if (table->cells == NULL)
        abort();
    for (size_t i = 0; i < table->columns; i++)
        table->cells[table->rows * table->columns + i] = utf8_clean(texts[i], strlen(texts[i]));
    table->rows++;
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

static void print_row(const struct table *table, char *const *cells, const size_t *widths, FILE *to)
{
    size_t last = 0;

    for (size_t i = 0; i < table->columns; i++)
        if (widths[i] > 0 && cells[i][0] != '\0')
            last = i;
    for (size_t i = 0; i <= last; i++) {
        if (widths[i] == 0)
            continue;
        fputs(cells[i], to);
        if (i < last)
            fprintf(to, "%*s", (int)(widths[i] - width_of(cells[i]) + 2), "");
    }
    fputc('\n', to);
}

/* 0 if nothing stands below the head. */
static size_t column_width(const struct table *table, size_t column)
{
    size_t widest = 0;

    for (size_t row = 1; row < table->rows; row++) {
        size_t width = width_of(table->cells[row * table->columns + column]);
        widest = width > widest ? width : widest;
    }
    size_t head = width_of(table->cells[column]);
    return widest == 0 || widest > head ? widest : head;
}

void table_print(const struct table *table, FILE *to)
{
    size_t widths[TABLE_COLUMNS_MOST] = {0};

    for (size_t column = 0; column < table->columns && table->rows > 0; column++)
        widths[column] = column_width(table, column);
    for (size_t row = 0; row < table->rows; row++)
        print_row(table, table->cells + row * table->columns, widths, to);
}
