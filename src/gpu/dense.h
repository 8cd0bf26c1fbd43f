#ifndef TOCHA_GPU_DENSE_H
#define TOCHA_GPU_DENSE_H
/* For kernels that want their inputs one element after another in row-major order: inputs that are
 * not so are copied. The counterpart of cpu/stage.h; half types stay as they are. */
#include "gpu/gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DENSE_MOST = 12 };

/* Device memory that is given back at the end, which may come as soon as the launches are made. */
typedef struct Dense {
    const KernelCall *call;
    struct {
        void *memory;
        size_t bytes;
    } room[DENSE_MOST];
    int n;
    bool failed;
} Dense;

/* The elements of an input; NULL where it was not given or memory ran out. */
const void *dense_in(Dense *d, const View *v);
/* The same, as elements of that dtype. */
const void *dense_cast(Dense *d, const View *v, int dtype);
/* Scratch memory of that many bytes. */
void *dense_room(Dense *d, size_t bytes);
/* Gives all memory back; ok, unless memory ran out. */
bool dense_end(Dense *d, bool ok);

#ifdef __cplusplus
}
#endif
#endif
