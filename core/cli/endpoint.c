#include "cli/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/lifeline.h"
#include "cli/output.h"
#include "serve/listener.h"
#include "serve/token.h"
#include "support/cleanup.h"
#include "support/log.h"

/* The folder of the socket is made if it is not there, for its owner alone. */
static bool make_runtime_dir(const struct endpoint *endpoint)
{
    static const char prefix[] = "unix:";
    const char *path = endpoint->address + sizeof(prefix) - 1;
    const char *slash = strrchr(path, '/');

    if (strncmp(endpoint->address, prefix, sizeof(prefix) - 1) != 0 || slash == NULL ||
        slash == path)
        return true;
    CLEANUP(cleanup_free) char *folder = strndup(path, (size_t)(slash - path));
    if (folder == NULL)
        abort();
    return mkdir(folder, 0700) == 0 || errno == EEXIST ||
           output_error("cannot make the runtime folder %s: %s", folder, strerror(errno));
}

bool endpoint_take(struct endpoint *endpoint)
{
    struct lifeline_word word;
    struct error error;

    if (lifeline_of_host() < 0) {
        if (!listener_take_passed(&endpoint->listen_fd, &error))
            return output_error("%s", error.message);
        endpoint->is_passed = endpoint->listen_fd >= 0;
    } else if (lifeline_hear(lifeline_of_host(), &word, &endpoint->listen_fd) != LIFELINE_WORD ||
               word.kind != LIFELINE_BEGIN) {
        return output_error("the monitor has not said where to listen");
    } else {
        endpoint->is_passed = word.is_passed;
    }
    endpoint->address = endpoint->listen_fd < 0 ? NULL : listener_address(endpoint->listen_fd);
    return true;
}

/* Whoever can connect to a Unix socket is whoever may run tasks; on TCP a token says so. */
static bool load_token(struct endpoint *endpoint, const struct config *config)
{
    CLEANUP(cleanup_free) char *file = NULL;
    struct error error;

    if (listener_port(endpoint->listen_fd) == 0)
        return true;
    file = config_token_file(config);
    endpoint->token = token_load(file, &error);
    if (endpoint->token == NULL)
        return output_error("%s", error.message);
    if (!listener_fd_is_loopback(endpoint->listen_fd))
        log_warning("other machines can reach this port, and nothing is encrypted: put a TLS proxy "
                    "in front");
    log_info("clients need the token", LOG_TEXT("file", file));
    return true;
}

static bool split_hosts(struct endpoint *endpoint, const struct config *config)
{
    size_t count = 0;
    char *rest = NULL;

    if (config->http_allowed_hosts == NULL)
        return true;
    endpoint->hosts_text = strdup(config->http_allowed_hosts);
    if (endpoint->hosts_text == NULL)
        abort();
    for (char *host = strtok_r(endpoint->hosts_text, ", ", &rest); host != NULL;
         host = strtok_r(NULL, ", ", &rest)) {
        if (count == ENDPOINT_HOSTS_MOST)
            return output_error("[http] allowed_hosts has more than %d names", ENDPOINT_HOSTS_MOST);
        endpoint->hosts[count++] = host;
    }
    return true;
}

static bool open_socket(struct endpoint *endpoint, const struct config *config)
{
    struct error error;

    if (endpoint->listen_fd >= 0)
        return true;
    endpoint->address = config_listen(config);
    if (!make_runtime_dir(endpoint))
        return false;
    endpoint->listen_fd = listener_open(endpoint->address, &error);
    endpoint->is_new = endpoint->listen_fd >= 0;
    return endpoint->is_new || output_error("%s", error.message);
}

bool endpoint_open(struct endpoint *endpoint, const struct config *config)
{
    return split_hosts(endpoint, config) && open_socket(endpoint, config) &&
           load_token(endpoint, config);
}

void endpoint_close(struct endpoint *endpoint)
{
    if (endpoint->listen_fd < 0)
        return;
    close(endpoint->listen_fd);
    endpoint->listen_fd = -1;
    if (!endpoint->is_passed && lifeline_of_host() < 0)
        listener_remove(endpoint->address);
}

void endpoint_fini(struct endpoint *endpoint)
{
    endpoint_close(endpoint);
    free(endpoint->address);
    free(endpoint->token);
    free(endpoint->hosts_text);
}
