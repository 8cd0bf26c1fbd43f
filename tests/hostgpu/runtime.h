#ifndef TOCHA_HOSTGPU_RUNTIME_H
#define TOCHA_HOSTGPU_RUNTIME_H
/* What the parts of the stand-in for CUDA's runtime share. */
#include <mutex>
#include <string>

#include "hostgpu.h"

namespace hostgpu {

/* One lock around everything: kernels run on the thread whose call lets them run. */
extern std::recursive_mutex lock;
typedef std::lock_guard<std::recursive_mutex> Guard;

/* The error of the last call, and the one of a failed kernel, which stays. */
extern cudaError_t last_error, sticky_error;
cudaError_t fail(cudaError_t error);

enum Order { FORWARD, REVERSE, RANDOM };
Order thread_order();
uint64_t random_bits();

void run_grid(const char *name, dim3 grid, dim3 block, size_t shared,
              const std::function<void()> &body);

/* Whether these bytes are in one block of device memory. */
bool on_device(const void *p, size_t n);

/* Host memory that is no longer there at a replay, and results that are read at once, cannot be
 * recorded. */
cudaError_t break_capture(cudaStream_t stream);
/* Runs all that is queued. */
void drain_all();
bool is_lazy();

} // namespace hostgpu

/* ThreadSanitizer watches the kernels alone: these files are built without it, and tell it what is
 * ordered by what. */
#if defined(HOSTGPU_TSAN)
    #include <sanitizer/tsan_interface.h>
    #define HOSTGPU_RELEASE(p) __tsan_release(p)
    #define HOSTGPU_ACQUIRE(p) __tsan_acquire(p)
#else
    #define HOSTGPU_RELEASE(p) ((void)(p))
    #define HOSTGPU_ACQUIRE(p) ((void)(p))
#endif

#if defined(__SANITIZE_ADDRESS__)
    #include <sanitizer/asan_interface.h>
    #define HOSTGPU_POISON(p, n)   __asan_poison_memory_region(p, n)
    #define HOSTGPU_UNPOISON(p, n) __asan_unpoison_memory_region(p, n)
#else
    #define HOSTGPU_POISON(p, n)   ((void)(p), (void)(n))
    #define HOSTGPU_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#endif
