/* clock: loaded in front of a program, shifts its wall clock by the seconds in the file $CLOCK_SHIFT, which a test changes
 * while the program runs. The monotonic clock stays what it is. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long shift_s(void)
{
    const char *path = getenv("CLOCK_SHIFT");
    char text[32] = "";
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    return length <= 0 ? 0 : strtol(text, NULL, 10);
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
    long failed = syscall(SYS_clock_gettime, clock, now);
    if (failed == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += shift_s();
    return (int)failed;
}
