/* pace RATE SECONDS MARKS: prints a job file of RATE no-op tasks a second, evenly, a few every
 * millisecond, and one short sleep every 10 ms; it starts with a second of the wall clock. The file
 * MARKS hears "second N TIME" when second N begins, and "sent COUNT" at the end. A no-op's id tells
 * when it was due: tSECOND.MICROSECONDS.NUMBER (the second of its minute).
 *   cc -O2 -D_GNU_SOURCE pace.c -o pace */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TICKS = 1000, TICK_NS = 1000000, TICKS_A_SLEEP = 10 };

static long long rate, sent;

static void wait_until(struct timespec at)
{
    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL) == EINTR)
        continue;
}

static void mark_second(FILE *marks, long long number, time_t second)
{
    char date[32];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", gmtime(&second));
    fprintf(marks, "second %lld %s\n", number, date);
    fflush(marks);
}

/* What is due in one tick of a second. */
static void print_tick(time_t second, long long tick)
{
    long long count = rate * (tick + 1) / TICKS - rate * tick / TICKS;
    for (long long i = 0; i < count; i++, sent++)
        printf("  - {id: t%02d.%06lld.%lld, type: noop, params: {n: %lld}}\n", (int)(second % 60),
               tick * 1000, sent, sent);
    if (tick % TICKS_A_SLEEP == 0)
        printf("  - {id: s%lld, type: sleep, params: {for: 100ms}}\n", sent++);
    if (fflush(stdout) != 0)
        exit(1);
}

int main(int argc, char **argv)
{
    static char room[1 << 20];
    FILE *marks = argc == 4 ? fopen(argv[3], "w") : NULL;
    if (marks == NULL || (rate = atoll(argv[1])) <= 0)
        return 2;
    setvbuf(stdout, room, _IOFBF, sizeof room);
    printf("version: 1\nname: pace\ntasks:\n");
    time_t start = time(NULL) + 1;
    for (long long second = 0; second < atoll(argv[2]); second++) {
        for (long long tick = 0; tick < TICKS; tick++) {
            wait_until((struct timespec){start + second, tick * TICK_NS});
            if (tick == 0)
                mark_second(marks, second, start + second);
            print_tick(start + second, tick);
        }
    }
    fprintf(marks, "sent %lld\n", sent);
    return fclose(marks) == 0 ? 0 : 1;
}
