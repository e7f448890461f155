/* The plugin exec in its static form: what a command sees, what is kept of it, how it ends. */
#define SLUICE_STATIC
#define SLUICE_ENTRY exec_entry
#include "../../../plugins/exec/exec.c"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "fake_host.h"

static struct fake fake;

static void setup(void)
{
    fake_init(&fake);
}

static void teardown(void)
{
    fake_fini(&fake);
}

TestSuite(exec, .init = setup, .fini = teardown, .timeout = 60);

static enum sluice_status execute(const struct exec_params *p)
{
    struct sluice_error err = {.size = sizeof err};
    const struct sluice_plugin *plugin = exec_entry(fake_host(), &err);
    cr_assert_not_null(plugin, "%s", err.message);
    return fake_execute(&fake, plugin->types, p);
}

static enum sluice_status shell(const char *line)
{
    return execute(&(struct exec_params){.shell = line});
}

static enum sluice_status start(const char *program)
{
    return execute(&(struct exec_params){.argv = {1, &program}});
}

/* Whether a process is dead within the time. SIGKILL is delivered when kill returns, but death takes
 * a moment more. */
static bool dies_in(const char *pid, int most_ms)
{
    struct pollfd process = {.events = POLLIN};
    process.fd = (int)syscall(SYS_pidfd_open, strtol(pid, NULL, 10), 0);
    if (process.fd < 0)
        return errno == ESRCH;
    bool dead = poll(&process, 1, most_ms) == 1;
    close(process.fd);
    return dead;
}

static bool dies(const char *pid)
{
    return dies_in(pid, 10000);
}

Test(exec, a_command_that_succeeds_has_empty_outputs_and_exit_code_0)
{
    cr_assert_eq(start("/bin/true"), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "stdout"), "");
    cr_assert_str_eq(fake_output(&fake, "stderr"), "");
    cr_assert_str_eq(fake_output(&fake, "exit_code"), "0");
    cr_assert_eq(fake.prints_count, 0);
}

Test(exec, both_streams_are_kept_apart)
{
    cr_assert_eq(shell("echo one; echo two >&2; echo three"), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "stdout"), "one\nthree");
    cr_assert_str_eq(fake_output(&fake, "stderr"), "two");
}

Test(exec, both_streams_are_printed_line_by_line)
{
    cr_assert_eq(shell("printf one; echo two >&2; printf ' and more'"), SLUICE_OK);
    cr_assert_str_eq(fake.printed, "two\none and more\n");
}

Test(exec, on_a_host_that_keeps_no_output_it_runs_as_before)
{
    struct sluice_host older = *fake_host();
    older.size = offsetof(struct sluice_host, print);
    older.print = NULL;
    fake.call.host = &older;
    cr_assert_eq(shell("echo one"), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "stdout"), "one");
}

Test(exec, arguments_reach_the_program_as_they_are)
{
    const char *const argv[] = {"printf", "%s|", "a b", "$HOME", ""};
    cr_assert_eq(execute(&(struct exec_params){.argv = {5, argv}}), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "stdout"), "a b|$HOME||");
}

Test(exec, an_exit_code_fails_with_the_last_line_of_stderr)
{
    cr_assert_eq(shell("echo begin >&2; echo no such disk >&2; exit 3"), SLUICE_FAILED);
    cr_assert_str_eq(fake.fail_code, "exit_nonzero");
    cr_assert_str_eq(fake.fail_message, "exited with 3: no such disk");
    cr_assert_str_eq(fake_output(&fake, "exit_code"), "3");
}

Test(exec, a_signal_is_named)
{
    cr_assert_eq(shell("kill -SEGV $$"), SLUICE_FAILED);
    cr_assert_str_eq(fake.fail_code, "killed");
    cr_assert_str_eq(fake.fail_message, "killed by signal 11 (Segmentation fault)");
    cr_assert_str_eq(fake_output(&fake, "exit_code"), "139");
}

Test(exec, output_beyond_the_bound_is_dropped_counted_and_said)
{
    cr_assert_eq(shell("head -c 1000000 /dev/zero | tr '\\0' x"), SLUICE_OK);
    cr_assert_eq(strlen(fake_output(&fake, "stdout")), CAPTURE_HEAD_BYTES);
    cr_assert_str_eq(fake.log, "stdout: kept the first 64512 bytes, dropped 935488");
}

Test(exec, a_program_that_does_not_exist_fails_for_good_and_is_named)
{
    cr_assert_eq(start("/no/such/program"), SLUICE_FAILED_FOR_GOOD);
    cr_assert_str_eq(fake.fail_message,
                     "cannot start '/no/such/program': No such file or directory");
    cr_assert_eq(start("no-such-program"), SLUICE_FAILED_FOR_GOOD);
    cr_assert_str_eq(fake.fail_message,
                     "cannot start 'no-such-program': No such file or directory");
}

Test(exec, a_folder_is_no_program)
{
    cr_assert_eq(start("/tmp"), SLUICE_FAILED_FOR_GOOD);
    cr_assert_str_eq(fake.fail_message, "cannot start '/tmp': Permission denied");
}

Test(exec, a_working_folder_that_does_not_exist_is_named)
{
    struct exec_params p = {.shell = "true", .cwd = "/no/such/folder"};
    cr_assert_eq(execute(&p), SLUICE_FAILED_FOR_GOOD);
    cr_assert_str_eq(fake.fail_code, "no_folder");
    cr_assert_str_eq(fake.fail_message,
                     "cannot start '/bin/sh': cwd '/no/such/folder' is no folder");
}

Test(exec, the_command_runs_in_the_working_folder)
{
    cr_assert_eq(execute(&(struct exec_params){.shell = "pwd", .cwd = "/usr"}), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "stdout"), "/usr");
}

Test(exec, variables_come_on_top_of_the_environment)
{
    setenv("EXEC_KEPT", "kept", 1);
    setenv("EXEC_CHANGED", "before", 1);
    const struct sluice_pair pairs[] = {{"EXEC_CHANGED", "after"}, {"EXEC_NEW", "a=b"}};
    struct exec_params p = {.shell = "env | grep ^EXEC_ | sort", .env = {2, pairs}};
    cr_assert_eq(execute(&p), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "stdout"),
                     "EXEC_CHANGED=after\nEXEC_KEPT=kept\nEXEC_NEW=a=b");
}

Test(exec, a_variable_with_a_wrong_name_fails_for_good)
{
    const struct sluice_pair pairs[] = {{"A=B", "x"}};
    struct exec_params p = {.shell = "true", .env = {1, pairs}};
    cr_assert_eq(execute(&p), SLUICE_FAILED_FOR_GOOD);
    cr_assert_str_eq(fake.fail_code, "bad_params");
}

Test(exec, it_wants_either_argv_or_shell)
{
    const char *program = "true";
    struct exec_params both = {.argv = {1, &program}, .shell = "true"};
    cr_assert_eq(execute(&both), SLUICE_FAILED_FOR_GOOD);
    cr_assert_str_eq(fake.fail_message, "give either argv or shell");
    cr_assert_eq(execute(&(struct exec_params){.shell = NULL}), SLUICE_FAILED_FOR_GOOD);
}

Test(exec, standard_input_is_empty_unless_given)
{
    cr_assert_eq(shell("cat; readlink /proc/self/fd/0"), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "stdout"), "/dev/null");
    struct exec_params p = {.shell = "cat", .input = "one\ntwo"};
    cr_assert_eq(execute(&p), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "stdout"), "one\ntwo");
}

Test(exec, a_megabyte_of_input_is_read_whole_or_not_at_all)
{
    static char text[1024 * 1024 + 1];
    memset(text, 'x', sizeof text - 1);
    struct exec_params p = {.shell = "wc -c", .input = text};
    cr_assert_eq(execute(&p), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "stdout"), "1048576");
    p.shell = "exec true";
    cr_assert_eq(execute(&p), SLUICE_OK);
}

Test(exec, signal_mask_and_sigpipe_are_the_defaults_whatever_the_host_does)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(shell("awk '/^Sig(Blk|Ign)/ { print $2 }' /proc/self/status"), SLUICE_OK);
    unsigned long long blocked, ignored;
    cr_assert_eq(sscanf(fake_output(&fake, "stdout"), "%llx %llx", &blocked, &ignored), 2);
    cr_assert_eq(blocked, 0);
    cr_assert_eq(ignored & 1u << (SIGPIPE - 1), 0);
}

Test(exec, no_descriptor_of_the_host_is_inherited)
{
    cr_assert_geq(open("/dev/null", O_RDONLY), 0);
    cr_assert_eq(shell("ls /proc/$$/fd"), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "stdout"), "0\n1\n2");
}

Test(exec, the_command_leads_a_process_group_of_its_own)
{
    cr_assert_eq(shell("set -- $(cat /proc/$$/stat); [ \"$5\" = $$ ]"), SLUICE_OK);
}

Test(exec, it_ends_with_the_command_and_does_not_wait_for_what_runs_on)
{
    cr_assert_eq(shell("sleep 600 & echo $!"), SLUICE_OK);
    const char *left = fake_output(&fake, "stdout");
    cr_assert_not(dies_in(left, 0));
    kill((pid_t)strtol(left, NULL, 10), SIGKILL);
}

/* Cancels once the command says by the FIFO that it is ready. */
static void *cancel_when_ready(void *fifo)
{
    char byte;
    int fd = open(fifo, O_RDONLY);
    if (read(fd, &byte, 1) == 1)
        fake_cancel(&fake);
    close(fd);
    return NULL;
}

/* Runs a line that must write a byte to $READY, and cancels it then. */
static enum sluice_status shell_cancelled(const char *line)
{
    char fifo[] = "/tmp/sluice-test-XXXXXX";
    cr_assert_not_null(mkdtemp(fifo));
    char path[sizeof fifo + 8];
    snprintf(path, sizeof path, "%s/ready", fifo);
    cr_assert_eq(mkfifo(path, 0600), 0);
    pthread_t thread;
    pthread_create(&thread, NULL, cancel_when_ready, path);
    const struct sluice_pair ready = {"READY", path};
    enum sluice_status status = execute(&(struct exec_params){.shell = line, .env = {1, &ready}});
    pthread_join(thread, NULL);
    unlink(path);
    rmdir(fifo);
    return status;
}

Test(exec, a_cancelled_command_gets_sigterm)
{
    cr_assert_eq(shell_cancelled("trap 'echo bye; exit 0' TERM; sleep 600 & echo > $READY; wait"),
                 SLUICE_CANCELLED);
    cr_assert_str_eq(fake_output(&fake, "stdout"), "bye");
}

Test(exec, a_cancelled_command_dies_with_its_whole_group_though_it_ignores_sigterm)
{
    cr_assert_eq(shell_cancelled("trap '' TERM; sleep 600 & echo $!; echo > $READY; wait; wait"),
                 SLUICE_CANCELLED);
    cr_assert_str_eq(fake_output(&fake, "exit_code"), "137");
    cr_assert(dies(fake_output(&fake, "stdout")));
}

Test(exec, what_ignores_sigterm_dies_when_its_cancelled_parent_has_ended)
{
    /* The child names itself before it is ready: cancelling may come at once. */
    cr_assert_eq(shell_cancelled("(trap '' TERM; sh -c 'echo $PPID'; echo > $READY; "
                                 "exec sleep 600) & wait"),
                 SLUICE_CANCELLED);
    cr_assert(dies(fake_output(&fake, "stdout")));
}

Test(exec, it_can_be_cancelled_without_a_cancel_descriptor)
{
    int fd = fake.cancel_fd;
    fake.cancel_fd = -1;
    fake.cancelled = true;
    cr_assert_eq(shell("sleep 600"), SLUICE_CANCELLED);
    fake.cancel_fd = fd;
}
