/* reread_report: what reading the configuration again has done, for who asked for it. On the main
 * thread while it is made, then its owner's. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "support/diagnostic.h"

struct reread_report {
    bool valid;      /* or nothing has changed */
    json_t *file;    /* that was read; null: there is none */
    json_t *changed; /* "[host] grace 5s -> 1s" */
    json_t *restart; /* keys that keep their old value until the next start */
    json_t *errors;  /* what is wrong in the file */
};

/* Makes an empty one, valid. */
void reread_report_init(struct reread_report *report);

/* Frees it. */
void reread_report_fini(struct reread_report *report);

/* Returns it as an object; of one that is not valid, the errors. */
json_t *reread_report_json(const struct reread_report *report);
