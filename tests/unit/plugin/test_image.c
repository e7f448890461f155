#include <criterion/criterion.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/image.h"

static const char good_file[] = TEST_BUILD_DIR "/plugins/noop.so";

static unsigned char *good;
static size_t good_bytes;
static struct note note;
static struct error error;

static void setup(void)
{
    int fd = open(good_file, O_RDONLY);
    struct stat stat;
    cr_assert(fd >= 0 && fstat(fd, &stat) == 0, "%s", good_file);
    good_bytes = (size_t)stat.st_size;
    good = malloc(good_bytes);
    cr_assert_eq(read(fd, good, good_bytes), (ssize_t)good_bytes);
    close(fd);
}

static void teardown(void)
{
    free(good);
}

TestSuite(image, .init = setup, .fini = teardown);

static bool check(const void *bytes, size_t length)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
    bool sound = image_check(fd, &note, &error);
    note_fini(&note);
    close(fd);
    return sound;
}

static Elf64_Ehdr *header(void)
{
    return (Elf64_Ehdr *)(void *)good;
}

static Elf64_Phdr *segment(uint32_t type)
{
    Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(good + header()->e_phoff);
    for (size_t i = 0; i < header()->e_phnum; i++)
        if (segments[i].p_type == type)
            return &segments[i];
    cr_assert_fail("no such segment");
    abort();
}

static void expect_refusal(const char *message)
{
    cr_assert_not(check(good, good_bytes), "%s", message);
    cr_assert_eq(strncmp(error.message, message, strlen(message)), 0, "%s", error.message);
}

Test(image, a_plugin_is_sound_and_its_note_is_read)
{
    int fd = open(good_file, O_RDONLY);
    cr_assert(image_check(fd, &note, &error), "%s", error.message);
    cr_assert_str_eq(note.name, "noop");
    cr_assert_eq(note.types_count, 1);
    cr_assert_gt(strlen(note.build_id), 8);
    note_fini(&note);
    close(fd);
}

Test(image, what_is_no_elf_file_is_said_to_be_none)
{
    static const char *const others[] = {"", "\177ELF", "#!/bin/sh\necho hello\n"};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_not(check(others[i], strlen(others[i])));
        cr_assert_str_eq(error.message, "not an ELF shared object");
    }
}

Test(image, a_file_cut_anywhere_is_refused)
{
    for (size_t length = 64; length < good_bytes; length += 64)
        cr_assert_not(check(good, length), "%zu", length);
    static const int percents[] = {25, 50, 75, 99};
    for (size_t i = 0; i < 4; i++) {
        cr_assert_not(check(good, good_bytes * (size_t)percents[i] / 100));
        cr_assert_eq(strncmp(error.message, "truncated: ", 11), 0, "%s", error.message);
    }
    cr_assert_not(check(good, good_bytes - 1));
    cr_assert_eq(strncmp(error.message, "truncated: ", 11), 0, "%s", error.message);
}

Test(image, a_file_without_section_headers_cut_in_its_last_page_is_refused)
{
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(void *)(good + header()->e_phoff);
    size_t end = 0;
    for (size_t i = 0; i < header()->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && segments[i].p_offset + segments[i].p_filesz > end)
            end = segments[i].p_offset + segments[i].p_filesz;
    header()->e_shoff = 0;
    header()->e_shnum = 0;
    header()->e_shstrndx = 0;
    cr_assert(check(good, end), "%s", error.message);
    cr_assert_not(check(good, end - 1));
    cr_assert_eq(strncmp(error.message, "truncated: ", 11), 0, "%s", error.message);
}

Test(image, another_machine_class_or_byte_order_is_named_with_the_hosts)
{
    uint16_t machine = header()->e_machine;
    header()->e_machine = machine == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
    expect_refusal(machine == EM_AARCH64 ? "built for x86-64, host is aarch64"
                                         : "built for aarch64, host is ");
    header()->e_machine = 9999;
    expect_refusal("built for machine 9999, host is ");
    header()->e_machine = machine;
    header()->e_ident[EI_CLASS] = ELFCLASS32;
    expect_refusal("built for 32 bit, host is 64 bit");
    header()->e_ident[EI_CLASS] = ELFCLASS64;
    bool little = header()->e_ident[EI_DATA] == ELFDATA2LSB;
    header()->e_ident[EI_DATA] = little ? ELFDATA2MSB : ELFDATA2LSB;
    expect_refusal(little ? "built for big-endian, host is little-endian"
                          : "built for little-endian, host is big-endian");
}

Test(image, object_files_and_executables_are_no_shared_objects)
{
    header()->e_type = ET_REL;
    expect_refusal("not a shared object: an object file");
    header()->e_type = ET_EXEC;
    expect_refusal("not a shared object: an executable");
    header()->e_type = ET_CORE;
    expect_refusal("not a shared object");
    int fd = open("/proc/self/exe", O_RDONLY);
    cr_assert_not(image_check(fd, &note, &error));
    cr_assert_eq(strncmp(error.message, "not a shared object", 19), 0, "%s", error.message);
    note_fini(&note);
    close(fd);
}

Test(image, code_that_could_be_written_is_refused)
{
    segment(PT_GNU_STACK)->p_flags |= PF_X;
    expect_refusal("wants an executable stack");
    segment(PT_GNU_STACK)->p_type = PT_NULL;
    expect_refusal("wants an executable stack (it has no PT_GNU_STACK)");
    segment(PT_LOAD)->p_flags = PF_R | PF_W | PF_X;
    expect_refusal("has a segment that is writable and executable");
}

Test(image, segments_that_overlap_or_wrap_around_are_refused)
{
    segment(PT_LOAD)->p_memsz = 1 << 20;
    expect_refusal("malformed: its segments overlap");
    segment(PT_LOAD)->p_memsz = UINT64_MAX;
    expect_refusal("malformed: its segments overlap");
    segment(PT_LOAD)->p_filesz = UINT64_MAX;
    expect_refusal("truncated: ");
    segment(PT_LOAD)->p_offset = UINT64_MAX;
    expect_refusal("truncated: ");
}

Test(image, a_library_that_is_not_the_systems_is_refused)
{
    char *name = memmem(good, good_bytes, "libc.so.6", 10);
    cr_assert_not_null(name);
    memcpy(name, "libx.so.6", 9);
    expect_refusal("needs 'libx.so.6', which is no system library: link it statically");
    memcpy(name, "./bc.so.6", 9);
    expect_refusal("needs './bc.so.6', which is no system library: link it statically");
}

Test(image, a_thousand_mutations_are_answered_without_a_crash)
{
    unsigned seed = 7;
    int refused = 0;
    unsigned char *changed = malloc(good_bytes);
    for (int round = 0; round < 1000; round++) {
        memcpy(changed, good, good_bytes);
        size_t area = round % 2 == 0 ? 1024 : good_bytes; /* headers and notes stand in front */
        for (int i = 0; i < 1 + round % 8; i++)
            changed[(size_t)rand_r(&seed) % area] = (unsigned char)rand_r(&seed);
        refused += !check(changed, good_bytes);
    }
    cr_assert_gt(refused, 100);
    free(changed);
}

Test(image, any_byte_of_the_note_segment_may_be_anything)
{
    const Elf64_Phdr *notes = segment(PT_NOTE);
    size_t from = notes->p_offset, bytes = notes->p_filesz;
    for (size_t at = from; at < from + bytes; at++) {
        unsigned char kept = good[at];
        static const unsigned char values[] = {0, 1, 4, 7, 0x7f, 0x80, 0xff};
        for (size_t i = 0; i < sizeof values; i++) {
            good[at] = values[i];
            check(good, good_bytes);
        }
        good[at] = kept;
    }
    cr_assert(check(good, good_bytes), "%s", error.message);
}
