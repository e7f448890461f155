/* unserved: tasks that no group of the configuration may run, since none has their labels. Not an
 * error: labels may change while tasks wait. Main thread. */
#pragma once

#include "accept/job.h"
#include "config.h"

enum { UNSERVED_SAID_MOST = 16 }; /* different types and labels of one job */

/* Writes a warning on standard error for each type with labels that no group of it has, with the
 * first task of a job that asks for them. */
void unserved_warn(const struct job *job, const struct config *config);
