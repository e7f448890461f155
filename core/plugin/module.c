#include "plugin/module.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

/* The headers of a mapped file. */
struct headers {
    uintptr_t base;
    const ElfW(Phdr) * parts;
    size_t count;
};

/* Puts a byte as hex; safe in a handler, which snprintf is not. */
static void put_hex(char *to, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    to[0] = digits[byte >> 4];
    to[1] = digits[byte & 15];
}

/* The name of a private copy has its build-id in it, which says nothing new here: cut out. */
static size_t name_length(const char *name, const struct module *module)
{
    char id[2 * MODULE_BUILD_ID_BYTES + 2] = ".";
    for (size_t i = 0; i < module->build_id_bytes; i++)
        put_hex(id + 1 + 2 * i, module->build_id[i]);
    const char *found = id[1] == '\0' ? NULL : strstr(name, id);
    return found != NULL ? (size_t)(found - name) : strlen(name);
}

static void take_name(struct module *module, const char *path)
{
    static const char tail[] = ".so";
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    size_t length = name_length(name, module), bytes = sizeof module->name - sizeof tail;
    bool is_cut = name[length] != '\0';
    if (length > bytes)
        length = bytes;
    memcpy(module->name, name, length);
    memcpy(module->name + length, is_cut ? tail : "", is_cut ? sizeof tail : 1);
}

/* The program itself comes without a name. */
static void name_module(struct module *module)
{
    char program[4096];
    if (module->path[0] != '\0') {
        take_name(module, module->path);
        return;
    }
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    take_name(module, program);
}

/* A file may say of its notes that they are where nothing is mapped. */
static bool is_readable(const struct headers *headers, const ElfW(Phdr) * part)
{
    for (size_t i = 0; i < headers->count; i++) {
        const ElfW(Phdr) *load = &headers->parts[i];
        if (load->p_type == PT_LOAD && (load->p_flags & PF_R) != 0 &&
            part->p_vaddr >= load->p_vaddr && part->p_vaddr - load->p_vaddr <= load->p_filesz &&
            part->p_memsz <= load->p_filesz - (part->p_vaddr - load->p_vaddr))
            return true;
    }
    return false;
}

static size_t padded(size_t bytes, size_t to)
{
    return (bytes + to - 1) / to * to;
}

static void take_build_id(struct module *module, const unsigned char *id, size_t bytes)
{
    module->build_id_bytes =
        (uint8_t)(bytes < MODULE_BUILD_ID_BYTES ? bytes : MODULE_BUILD_ID_BYTES);
    memcpy(module->build_id, id, module->build_id_bytes);
}

static void read_notes(struct module *module, const unsigned char *notes, size_t bytes, size_t to)
{
    size_t at = 0;
    ElfW(Nhdr) header;
    while (at <= bytes && bytes - at >= sizeof header) {
        memcpy(&header, notes + at, sizeof header);
        size_t vendor = at + sizeof header;
        if (header.n_namesz > bytes || header.n_descsz > bytes)
            return;
        size_t desc = padded(vendor + header.n_namesz, to);
        if (desc > bytes || header.n_descsz > bytes - desc)
            return;
        if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == sizeof "GNU" &&
            memcmp(notes + vendor, "GNU", sizeof "GNU") == 0)
            take_build_id(module, notes + desc, header.n_descsz);
        at = padded(desc + header.n_descsz, to);
    }
}

static void find_build_id(struct module *module, const struct headers *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        const ElfW(Phdr) *part = &headers->parts[i];
        if (part->p_type == PT_NOTE && is_readable(headers, part))
            read_notes(module, (const unsigned char *)headers->base + part->p_vaddr, part->p_memsz,
                       part->p_align == 8 ? 8 : 4);
    }
}

/* The ELF header is where the mapping begins. */
static bool read_headers(const struct dl_find_object *object, struct headers *headers)
{
    ElfW(Ehdr) header;
    const unsigned char *start = object->dlfo_map_start;
    size_t bytes = (size_t)((const unsigned char *)object->dlfo_map_end - start);
    if (bytes < sizeof header)
        return false;
    memcpy(&header, start, sizeof header);
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phoff > bytes ||
        header.e_phentsize != sizeof(ElfW(Phdr)) ||
        header.e_phnum > (bytes - header.e_phoff) / sizeof(ElfW(Phdr)))
        return false;
    headers->base = object->dlfo_link_map->l_addr;
    headers->parts = (const void *)(start + header.e_phoff);
    headers->count = header.e_phnum;
    return true;
}

/* The C library promises of _dl_find_object, which unwinding is made of, that handlers may call it:
 * so nothing has to be written down ahead of time, and it knows a file whose constructors run. */
bool module_find(uintptr_t address, struct module *module)
{
    struct dl_find_object object;
    struct headers headers;
    *module = (struct module){0};
    if (_dl_find_object((void *)address, &object) != 0) /* NOLINT */
        return false;
    module->base = object.dlfo_link_map->l_addr;
    module->path = object.dlfo_link_map->l_name;
    if (read_headers(&object, &headers))
        find_build_id(module, &headers);
    name_module(module);
    return true;
}
