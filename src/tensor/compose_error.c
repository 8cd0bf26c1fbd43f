#include "tensor/compose_error.h"

#include <stdio.h>
#include <string.h>

Tensor *fail_as_caller(const char *inner, const char *caller) {
    const char *message = error_message();
    size_t n = strlen(inner);
    if (message && strncmp(message, inner, n) == 0 && message[n] == ':') {
        char text[ERROR_MESSAGE_MAX + 1];
        ErrorKind kind = error_kind();
        snprintf(text, sizeof text, "%s", message + n);
        error_clear();
        fail_kind(kind, "%s%s", caller, text);
    }
    return NULL;
}
