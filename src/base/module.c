#include "base/module.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool module_path(const char *name, char *path, size_t size) {
    static const char *const places[] = {"", "tocha/"};
    Dl_info info;
    if (!dladdr((const void *)&places, &info) || !info.dli_fname) {
        return false;
    }
    const char *slash = strrchr(info.dli_fname, '/');
    int folder = slash ? (int)(slash - info.dli_fname) + 1 : 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int n = snprintf(path, size, "%.*s%s%s", folder, info.dli_fname, places[i], name);
        if (n > 0 && (size_t)n < size && access(path, F_OK) == 0) {
            return true;
        }
    }
    return false;
}
