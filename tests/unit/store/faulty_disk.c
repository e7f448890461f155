#include "faulty_disk.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

#include "support/clock.h"
#include "support/thread.h"

/* SQLite's file, and behind it that of the real disk. */
struct file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_vfs *disk;
static sqlite3_vfs faulty;

static struct {
    struct mutex lock;
    struct cond failed;
    int left; /* writes that still work */
    bool only_syncs;
    int code;
    int failures;
    int writes, syncs;
} state = {.left = INT_MAX};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

/* Says whether the next write is to fail: SQLITE_OK or the code. */
static int next_answer(void)
{
    MUTEX_GUARD(&state.lock);
    if (state.left == INT_MAX || state.left-- > 0)
        return SQLITE_OK;
    state.left = 0;
    state.failures++;
    cond_broadcast(&state.failed);
    return state.code;
}

static bool only_syncs_fail(void)
{
    MUTEX_GUARD(&state.lock);
    return state.only_syncs;
}

static void count_up(int *number)
{
    MUTEX_GUARD(&state.lock);
    ++*number;
}

static int file_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    count_up(&state.writes);
    int answer = only_syncs_fail() ? SQLITE_OK : next_answer();
    return answer != SQLITE_OK ? answer
                               : real_of(file)->pMethods->xWrite(real_of(file), bytes, count, at);
}

static int file_sync(sqlite3_file *file, int flags)
{
    count_up(&state.syncs);
    int answer = next_answer();
    return answer != SQLITE_OK ? answer : real_of(file)->pMethods->xSync(real_of(file), flags);
}

/* The rest is handed on. */
#define HAND_ON(name, parameters, ...)                                                             \
    static int file_##name parameters                                                              \
    {                                                                                              \
        return real_of(file)->pMethods->name(__VA_ARGS__);                                         \
    }
HAND_ON(xClose, (sqlite3_file * file), real_of(file))
HAND_ON(xRead, (sqlite3_file * file, void *bytes, int count, sqlite3_int64 at), real_of(file),
        bytes, count, at)
HAND_ON(xTruncate, (sqlite3_file * file, sqlite3_int64 size), real_of(file), size)
HAND_ON(xFileSize, (sqlite3_file * file, sqlite3_int64 *size), real_of(file), size)
HAND_ON(xLock, (sqlite3_file * file, int level), real_of(file), level)
HAND_ON(xUnlock, (sqlite3_file * file, int level), real_of(file), level)
HAND_ON(xCheckReservedLock, (sqlite3_file * file, int *out), real_of(file), out)
HAND_ON(xFileControl, (sqlite3_file * file, int op, void *out), real_of(file), op, out)
HAND_ON(xSectorSize, (sqlite3_file * file), real_of(file))
HAND_ON(xDeviceCharacteristics, (sqlite3_file * file), real_of(file))
HAND_ON(xShmMap, (sqlite3_file * file, int page, int size, int extend, void volatile **out),
        real_of(file), page, size, extend, out)
HAND_ON(xShmLock, (sqlite3_file * file, int at, int n, int flags), real_of(file), at, n, flags)
HAND_ON(xShmUnmap, (sqlite3_file * file, int flag), real_of(file), flag)

static void file_xShmBarrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_xClose,
    .xRead = file_xRead,
    .xWrite = file_write,
    .xTruncate = file_xTruncate,
    .xSync = file_sync,
    .xFileSize = file_xFileSize,
    .xLock = file_xLock,
    .xUnlock = file_xUnlock,
    .xCheckReservedLock = file_xCheckReservedLock,
    .xFileControl = file_xFileControl,
    .xSectorSize = file_xSectorSize,
    .xDeviceCharacteristics = file_xDeviceCharacteristics,
    .xShmMap = file_xShmMap,
    .xShmLock = file_xShmLock,
    .xShmBarrier = file_xShmBarrier,
    .xShmUnmap = file_xShmUnmap,
};

static sqlite3_io_methods remote_methods; /* zeroed: the disk is a local one */

void faulty_disk_is_remote(void)
{
    remote_methods = methods;
    remote_methods.iVersion = 1;
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *made, int flags, int *out)
{
    struct file *file = (struct file *)made;

    (void)vfs;
    memset(file, 0, sizeof(*file));
    file->real = (sqlite3_file *)(file + 1);
    int code = disk->xOpen(disk, name, file->real, flags, out);
    if (file->real->pMethods != NULL)
        file->base.pMethods = remote_methods.iVersion == 0 ? &methods : &remote_methods;
    return code;
}

void faulty_disk_install(void)
{
    disk = sqlite3_vfs_find(NULL);
    cr_assert_not_null(disk);
    mutex_init(&state.lock);
    cond_init(&state.failed);
    faulty = *disk; /* its other functions look at nothing of their own but pAppData */
    faulty.zName = "faulty";
    faulty.szOsFile = (int)sizeof(struct file) + disk->szOsFile;
    faulty.xOpen = disk_open;
    cr_assert_eq(sqlite3_vfs_register(&faulty, 1), SQLITE_OK);
}

void faulty_disk_break(int after, int code)
{
    MUTEX_GUARD(&state.lock);
    state.left = after;
    state.code = code;
    state.failures = 0;
    state.only_syncs = false;
}

void faulty_disk_break_syncs(void)
{
    faulty_disk_break(0, SQLITE_IOERR_FSYNC);
    MUTEX_GUARD(&state.lock);
    state.only_syncs = true;
}

void faulty_disk_heal(void)
{
    MUTEX_GUARD(&state.lock);
    state.left = INT_MAX;
}

void faulty_disk_wait_for_failures(int count)
{
    int64_t until_ns = clock_now_ns() + 30 * NS_PER_S;
    MUTEX_GUARD(&state.lock);
    while (state.failures < count)
        cr_assert(cond_wait_until(&state.failed, &state.lock, until_ns), "it does not fail");
}

int faulty_disk_writes(void)
{
    MUTEX_GUARD(&state.lock);
    return state.writes;
}

int faulty_disk_syncs(void)
{
    MUTEX_GUARD(&state.lock);
    return state.syncs;
}
