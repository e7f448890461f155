#include "accept/job_file/job_spot.h"

#include <stddef.h>
#include <string.h>

enum { PIECE_BYTES = 16 * 1024, MARK_BYTES = 3 };

static void skip_mark(struct job_spot *spot, const struct job_input *input)
{
    char mark[MARK_BYTES];
    if (spot->offset == 0 && job_input_peek(input, mark, MARK_BYTES, 0) == MARK_BYTES &&
        memcmp(mark, "\xef\xbb\xbf", MARK_BYTES) == 0)
        spot->offset = MARK_BYTES;
}

/* Moves to the wanted character or behind the piece, whatever comes first. Every byte but the later
 * ones of a character begins one. */
static bool move_within(struct job_spot *spot, const char *piece, size_t length, uint64_t character)
{
    for (size_t i = 0; i < length; i++, spot->offset++) {
        bool begins = (piece[i] & 0xc0) != 0x80;
        if (begins && spot->character == character)
            return true;
        spot->character += begins;
    }
    return false;
}

bool job_spot_move(struct job_spot *spot, const struct job_input *input, uint64_t character)
{
    char piece[PIECE_BYTES];
    ssize_t got;
    skip_mark(spot, input);
    while ((got = job_input_peek(input, piece, sizeof piece, spot->offset)) > 0)
        if (move_within(spot, piece, (size_t)got, character))
            return true;
    return spot->character == character; /* behind the last one */
}
