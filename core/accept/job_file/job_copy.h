/* job_copy: a job file that can be read only once is copied, so that it can be read again. */
#pragma once

#include <stdbool.h>

/* Copies what fd has to say, at most a bit over the limit of job files; blocks until it has said
 * it. False, with errno, if it cannot be read or copied, or copy is -1. *stopped: stop_fd became
 * readable before the end. */
bool job_copy(int fd, int copy, int stop_fd, bool *stopped);
