#include "accept/job_file/job_copy.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "accept/job_file.h"
#include "support/clock.h"
#include "support/ready.h"

enum { COPY_BYTES = 64 * 1024 };

static bool copy_some(int from, int to, bool *at_end)
{
    char bytes[COPY_BYTES];
    ssize_t got = read(from, bytes, sizeof bytes);
    *at_end = got == 0;
    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    return write(to, bytes, (size_t)got) == got;
}

bool job_copy(int fd, int copy, int stop_fd, bool *stopped)
{
    const struct ready_wish wish = {
        .fd = fd, .events = POLLIN, .stop_fd = stop_fd, .until_ns = CLOCK_NEVER_NS};
    bool at_end = false, right = copy >= 0;
    while (right && !at_end && lseek(copy, 0, SEEK_CUR) <= JOB_FILE_MOST_BYTES) {
        *stopped = ready_wait(&wish) == READY_STOPPED;
        if (*stopped)
            return true;
        right = copy_some(fd, copy, &at_end);
    }
    return right;
}
