#include "plugin/symbols.h"

#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plugin/image.h"

struct symbols {
    int fd;
    Elf *elf;
    struct note note;
};

struct symbols *symbols_open(const char *path)
{
    struct error error;
    struct symbols *symbols = calloc(1, sizeof *symbols);
    if (symbols == NULL)
        abort();
    symbols->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (symbols->fd >= 0 && image_check(symbols->fd, &symbols->note, &error))
        symbols->elf = elf_begin(symbols->fd, ELF_C_READ, NULL);
    if (symbols->elf == NULL)
        symbols_close(&symbols);
    return symbols;
}

void symbols_close(struct symbols **pointer)
{
    struct symbols *symbols = *pointer;
    *pointer = NULL;
    if (symbols == NULL)
        return;
    elf_end(symbols->elf);
    if (symbols->fd >= 0)
        close(symbols->fd);
    note_fini(&symbols->note);
    free(symbols);
}

const char *symbols_build_id(const struct symbols *symbols)
{
    return symbols->note.build_id;
}

static void copy_masked(char *name, size_t capacity, const char *from)
{
    size_t length = 0;
    for (; from[length] != '\0' && length < capacity - 1; length++)
        name[length] = from[length] > ' ' && from[length] < 0x7f ? from[length] : '?';
    name[length] = '\0';
}

static bool is_around(const GElf_Sym *symbol, uint64_t address)
{
    return GELF_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
           address >= symbol->st_value && address - symbol->st_value < symbol->st_size;
}

static bool find_in(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, uint64_t address,
                    const char **name)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = data == NULL ? 0 : data->d_size / sizeof(ElfW(Sym));
    for (size_t i = 0; i < count && i < INT32_MAX; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol) == NULL || !is_around(&symbol, address))
            continue;
        *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (*name != NULL && **name != '\0')
            return true;
    }
    return false;
}

/* The full table stands behind the one for the dynamic linker, and knows more: static functions. */
static bool find_type(Elf *elf, uint32_t type, uint64_t address, const char **name)
{
    GElf_Shdr header;
    for (Elf_Scn *at = NULL; (at = elf_nextscn(elf, at)) != NULL;)
        if (gelf_getshdr(at, &header) != NULL && header.sh_type == type &&
            find_in(elf, at, &header, address, name))
            return true;
    return false;
}

bool symbols_find(const struct symbols *symbols, uint64_t address, char *name, size_t capacity)
{
    const char *found;
    if (!find_type(symbols->elf, SHT_SYMTAB, address, &found) &&
        !find_type(symbols->elf, SHT_DYNSYM, address, &found))
        return false;
    copy_masked(name, capacity, found);
    return true;
}
