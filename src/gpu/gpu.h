#ifndef TOCHA_GPU_H
#define TOCHA_GPU_H
/* What the parts of the CUDA backend share; compiled as C, as C++ and as CUDA. Functions that can
 * fail return false or NULL after recording an error (base/error.h). */
#include <cuda_runtime_api.h>

#include "base/error.h"
#include "tensor/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { GPU_DEVICES = 16 };

/* The first error that a kernel found in its data, written by the device into host memory. op and
 * text live as long as the process. */
typedef struct GpuFault {
    int set;  /* written last */
    int kind; /* GpuFaultKind */
    const char *op,
        *param; /* param: the index argument's name; FAULT_TEXT, FAULT_ELEMENT: the sentence */
    int64_t value, size, place;
    int64_t shape[MAX_DIMS]; /* of the index tensor that place counts in */
    int dim;
} GpuFault;

typedef enum {
    FAULT_NONE,
    FAULT_INDEX,     /* value is not in [1, size] */
    FAULT_INDEX_END, /* the same, where negatives count from the end */
    FAULT_LABEL,     /* a class label is not in [1, size] */
    FAULT_CTC,       /* and a CtcWrong on top (tensor/ctc.h) */
    FAULT_CTC_LAST = FAULT_CTC + 2,
    FAULT_ELEMENT, /* an element has a wrong value, whose bits as a double value holds */
    FAULT_WEIGHTS, /* row place has value weights above 0 and needs size */
    FAULT_TEXT
} GpuFaultKind;

/* What a kernel needs to report faults (gpu/fault.cuh); an argument of the launch, by value. */
typedef struct GpuFaultSite {
    int *taken;       /* device memory: 1 once a thread has reported */
    GpuFault *record; /* pinned host memory */
    const char *op, *param;
    int64_t shape[MAX_DIMS];
    int dim;
} GpuFaultSite;

/* What the process has chosen of a Setting. */
int64_t gpu_setting(int which);

/* How many devices there are; 0 where the runtime does not work. */
int gpu_device_count(void);
/* Makes d the calling thread's CUDA device and prepares it at first use. */
bool gpu_enter(Device d);
/* The calling thread's current stream of a device that was entered. */
cudaStream_t gpu_stream(Device d);
/* Streaming multiprocessors of a device that was entered. */
int gpu_processors(Device d);
/* The number before the point of its compute capability. */
int gpu_generation(Device d);
/* True for cudaSuccess; else records "what: the error's text". */
bool gpu_ok(cudaError_t error, const char *what);
/* Waits for the thread's current stream, or for all of the device, and reports what kernels have
 * found wrong. */
bool gpu_wait_stream(Device d);
bool gpu_synchronize(Device d);
/* The same, where op is known to be what was at work. */
bool gpu_finish(Device d, const char *op);
/* False, with its error, if a kernel that is done has found a fault. */
bool gpu_report_fault(Device d);
/* For faults about argument param, whose elements are those of index (NULL: no position). */
GpuFaultSite gpu_fault_site(const KernelCall *c, const char *param, const View *index);

/* Device memory, ordered by the thread's current stream: a block that was released may be handed
 * out again at once to work that comes later on that stream. NULL with an error of kind ERR_MEMORY.
 * Kernels take scratch memory the same way, and may release it as soon as the launch is made. */
void *gpu_alloc(Device d, size_t bytes);
void gpu_release(Device d, void *p, size_t bytes);
/* The block is used by stream too: it is not handed out again before the work that stream has at
 * the time of its release is done. */
bool gpu_uses(Device d, void *p, cudaStream_t stream);
/* Before a stream, whose work is done, goes. */
void gpu_memory_forget(Device d, cudaStream_t stream);
/* The same for a graph's stream: its memory is kept for it alone until the graph goes. */
bool gpu_memory_reserve(Device d, cudaStream_t stream);
void gpu_memory_retire(Device d, cudaStream_t stream);
/* Whether p was taken on that stream and is still handed out. */
bool gpu_memory_is_of(Device d, const void *p, cudaStream_t stream);
bool gpu_memory_stats(Device d, DeviceMemory *stats);
bool gpu_memory_trim(Device d, size_t keep);
void gpu_memory_reset_peak(Device d);
bool gpu_memory_limit(Device d, size_t bytes);

void *gpu_pinned_alloc(size_t bytes);
void gpu_pinned_release(void *p, size_t bytes);

bool gpu_copy(Device dst_device, void *dst, Device src_device, const void *src, size_t bytes);
/* The same, but a copy from pinned memory is not waited for. */
bool gpu_copy_early(Device dst_device, void *dst, Device src_device, const void *src, size_t bytes);

extern const BackendStreams gpu_streams;
/* NULL: the device's own. */
void gpu_stream_use(Device d, cudaStream_t stream);

/* Kernels, by family; rows end at op == NULL. */
#define FAMILY(x)  extern const KernelRow gpu_##x##_rows[];
#define COMPLEX(x) FAMILY(x)
#include "gpu/families.def"
#undef FAMILY
#undef COMPLEX

/* Copies src, broadcast, to dst and converts it to dst's dtype; the same where the dtypes differ;
 * writes a number everywhere. On the stream of a call. */
bool gpu_copy_view(const KernelCall *c, const View *dst, const View *src);
bool gpu_cast_view(const KernelCall *c, const View *dst, const View *src);
/* gpu_cast_view where one of the dtypes is complex. */
bool gpu_cast_complex_view(const KernelCall *c, const View *dst, const View *src);
/* Copies src to doubles without gaps. */
bool gpu_copy_doubles(const KernelCall *c, double *dst, const View *src);
bool gpu_fill_view(const KernelCall *c, const View *dst, Arg number);

#ifdef __cplusplus
}
#endif
#endif
