#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "execute/isolate/channel.h"

static int ends[2];
static struct buffer frame, got;

static void open_pair(void)
{
    cr_assert(channel_pair(ends));
}

static void close_pair(void)
{
    close(ends[0]);
    close(ends[1]);
    buffer_fini(&frame);
    buffer_fini(&got);
}

TestSuite(channel, .init = open_pair, .fini = close_pair, .timeout = 60);

static int open_count(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void fill(size_t bytes)
{
    char *to = buffer_reserve(&frame, bytes);
    for (size_t i = 0; i < bytes; i++)
        to[i] = (char)(i * 7 + i / 251);
    frame.length = bytes;
}

/* A byte with descriptors, as a process that plays false may send them. */
static void send_descriptors(const int *fds, size_t count)
{
    char room[CMSG_SPACE(16 * sizeof(int))] = {0};
    struct iovec vector = {"x", 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = room,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    cr_assert_eq(sendmsg(ends[1], &message, 0), 1);
}

static int body_of(size_t bytes, int seals)
{
    int fd = memfd_create("body", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    cr_assert_eq(ftruncate(fd, (off_t)bytes), 0);
    cr_assert_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static enum channel_answer receive(void)
{
    return channel_receive(ends[0], &got, MSG_DONTWAIT);
}

/* What is sent with such a descriptor is no frame, and nothing stays open of it. */
static void expect_refused(int fd)
{
    int before = open_count();
    send_descriptors(&fd, 1);
    cr_assert_eq(receive(), CHANNEL_BROKEN);
    cr_assert_eq(open_count(), before);
    close(fd);
}

Test(channel, frames_of_any_length_arrive_whole_and_apart)
{
    static const size_t lengths[] = {1,
                                     100,
                                     CHANNEL_FRAME_MOST_BYTES - 1,
                                     CHANNEL_FRAME_MOST_BYTES,
                                     CHANNEL_FRAME_MOST_BYTES + 1,
                                     5 * 1024 * 1024};
    int before = open_count();
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        fill(lengths[i]);
        cr_assert_eq(channel_send(ends[1], &frame, 0), CHANNEL_OK);
        cr_assert_eq(receive(), CHANNEL_OK);
        cr_assert_eq(got.length, frame.length);
        cr_assert_eq(memcmp(got.bytes, frame.bytes, got.length), 0);
        frame.length = 0;
    }
    cr_assert_eq(receive(), CHANNEL_EMPTY);
    cr_assert_eq(open_count(), before);
}

Test(channel, a_frame_that_is_too_long_for_any_is_not_sent)
{
    frame.bytes = mmap(NULL, (size_t)CHANNEL_BODY_MOST_BYTES + 1, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    frame.length = (size_t)CHANNEL_BODY_MOST_BYTES + 1;
    cr_assert_eq(channel_send(ends[1], &frame, 0), CHANNEL_BROKEN);
    cr_assert_eq(receive(), CHANNEL_EMPTY);
    munmap(frame.bytes, frame.length);
    frame = BUFFER_EMPTY;
}

Test(channel, a_side_that_does_not_read_is_not_waited_for)
{
    enum channel_answer answer;
    fill(1000);
    do
        answer = channel_send(ends[1], &frame, MSG_DONTWAIT);
    while (answer == CHANNEL_OK);
    cr_assert_eq(answer, CHANNEL_EMPTY);
}

Test(channel, the_end_of_the_other_side_is_seen_from_both)
{
    fill(10);
    cr_assert_eq(channel_send(ends[1], &frame, 0), CHANNEL_OK);
    close(ends[1]);
    cr_assert_eq(receive(), CHANNEL_OK, "what it had said is still there");
    cr_assert_eq(receive(), CHANNEL_CLOSED);
    cr_assert_eq(channel_send(ends[0], &frame, 0), CHANNEL_CLOSED, "and no SIGPIPE");
    ends[1] = open("/dev/null", O_RDWR | O_CLOEXEC);
}

Test(channel, no_bytes_at_all_say_that_the_other_side_is_gone)
{
    cr_assert_eq(send(ends[1], "", 0, 0), 0);
    cr_assert_eq(receive(), CHANNEL_CLOSED);
}

Test(channel, bytes_that_are_cut_off_are_no_frame)
{
    fill(CHANNEL_FRAME_MOST_BYTES + 1);
    cr_assert_eq(send(ends[1], frame.bytes, frame.length, 0), (ssize_t)frame.length);
    cr_assert_eq(receive(), CHANNEL_BROKEN);
}

Test(channel, a_body_that_could_change_is_refused)
{
    int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    static const int each[] = {F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_SEAL};
    expect_refused(body_of(100, 0));
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        expect_refused(body_of(100, all & ~each[i]));
}

Test(channel, a_body_without_bytes_or_with_too_many_is_refused)
{
    int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    expect_refused(body_of(0, all));
    expect_refused(body_of((size_t)CHANNEL_BODY_MOST_BYTES + 1, all));
    expect_refused(body_of((size_t)1 << 50, all));
}

Test(channel, a_descriptor_that_is_no_memfd_is_refused)
{
    int pair[2], socket[2];
    expect_refused(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    expect_refused(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    expect_refused(open("/dev/zero", O_RDONLY | O_CLOEXEC));
    expect_refused(open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
    cr_assert_eq(pipe2(pair, O_CLOEXEC), 0);
    expect_refused(pair[0]);
    close(pair[1]);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socket), 0);
    expect_refused(socket[0]);
    close(socket[1]);
}

Test(channel, of_several_descriptors_none_is_left_open)
{
    int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    int body = body_of(100, all), before = open_count();
    for (size_t count = 2; count <= 16; count++) {
        int fds[16];
        for (size_t i = 0; i < count; i++)
            fds[i] = body;
        send_descriptors(fds, count);
        cr_assert_eq(receive(), CHANNEL_BROKEN);
        cr_assert_eq(open_count(), before, "of %zu descriptors", count);
    }
    close(body);
}
