/* job_sources: where a job file gets what is not in it: variables of the environment, and the files
 * that lines: and csv: name. Whoever reads his own file lets it see his own; what somebody sends to
 * a daemon sees only what came with it. Used by a reader thread; borrowed while it reads. */
#pragma once

struct job_sources {
    void *context;
    /* Returns the value of a variable of the environment as long as the sources live; NULL if there
     * is none. NULL: ${env.X} is refused. */
    const char *(*env)(void *context, const char *name);
    /* Opens what lines: or csv: name, as it stands in the file; -1 with errno. NULL: it is refused.
     * */
    int (*open)(void *context, const char *name);
};

/* Nothing. */
extern const struct job_sources job_sources_none;
