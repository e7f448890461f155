/* Processes that a dead one has left behind. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/orphans.h"

/* A child that does nothing but wait. */
static pid_t sleeper(void)
{
    pid_t pid = fork();

    if (pid == 0)
        for (;;)
            pause();
    return pid;
}

/* A child that starts two others in sessions of their own, one below the other, and ends; both are
 * there then. */
static void leave_two(void)
{
    int there[2];
    char byte;

    cr_assert(eq(int, pipe(there), 0));
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            setsid();
            sleeper();
            cr_assert(eq(int, (int)write(there[1], "", 1), 1));
            for (;;)
                pause();
        }
        _exit(0);
    }
    cr_assert(eq(int, (int)read(there[0], &byte, 1), 1));
    waitpid(pid, NULL, 0);
}

Test(orphans, all_that_a_dead_process_has_left_are_killed_and_those_from_before_are_not)
{
    struct orphans orphans;
    pid_t mine = sleeper();
    int killed = 0, status;

    orphans_adopt(&orphans);
    leave_two();
    for (size_t left; (left = orphans_kill(&orphans)) > 0;) {
        cr_expect(left <= 2);
        cr_assert(waitpid(-1, &status, 0) > 0);
        cr_expect(eq(int, status, SIGKILL)); /* by that signal */
        killed++;
    }
    cr_expect(eq(int, killed, 2));
    cr_expect(eq(int, kill(mine, 0), 0));
    kill(mine, SIGKILL);
}
