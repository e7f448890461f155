#include "execute/isolate/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cleanup.h"

static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

/* Room for the one descriptor that comes with a frame. Its padding lets another one in: all that
 * come are taken, so that none stays open. */
enum { DESCRIPTORS_MOST = (CMSG_SPACE(sizeof(int)) - CMSG_LEN(0)) / sizeof(int) };

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

bool channel_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0;
}

static enum channel_answer answer_of(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK ? CHANNEL_EMPTY : CHANNEL_CLOSED;
}

static enum channel_answer send_message(int fd, const struct msghdr *message, int flags)
{
    ssize_t sent;
    do
        sent = sendmsg(fd, message, flags | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent >= 0 ? CHANNEL_OK : answer_of(errno);
}

static bool write_all(int fd, const struct buffer *frame)
{
    for (size_t at = 0; at < frame->length;) {
        ssize_t written = write(fd, frame->bytes + at, frame->length - at);
        if (written < 0 && errno != EINTR)
            return false;
        at += written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* A frame of no bytes, with a descriptor in which its bytes are. */
static enum channel_answer send_body(int fd, const struct buffer *frame, int flags)
{
    CLEANUP(cleanup_close) int body = memfd_create("frame", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    union control control = {.bytes = {0}};
    char kind = 0;
    struct iovec vector = {&kind, 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    if (frame->length > CHANNEL_BODY_MOST_BYTES || body < 0 || !write_all(body, frame) ||
        fcntl(body, F_ADD_SEALS, seals) != 0)
        return CHANNEL_BROKEN;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &body, sizeof body);
    return send_message(fd, &message, flags);
}

enum channel_answer channel_send(int fd, const struct buffer *frame, int flags)
{
    struct iovec vector = {frame->bytes, frame->length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (frame->length > CHANNEL_FRAME_MOST_BYTES)
        return send_body(fd, frame, flags);
    return send_message(fd, &message, flags);
}

/* Returns how many descriptors came with it; each is the caller's to close. */
static size_t take_descriptors(struct msghdr *message, int fds[DESCRIPTORS_MOST])
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return 0;
    size_t bytes = header->cmsg_len - CMSG_LEN(0);
    memcpy(fds, CMSG_DATA(header), bytes);
    return bytes / sizeof(int);
}

/* Only what is sealed stays as it was checked, and cannot be cut under its reader. */
static enum channel_answer read_body(int body, struct buffer *frame)
{
    struct stat stat;
    int sealed = fcntl(body, F_GET_SEALS);
    if (sealed < 0 || (sealed & seals) != seals || fstat(body, &stat) != 0 || stat.st_size <= 0 ||
        stat.st_size > CHANNEL_BODY_MOST_BYTES)
        return CHANNEL_BROKEN;
    size_t bytes = (size_t)stat.st_size;
    char *to = buffer_reserve(frame, bytes);
    while (frame->length < bytes) {
        ssize_t got = pread(body, to + frame->length, bytes - frame->length, (off_t)frame->length);
        if (got == 0 || (got < 0 && errno != EINTR))
            return CHANNEL_BROKEN;
        frame->length += got > 0 ? (size_t)got : 0;
    }
    return CHANNEL_OK;
}

enum channel_answer channel_receive(int fd, struct buffer *frame, int flags)
{
    union control control;
    struct iovec vector;
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t got;
    frame->length = 0;
    vector =
        (struct iovec){buffer_reserve(frame, CHANNEL_FRAME_MOST_BYTES), CHANNEL_FRAME_MOST_BYTES};
    do
        got = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return answer_of(errno);
    enum channel_answer answer = CHANNEL_OK;
    int fds[DESCRIPTORS_MOST];
    size_t count = take_descriptors(&message, fds);
    if (got == 0)
        answer = CHANNEL_CLOSED;
    else if (count > 1 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        answer = CHANNEL_BROKEN;
    else if (count == 1)
        answer = read_body(fds[0], frame);
    else
        frame->length = (size_t)got;
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    return answer;
}
