#include "support/suggest.h"

#include <ctype.h>
#include <string.h>

enum { SUGGEST_LONGEST = 64 };

void suggest_begin(struct suggest *suggest, const char *wanted, size_t length)
{
    *suggest = (struct suggest){.wanted = wanted, .wanted_length = length};
}

/* A wrong case is not an edit: it is what the reader overlooks most easily. */
static int letter(char c)
{
    return tolower((unsigned char)c);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment over three rows: before last, last, current. */
static size_t count_edits(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][SUGGEST_LONGEST + 1];

    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t differs = letter(a[i - 1]) != letter(b[j - 1]);
            row[j] = smaller(smaller(last[j], row[j - 1]) + 1, last[j - 1] + differs);
            if (i > 1 && j > 1 && letter(a[i - 1]) == letter(b[j - 2]) &&
                letter(a[i - 2]) == letter(b[j - 1]))
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

/* At most a third of the letters may differ, at least one, and never all of them. */
static size_t most_edits(size_t length)
{
    size_t third = length / 3 > 0 ? length / 3 : 1;
    return smaller(third, length > 0 ? length - 1 : 0);
}

void suggest_offer(struct suggest *suggest, const char *candidate)
{
    size_t length = strlen(candidate);
    size_t most = most_edits(suggest->wanted_length);

    if (suggest->wanted_length > SUGGEST_LONGEST || length > SUGGEST_LONGEST ||
        length > suggest->wanted_length + most || suggest->wanted_length > length + most)
        return;
    size_t edits = count_edits(suggest->wanted, suggest->wanted_length, candidate, length);
    if (edits <= most && (suggest->best == NULL || edits < suggest->best_edits)) {
        suggest->best = candidate;
        suggest->best_edits = edits;
    }
}
