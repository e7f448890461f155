#include "cli/daemon.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/field.h"
#include "cli/output.h"
#include "support/cleanup.h"
#include "support/utf8.h"

struct daemon {
    struct daemon_address address;
    struct client_address client_address;
    const struct client_table *table;
    struct client *asker, *streamer; /* the second one is made when it is needed */
};

/* The module is never closed: libcurl and what it brings along are not made for that. */
static const struct client_table *module_open(struct error *error)
{
    CLEANUP(cleanup_free)
    char *path = config_beside_program(HOST_CLIENT_IN_BUILD, HOST_CLIENT_IN_PREFIX);

    void *module = path == NULL ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct client_table *table = module == NULL ? NULL : dlsym(module, "sluice_client");
    if (table == NULL)
        error_set(error, "client", "cannot load what talks to the daemon: %s",
                  path == NULL ? "cannot read /proc/self/exe" : dlerror());
    else if (strcmp(table->version, HOST_VERSION) != 0)
        error_set(error, "client", "%s is of version %s, and this program of " HOST_VERSION, path,
                  table->version);
    else
        return table;
    return NULL;
}

static bool find(struct daemon *daemon, const struct options *options, int *code)
{
    CLEANUP(config_fini) struct config config;
    struct error error;

    if (!options_configure(options, &config, code))
        return false;
    CLEANUP(cleanup_free) char *listen = config_listen(&config);
    CLEANUP(cleanup_free) char *token_file = config_token_file(&config);
    *code = EXIT_HOST;
    return daemon_address_read(&daemon->address, listen, token_file, &error) ||
           output_error("%s", error.message);
}

struct daemon *daemon_open(const struct options *options, int *code)
{
    struct daemon *daemon = calloc(1, sizeof(*daemon));
    struct error error;

    if (daemon == NULL)
        abort();
    if (!find(daemon, options, code)) {
        daemon_close(&daemon);
        return NULL;
    }
    const struct daemon_address *address = &daemon->address;
    daemon->client_address = (struct client_address){
        .socket = address->is_socket ? address->place : NULL,
        .authority = address->is_socket ? "localhost" : address->place,
        .token = address->token,
    };
    daemon->table = module_open(&error);
    if (daemon->table != NULL)
        daemon->asker = daemon->table->create(&daemon->client_address, &error);
    if (daemon->asker == NULL) {
        output_error("%s", error.message);
        daemon_close(&daemon);
        *code = EXIT_HOST;
    }
    return daemon;
}

void daemon_close(struct daemon **daemon)
{
    struct daemon *gone = *daemon;

    *daemon = NULL;
    if (gone == NULL)
        return;
    if (gone->table != NULL) {
        gone->table->destroy(&gone->asker);
        gone->table->destroy(&gone->streamer);
    }
    daemon_address_fini(&gone->address);
    free(gone);
}

const char *daemon_place(const struct daemon *daemon)
{
    return daemon->address.place;
}

void daemon_put_encoded(struct buffer *path, const char *text)
{
    for (; *text != '\0'; text++)
        if (isalnum((unsigned char)*text) || strchr("-._~", *text) != NULL)
            buffer_append(path, text, 1);
        else
            buffer_printf(path, "%%%02X", (unsigned char)*text);
}

static void path_make(const struct daemon_question *question, struct buffer *path)
{
    buffer_puts(path, question->before);
    if (question->name != NULL)
        daemon_put_encoded(path, question->name);
    if (question->behind != NULL)
        buffer_puts(path, question->behind);
}

static bool take_body(void *context, int status, const char *bytes, size_t length)
{
    struct buffer *body = context;

    (void)status;
    if (body->length + length > DAEMON_ANSWER_MOST_BYTES)
        return false;
    buffer_append(body, bytes, length);
    return true;
}

bool daemon_send(struct daemon *daemon, const struct daemon_question *question,
                 struct daemon_answer *answer)
{
    CLEANUP(buffer_fini) struct buffer path = BUFFER_EMPTY;

    *answer = (struct daemon_answer){0};
    path_make(question, &path);
    const struct client_request request = {
        .method = question->method,
        .path = buffer_text(&path),
        .headers = question->headers,
        .body = question->body,
        .body_length = question->body_length,
        .idle_s = question->idle_s > 0 ? question->idle_s : DAEMON_IDLE_S,
        .stop_fd = -1,
        .take = take_body,
        .context = &answer->body,
    };
    answer->end = daemon->table->request(daemon->asker, &request, &answer->status, &answer->error);
    if (answer->end == CLIENT_ANSWERED)
        answer->json = json_loadb(answer->body.bytes, answer->body.length, JSON_DECODE_ANY, NULL);
    return answer->end == CLIENT_ANSWERED && answer->status >= 200 && answer->status <= 299;
}

void daemon_answer_fini(struct daemon_answer *answer)
{
    buffer_fini(&answer->body);
    json_decref(answer->json);
    answer->json = NULL;
}

/* By what the user can do about it: 2 to write it differently, 3 to look after the daemon, 1 none.
 * */
static int code_of(int status)
{
    switch (status) {
    case 404:
    case 409:
        return EXIT_TASKS;
    case 401:
    case 403:
    case 429:
        return EXIT_HOST;
    default:
        return status >= 400 && status <= 499 ? EXIT_USAGE : EXIT_HOST;
    }
}

static int explain_status(const struct daemon *daemon, const struct daemon_answer *answer)
{
    const json_t *error = json_object_get(answer->json, "error");
    const char *message = field_text(error, "message");
    CLEANUP(cleanup_free) char *clean = utf8_clean(message, strlen(message));

    if (message[0] == '\0') {
        output_error("what answers at %s is not a daemon of sluice: HTTP status %d",
                     daemon_place(daemon), answer->status);
        return EXIT_HOST;
    }
    if (answer->status == 401)
        output_error("the daemon at %s does not take the token: %s", daemon_place(daemon), clean);
    else
        output_error("%s", clean);
    return code_of(answer->status);
}

int daemon_explain(const struct daemon *daemon, const struct daemon_answer *answer)
{
    const char *place = daemon_place(daemon);

    switch (answer->end) {
    case CLIENT_ANSWERED:
        return explain_status(daemon, answer);
    case CLIENT_NOBODY:
        output_error("no daemon at %s; start one with: sluice serve", place);
        return EXIT_HOST;
    case CLIENT_STOPPED:
        output_error("the daemon at %s answers with more than %d bytes", place,
                     DAEMON_ANSWER_MOST_BYTES);
        return EXIT_HOST;
    case CLIENT_LOST:
        output_error("lost the daemon at %s: %s", place, answer->error.message);
        return EXIT_HOST;
    }
    return EXIT_HOST;
}

json_t *daemon_ask(struct daemon *daemon, const struct daemon_question *question, int *code)
{
    CLEANUP(daemon_answer_fini) struct daemon_answer answer;
    bool well = daemon_send(daemon, question, &answer);

    if (well && json_is_object(answer.json))
        return json_incref(answer.json);
    *code = daemon_explain(daemon, &answer);
    return NULL;
}

int daemon_show(struct daemon *daemon, const struct daemon_question *question,
                const struct options *options, void (*print)(const json_t *answer))
{
    int code;
    json_t *answer = daemon_ask(daemon, question, &code);

    if (answer == NULL)
        return code;
    if (options->format == FORMAT_JSON)
        output_json(json_incref(answer));
    else if (!options->quiet)
        print(answer);
    json_decref(answer);
    return EXIT_ALL_WELL;
}

void daemon_stream(struct daemon *daemon, const struct daemon_question *question,
                   const struct daemon_reader *reader, struct daemon_answer *answer)
{
    CLEANUP(buffer_fini) struct buffer path = BUFFER_EMPTY;

    *answer = (struct daemon_answer){.end = CLIENT_LOST};
    if (daemon->streamer == NULL)
        daemon->streamer = daemon->table->create(&daemon->client_address, &answer->error);
    if (daemon->streamer == NULL)
        return;
    path_make(question, &path);
    const struct client_request request = {
        .method = question->method,
        .path = buffer_text(&path),
        .headers = question->headers,
        .idle_s = reader->idle_s,
        .stop_fd = reader->stop_fd,
        .take = reader->take,
        .tick = reader->tick,
        .context = reader->context,
    };
    answer->end =
        daemon->table->request(daemon->streamer, &request, &answer->status, &answer->error);
}

const char *daemon_header(struct daemon *daemon, const char *name)
{
    return daemon->streamer == NULL ? NULL : daemon->table->header(daemon->streamer, name);
}
