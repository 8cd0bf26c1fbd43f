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
/* Writes seed and counter there, when the stream comes to it. */
bool gpu_write_counters(cudaStream_t stream, uint64_t *counters, uint64_t seed, uint64_t offset);

#ifdef __cplusplus
}
#endif
#endif
