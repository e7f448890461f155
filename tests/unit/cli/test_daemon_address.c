/* Where the daemon listens. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/daemon_address.h"
#include "config.h"

static char token_file[] = "/tmp/sluice-token-XXXXXX";

static void write_token(const char *text)
{
    strcpy(token_file, "/tmp/sluice-token-XXXXXX");
    int fd = mkstemp(token_file);
    cr_assert(ge(int, fd, 0));
    cr_assert(eq(sz, (size_t)write(fd, text, strlen(text)), strlen(text)));
    close(fd);
}

static void expect_wrong(const char *listen, const char *message)
{
    struct daemon_address address;
    struct error error = {0};

    cr_expect(not(daemon_address_read(&address, listen, token_file, &error)), "%s", listen);
    cr_expect(ne(ptr, strstr(error.message, message), NULL), "%s", error.message);
    daemon_address_fini(&address);
}

Test(daemon_address, a_socket_has_a_path_and_no_token)
{
    struct daemon_address address;

    cr_assert(daemon_address_read(&address, "unix:/run/sluice.sock", NULL, NULL));
    cr_expect(address.is_socket);
    cr_expect(eq(str, address.place, "/run/sluice.sock"));
    cr_expect(eq(ptr, address.token, NULL));
    daemon_address_fini(&address);
}

Test(daemon_address, tcp_wants_a_token_and_who_listens_everywhere_is_here)
{
    struct daemon_address address;

    write_token("secret-of-many-letters\n");
    cr_assert(daemon_address_read(&address, "0.0.0.0:8080", token_file, NULL));
    cr_expect(not(address.is_socket));
    cr_expect(eq(str, address.place, "127.0.0.1:8080"));
    cr_expect(eq(str, address.token, "secret-of-many-letters"));
    daemon_address_fini(&address);
    cr_assert(daemon_address_read(&address, "[::]:8080", token_file, NULL));
    cr_expect(eq(str, address.place, "[::1]:8080"));
    daemon_address_fini(&address);
    unlink(token_file);
}

Test(daemon_address, what_is_no_address_or_no_token_is_an_error)
{
    char path[200];

    memset(path, 'x', sizeof(path) - 1);
    memcpy(path, "unix:/", 6);
    path[sizeof(path) - 1] = '\0';
    expect_wrong(path, "over 107 bytes");
    expect_wrong("localhost", "neither unix:PATH nor HOST:PORT");
    expect_wrong(":80", "neither");
    expect_wrong("a:0", "neither");
    expect_wrong("a:65536", "neither");
    expect_wrong("evil@host:80", "neither");
    write_token("two words");
    expect_wrong("127.0.0.1:80", "there is no token in");
    unlink(token_file);
    write_token("");
    expect_wrong("127.0.0.1:80", "there is no token in");
    unlink(token_file);
    expect_wrong("127.0.0.1:80", "cannot read the token");
}

static void expect_listen(struct config *config, const char *listen)
{
    char *found = config_listen(config);
    cr_expect(eq(str, found, (char *)listen));
    free(found);
}

Test(daemon_address, the_configuration_comes_first_then_the_system_then_the_state_folder)
{
    struct config config = {.state_dir = "/state"};

    unsetenv("RUNTIME_DIRECTORY");
    unsetenv("XDG_RUNTIME_DIR");
    expect_listen(&config, "unix:/state/run/sluice.sock");
    setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    expect_listen(&config, "unix:/run/user/7/sluice/sluice.sock");
    setenv("RUNTIME_DIRECTORY", "/run/sluice", 1);
    expect_listen(&config, "unix:/run/sluice/sluice.sock");
    config.runtime_dir = "/here";
    expect_listen(&config, "unix:/here/sluice.sock");
    config.http_listen = "127.0.0.1:80";
    expect_listen(&config, "127.0.0.1:80");
}
