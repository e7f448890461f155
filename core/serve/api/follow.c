#include "serve/api/follow.h"

#include <stdlib.h>
#include <string.h>

#include "serve/api/internal.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/thread.h"

/* Each is in one thread's hands at a time: that of who adds it, then the main thread's. */
struct follower {
    struct follower *next;
    struct api_name name; /* its task points to .id */
    char id[TASK_ID_MOST_BYTES + 1];
    struct http_stream *stream;
    uint64_t sent_to; /* an offset in the whole log */
};

struct follow {
    struct api *api;
    struct mutex lock;
    struct follower *followers; /* guarded by lock */
    bool closed;                /* guarded by lock */
};

struct follow *follow_create(struct api *api)
{
    struct follow *follow = calloc(1, sizeof(*follow));

    if (follow == NULL)
        abort();
    follow->api = api;
    mutex_init(&follow->lock);
    return follow;
}

static void follower_free(struct follower *follower)
{
    http_stream_end(&follower->stream);
    free(follower);
}

static struct follower *take_all(struct follow *follow)
{
    MUTEX_GUARD(&follow->lock);
    struct follower *followers = follow->followers;
    follow->followers = NULL;
    return followers;
}

void follow_close(struct follow *follow)
{
    mutex_lock(&follow->lock);
    follow->closed = true;
    mutex_unlock(&follow->lock);
    for (struct follower *one = take_all(follow), *next; one != NULL; one = next) {
        next = one->next;
        follower_free(one);
    }
}

void follow_destroy(struct follow **follow)
{
    if (*follow == NULL)
        return;
    follow_close(*follow);
    mutex_fini(&(*follow)->lock);
    free(*follow);
    *follow = NULL;
}

struct news {
    uint64_t begin, end;
    struct buffer text;
    bool ended;
};

static bool take_news(void *context, const struct store_task *task)
{
    struct news *news = context;
    uint64_t first = task->log_dropped_bytes, kept = task->log_bytes;
    uint64_t skip = news->begin > first ? news->begin - first : 0;

    news->end = first + kept;
    news->ended = task->state != STORE_UNFINISHED;
    if (skip < kept)
        buffer_append(&news->text, task->log + skip, kept - skip);
    return false;
}

/* False: nothing more will come, or nobody wants it. */
static bool send_on(struct follow *follow, struct follower *follower)
{
    struct news news = {.begin = follower->sent_to};
    bool goes_on = api_visit_task(follow->api, &follower->name, take_news, &news) && !news.ended;

    if (news.text.length > 0) {
        switch (http_stream_write(follower->stream, news.text.bytes, news.text.length)) {
        case HTTP_SENT:
            follower->sent_to = news.end;
            break;
        case HTTP_FULL:
            goes_on = true; /* again with the next beat */
            break;
        case HTTP_GONE:
            goes_on = false;
            break;
        }
    }
    buffer_fini(&news.text);
    return goes_on;
}

static void put_back(struct follow *follow, struct follower *follower)
{
    mutex_lock(&follow->lock);
    bool open = !follow->closed;
    if (open) {
        follower->next = follow->followers;
        follow->followers = follower;
    }
    mutex_unlock(&follow->lock);
    if (!open)
        follower_free(follower);
}

static void tend(struct follow *follow, struct follower *follower)
{
    if (send_on(follow, follower))
        put_back(follow, follower);
    else
        follower_free(follower);
}

void follow_add(struct follow *follow, const struct api_name *name, struct http_stream *stream)
{
    struct follower *follower = calloc(1, sizeof(*follower));

    if (follower == NULL)
        abort();
    follower->name = *name;
    strncpy(follower->id, name->task, TASK_ID_MOST_BYTES);
    follower->name.task = follower->id;
    follower->stream = stream;
    tend(follow, follower);
}

void follow_tick(struct follow *follow)
{
    for (struct follower *one = take_all(follow), *next; one != NULL; one = next) {
        next = one->next;
        tend(follow, one);
    }
}
