#include "serve/json_text.h"

#include <stdint.h>
#include <string.h>

#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/utf8.h"

json_t *json_text(const char *text, size_t length)
{
    json_t *whole = json_stringn(text, length);

    if (whole != NULL)
        return whole;
    CLEANUP(buffer_fini) struct buffer mended = BUFFER_EMPTY;
    for (size_t i = 0; i < length;) {
        uint32_t character;
        size_t bytes = utf8_read(text + i, length - i, &character);
        if (bytes == 0)
            buffer_puts(&mended, "\xef\xbf\xbd");
        else
            buffer_append(&mended, text + i, bytes);
        i += bytes == 0 ? 1 : bytes;
    }
    return json_stringn(mended.bytes, mended.length);
}

json_t *json_text_or_null(const char *text)
{
    return text == NULL ? json_null() : json_text(text, strlen(text));
}
