/* The corpus of the fuzzer, read without it: what was found once is not found again. */
#include <criterion/criterion.h>
#include <dirent.h>

#include "../../fuzz/job_file.c"

#define CORPUS TEST_SOURCE_DIR "/tests/fuzz/corpus/job_file"

static void read_file(const char *name)
{
    char path[4096];
    static uint8_t bytes[PIPE_MOST_BYTES];

    snprintf(path, sizeof(path), CORPUS "/%s", name);
    FILE *file = fopen(path, "r");
    cr_assert(file != NULL, "%s", path);
    size_t length = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    cr_assert(length < sizeof(bytes), "%s is too large for a corpus", name);
    fprintf(stderr, "%s\n", name); /* the last one is the one that aborts */
    LLVMFuzzerTestOneInput(bytes, length);
}

Test(corpus, each_file_gives_tasks_or_errors_with_a_place)
{
    size_t count = 0;
    DIR *folder = opendir(CORPUS);
    cr_assert(folder != NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.') {
            read_file(entry->d_name);
            count++;
        }
    closedir(folder);
    cr_assert(count >= 100);
}
