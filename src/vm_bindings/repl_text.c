/* Growing text. */
#include "vm_bindings/repl.h"

#include <stdlib.h>
#include <string.h>

void text_add(Text *t, const char *s, size_t n) {
    if (t->failed) {
        return;
    }
    if (t->capacity - t->length <= n) {
        size_t wanted = (t->length + n + 1) * 2;
        char *grown = realloc(t->data, wanted);
        if (!grown) {
            t->failed = true;
            return;
        }
        t->data = grown;
        t->capacity = wanted;
    }
    memcpy(t->data + t->length, s, n);
    t->length += n;
    t->data[t->length] = '\0';
}

void text_puts(Text *t, const char *s) { text_add(t, s, strlen(s)); }

void text_spaces(Text *t, size_t n) {
    for (size_t i = 0; i < n; i++) {
        text_add(t, " ", 1);
    }
}

void text_cut(Text *t, size_t length) {
    if (length < t->length) {
        t->length = length;
        t->data[length] = '\0';
    }
}

void text_free(Text *t) {
    free(t->data);
    *t = (Text){0};
}
