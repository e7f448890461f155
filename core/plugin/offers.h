/* offers: what a plugin's descriptor offers, made once its entry has answered: for a generation of
 * the host, or for a plugin alone in its process. Stateless. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plugin/code.h"
#include "plugin/offer.h"

/* Makes the offers of all types in the order of the note; generation (NULL: none) is theirs. False
 * with a message that names the type; then, too, offers_free is the caller's. */
bool offers_make(struct generation_code *code, struct generation *generation, struct offer **offers,
                 uint32_t *count, struct error *error);

/* Frees them; clears both. None is fine. */
void offers_free(struct offer **offers, uint32_t *count);
