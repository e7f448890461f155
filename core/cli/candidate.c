#include "cli/candidate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plugin/folder.h"
#include "plugin/image.h"
#include "support/buffer.h"
#include "support/cleanup.h"

/* Opens the file as a scan of its folder would; *fd is set even where the host must not load it. */
static bool open_in(const struct folder *folder, const char *name, int *fd, struct error *error)
{
    if (!folder_may_have(name))
        return error_set(error, "name", "%s: plugins are called *.so, without a dot in front",
                         name);
    return folder_open_file(folder, name, fd, error) == FOLDER_OPENED;
}

/* What is wrong with where the file is, and with who may write it. */
static bool look_at_path(const char *file, int *fd, struct findings *findings)
{
    CLEANUP(folder_close) struct folder folder = {.fd = -1};
    CLEANUP(cleanup_free) char *place = strdup(file);
    struct error error;

    if (place == NULL)
        abort();
    char *slash = strrchr(place, '/');
    const char *name = slash == NULL ? file : file + (slash - place) + 1;
    if (slash != NULL)
        slash[slash == place] = '\0';
    if (!folder_open(&folder, slash == NULL ? "." : place, &error) ||
        !open_in(&folder, name, fd, &error))
        return findings_failed(findings, "path", error.message);
    findings_ok(findings, "path", "nobody else can write the file, or a folder above it");
    return true;
}

static bool is_of_note(const struct error *error)
{
    return strcmp(error->code, "no_note") == 0 || strcmp(error->code, "bad_note") == 0 ||
           strcmp(error->code, "abi") == 0;
}

static void tell_image(int fd, struct findings *findings)
{
    char text[128];
    struct stat stat;

    if (fstat(fd, &stat) != 0)
        return;
    snprintf(text, sizeof(text), "a shared object of %lld KiB for this machine, whole, safe to map",
             (long long)(stat.st_size + 1023) / 1024);
    findings_ok(findings, "image", text);
}

static void tell_note(const struct note *note, struct findings *findings)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;

    buffer_printf(&text, "%s %s, ABI %d.%d, %s", note->name, note->version, note->abi_major,
                  note->abi_minor, note->types_count == 1 ? "type" : "types");
    for (size_t i = 0; i < note->types_count; i++)
        buffer_printf(&text, " %s", note->types[i]);
    findings_ok(findings, "note", buffer_text(&text));
}

static bool look_at_image(struct candidate *candidate, int fd, struct findings *findings)
{
    struct error error;

    bool sound = image_check(fd, &candidate->note, &error);
    if (!sound && !is_of_note(&error))
        return findings_failed(findings, "image", error.message);
    tell_image(fd, findings);
    if (!sound)
        return findings_failed(findings, "note", error.message);
    tell_note(&candidate->note, findings);
    return true;
}

static bool take_copy(struct candidate *candidate, int fd, const char *state_dir,
                      struct findings *findings)
{
    struct error error;

    candidate->snapshots = snapshots_create(state_dir, &error);
    if (candidate->snapshots != NULL)
        candidate->copy_fd =
            snapshot_take(candidate->snapshots, fd, "candidate.so", &candidate->copy, &error);
    return candidate->copy_fd >= 0 || findings_failed(findings, "copy", error.message);
}

bool candidate_open(struct candidate *candidate, const char *file, const char *state_dir,
                    struct findings *findings)
{
    int fd CLEANUP(cleanup_close) = -1;

    *candidate = (struct candidate){.copy_fd = -1};
    bool safe = look_at_path(file, &fd, findings);
    if (!safe) {
        if (fd >= 0)
            look_at_image(candidate, fd, findings);
        return false;
    }
    return take_copy(candidate, fd, state_dir, findings) &&
           look_at_image(candidate, candidate->copy_fd, findings);
}

void candidate_close(struct candidate *candidate)
{
    note_fini(&candidate->note);
    cleanup_close(&candidate->copy_fd);
    free(candidate->copy);
    snapshots_destroy(&candidate->snapshots);
}
