#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

enum { MESSAGE_MAX = 1024 };

static _Atomic(WarnHook *) current_hook;

void warn(const char *fmt, ...) {
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (length < 0) {
        snprintf(message, sizeof message, "a warning whose text cannot be formatted: %s", fmt);
    }
    for (char *c = message; *c; c++) {
        if (*c == '\n' || *c == '\r') {
            *c = ' ';
        }
    }
    WarnHook *hook = atomic_load_explicit(&current_hook, memory_order_acquire);
    if (hook) {
        hook(message);
    } else {
        fprintf(stderr, "tocha: %s\n", message);
    }
}

WarnHook *warn_set_hook(WarnHook *hook) {
    return atomic_exchange_explicit(&current_hook, hook, memory_order_acq_rel);
}
