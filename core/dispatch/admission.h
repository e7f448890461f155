/* admission: the weighted semaphore before every start. Capacity for the whole host, caps for a
 * group and for a job, and for a group a reserve that is its alone. First come first served among
 * groups on what is not reserved, so that a heavy task is not starved by light ones. Created by the
 * host; asked through execute's gate by workers on any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "execute/gate.h"

struct admission;
struct party; /* what admission knows about a group */

/* Creates it for a capacity of at least 1. */
struct admission *admission_create(int32_t capacity);

/* Frees it and its parties; nothing is granted any more. Clears the pointer; accepts NULL. */
void admission_destroy(struct admission **admission);

/* Makes a party for a group with a cap (0: none) and a reserve. The reserves together stay within
 * the capacity: false is an assertion of the caller's configuration. Any thread. */
struct party *admission_add(struct admission *admission, int32_t max_weight, int32_t reserve);

/* Changes the capacity, which stays above the reserves together. What is granted stays granted; who
 * waits asks as if he had come now, in his place, and goes at once if he may. No lock held. */
void admission_set_capacity(struct admission *admission, int32_t capacity);

/* Changes the cap of a party (0: none) in the same way. No lock held. */
void admission_set_cap(struct admission *admission, struct party *party, int32_t max_weight);

/* Returns the gate that groups ask. */
struct gate admission_gate(struct admission *admission);

/* Returns how much weight is granted just now. Any thread. */
int32_t admission_in_use(struct admission *admission);

/* The whole, as an outsider sees it. */
struct admission_facts {
    int32_t in_use, capacity;
    int32_t reserved; /* the sum of all reserves */
    uint32_t waits;   /* groups that wait with a batch, and jobs that wait beside their groups */
};

/* Returns the facts of the moment. Any thread. */
struct admission_facts admission_facts(struct admission *admission);

struct party_facts {
    int32_t in_use;
    int32_t max_weight; /* 0: no cap */
    int32_t reserve;
    uint32_t waits;   /* with its next batch, and for each job that waits beside it */
    int32_t asked;    /* by its next batch; 0: that does not wait */
    int64_t since_ns; /* when it did */
};

/* Returns the facts of one party. Any thread; no lock of a group held for long. */
struct party_facts admission_party_facts(struct admission *admission, const struct party *party);
