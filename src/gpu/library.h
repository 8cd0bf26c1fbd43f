#ifndef TOCHA_GPU_LIBRARY_H
#define TOCHA_GPU_LIBRARY_H
/* NVIDIA's libraries, opened at the first use of a function of theirs: a session that needs none
 * pays for none. */
#include "gpu/gpu.h"

typedef struct GpuLibrary {
    const char *name;             /* for errors: "cuBLAS" */
    const char *const *files;     /* what it may be called, ends at NULL */
    const char *const *functions; /* ends at NULL */
    void (**found)(void);         /* as many as functions, filled in */
} GpuLibrary;

/* Finds all functions; false with an error that says what to install. Called once by each user,
 * under a lock of its own. */
bool gpu_library_open(const GpuLibrary *l);
/* Whether there is such a library, of whatever version; for what can do without. */
bool gpu_library_there(const GpuLibrary *l);

#endif
