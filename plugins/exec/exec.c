/* exec: runs a command, logs what it prints and keeps it. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sluice/plugin.h>

struct exec_params {
    struct sluice_list argv;
    const char *shell;
    const char *cwd;
    struct sluice_map env;
    const char *input;
};

static const struct sluice_param exec_table[] = {
    SLUICE_LIST(struct exec_params, argv, .help = "program and arguments", .one_of = "command",
                .min_items = 1),
    SLUICE_STRING(struct exec_params, shell, .help = "a line for /bin/sh", .one_of = "command"),
    SLUICE_STRING(struct exec_params, cwd, .help = "working folder; the host's by default"),
    SLUICE_MAP(struct exec_params, env, .help = "variables on top of the host's environment"),
    SLUICE_NAMED(STRING, "stdin", struct exec_params, input,
                 .help = "text for standard input; empty by default"),
    SLUICE_PARAMS_END,
};

/* One a worker: too costly to make for every call. */
struct exec_worker {
    int nothing; /* /dev/null, for commands without input */
    struct capture out, err;
};

static void exec_worker_exit(void *self, void *worker)
{
    (void)self;
    struct exec_worker *w = worker;
    if (w->nothing >= 0)
        close(w->nothing);
    free(w);
}

static bool exec_worker_init(void *self, void **worker, struct sluice_error *err)
{
    struct exec_worker *w = malloc(sizeof *w);
    if (!w)
        return sluice_error_set(err, "out of memory");
    w->nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (w->nothing < 0) {
        sluice_error_set(err, "cannot open /dev/null: %s", strerror(errno));
        exec_worker_exit(self, w);
        return false;
    }
    *worker = w;
    return true;
}

/* The argument vector, in memory of the call; NULL without memory. The casts drop const because
 * posix_spawn is declared without it; it changes nothing. */
static char *const *argv_make(const struct sluice_call *call, const struct exec_params *p)
{
    const char *shell[] = {"/bin/sh", "-c", p->shell};
    const char *const *items = p->shell ? shell : p->argv.items;
    size_t count = p->shell ? 3 : p->argv.count;
    const char **argv = sluice_alloc(call, (count + 1) * sizeof *argv);
    if (argv)
        memcpy(argv, items, count * sizeof *argv);
    return (char *const *)argv;
}

static bool env_overrides(const struct sluice_map *env, const char *variable)
{
    size_t length = strcspn(variable, "=");
    for (size_t i = 0; i < env->count; i++)
        if (strncmp(env->pairs[i].key, variable, length) == 0 && !env->pairs[i].key[length])
            return true;
    return false;
}

/* One "key=value", in memory of the call; NULL without memory. */
static char *variable_make(const struct sluice_call *call, const struct sluice_pair *pair)
{
    size_t bytes = strlen(pair->key) + strlen(pair->value) + 2;
    char *variable = sluice_alloc(call, bytes);
    if (variable)
        snprintf(variable, bytes, "%s=%s", pair->key, pair->value);
    return variable;
}

/* The host's environment with env on top; the host's own array when env is empty. */
static char *const *env_make(const struct sluice_call *call, const struct sluice_map *env)
{
    if (env->count == 0)
        return environ;
    size_t count = 0;
    while (environ[count])
        count++;
    char **made = sluice_alloc(call, (count + env->count + 1) * sizeof *made);
    if (!made)
        return NULL;
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (!env_overrides(env, environ[i]))
            made[used++] = environ[i];
    for (size_t i = 0; i < env->count; i++)
        if (!(made[used++] = variable_make(call, &env->pairs[i])))
            return NULL;
    return made;
}

/* Standard input as a file in memory: nothing to feed while the child runs, no deadlock, and no
 * SIGPIPE when it does not read. Returns -1 with errno. */
static int input_open(const char *text)
{
    int fd = memfd_create("stdin", MFD_CLOEXEC);
    size_t left = strlen(text);
    while (fd >= 0 && left > 0) {
        ssize_t wrote = write(fd, text, left);
        if (wrote < 0) {
            close(fd);
            return -1;
        }
        text += wrote;
        left -= (size_t)wrote;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

static bool is_transient(int code)
{
    return code == EAGAIN || code == ENOMEM || code == EMFILE || code == ENFILE ||
           code == ETXTBSY || code == EIO;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* posix_spawn says only why, not of what: the folder, the program, or its interpreter. */
static enum sluice_status cannot_start(const struct sluice_call *call,
                                       const struct child_plan *plan, int code)
{
    const char *program = plan->argv[0];
    if (is_transient(code))
        return sluice_fail(call, "cannot_start", "cannot start '%s': %s", program, strerror(code));
    if (plan->cwd && !is_folder(plan->cwd))
        return sluice_fail_for_good(call, "no_folder", "cannot start '%s': cwd '%s' is no folder",
                                    program, plan->cwd);
    if (code == ENOENT && program[0] == '/' && access(program, F_OK) == 0)
        return sluice_fail_for_good(call, "cannot_start",
                                    "cannot start '%s': its interpreter does not exist", program);
    return sluice_fail_for_good(call, "cannot_start", "cannot start '%s': %s", program,
                                strerror(code));
}

/* Sets the first bytes as an output, and how many there were beyond them as another. */
static void output_text(const struct sluice_call *call, const char *name, struct capture *capture,
                        size_t most)
{
    size_t length;
    const char *text = capture_text(capture, &length);
    size_t kept = capture->head_bytes < most ? capture->head_bytes : most;
    sluice_output_bytes(call, name, text, length < most ? length : most);
    if (kept == capture->total_bytes)
        return;
    char dropped_name[32], dropped[24];
    snprintf(dropped_name, sizeof dropped_name, "%s_dropped", name);
    snprintf(dropped, sizeof dropped, "%llu", (unsigned long long)(capture->total_bytes - kept));
    sluice_output(call, dropped_name, dropped);
    sluice_log(call, SLUICE_WARNING, "%s: kept the first %zu bytes, dropped %s", name, kept,
               dropped);
}

/* Half of the room is each stream's own, and what the other one does not need. */
static void outputs_set(const struct sluice_call *call, struct exec_worker *worker, int status)
{
    char code[16];
    size_t half = CAPTURE_HEAD_BYTES / 2, out = worker->out.head_bytes,
           err = worker->err.head_bytes;
    snprintf(code, sizeof code, "%d",
             WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    output_text(call, "stdout", &worker->out, CAPTURE_HEAD_BYTES - (err < half ? err : half));
    output_text(call, "stderr", &worker->err, CAPTURE_HEAD_BYTES - (out < half ? out : half));
    sluice_output(call, "exit_code", code);
}

static enum sluice_status verdict(const struct sluice_call *call, int status,
                                  const struct capture *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return SLUICE_OK;
    char line[240];
    capture_last_line(err, line, sizeof line);
    const char *colon = *line ? ": " : "";
    if (WIFEXITED(status))
        return sluice_fail(call, "exit_nonzero", "exited with %d%s%s", WEXITSTATUS(status), colon,
                           line);
    const char *name = sigdescr_np(WTERMSIG(status));
    return sluice_fail(call, "killed", "killed by signal %d (%s)%s%s", WTERMSIG(status),
                       name ? name : "unnamed", colon, line);
}

static enum sluice_status run(const struct sluice_call *call, const struct child_plan *plan)
{
    struct exec_worker *worker = sluice_worker(call);
    struct child child;
    int code = child_start(&child, plan);
    if (code != 0)
        return cannot_start(call, plan, code);
    capture_begin(&worker->out, call);
    capture_begin(&worker->err, call);
    bool cancelled = child_follow(&child, call, &worker->out, &worker->err);
    int status = child_finish(&child);
    capture_end(&worker->out);
    capture_end(&worker->err);
    outputs_set(call, worker, status);
    return cancelled ? SLUICE_CANCELLED : verdict(call, status, &worker->err);
}

static const char *params_wrong(const struct exec_params *p)
{
    if (!p->shell == (p->argv.count == 0))
        return "give either argv or shell";
    if (!p->shell && !*p->argv.items[0])
        return "argv begins with an empty string";
    for (size_t i = 0; i < p->env.count; i++)
        if (!*p->env.pairs[i].key || strchr(p->env.pairs[i].key, '='))
            return "a name in env is empty or has a '=' in it";
    return NULL;
}

static enum sluice_status exec_execute(const struct sluice_call *call, const void *params)
{
    const struct exec_params *p = params;
    const char *wrong = params_wrong(p);
    if (wrong)
        return sluice_fail_for_good(call, "bad_params", "%s", wrong);
    const struct exec_worker *worker = sluice_worker(call);
    struct child_plan plan = {.argv = argv_make(call, p),
                              .env = env_make(call, &p->env),
                              .cwd = p->cwd,
                              .input = worker->nothing};
    if (!plan.argv || !plan.env)
        return sluice_fail(call, "out_of_memory", "out of memory");
    if (p->input && *p->input && (plan.input = input_open(p->input)) < 0)
        return sluice_fail(call, "stdin", "cannot keep stdin in memory: %s", strerror(errno));
    enum sluice_status status = run(call, &plan);
    if (plan.input != worker->nothing)
        close(plan.input);
    return status;
}

static const struct sluice_type exec_types[] = {
    {SLUICE_TYPE("exec", "Runs a command."), .params = exec_table,
     .params_size = sizeof(struct exec_params), .execute = exec_execute,
     .worker_init = exec_worker_init, .worker_exit = exec_worker_exit},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("exec", "1.0.0", "exec", exec_types)
