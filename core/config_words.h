/* config_words: keys whose value is one of a few words. Used by config_keys alone, on the thread
 * that loads the configuration; the words are immutable. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config_keys.h"
#include "support/error.h"

/* Finds the value among the words of the key's kind: *index counts from 0 as its enum does. False
 * with a message that says which words are allowed, or that the word is for a later version. */
bool config_word_read(const struct config_key *key, const char *value, size_t *index,
                      struct error *error);

/* Returns the word of a kind at an index that config_word_read has found. */
const char *config_word(enum config_kind kind, size_t index);
