/* image: the checks before dlopen. dlopen itself dies of SIGBUS on a truncated file, maps what
 * program headers say over whatever is there, and runs constructors: nothing may reach it that was
 * not looked at here. */
#include "plugin/image.h"

#include <endian.h>
#include <gelf.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/system_library.h"
#include "support/cleanup.h"

enum {
    HEADERS_MOST = 128,
    NOTES_MOST_BYTES = 256 * 1024,
    STRINGS_MOST_BYTES = 64 * 1024 * 1024,
    SPAN_MOST_BYTES = 1024 * 1024 * 1024, /* of addresses */
};

/* This program's own header, placed by the linker: what the host is built for. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

struct image {
    int fd;
    uint64_t file_bytes;
    Elf *elf;
    GElf_Ehdr header;
    GElf_Phdr segments[HEADERS_MOST];
    size_t segments_count;
};

struct dynamic { /* what the dynamic section says */
    uint64_t strings_address, strings_bytes;
    uint64_t flags, flags_1;
    bool text_relocations;
    const char *strings; /* strings_bytes and a NUL behind */
    Elf_Data *entries;
};

static void end_elf(Elf **elf)
{
    elf_end(*elf);
}

static bool inside(const struct image *image, uint64_t offset, uint64_t bytes)
{
    return offset <= image->file_bytes && bytes <= image->file_bytes - offset;
}

static bool truncated(const struct image *image, uint64_t end, struct error *error)
{
    return error_set(error, "truncated", "truncated: has %llu bytes, needs %llu",
                     (unsigned long long)image->file_bytes, (unsigned long long)end);
}

static bool malformed(struct error *error, const char *what)
{
    return error_set(error, "bad_image", "malformed: %s", what);
}

static const char *machine_word(unsigned machine, char *number, size_t capacity)
{
    static const struct {
        unsigned machine;
        const char *word;
    } words[] = {
        {EM_386, "i386"},        {EM_X86_64, "x86-64"},       {EM_ARM, "arm"},
        {EM_AARCH64, "aarch64"}, {EM_RISCV, "riscv"},         {EM_PPC64, "ppc64"},
        {EM_S390, "s390x"},      {EM_LOONGARCH, "loongarch"}, {EM_MIPS, "mips"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (words[i].machine == machine)
            return words[i].word;
    }
    snprintf(number, capacity, "machine %u", machine);
    return number;
}

static bool check_machine(const unsigned char *raw, struct error *error)
{
    const unsigned char *host = __ehdr_start.e_ident;
    if (raw[EI_CLASS] != host[EI_CLASS])
        return error_set(error, "machine", "built for %d bit, host is %d bit",
                         raw[EI_CLASS] == ELFCLASS32 ? 32 : 64,
                         host[EI_CLASS] == ELFCLASS32 ? 32 : 64);
    if (raw[EI_DATA] != host[EI_DATA])
        return error_set(error, "machine", "built for %s-endian, host is %s-endian",
                         raw[EI_DATA] == ELFDATA2LSB ? "little" : "big",
                         host[EI_DATA] == ELFDATA2LSB ? "little" : "big");
    ElfW(Half) machine;
    char theirs[24], ours[24];
    memcpy(&machine, raw + offsetof(ElfW(Ehdr), e_machine), sizeof machine);
    if (machine != __ehdr_start.e_machine)
        return error_set(error, "machine", "built for %s, host is %s",
                         machine_word(machine, theirs, sizeof theirs),
                         machine_word(__ehdr_start.e_machine, ours, sizeof ours));
    return true;
}

/* Reads the header by hand: libelf would follow another byte order and class. */
static bool check_header(const struct image *image, struct error *error)
{
    unsigned char raw[sizeof(ElfW(Ehdr))];
    ssize_t bytes = pread(image->fd, raw, sizeof raw, 0);
    if (bytes < 0)
        return error_errno(error, "unreadable", "cannot be read");
    if (bytes < (ssize_t)sizeof raw || memcmp(raw, ELFMAG, SELFMAG) != 0 ||
        (raw[EI_CLASS] != ELFCLASS32 && raw[EI_CLASS] != ELFCLASS64) ||
        (raw[EI_DATA] != ELFDATA2LSB && raw[EI_DATA] != ELFDATA2MSB))
        return error_set(error, "not_elf", "not an ELF shared object");
    return check_machine(raw, error);
}

static bool read_segments(struct image *image, struct error *error)
{
    size_t count = image->header.e_phnum;
    if (image->header.e_phentsize != sizeof(ElfW(Phdr)) || count == 0 || count > HEADERS_MOST)
        return malformed(error, "its program headers");
    uint64_t bytes = count * sizeof(ElfW(Phdr));
    if (!inside(image, image->header.e_phoff, bytes))
        return truncated(image, image->header.e_phoff + bytes, error);
    for (size_t i = 0; i < count; i++) {
        if (gelf_getphdr(image->elf, (int)i, &image->segments[i]) == NULL)
            return malformed(error, "its program headers");
    }
    image->segments_count = count;
    return true;
}

/* Section headers stand at the end: a file without them all was cut, even if its code is whole. */
static bool check_sections(const struct image *image, struct error *error)
{
    uint64_t offset = image->header.e_shoff;
    uint64_t bytes = (uint64_t)image->header.e_shnum * image->header.e_shentsize;
    if (offset != 0 && !inside(image, offset, bytes))
        return truncated(image, offset + bytes, error);
    return true;
}

static bool check_load(const struct image *image, const GElf_Phdr *load, uint64_t *end,
                       struct error *error)
{
    if (!inside(image, load->p_offset, load->p_filesz))
        return truncated(image, load->p_offset + load->p_filesz, error);
    if ((load->p_flags & PF_W) != 0 && (load->p_flags & PF_X) != 0)
        return error_set(error, "unsafe_code", "has a segment that is writable and executable");
    if (load->p_filesz > load->p_memsz || load->p_vaddr < *end || load->p_memsz > SPAN_MOST_BYTES ||
        load->p_vaddr > SPAN_MOST_BYTES)
        return malformed(error, "its segments overlap, are out of order or too large");
    *end = load->p_vaddr + load->p_memsz;
    return true;
}

static bool check_segments(const struct image *image, struct error *error)
{
    uint64_t end = 0;
    bool stack_seen = false, loads_seen = false;
    for (size_t i = 0; i < image->segments_count; i++) {
        const GElf_Phdr *segment = &image->segments[i];
        if (segment->p_type == PT_LOAD && !check_load(image, segment, &end, error))
            return false;
        if (segment->p_type == PT_GNU_STACK && (segment->p_flags & PF_X) != 0)
            return error_set(error, "unsafe_code", "wants an executable stack");
        stack_seen |= segment->p_type == PT_GNU_STACK;
        loads_seen |= segment->p_type == PT_LOAD;
    }
    if (!loads_seen)
        return malformed(error, "nothing to load");
    /* Without the mark the dynamic linker makes the stacks of all threads executable. */
    return stack_seen ||
           error_set(error, "unsafe_code", "wants an executable stack (it has no PT_GNU_STACK)");
}

/* Finds where in the file an address of the image lies, with that many bytes behind it. */
static bool find_address(const struct image *image, uint64_t address, uint64_t bytes,
                         uint64_t *offset)
{
    for (size_t i = 0; i < image->segments_count; i++) {
        const GElf_Phdr *load = &image->segments[i];
        if (load->p_type != PT_LOAD || address < load->p_vaddr)
            continue;
        uint64_t into = address - load->p_vaddr;
        if (into > load->p_filesz || bytes > load->p_filesz - into)
            continue;
        *offset = load->p_offset + into;
        return true;
    }
    return false;
}

static Elf_Data *read_part(const struct image *image, uint64_t offset, uint64_t bytes,
                           Elf_Type type)
{
    if (bytes == 0 || !inside(image, offset, bytes))
        return NULL;
    return elf_getdata_rawchunk(image->elf, (int64_t)offset, bytes, type);
}

static void take_dynamic(struct dynamic *dynamic, const GElf_Dyn *entry)
{
    switch (entry->d_tag) {
    case DT_STRTAB:
        dynamic->strings_address = entry->d_un.d_ptr;
        return;
    case DT_STRSZ:
        dynamic->strings_bytes = entry->d_un.d_val;
        return;
    case DT_TEXTREL:
        dynamic->text_relocations = true;
        return;
    case DT_FLAGS:
        dynamic->flags = entry->d_un.d_val;
        return;
    case DT_FLAGS_1:
        dynamic->flags_1 = entry->d_un.d_val;
        return;
    default:
        return;
    }
}

static const GElf_Phdr *find_segment(const struct image *image, uint32_t type)
{
    for (size_t i = 0; i < image->segments_count; i++) {
        if (image->segments[i].p_type == type)
            return &image->segments[i];
    }
    return NULL;
}

static bool next_dynamic(const struct dynamic *dynamic, int index, GElf_Dyn *entry)
{
    size_t count = dynamic->entries->d_size / sizeof(ElfW(Dyn));
    return (size_t)index < count && gelf_getdyn(dynamic->entries, index, entry) != NULL &&
           entry->d_tag != DT_NULL;
}

static bool read_dynamic(const struct image *image, struct dynamic *dynamic, struct error *error)
{
    const GElf_Phdr *segment = find_segment(image, PT_DYNAMIC);
    if (segment == NULL)
        return malformed(error, "no dynamic section");
    dynamic->entries = read_part(image, segment->p_offset, segment->p_filesz, ELF_T_DYN);
    if (dynamic->entries == NULL)
        return malformed(error, "its dynamic section");
    GElf_Dyn entry;
    for (int i = 0; next_dynamic(dynamic, i, &entry); i++)
        take_dynamic(dynamic, &entry);
    uint64_t offset;
    if (dynamic->strings_bytes == 0 || dynamic->strings_bytes > STRINGS_MOST_BYTES ||
        !find_address(image, dynamic->strings_address, dynamic->strings_bytes, &offset))
        return malformed(error, "its dynamic strings");
    const Elf_Data *strings = read_part(image, offset, dynamic->strings_bytes, ELF_T_BYTE);
    if (strings == NULL || ((const char *)strings->d_buf)[strings->d_size - 1] != '\0')
        return malformed(error, "its dynamic strings");
    dynamic->strings = strings->d_buf;
    return true;
}

/* What the dynamic linker would search before the system's folders. */
static const char *search_path(const struct dynamic *dynamic)
{
    const char *path = "";
    GElf_Dyn entry;
    for (int i = 0; next_dynamic(dynamic, i, &entry); i++) {
        if ((entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH) &&
            entry.d_un.d_val < dynamic->strings_bytes)
            path = dynamic->strings + entry.d_un.d_val;
    }
    return path;
}

static bool check_libraries(const struct dynamic *dynamic, struct error *error)
{
    GElf_Dyn entry;
    for (int i = 0; next_dynamic(dynamic, i, &entry); i++) {
        if (entry.d_tag != DT_NEEDED)
            continue;
        if (entry.d_un.d_val >= dynamic->strings_bytes)
            return malformed(error, "a needed library has no name");
        const char *name = dynamic->strings + entry.d_un.d_val;
        if (!system_library_check(name, search_path(dynamic), error))
            return false;
    }
    return true;
}

static bool check_dynamic(const struct image *image, struct error *error)
{
    struct dynamic dynamic = {0};
    if (!read_dynamic(image, &dynamic, error))
        return false;
    if ((dynamic.flags_1 & DF_1_PIE) != 0)
        return error_set(error, "not_shared", "not a shared object: an executable");
    if (dynamic.text_relocations || (dynamic.flags & DF_TEXTREL) != 0)
        return error_set(error, "unsafe_code", "has text relocations: build it with -fPIC");
    return check_libraries(&dynamic, error);
}

static void keep_build_id(struct note *note, const unsigned char *id, size_t bytes)
{
    for (size_t i = 0; i < bytes && 2 * i + 2 < sizeof note->build_id; i++)
        snprintf(note->build_id + 2 * i, 3, "%02x", id[i]);
}

/* Looks at one note of a segment; our own is parsed the first time and counted. */
static bool take_note(struct note *note, const GElf_Nhdr *header, const char *vendor,
                      const unsigned char *desc, struct error *error)
{
    if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == sizeof "GNU" &&
        memcmp(vendor, "GNU", sizeof "GNU") == 0)
        keep_build_id(note, desc, header->n_descsz);
    if (header->n_type != SLUICE_NOTE_TYPE || header->n_namesz != sizeof SLUICE_NOTE_VENDOR ||
        memcmp(vendor, SLUICE_NOTE_VENDOR, sizeof SLUICE_NOTE_VENDOR) != 0)
        return true;
    if (note->types != NULL)
        return error_set(error, "bad_note", "malformed note: there are two");
    return note_parse(note, desc, header->n_descsz, error);
}

static bool read_notes(const struct image *image, const GElf_Phdr *segment, struct note *note,
                       struct error *error)
{
    bool wide = segment->p_align == 8;
    if (segment->p_filesz == 0)
        return true;
    Elf_Data *data = segment->p_filesz > NOTES_MOST_BYTES
                         ? NULL
                         : read_part(image, segment->p_offset, segment->p_filesz,
                                     wide ? ELF_T_NHDR8 : ELF_T_NHDR);
    if (data == NULL)
        return error_set(error, "bad_note", "malformed note: its size cannot be");
    size_t at = 0;
    while (at < data->d_size) {
        GElf_Nhdr header;
        size_t vendor, desc;
        at = gelf_getnote(data, at, &header, &vendor, &desc);
        if (at == 0)
            return error_set(error, "bad_note", "malformed note: its sizes leave its segment");
        const char *bytes = data->d_buf;
        if (!take_note(note, &header, bytes + vendor, (const unsigned char *)bytes + desc, error))
            return false;
    }
    return true;
}

static bool find_note(const struct image *image, struct note *note, struct error *error)
{
    for (size_t i = 0; i < image->segments_count; i++) {
        if (image->segments[i].p_type == PT_NOTE &&
            !read_notes(image, &image->segments[i], note, error)) {
            note_fini(note);
            return false;
        }
    }
    return note->types != NULL ||
           error_set(error, "no_note", "no Sluice note: not a plugin, or built without the SDK");
}

static bool begin(struct image *image, struct error *error)
{
    struct stat stat;
    if (fstat(image->fd, &stat) != 0)
        return error_errno(error, "unreadable", "cannot be read");
    image->file_bytes = (uint64_t)stat.st_size;
    if (!check_header(image, error))
        return false;
    elf_version(EV_CURRENT);
    image->elf = elf_begin(image->fd, ELF_C_READ, NULL);
    if (image->elf == NULL || gelf_getehdr(image->elf, &image->header) == NULL)
        return malformed(error, elf_errmsg(-1));
    return image->header.e_type == ET_DYN ||
           error_set(error, "not_shared", "not a shared object: %s",
                     image->header.e_type == ET_REL    ? "an object file"
                     : image->header.e_type == ET_EXEC ? "an executable"
                                                       : "another kind of ELF file");
}

bool image_check(int fd, struct note *note, struct error *error)
{
    struct image image = {.fd = fd};
    memset(note, 0, sizeof *note);
    memcpy(note->build_id, "0", 2);
    bool begun = begin(&image, error);
    Elf *elf CLEANUP(end_elf) __attribute__((unused)) = image.elf;
    if (!begun || !read_segments(&image, error))
        return false;
    struct error why;
    bool noted = find_note(&image, note, &why);
    if (!check_sections(&image, error) || !check_segments(&image, error) ||
        !check_dynamic(&image, error))
        return false;
    if (!noted)
        *error = why;
    return noted;
}
