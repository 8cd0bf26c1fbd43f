#ifndef TOCHA_GPU_PICK_H
#define TOCHA_GPU_PICK_H
/* Elements of a tensor that are picked by positions, against the elements of a dense side. All
 * three views have the shape of the dense side: the element of dense belongs to the one of base,
 * moved on by as many bytes as at, int64, says. */
#include "gpu/gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct GpuPick {
    View dense, base, at;
} GpuPick;

/* at = bytes from the start of a dim to the position that index, int64 and broadcast to at, has
 * there, or that much more; entries are step bytes apart. Positions outside of the dim's size are
 * reported as those of param, and their elements left alone by what follows. */
bool gpu_pick_offsets(const KernelCall *c, const char *param, const View *at, const View *index,
                      int64_t size, int64_t step, bool from_end, bool more);
/* Reads: dense = the picked elements. */
bool gpu_pick_take(const KernelCall *c, const GpuPick *p);
/* Writes: the picked elements of tensor = dense; of several to one the last in row-major order. */
bool gpu_pick_put(const KernelCall *c, const GpuPick *p, const View *tensor);
/* Adds dense to the picked elements of tensor, multiplies them by it, or takes the largest or the
 * smallest, where a nan wins; the same bits every time. */
bool gpu_pick_add(const KernelCall *c, const GpuPick *p, const View *tensor);
bool gpu_pick_prod(const KernelCall *c, const GpuPick *p, const View *tensor);
bool gpu_pick_max(const KernelCall *c, const GpuPick *p, const View *tensor);
bool gpu_pick_min(const KernelCall *c, const GpuPick *p, const View *tensor);

/* The positions where a mask is true, one vector of count for each of its dims, one behind the
 * other: device memory that the caller releases, with count * dims int64. Waits for the device.
 * NULL: out of memory, or a fault of earlier work. */
int64_t *gpu_mask_columns(const KernelCall *c, const View *mask, int64_t *count);

#ifdef __cplusplus
}
#endif
#endif
