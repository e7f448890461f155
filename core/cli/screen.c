#include "cli/screen.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/output.h"

enum { ROWS_UNKNOWN = 24 };

static size_t rows_of_screen(void)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1;
    return known ? size.ws_row : ROWS_UNKNOWN;
}

/* Each line clears what is behind it; lines that are too long are cut by the terminal itself, which
 * knows its width best. */
void screen_draw(const char *text, size_t length)
{
    size_t rows = rows_of_screen() - 1;

    fputs("\033[H\033[?7l", stdout);
    for (size_t row = 0; row < rows && length > 0; row++) {
        const char *newline = memchr(text, '\n', length);
        size_t line = newline == NULL ? length : (size_t)(newline - text);
        fwrite(text, 1, line, stdout);
        fputs("\033[K\n", stdout);
        line += newline != NULL;
        text += line;
        length -= line;
    }
    fputs("\033[J\033[?7h", stdout);
    output_flush();
}

void screen_end(void)
{
    fputs("\033[?7h", stdout);
    output_flush();
}
