/* In the start of which builds hosts have died: what a host leaves, a monitor counts, and the next one knows; and whose
 * turn it is then. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plugin/fallen.h"
#include "plugin/starts.h"

static struct fallen *monitor, *host; /* the same memory */
static char cause[FALLEN_CAUSE_BYTES];

static void open_both(void)
{
    int fd = fallen_make();
    monitor = fallen_map(fd);
    host = fallen_map(fd);
    close(fd);
    cr_assert(monitor != NULL && host != NULL);
}

static void close_both(void)
{
    fallen_unmap(&monitor);
    fallen_unmap(&host);
    fallen_unmap(&host);
}

static void die_in(const char *build, const char *of)
{
    fallen_begin(host, build);
    fallen_count(monitor, of);
}

TestSuite(fallen, .init = open_both, .fini = close_both);

Test(fallen, a_start_that_is_over_is_forgotten)
{
    cr_expect(not(fallen_is_starting(monitor)));
    fallen_begin(host, "one");
    cr_expect(fallen_is_starting(monitor));
    fallen_end(host, "one");
    cr_expect(not(fallen_is_starting(monitor)));
    fallen_count(monitor, "SIGKILL");
    cr_expect(eq(u32, fallen_deaths(host, "one", cause), 0));
}

Test(fallen, deaths_in_a_row_are_counted_with_the_cause_of_the_last)
{
    die_in("one", "SIGKILL");
    cr_expect(not(fallen_is_starting(monitor)));
    cr_expect(eq(u32, fallen_deaths(host, "one", cause), 1));
    die_in("one", "SIGSEGV");
    cr_expect(eq(u32, fallen_deaths(host, "one", cause), 2));
    cr_expect(eq(str, cause, "SIGSEGV"));
    die_in("one", "SIGSEGV");
    cr_expect(eq(u32, fallen_deaths(host, "one", cause), FALLEN_DEATHS_MOST));
    cr_expect(eq(u32, fallen_deaths(host, "on", cause), 0));
}

Test(fallen, a_start_that_ends_well_begins_a_new_count)
{
    die_in("one", "SIGKILL");
    fallen_begin(host, "one");
    fallen_end(host, "one");
    cr_expect(eq(u32, fallen_deaths(host, "one", cause), 0));
}

Test(fallen, all_that_is_in_hand_is_counted)
{
    fallen_begin(host, "one");
    fallen_begin(host, "other");
    fallen_begin(host, "third");
    fallen_end(host, "other");
    fallen_count(monitor, "SIGABRT");
    cr_expect(eq(u32, fallen_deaths(host, "one", cause), 1));
    cr_expect(eq(u32, fallen_deaths(host, "other", cause), 0));
    cr_expect(eq(u32, fallen_deaths(host, "third", cause), 1));
}

Test(fallen, what_is_too_much_goes_unrecorded)
{
    char build[FALLEN_BUILD_BYTES];
    for (int i = 0; i < FALLEN_BUILDS_MOST; i++) {
        snprintf(build, sizeof build, "build %d", i);
        fallen_begin(host, build);
    }
    fallen_begin(host, "too much");
    fallen_count(monitor, "SIGKILL");
    cr_expect(eq(u32, fallen_deaths(host, build, cause), 1));
    cr_expect(eq(u32, fallen_deaths(host, "too much", cause), 0));
    fallen_end(host, "too much");
    fallen_end(host, build);
    die_in("too much", "SIGKILL");
    cr_expect(eq(u32, fallen_deaths(host, "too much", cause), 1));
}

Test(fallen, a_plugin_may_have_written_anything_there)
{
    memset(host, 'x', 1024);
    memset((char *)host + 1024, 1, 4096);
    fallen_count(monitor, "SIGSEGV");
    cr_expect(eq(u32, fallen_deaths(host, "one", cause), 0));
    fallen_begin(host, "one");
    cr_expect(fallen_is_starting(monitor));
    memset(host, 'x', 1024);
    char all_x[FALLEN_BUILD_BYTES] = "";
    memset(all_x, 'x', sizeof all_x - 1);
    cr_expect(eq(u32, fallen_deaths(host, all_x, cause), FALLEN_DEATHS_MOST));
    cr_expect(eq(sz, strlen(cause), FALLEN_CAUSE_BYTES - 1));
}

Test(fallen, other_memory_is_not_taken_for_it)
{
    int fd = memfd_create("other", MFD_CLOEXEC);
    cr_expect(fallen_map(fd) == NULL);
    cr_expect(fallen_map(-1) == NULL);
    close(fd);
}

/* ---- whose turn it is ---- */

static char ran[16]; /* a letter for each that has */

static void run(void *letter)
{
    ran[strlen(ran)] = *(const char *)letter;
}

static struct start make(const char *name)
{
    struct start start = {.run = run, .context = (void *)name};
    snprintf(start.build, sizeof start.build, "%s", name);
    return start;
}

static void end(struct starts *starts, struct start *start)
{
    starts_end(starts, start);
    starts_next(starts);
}

Test(fallen, starts_go_at_once_where_nobody_is_suspected)
{
    struct starts starts = {0};
    struct start a = make("a"), b = make("b");
    starts_begin(&starts, &a);
    starts_begin(&starts, &b);
    cr_expect(eq(str, ran, "ab"));
}

Test(fallen, a_suspect_starts_alone)
{
    struct starts starts = {.fallen = host};
    struct start a = make("a"), b = make("b"), c = make("c"), d = make("d");
    die_in("b", "SIGSEGV");
    starts_begin(&starts, &a);
    starts_begin(&starts, &b);
    starts_begin(&starts, &c);
    starts_begin(&starts, &d);
    cr_expect(eq(str, ran, "a"));
    end(&starts, &a);
    end(&starts, &a);
    cr_expect(eq(str, ran, "ab"));
    end(&starts, &b);
    cr_expect(eq(str, ran, "abcd"));
    cr_expect(eq(u32, fallen_deaths(host, "b", cause), 0));
    fallen_count(monitor, "SIGKILL");
    cr_expect(eq(u32, fallen_deaths(host, "a", cause), 0));
    cr_expect(eq(u32, fallen_deaths(host, "d", cause), 1));
}

Test(fallen, one_that_takes_too_long_holds_nobody_up_and_is_still_named)
{
    struct starts starts = {.fallen = host};
    struct start a = make("a"), b = make("b");
    die_in("a", "SIGSEGV");
    starts_begin(&starts, &a);
    starts_begin(&starts, &b);
    cr_expect(eq(str, ran, "a"));
    starts_give_up(&starts, &a);
    starts_next(&starts);
    cr_expect(eq(str, ran, "ab"));
    end(&starts, &b);
    fallen_count(monitor, "SIGSEGV");
    cr_expect(eq(u32, fallen_deaths(host, "a", cause), 2));
    cr_expect(eq(u32, fallen_deaths(host, "b", cause), 0));
    starts_end(&starts, &a);
    cr_expect(eq(u32, fallen_deaths(host, "a", cause), 0));
}

static struct starts ending;

static void run_and_end(void *start)
{
    run(((struct start *)start)->build);
    end(&ending, start);
}

Test(fallen, starts_that_are_over_at_once_are_followed_by_the_next)
{
    struct start a = make("a"), b = make("b"), c = make("c");
    ending.fallen = host;
    die_in("b", "SIGSEGV");
    die_in("c", "SIGSEGV");
    b.run = c.run = run_and_end;
    b.context = &b;
    c.context = &c;
    starts_begin(&ending, &a);
    starts_begin(&ending, &b);
    starts_begin(&ending, &c);
    cr_expect(eq(str, ran, "a"));
    end(&ending, &a);
    cr_expect(eq(str, ran, "abc"));
    cr_expect(eq(u32, ending.in_hand_count, 0));
}

Test(fallen, a_build_of_which_too_many_hosts_have_died_is_refused)
{
    struct starts starts = {.fallen = host};
    struct error error;
    die_in("a", "SIGSEGV");
    cr_expect(starts_allow(&starts, "a", &error));
    die_in("a", "exit code 3, unasked");
    cr_assert(not(starts_allow(&starts, "a", &error)));
    cr_expect(eq(str, (char *)error.code, "fallen"));
    cr_expect(strstr(error.message, "has died 2 times while its init or entry ran, the last time "
                                    "by exit code 3, unasked:") != NULL);
    cr_expect(starts_allow(&starts, "b", &error));
    starts.fallen = NULL;
    cr_expect(starts_allow(&starts, "a", &error));
}
