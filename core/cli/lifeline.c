#include "cli/lifeline.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int of_host = -1;
static pid_t monitor;

bool lifeline_pair(int *monitor_fd, int *host_fd)
{
    int both[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both) != 0)
        return false;
    *monitor_fd = both[0];
    *host_fd = both[1];
    return true;
}

/* Room for one descriptor beside a message. */
union beside {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

void lifeline_tell(int lifeline, const struct lifeline_word *word, int fd)
{
    union beside beside = {0};
    struct iovec bytes = {.iov_base = (void *)(uintptr_t)word, .iov_len = sizeof(*word)};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};

    if (fd >= 0) {
        message.msg_control = &beside;
        message.msg_controllen = sizeof(beside);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(fd))};
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    sendmsg(lifeline, &message, MSG_NOSIGNAL);
}

enum lifeline_heard lifeline_hear(int lifeline, struct lifeline_word *word, int *fd)
{
    union beside beside;
    struct iovec bytes = {.iov_base = word, .iov_len = sizeof(*word)};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = &beside,
                             .msg_controllen = sizeof(beside)};

    *fd = -1;
    ssize_t length = recvmsg(lifeline, &message, MSG_CMSG_CLOEXEC);
    if (length != (ssize_t)sizeof(*word))
        return length < 0 && errno == EAGAIN ? LIFELINE_SILENCE : LIFELINE_OVER;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(header), sizeof(*fd));
    return LIFELINE_WORD;
}

bool lifeline_take(void)
{
    int type = 0;
    socklen_t length = sizeof(type);

    if (getsockopt(LIFELINE_FD, SOL_SOCKET, SO_TYPE, &type, &length) != 0 ||
        type != SOCK_SEQPACKET || fcntl(LIFELINE_FD, F_SETFD, FD_CLOEXEC) != 0)
        return false;
    of_host = LIFELINE_FD;
    monitor = getppid();
    return true;
}

int lifeline_of_host(void)
{
    return of_host;
}

pid_t lifeline_monitor(void)
{
    return monitor;
}
