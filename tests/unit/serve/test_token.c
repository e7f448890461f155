/* The token's file: made once, read by its owner alone. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/token.h"
#include "support/cleanup.h"

static char folder[] = "/tmp/token.XXXXXX";
static char path[64];
static struct error error;

static void start(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/token", folder);
}

static void stop(void)
{
    unlink(path);
    cr_expect_eq(rmdir(folder), 0, "nothing else is left in the folder");
}

TestSuite(token, .init = start, .fini = stop);

static void write_file(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void expect_error(const char *part)
{
    cr_expect_null(token_load(path, &error));
    cr_expect_not_null(strstr(error.message, part), "%s", error.message);
    cr_expect_not_null(strstr(error.message, path), "%s", error.message);
}

Test(token, the_first_start_makes_one_and_the_next_reads_it)
{
    struct stat status;
    umask(0);
    CLEANUP(cleanup_free) char *made = token_load(path, &error);
    CLEANUP(cleanup_free) char *again = token_load(path, &error);
    cr_assert_not_null(made, "%s", error.message);
    cr_expect_str_eq(made, again);
    cr_expect_eq(strlen(made), TOKEN_BYTES);
    cr_expect_eq(strspn(made, "0123456789abcdef"), TOKEN_BYTES);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0600);
}

Test(token, no_two_are_the_same)
{
    CLEANUP(cleanup_free) char *one = token_load(path, &error);
    unlink(path);
    CLEANUP(cleanup_free) char *other = token_load(path, &error);
    cr_expect_str_neq(one, other);
}

Test(token, one_that_a_person_wrote_will_do)
{
    write_file("my-own-token-of-some-length\n", 0400);
    CLEANUP(cleanup_free) char *token = token_load(path, &error);
    cr_assert_not_null(token, "%s", error.message);
    cr_expect_str_eq(token, "my-own-token-of-some-length");
}

Test(token, a_file_that_others_may_read_is_refused_with_the_cure)
{
    char cure[128];
    snprintf(cure, sizeof(cure), "its mode is 640: chmod 600 %s", path);
    write_file("my-own-token-of-some-length\n", 0640);
    expect_error(cure);
    chmod(path, 0602);
    expect_error("its mode is 602");
}

Test(token, what_is_no_token_is_refused)
{
    char large[TOKEN_BYTES_MOST + 10];
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';

    write_file("", 0600);
    expect_error("has 0 characters; allowed: 16 to 4096");
    write_file("short\n", 0600);
    expect_error("has 5 characters");
    write_file("two words in one file\n", 0600);
    expect_error("not printable ASCII");
    write_file(large, 0600);
    expect_error("more than 4096 bytes");
}

Test(token, a_file_that_is_none_is_refused)
{
    cr_assert_eq(mkfifo(path, 0600), 0);
    expect_error("is not a regular file");
}

Test(token, a_folder_that_is_missing_is_an_error)
{
    cr_expect_null(token_load("/nowhere/token", &error));
    cr_expect_str_eq(error.message,
                     "cannot make the token file /nowhere/token: No such file or directory");
}
