/* modules: two tables, of which one is being written and the other one is looked at. */
#include "plugin/modules.h"

#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct table {
    size_t count;
    struct module modules[MODULES_MOST];
};

static struct table tables[2];
static _Atomic(const struct table *) current;

struct reading {
    struct table *table;
    const char *plugin_path;
};

static const char *without_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* The name of a private copy has its build-id in it, which says nothing new here. */
static void shorten(char *name, const struct module *module)
{
    char hex[2 * MODULE_BUILD_ID_BYTES + 1] = "";
    for (size_t i = 0; i < module->build_id_bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", module->build_id[i]);
    char *id = hex[0] == '\0' ? NULL : strstr(name, hex);
    if (id != NULL && id > name && id[-1] == '.')
        snprintf(id, sizeof "so", "so");
}

/* The program itself comes without a name. */
static void take_name(struct module *module, const char *path)
{
    char program[4096], name[256];
    if (path[0] == '\0') {
        ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
        program[length > 0 ? length : 0] = '\0';
        path = program;
    }
    snprintf(name, sizeof name, "%.*s", (int)sizeof name - 1, without_folder(path));
    shorten(name, module);
    snprintf(module->name, sizeof module->name, "%.*s", (int)sizeof module->name - 1, name);
}

static void take_span(struct module *module, const struct dl_phdr_info *info)
{
    module->base = info->dlpi_addr;
    module->start = UINTPTR_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type != PT_LOAD)
            continue;
        if (start < module->start)
            module->start = start;
        if (start + segment->p_memsz > module->end)
            module->end = start + segment->p_memsz;
    }
}

/* A file may say of its notes that they are where nothing is mapped. */
static bool is_readable(const struct dl_phdr_info *info, const ElfW(Phdr) * part)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *load = &info->dlpi_phdr[i];
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

static int take_module(struct dl_phdr_info *info, size_t size, void *context)
{
    struct reading *reading = context;
    (void)size;
    if (reading->table->count == MODULES_MOST)
        return 1;
    struct module *module = &reading->table->modules[reading->table->count++];
    *module = (struct module){0};
    module->is_plugin =
        reading->plugin_path != NULL && strcmp(reading->plugin_path, info->dlpi_name) == 0;
    take_span(module, info);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_NOTE && is_readable(info, part))
            read_notes(module, (const unsigned char *)info->dlpi_addr + part->p_vaddr,
                       part->p_memsz, part->p_align == 8 ? 8 : 4);
    }
    take_name(module, info->dlpi_name);
    return 0;
}

void modules_read(const char *plugin_path)
{
    struct table *table = atomic_load(&current) == &tables[0] ? &tables[1] : &tables[0];
    struct reading reading = {.table = table, .plugin_path = plugin_path};
    table->count = 0;
    dl_iterate_phdr(take_module, &reading);
    atomic_store(&current, table);
}

const struct module *modules_find(uintptr_t address)
{
    const struct table *table = atomic_load(&current);
    for (size_t i = 0; table != NULL && i < table->count; i++) {
        const struct module *module = &table->modules[i];
        if (address >= module->start && address < module->end)
            return module;
    }
    return NULL;
}
