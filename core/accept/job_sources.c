#include "accept/job_sources.h"

#include <stddef.h>

const struct job_sources job_sources_none = {NULL, NULL, NULL};
