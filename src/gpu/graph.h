#ifndef TOCHA_GPU_GRAPH_H
#define TOCHA_GPU_GRAPH_H
/* Graphs: streams whose work is recorded, and their memory. */
#include "gpu/gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const BackendGraphs gpu_graphs;

/* Whether the calling thread records a graph on that device. */
bool gpu_records(Device d);
/* False, with an error, if it does: a recorded program cannot wait for results. */
bool gpu_may_wait(Device d);
/* Where the seed and the first counter of a random op stand on the device while a graph is
 * recorded; NULL otherwise. */
const uint64_t *gpu_recorded_counters(Device d);
/* Whether the thread's last call of a random op has asked for that. */
bool gpu_counters_asked(void);

/* Whether an optimiser step's numbers are recorded or renewed, not fixed (GraphNumbers). */
bool gpu_numbers_change(Device d);
/* A launch that is given numbers by value which change with each replay. Kernel and data, the
 * tensors that it is for, have to be those that were recorded. */
typedef struct StepLaunch {
    Device device;
    const void *kernel;
    const void *const *data;
    int n_data;
    const void *numbers;
    size_t bytes;
} StepLaunch;
/* *recorded: where the numbers stand on the device, if the launch is recorded; NULL otherwise.
 * *launches: false, if the call was for its numbers alone. */
bool gpu_step_numbers(const StepLaunch *l, const void **recorded, bool *launches);

/* Words that replays write before they start, as they are at that time. */
enum { GPU_WORDS = 384 }; /* 3 KiB: they travel as a kernel's arguments */
typedef struct GpuWords {
    uint64_t word[GPU_WORDS];
} GpuWords;
/* Writes the first n of them to the device's memory, when the stream comes to it. */
bool gpu_write_words(cudaStream_t stream, uint64_t *to, const GpuWords *from, int n);

#ifdef __cplusplus
}
#endif
#endif
