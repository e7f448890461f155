#include "store/sqlite_gather.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

enum { GATHERED_MOST = 64 * 1024 };

/* SQLite's file, and behind it that of the VFS below. */
struct file {
    sqlite3_file base;
    sqlite3_int64 at;      /* where what is gathered goes to */
    int count;             /* bytes of it */
    char *gathered;        /* GATHERED_MOST; NULL: nothing was written yet */
    sqlite3_int64 below[]; /* as SQLite aligns what it has in front of it */
};

static sqlite3_vfs *below;
static sqlite3_vfs gather;

static sqlite3_file *below_of(sqlite3_file *file)
{
    return (sqlite3_file *)((struct file *)file)->below;
}

/* What could not be written is not tried again: whoever has said it takes it back. */
static int write_out(sqlite3_file *opened)
{
    struct file *file = (struct file *)opened;
    int count = file->count;
    sqlite3_file *real = below_of(opened);

    file->count = 0;
    return count == 0 ? SQLITE_OK : real->pMethods->xWrite(real, file->gathered, count, file->at);
}

static bool follows(const struct file *file, sqlite3_int64 at, int count)
{
    return at == file->at + file->count && count <= GATHERED_MOST - file->count;
}

static int file_write(sqlite3_file *opened, const void *bytes, int count, sqlite3_int64 at)
{
    struct file *file = (struct file *)opened;
    sqlite3_file *real = below_of(opened);

    if (file->gathered == NULL && (file->gathered = sqlite3_malloc(GATHERED_MOST)) == NULL)
        return SQLITE_IOERR_NOMEM;
    int code = follows(file, at, count) ? SQLITE_OK : write_out(opened);
    if (code != SQLITE_OK || count > GATHERED_MOST)
        return code != SQLITE_OK ? code : real->pMethods->xWrite(real, bytes, count, at);
    if (file->count == 0)
        file->at = at;
    memcpy(file->gathered + file->count, bytes, (size_t)count);
    file->count += count;
    return SQLITE_OK;
}

static int file_close(sqlite3_file *opened)
{
    struct file *file = (struct file *)opened;
    int code = write_out(opened);
    int closed = below_of(opened)->pMethods->xClose(below_of(opened));

    sqlite3_free(file->gathered);
    return code != SQLITE_OK ? code : closed;
}

/* The rest is handed on, behind what is gathered. */
#define HAND_ON(name, parameters, ...)                                                             \
    static int file_##name parameters                                                              \
    {                                                                                              \
        int code = write_out(file);                                                                \
        return code != SQLITE_OK ? code : below_of(file)->pMethods->name(__VA_ARGS__);             \
    }
HAND_ON(xRead, (sqlite3_file * file, void *bytes, int count, sqlite3_int64 at), below_of(file),
        bytes, count, at)
HAND_ON(xTruncate, (sqlite3_file * file, sqlite3_int64 size), below_of(file), size)
HAND_ON(xSync, (sqlite3_file * file, int flags), below_of(file), flags)
HAND_ON(xFileSize, (sqlite3_file * file, sqlite3_int64 *size), below_of(file), size)
HAND_ON(xLock, (sqlite3_file * file, int level), below_of(file), level)
HAND_ON(xUnlock, (sqlite3_file * file, int level), below_of(file), level)
HAND_ON(xCheckReservedLock, (sqlite3_file * file, int *out), below_of(file), out)
HAND_ON(xFileControl, (sqlite3_file * file, int op, void *out), below_of(file), op, out)

static int file_sector_size(sqlite3_file *file)
{
    return below_of(file)->pMethods->xSectorSize(below_of(file));
}

static int file_characteristics(sqlite3_file *file)
{
    return below_of(file)->pMethods->xDeviceCharacteristics(below_of(file));
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_xRead,
    .xWrite = file_write,
    .xTruncate = file_xTruncate,
    .xSync = file_xSync,
    .xFileSize = file_xFileSize,
    .xLock = file_xLock,
    .xUnlock = file_xUnlock,
    .xCheckReservedLock = file_xCheckReservedLock,
    .xFileControl = file_xFileControl,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
};

/* Any other file than a log is that of the VFS below. */
static int gather_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *made, int flags, int *out)
{
    struct file *file = (struct file *)made;

    (void)vfs;
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return below->xOpen(below, name, made, flags, out);
    memset(file, 0, sizeof(*file));
    int code = below->xOpen(below, name, below_of(made), flags, out);
    if (below_of(made)->pMethods != NULL)
        file->base.pMethods = &methods;
    return code;
}

static void install(void)
{
    if ((below = sqlite3_vfs_find(NULL)) == NULL)
        return;
    gather = *below; /* its other functions look at nothing of their own but pAppData */
    gather.zName = "sluice";
    gather.szOsFile = (int)sizeof(struct file) + below->szOsFile;
    gather.xOpen = gather_open;
    sqlite3_vfs_register(&gather, 0);
}

const char *sqlite_gather_vfs(void)
{
    if (sqlite3_initialize() != SQLITE_OK)
        return NULL;
    sqlite3_mutex *mutex = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);
    sqlite3_mutex_enter(mutex);
    if (gather.zName == NULL)
        install();
    sqlite3_mutex_leave(mutex);
    return gather.zName;
}

void sqlite_gather_drop(sqlite3 *db)
{
    sqlite3_file *log = NULL;

    if (sqlite3_file_control(db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, (void *)&log) == SQLITE_OK &&
        log != NULL && log->pMethods == &methods)
        ((struct file *)log)->count = 0;
}
