/* cleanup: the one idiom for letting go of things at the end of a scope (GCC's cleanup attribute).
 * Used by every room; no state, no threads. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

/* Frees the heap memory that a pointer variable holds; for CLEANUP(cleanup_free). */
static inline void cleanup_free(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

/* Closes the descriptor that a variable holds if it is not negative; for CLEANUP(cleanup_close). */
static inline void cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Closes the stream that a variable holds if there is one; for CLEANUP(cleanup_fclose). */
static inline void cleanup_fclose(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}
