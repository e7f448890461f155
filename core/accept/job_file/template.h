/* template: a text with ${...} in it, taken apart from left to right: what ${vars.x} stands for is
 * for the caller to know. Lives on the stack of whoever walks a text, which is borrowed; any
 * thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum template_kind {
    TEMPLATE_TEXT,    /* stands for itself; of $${ the part that remains */
    TEMPLATE_VARS,    /* ${vars.NAME} */
    TEMPLATE_ENV,     /* ${env.NAME} */
    TEMPLATE_EACH,    /* ${each.NAME} */
    TEMPLATE_TASKS,   /* ${tasks.NAME} */
    TEMPLATE_UNKNOWN, /* any other ${NAME} */
    TEMPLATE_OPEN,    /* ${ without an end */
};

struct template_part {
    enum template_kind kind;
    const char *text; /* of a reference: from its dollar to its brace */
    size_t length;
    const char *name; /* of a reference: behind the dot; of TEMPLATE_UNKNOWN: all within braces */
    size_t name_length;
};

struct template
{
    const char *at, *end;
};

/* Returns whether a text has anything in it that does not stand for itself. */
bool template_has_reference(const char *text, size_t length);

/* Reads the next part; false at the end of the text. */
bool template_next(struct template *template, struct template_part *part);
