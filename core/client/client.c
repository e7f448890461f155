#include "client/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cleanup.h"

struct client {
    const struct client_address *address;
    CURL *curl;
    CURLM *multi;
    char why[CURL_ERROR_SIZE];
    /* of the request in hand */
    const struct client_request *request;
    bool stopped;
};

static void client_destroy(struct client **client)
{
    struct client *gone = *client;

    *client = NULL;
    if (gone == NULL)
        return;
    curl_easy_cleanup(gone->curl);
    curl_multi_cleanup(gone->multi);
    free(gone);
    curl_global_cleanup();
}

static struct client *client_create(const struct client_address *address, struct error *error)
{
    struct client *client = calloc(1, sizeof(*client));

    if (client == NULL)
        abort();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    client->address = address;
    client->curl = curl_easy_init();
    client->multi = curl_multi_init();
    if (client->curl == NULL || client->multi == NULL) {
        client_destroy(&client);
        error_set(error, "client", "libcurl does not start");
    }
    return client;
}

static int status_of(const struct client *client)
{
    long status = 0;

    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

/* A return value that is not the length makes libcurl end the request. */
static size_t on_body(char *bytes, size_t one, size_t length, void *context)
{
    struct client *client = context;
    const struct client_request *request = client->request;

    (void)one;
    if (client->stopped || !request->take(request->context, status_of(client), bytes, length))
        client->stopped = true;
    return client->stopped ? length + 1 : length;
}

static struct curl_slist *headers_make(const struct client *client)
{
    const char *token = client->address->token;
    struct curl_slist *headers = NULL;

    for (const char *const *header = client->request->headers; header != NULL && *header != NULL;
         header++)
        headers = curl_slist_append(headers, *header);
    if (token == NULL)
        return headers;
    CLEANUP(cleanup_free) char *bearer = NULL;
    if (asprintf(&bearer, "Authorization: Bearer %s", token) < 0)
        abort();
    return curl_slist_append(headers, bearer);
}

/* Nothing of the environment (a proxy, .netrc) may lead a request elsewhere. */
static void set_up(struct client *client, const char *url, struct curl_slist *headers)
{
    const struct client_request *request = client->request;
    CURL *curl = client->curl;

    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->address->socket);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CLIENT_CONNECT_MOST_MS);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->why);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "sluice/" HOST_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (request->idle_s > 0) {
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)request->idle_s);
    }
    if (request->body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    }
    if (request->method != NULL)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

/* Waits for the connection, stop_fd or the next tick; whether the request is to go on. */
static bool wait_for_more(struct client *client)
{
    const struct client_request *request = client->request;
    struct curl_waitfd stop = {.fd = request->stop_fd, .events = CURL_WAIT_POLLIN};

    if (request->tick != NULL && !request->tick(request->context, status_of(client)))
        return false;
    curl_multi_poll(client->multi, &stop, request->stop_fd >= 0, CLIENT_TICK_MS, NULL);
    return stop.revents == 0;
}

/* Returns how libcurl says that the transfer ended. */
static CURLcode result_of(struct client *client)
{
    CURLcode result = CURLE_OK;
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            result = message->data.result;
    return result;
}

static CURLcode transfer(struct client *client)
{
    int running = 1;

    if (curl_multi_add_handle(client->multi, client->curl) != CURLM_OK)
        return CURLE_FAILED_INIT;
    while (!client->stopped && running > 0) {
        if (curl_multi_perform(client->multi, &running) != CURLM_OK)
            return CURLE_FAILED_INIT;
        if (running > 0 && !wait_for_more(client))
            client->stopped = true;
    }
    CURLcode result = result_of(client);
    curl_multi_remove_handle(client->multi, client->curl);
    return result;
}

static enum client_end end_of(struct client *client, CURLcode result, struct error *error)
{
    long number = 0;

    if (client->stopped)
        return CLIENT_STOPPED;
    if (result == CURLE_OK)
        return CLIENT_ANSWERED;
    curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &number);
    bool nobody = result == CURLE_COULDNT_CONNECT || result == CURLE_COULDNT_RESOLVE_HOST;
    const char *why = client->why[0] != '\0' ? client->why : curl_easy_strerror(result);
    error_set(error, nobody ? "nobody" : "lost", "%s",
              nobody && number != 0 ? strerror((int)number) : why);
    return nobody ? CLIENT_NOBODY : CLIENT_LOST;
}

static enum client_end client_request(struct client *client, const struct client_request *request,
                                      int *status, struct error *error)
{
    CLEANUP(cleanup_free) char *url = NULL;

    if (asprintf(&url, "http://%s%s", client->address->authority, request->path) < 0)
        abort();
    client->request = request;
    client->stopped = false;
    client->why[0] = '\0';
    struct curl_slist *headers = headers_make(client);
    set_up(client, url, headers);
    CURLcode result = transfer(client);
    *status = status_of(client);
    enum client_end end = end_of(client, result, error);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return end;
}

static const char *client_header(struct client *client, const char *name)
{
    struct curl_header *header;

    return curl_easy_header(client->curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK
               ? header->value
               : NULL;
}

__attribute__((visibility("default"))) const struct client_table sluice_client = {
    .version = HOST_VERSION,
    .create = client_create,
    .destroy = client_destroy,
    .request = client_request,
    .header = client_header,
};
