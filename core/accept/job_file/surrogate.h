/* surrogate: \ud83d\ude00, as JSON writes characters beyond U+FFFF, is refused by libyaml. Each
 * such pair is rewritten on its way to the parser into an escape of the same length that libyaml
 * knows, and put right again in the scalars. Stateless. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SURROGATE_PAIR_BYTES = 12 };

/* Rewrites the pairs in a piece of a file and returns how many bytes of it may be given on: unless
 * it is the last piece, what could be the beginning of a pair is held back. Sets *joined if there
 * was a pair. */
size_t surrogate_join(char *piece, size_t length, bool last, size_t *pairs);

/* Puts right, in place, what surrogate_join did to a double-quoted scalar (as it was read) or to
 * any other (as it is written); returns the new length. */
size_t surrogate_restore(char *text, size_t length, bool double_quoted);
