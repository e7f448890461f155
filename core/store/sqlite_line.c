#include "store/sqlite_line.h"

#include <stdlib.h>

#include "store/sqlite_write.h"
#include "support/memory.h"

void sqlite_line_fini(struct sqlite_line_hand *hand)
{
    buffer_fini(&hand->entries);
    free(hand->row.ends);
}

void sqlite_line_undo(struct sqlite_line_hand *hand)
{
    hand->entries.length = 0;
    hand->row.count = 0;
    hand->row.is_changed = false;
}

void sqlite_line_add(struct sqlite_writer *writer, const struct sqlite_record_end *end)
{
    enum sqlite_class class = sqlite_class_of(end->state);
    struct sqlite_line *line = &writer->meta.lines[class];
    struct sqlite_line_hand *hand = &writer->lines[class];

    if (hand->entries.length == 0) {
        hand->first = line->next;
        hand->last_place = 0;
    }
    sqlite_record_put_end(&hand->entries, end, hand->last_place);
    hand->last_place = end->place;
    line->next++;
    line->count++;
    line->bytes += end->bytes;
    writer->meta.held[end->state]++;
}

static bool write(struct sqlite_writer *writer, enum sqlite_class class, uint64_t seq,
                  const struct buffer *entries)
{
    sqlite3_stmt *insert = writer->statements[SQLITE_LINE_INSERT_STATEMENT];

    sqlite3_bind_int(insert, 1, (int)class);
    sqlite3_bind_int64(insert, 2, (int64_t)seq);
    sqlite3_bind_blob64(insert, 3, entries->bytes, entries->length, SQLITE_STATIC);
    return sqlite_finish(insert);
}

/* Writes the row in hand if it has changed, and lets go of it. */
static bool row_flush(struct sqlite_writer *writer, enum sqlite_class class)
{
    struct sqlite_line_hand *hand = &writer->lines[class];
    uint64_t before = 0;

    if (hand->row.is_changed) {
        writer->scratch.length = 0;
        for (size_t i = 0; i < hand->row.count; i++) {
            sqlite_record_put_end(&writer->scratch, &hand->row.ends[i], before);
            before = hand->row.ends[i].place;
        }
        if (!write(writer, class, hand->row.first, &writer->scratch))
            return false;
    }
    hand->row.count = 0;
    hand->row.is_changed = false;
    return true;
}

bool sqlite_lines_flush(struct sqlite_writer *writer)
{
    for (int i = 0; i < SQLITE_CLASS_COUNT; i++) {
        enum sqlite_class class = (enum sqlite_class)i;
        struct sqlite_line_hand *hand = &writer->lines[i];
        if (!row_flush(writer, class) ||
            (hand->entries.length > 0 && !write(writer, class, hand->first, &hand->entries)))
            return false;
        hand->entries.length = 0;
    }
    return true;
}

bool sqlite_line_read(struct sqlite_writer *writer, enum sqlite_class class, uint64_t seq,
                      uint64_t *first)
{
    sqlite3_stmt *select = writer->statements[SQLITE_LINE_SELECT_STATEMENT];
    int64_t number = 0;
    bool right = row_flush(writer, class);

    if (right) {
        sqlite3_bind_int(select, 1, (int)class);
        sqlite3_bind_int64(select, 2, (int64_t)seq);
        right = sqlite_take(writer, select, &number);
    }
    *first = (uint64_t)number;
    return right;
}

void sqlite_line_count_out(struct sqlite_writer *writer, const struct sqlite_record_end *end)
{
    struct sqlite_line *line = &writer->meta.lines[sqlite_class_of(end->state)];

    line->count--;
    line->bytes -= end->bytes;
    writer->meta.held[end->state]--;
}

static void row_add(struct sqlite_line_hand *hand, const struct sqlite_record_end *end)
{
    if (hand->row.count == hand->row.capacity) {
        hand->row.capacity = hand->row.capacity > 0 ? 2 * hand->row.capacity : 64;
        hand->row.ends = memory_grow(hand->row.ends, hand->row.capacity, sizeof(hand->row.ends[0]));
    }
    hand->row.ends[hand->row.count++] = *end;
}

/* Takes the row with an entry in hand. */
static bool row_take(struct sqlite_writer *writer, enum sqlite_class class, uint64_t seq)
{
    struct sqlite_line_hand *hand = &writer->lines[class];
    struct sqlite_record_end end = {0};

    if (!sqlite_line_read(writer, class, seq, &hand->row.first))
        return false;
    struct sqlite_record_reader reader =
        sqlite_record_read(writer->scratch.bytes, writer->scratch.length);
    while (sqlite_record_next_end(&reader, &end))
        row_add(hand, &end);
    return true;
}

static struct sqlite_record_end *row_find(struct sqlite_line_hand *hand, uint64_t seq)
{
    bool has = seq >= hand->row.first && seq - hand->row.first < hand->row.count;
    return has ? &hand->row.ends[seq - hand->row.first] : NULL;
}

bool sqlite_line_void(struct sqlite_writer *writer, enum sqlite_class class, uint64_t seq)
{
    struct sqlite_line_hand *hand = &writer->lines[class];

    if (row_find(hand, seq) == NULL && !row_take(writer, class, seq))
        return false;
    struct sqlite_record_end *end = row_find(hand, seq);
    if (end == NULL || end->state == STORE_UNFINISHED)
        return true; /* the file was damaged */
    sqlite_line_count_out(writer, end);
    end->state = STORE_UNFINISHED;
    hand->row.is_changed = true;
    return true;
}
