/* faulty_disk: a disk between SQLite and the real one that fails when it is told to: every write and
 * sync from the n-th on, until it is healed. One in a process; any thread. */
#pragma once

/* Puts it in front of all files that SQLite opens from now on. */
void faulty_disk_install(void);

/* Has it have no shared memory: for files that are opened from now on. */
void faulty_disk_is_remote(void);

/* Has it fail with a code of SQLite's (SQLITE_FULL, SQLITE_IOERR_FSYNC) after so many more writes
 * and syncs. */
void faulty_disk_break(int after, int code);

/* Has all syncs fail from now on, while all writes work. */
void faulty_disk_break_syncs(void);

/* Has it work again. */
void faulty_disk_heal(void);

/* Waits until it has failed so many times since it was broken. */
void faulty_disk_wait_for_failures(int count);

/* Returns how many writes, or syncs, there were since it was installed. */
int faulty_disk_writes(void);
int faulty_disk_syncs(void);
