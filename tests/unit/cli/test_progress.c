/* The text of the progress line. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "cli/progress.h"

static void expect(double rate, struct progress_counts counts, size_t capacity, const char *line)
{
    struct progress progress = {.rate = rate};
    char text[200];

    size_t length = progress_format(&progress, &counts, text, capacity);
    cr_expect(eq(str, text, (char *)line));
    cr_expect(eq(sz, length, strlen(line)));
}

Test(progress, it_says_what_is_done_how_fast_and_what_is_left)
{
    expect(50, (struct progress_counts){412, 1000, 8, 2, true}, 200,
           "412/1000 done, 50/s, 8 running, 2 failed, 12 s left");
    expect(0.5, (struct progress_counts){10, 100, 1, 0, true}, 200,
           "10/100 done, 0.5/s, 1 running, 0 failed, 4 min left");
    expect(0.01, (struct progress_counts){0, 1000, 1, 0, true}, 200,
           "0/1000 done, 0.0/s, 1 running, 0 failed, 27.8 h left");
}

Test(progress, without_a_total_or_a_rate_nothing_is_estimated)
{
    expect(50, (struct progress_counts){412, 0, 8, 2, false}, 200,
           "412 done, 50/s, 8 running, 2 failed");
    expect(0, (struct progress_counts){0, 10, 8, 0, true}, 200,
           "0/10 done, 0.0/s, 8 running, 0 failed");
    expect(5, (struct progress_counts){10, 10, 0, 0, true}, 200,
           "10/10 done, 5.0/s, 0 running, 0 failed");
}

Test(progress, it_is_cut_to_what_there_is_room_for)
{
    expect(50, (struct progress_counts){412, 1000, 8, 2, true}, 9, "412/1000");
    expect(50, (struct progress_counts){412, 1000, 8, 2, true}, 1, "");
}
