#include "lapack.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <string>

namespace hostgpu {

static void *library() {
    static void *opened = [] {
        const char *const names[] = {"libopenblas.so.0", "libopenblasp.so.0", "libopenblas.so"};
        void *found = nullptr;
        for (const char *name : names) {
            found = found ? found : dlopen(name, RTLD_NOW | RTLD_LOCAL);
        }
        void (*threads)(int) = nullptr;
        if (found && (threads = (void (*)(int))dlsym(found, "openblas_set_num_threads"))) {
            threads(1);
        }
        return found;
    }();
    return opened;
}

void *lapack_find(char letter, const char *name) {
    std::string full = std::string(1, letter) + name + "_";
    void *found = library() ? dlsym(library(), full.c_str()) : nullptr;
    if (!found) {
        fprintf(stderr, "hostgpu: OpenBLAS has no %s, which the stand-in for cuSOLVER calls\n",
                full.c_str());
        abort();
    }
    return found;
}

} // namespace hostgpu
