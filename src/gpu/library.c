#include "gpu/library.h"

#include <dlfcn.h>

typedef void AnyFn(void);

#ifdef TOCHA_HOSTGPU
/* Of tests/hostgpu: the stand-in for a library's function. */
AnyFn *hostgpu_function(const char *name);

bool hostgpu_has_library(const char *name);

static void *open_any(const GpuLibrary *l) {
    return hostgpu_has_library(l->name) ? (void *)l : NULL;
}
static AnyFn *find(void *library, const char *name) {
    (void)library;
    return hostgpu_function(name);
}
#else
static void *open_any(const GpuLibrary *l) {
    void *library = NULL;
    for (int i = 0; !library && l->files[i]; i++) {
        library = dlopen(l->files[i], RTLD_NOW | RTLD_LOCAL);
    }
    return library;
}
static AnyFn *find(void *library, const char *name) { return (AnyFn *)dlsym(library, name); }
#endif

bool gpu_library_there(const GpuLibrary *l) { return open_any(l) != NULL; }

bool gpu_library_open(const GpuLibrary *l) {
    void *library = open_any(l);
    if (!library) {
        return fail("%s was not found: install it, or add the folder of its %s to LD_LIBRARY_PATH",
                    l->name, l->files[0]);
    }
    for (int i = 0; l->functions[i]; i++) {
        l->found[i] = find(library, l->functions[i]);
        if (!l->found[i]) {
            return fail("%s has no function %s: another version is needed", l->name,
                        l->functions[i]);
        }
    }
    return true;
}
