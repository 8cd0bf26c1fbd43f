/* What a replay of a graph writes first. It goes as arguments: a copy from the host's memory would
 * have to wait for the device. */
#include "gpu/kernel.cuh"

__global__ void words_kernel(uint64_t *to, GpuWords from, int n) {
    for (int i = (int)threadIdx.x; i < n; i += (int)blockDim.x) {
        to[i] = from.word[i];
    }
}

bool gpu_write_words(cudaStream_t stream, uint64_t *to, const GpuWords *from, int n) {
    launch(Launch{"graph", dim3(1), dim3(n < 32 ? 32 : 128), 0, stream}, words_kernel, to, *from,
           n);
    return gpu_ok(cudaGetLastError(), "graph");
}
