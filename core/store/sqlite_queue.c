#include "store/sqlite_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

enum { BLOCK_BYTES = 256 * 1024, SPARE_MOST = 32 };

struct sqlite_queue_block {
    struct sqlite_queue_block *next;
    size_t used, capacity; /* behind `used` there is room for the mark of the end */
    _Alignas(8) char bytes[];
};

static struct sqlite_queue_block *block_make(struct sqlite_queue *queue, size_t bytes)
{
    size_t capacity = bytes < BLOCK_BYTES ? BLOCK_BYTES : bytes;
    struct sqlite_queue_block *block = queue->spare;

    if (block != NULL && capacity == BLOCK_BYTES) {
        queue->spare = block->next;
        queue->spare_count--;
    } else {
        block = memory_grow(NULL, 1, sizeof(*block) + capacity + sizeof(struct sqlite_record));
        block->capacity = capacity;
    }
    block->next = NULL;
    block->used = 0;
    return block;
}

void sqlite_queue_init(struct sqlite_queue *queue)
{
    *queue = (struct sqlite_queue){0};
    queue->head = queue->tail = block_make(queue, 0);
}

static void blocks_free(struct sqlite_queue_block *block)
{
    while (block != NULL) {
        struct sqlite_queue_block *next = block->next;
        free(block);
        block = next;
    }
}

void sqlite_queue_fini(struct sqlite_queue *queue)
{
    blocks_free(queue->head);
    blocks_free(queue->spare);
}

struct sqlite_record *sqlite_queue_push(struct sqlite_queue *queue, enum sqlite_record_kind kind,
                                        struct sqlite_job *job, size_t payload_bytes)
{
    size_t bytes = (sizeof(struct sqlite_record) + payload_bytes + 7) & ~(size_t)7;
    struct sqlite_queue_block *tail = queue->tail;

    assert(bytes <= UINT32_MAX);
    if (tail->used + bytes > tail->capacity) {
        struct sqlite_record *mark = (struct sqlite_record *)(tail->bytes + tail->used);
        mark->bytes = 0;
        tail = tail->next = block_make(queue, bytes);
        queue->tail = tail;
    }
    struct sqlite_record *record = (struct sqlite_record *)(tail->bytes + tail->used);
    record->bytes = (uint32_t)bytes;
    record->kind = kind;
    record->job = job;
    tail->used += bytes;
    queue->pushed++;
    queue->pushed_bytes += bytes;
    return record;
}

struct sqlite_cursor sqlite_queue_begin(const struct sqlite_queue *queue)
{
    return (struct sqlite_cursor){.block = queue->head};
}

struct sqlite_record *sqlite_queue_next(struct sqlite_cursor *cursor)
{
    struct sqlite_record *record = (struct sqlite_record *)(cursor->block->bytes + cursor->offset);

    if (record->bytes == 0) {
        cursor->block = cursor->block->next;
        cursor->offset = 0;
        record = (struct sqlite_record *)cursor->block->bytes;
    }
    cursor->offset += record->bytes;
    cursor->passed++;
    cursor->passed_bytes += record->bytes;
    return record;
}

static void block_forget(struct sqlite_queue *queue, struct sqlite_queue_block *block)
{
    if (block->capacity != BLOCK_BYTES || queue->spare_count == SPARE_MOST) {
        free(block);
        return;
    }
    block->next = queue->spare;
    queue->spare = block;
    queue->spare_count++;
}

void sqlite_queue_forget(struct sqlite_queue *queue, const struct sqlite_cursor *cursor)
{
    while (queue->head != cursor->block) {
        struct sqlite_queue_block *next = queue->head->next;
        block_forget(queue, queue->head);
        queue->head = next;
    }
}
