/* Two stages, so that neither start-up nor a session without a GPU pays for CUDA: the driver alone
 * is asked for devices; only where there are some is the module loaded, and CUDA's runtime with
 * it. */
#include "tensor/backend_load.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cuda_driver.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/module.h"
#include "tensor/settings.h"

enum { MODULE_PATH_MAX = 4096 };

static void record(int kind, const char *text) { error_record((ErrorKind)kind, "%s", text); }

bool backend_module_path(char *path, size_t size) {
    return module_path("tocha_cuda.so", path, size);
}

static const Backend *open_module(const char *path, char *why, size_t size) {
    static const BackendHost host = {.abi = BACKEND_ABI,
                                     .size = sizeof host,
                                     .error = record,
                                     .clear_error = error_clear,
                                     .alloc = mem_alloc,
                                     .release = mem_free,
                                     .refused = mem_refused,
                                     .setting = setting_get};
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module) {
        snprintf(why, size, "its module does not load: %s", dlerror());
        return NULL;
    }
    BackendOpen *open = (BackendOpen *)dlsym(module, BACKEND_OPEN);
    const Backend *backend = open ? open(&host) : NULL;
    if (!backend) {
        const char *message = error_message();
        snprintf(why, size, "%s", message ? message : "its module is none of Tocha's");
        error_clear();
        dlclose(module);
    }
    return backend;
}

const Backend *backend_load(char *why, size_t size) {
    /* For tests: a module that runs the kernels on the CPU. */
    const char *stand_in = getenv("TOCHA_HOSTGPU");
    if (stand_in && *stand_in) {
        return open_module(stand_in, why, size);
    }
    char path[MODULE_PATH_MAX];
    const char *missing;
    if (!backend_module_path(path, sizeof path)) {
        snprintf(why, size, "this Tocha was built without CUDA");
        return NULL;
    }
    if (cuda_driver_devices(&missing) == 0) {
        snprintf(why, size, "%s", missing);
        return NULL;
    }
    return open_module(path, why, size);
}
