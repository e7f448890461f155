#include "support/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A message often quotes what a user wrote; it stays one line and cannot steer a terminal. */
static void message_make_one_line(char *message)
{
    for (char *c = message; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
}

static void message_mark_cut(char *message)
{
    memcpy(message + ERROR_MESSAGE_BYTES - 4, "...", 4);
}

/* Returns the length that the whole text would have had. */
static size_t message_format(char *message, const char *format, va_list arguments)
{
    int wanted = vsnprintf(message, ERROR_MESSAGE_BYTES, format, arguments);

    if (wanted >= ERROR_MESSAGE_BYTES)
        message_mark_cut(message);
    message_make_one_line(message);
    return wanted < 0 ? 0 : (size_t)wanted;
}

bool error_set(struct error *error, const char *code, const char *format, ...)
{
    va_list arguments;

    if (error == NULL)
        return false;
    error->code = code;
    va_start(arguments, format);
    message_format(error->message, format, arguments);
    va_end(arguments);
    return false;
}

bool error_errno(struct error *error, const char *code, const char *format, ...)
{
    int number = errno;
    va_list arguments;

    if (error == NULL)
        return false;
    error->code = code;
    va_start(arguments, format);
    size_t length = message_format(error->message, format, arguments);
    va_end(arguments);
    if (length < ERROR_MESSAGE_BYTES) {
        char text[128];
        size_t room = ERROR_MESSAGE_BYTES - length;
        int wanted =
            snprintf(error->message + length, room, ": %s", strerror_r(number, text, sizeof(text)));
        if (wanted >= 0 && (size_t)wanted >= room)
            message_mark_cut(error->message);
    }
    return false;
}
