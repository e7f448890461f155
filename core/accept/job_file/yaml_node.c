#include "accept/job_file/yaml_node.h"

#include <stdio.h>

struct yaml_shown yaml_node_shown(const struct yaml_node *scalar)
{
    struct yaml_shown shown;
    size_t most = YAML_SHOWN_BYTES - sizeof "...", length = scalar->length;
    for (length = length > most ? most : length; length > 0 && length < scalar->length;)
        if ((scalar->text[length] & 0xc0) == 0x80)
            length--; /* not inside a character */
        else
            break;
    snprintf(shown.text, sizeof shown.text, "%.*s%s", (int)length, scalar->text,
             length < scalar->length ? "..." : "");
    return shown;
}
