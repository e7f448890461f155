/* last_words: what the host says on standard error when it crashes: in which plugin's call, where,
 * and how to run that where it costs a process of its own and not the host. One a process. */
#pragma once

struct last_words_options {
    const char
        *prefix; /* to be written first, such as what clears a progress line; NULL: nothing */
    const char *command; /* runs the same isolated; NULL: a daemon, whose configuration says it */
};

/* Has a crash from now on said before the default action; the texts are borrowed for good. Main
 * thread, before the registry is created, which remembers the handlers. */
void last_words_prepare(const struct last_words_options *options);
