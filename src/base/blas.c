#include "base/blas.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define INSTALL "install it with: apt-get install libopenblas0-pthread"

enum { ERROR_MAX = 1024 };

/* The names under which systems have a library that several threads may call at once. */
static const char *const plain_names[] = {"libopenblas.so.0", "libopenblasp.so.0",
                                          "libopenblas.so"};

/* Where a system keeps such a library beside one that they may not. */
static const char *const variants[] = {"openblas-pthread", "openblas-openmp"};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *handle;
static Blas functions;
static BlasInfo info;
static char path[PATH_MAX];
static char load_error[ERROR_MAX];

/* A variable of the environment that has another value until it is restored. */
typedef struct {
    const char *name;
    char *before;
    bool changed;
} Setting;

static Setting set_variable(const char *name, const char *value) {
    const char *before = getenv(name);
    Setting s = {.name = name, .before = before ? strdup(before) : NULL};
    s.changed = (!before || s.before) && setenv(name, value, 1) == 0;
    return s;
}

static void restore_variable(Setting *s) {
    if (s->changed && s->before) {
        setenv(s->name, s->before, 1);
    } else if (s->changed) {
        unsetenv(s->name);
    }
    free(s->before);
}

/*
 * The kernels to ask for. Releases up to 0.3.21 take some newer processors for a Pentium 4, seven
 * times slower than they are. NULL leaves the choice to the library.
 */
static const char *best_core(void) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
        return "SKYLAKEX";
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return "HASWELL";
    }
#endif
    return NULL;
}

/* Opens a library with the environment that tells it its core and to start no threads; what the
 * user has set for the core stays. */
static void *open_library(const char *name) {
    const char *core = getenv("OPENBLAS_CORETYPE") ? NULL : best_core();
    Setting settings[] = {set_variable("OPENBLAS_NUM_THREADS", "1"),
                          set_variable("OMP_NUM_THREADS", "1"),
                          core ? set_variable("OPENBLAS_CORETYPE", core) : (Setting){0}};
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        restore_variable(&settings[i]);
    }
    return library;
}

static __attribute__((format(printf, 1, 2))) bool cannot_load(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(load_error, sizeof load_error, fmt, args);
    va_end(args);
    return false;
}

/* Looks up a function; POSIX has dlsym() return functions as void pointers. */
static bool find(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    if (!symbol) {
        return cannot_load("blas: %s has no function %s; " INSTALL, path, name);
    }
    memcpy(function, &symbol, sizeof symbol);
    return true;
}

static bool find_functions(void *library) {
    Blas *f = &functions;
    return find(library, "cblas_sgemm", &f->sgemm) && find(library, "cblas_dgemm", &f->dgemm) &&
           find(library, "cblas_sgemv", &f->sgemv) && find(library, "cblas_dgemv", &f->dgemv) &&
           find(library, "cblas_sger", &f->sger) && find(library, "cblas_dger", &f->dger) &&
           find(library, "cblas_sdot", &f->sdot) && find(library, "cblas_ddot", &f->ddot) &&
           find(library, "cblas_saxpy", &f->saxpy) && find(library, "cblas_daxpy", &f->daxpy);
}

static void note_path(void *library, const char *name) {
    struct link_map *map = NULL;
    const char *found = name;
    if (dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && map->l_name[0]) {
        found = map->l_name;
    }
    if (!realpath(found, path)) {
        snprintf(path, sizeof path, "%s", found);
    }
}

/*
 * Takes an opened library into use. False, with load_error, if it is not what we can work with. A
 * build without threads also lacks the locks around its buffers: two threads that call it at once
 * get wrong products, so it is refused.
 */
static bool adopt(void *library, const char *name) {
    const char *(*config)(void) = NULL, *(*core)(void) = NULL;
    void (*set_threads)(int) = NULL;
    note_path(library, name);
    if (!find(library, "openblas_get_config", &config) ||
        !find(library, "openblas_get_corename", &core) ||
        !find(library, "openblas_set_num_threads", &set_threads) || !find_functions(library)) {
        return false;
    }
    if (strstr(config(), "SINGLE_THREADED")) {
        return cannot_load("blas: %s cannot be called by several threads at once; " INSTALL, path);
    }
    if (strstr(config(), "USE64BITINT")) {
        return cannot_load("blas: %s has 64-bit integers, expected 32-bit ones; " INSTALL, path);
    }
    set_threads(1);
    info = (BlasInfo){.library = path, .core = core(), .config = config()};
    handle = library;
    return true;
}

static bool try_library(const char *name) {
    void *library = open_library(name);
    if (!library) {
        const char *why = dlerror();
        return cannot_load("blas: cannot load OpenBLAS (%s); " INSTALL, why ? why : name);
    }
    if (!adopt(library, name)) {
        dlclose(library);
        return false;
    }
    return true;
}

/* Tries the threaded variants in the folders beside the library that path names, or above it. */
static bool try_variants(void) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(folder, '/');
        if (!slash) {
            return false;
        }
        *slash = '\0';
        for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
            char name[PATH_MAX + 64];
            snprintf(name, sizeof name, "%s/%s/libopenblas.so.0", folder, variants[i]);
            if (try_library(name)) {
                return true;
            }
        }
    }
    return false;
}

static void load(void) {
    const char *wish = getenv("TOCHA_BLAS");
    if (wish && *wish) {
        if (!try_library(wish)) {
            char why[ERROR_MAX];
            snprintf(why, sizeof why, "%s", load_error);
            cannot_load("%.900s (TOCHA_BLAS is \"%.100s\")", why, wish);
        }
        return;
    }
    char first_error[ERROR_MAX] = "";
    for (size_t i = 0; i < sizeof plain_names / sizeof *plain_names; i++) {
        path[0] = '\0';
        if (try_library(plain_names[i]) || (path[0] && try_variants())) {
            return;
        }
        if (!first_error[0] || path[0]) {
            snprintf(first_error, sizeof first_error, "%s", load_error);
        }
    }
    snprintf(load_error, sizeof load_error, "%s", first_error);
}

const Blas *blas(void) {
    pthread_once(&once, load);
    if (!handle) {
        return fail_null("%s", load_error);
    }
    return &functions;
}

void *blas_symbol(const char *name) {
    if (!blas()) {
        return NULL;
    }
    void *symbol = dlsym(handle, name);
    return symbol ? symbol : fail_null("blas: %s has no function %s", path, name);
}

const BlasInfo *blas_info(void) { return blas() ? &info : NULL; }
