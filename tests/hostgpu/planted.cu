/* Kernels with mistakes, and right ones beside them, for planted_spec.lua: the checkers of
 * tests/hostgpu have to find the first and say nothing of the others. planted NAME runs one and
 * prints what it computes. */
#include <stdio.h>
#include <stdlib.h>

#include "gpu/kernel.cuh"

enum { N = 64 };

__global__ void sum(const float *x, float *out, bool waits) {
    __shared__ float part[N];
    unsigned i = threadIdx.x;
    part[i] = x[i];
    if (waits) {
        __syncthreads();
    }
    if (i == 0) {
        float total = 0;
        for (int k = 0; k < N; k++) {
            total += part[k];
        }
        *out = total;
    }
}

/* Each thread hands its element to the one before it, twice through the same array. */
__global__ void shift_twice(const float *x, float *out, bool waits) {
    __shared__ float held[N];
    unsigned i = threadIdx.x;
    held[i] = x[i];
    __syncthreads();
    float y = held[(i + 1) % N];
    if (waits) {
        __syncthreads();
    }
    held[i] = y;
    __syncthreads();
    out[i] = held[(i + 1) % N];
}

__global__ void count(float *out, bool atomic) {
    if (atomic) {
        atomicAdd(out, 1.0f);
    } else {
        *out += 1.0f;
    }
}

__global__ void copy(const float *x, float *out, int n) {
    int i = (int)threadIdx.x;
    if (i < n) {
        out[i] = x[i];
    }
}

/* Each launch lets other threads come to the same elements. */
__global__ void add_one(float *out, int turned) {
    unsigned i = threadIdx.x;
    if (blockIdx.x == 0) {
        out[turned ? N - 1 - i : i] += 1.0f;
    }
}

__global__ void shared_copy(const float *x, float *out, int beyond) {
    TOCHA_DYNAMIC_SHARED(float, held);
    unsigned i = threadIdx.x;
    held[i + (unsigned)beyond] = x[i];
    __syncthreads();
    out[i] = held[i];
}

__global__ void barrier_for_some(float *out) {
    if (threadIdx.x < N / 2) {
        __syncthreads();
    }
    *out = 1;
    if (threadIdx.x >= N / 2) {
        __syncthreads();
    }
}

__global__ void warp_without_all(float *out) {
    unsigned lane = threadIdx.x % 32;
    if (lane != 7) {
        *out = __shfl_sync(0xffffffffu, (float)lane, 0);
    }
}

static void run(const char *name, const float *x, float *out) {
    auto is = [=](const char *other) { return strcmp(name, other) == 0; };
    auto at = [=](unsigned blocks, size_t shared) {
        return Launch{name, dim3(blocks), dim3(N), shared, nullptr};
    };
    if (is("sum") || is("sum-without-barrier")) {
        launch(at(1, 0), sum, x, out, is("sum"));
    } else if (is("shift") || is("shift-without-barrier")) {
        launch(at(1, 0), shift_twice, x, out, is("shift"));
    } else if (is("count") || is("count-without-atomic")) {
        launch(at(4, 0), count, out, is("count"));
    } else if (is("copy") || is("copy-beyond")) {
        launch(at(1, 0), copy, x + (is("copy") ? 0 : 1), out, N);
    } else if (is("one-after-another")) {
        for (int i = 0; i < 100; i++) {
            launch(at(1 + (unsigned)i % 3, 0), add_one, out, i % 2);
        }
    } else if (is("shared") || is("shared-beyond")) {
        launch(at(1, N * sizeof(float)), shared_copy, x, out, is("shared") ? 0 : 1);
    } else if (is("barrier-for-some")) {
        launch(at(1, 0), barrier_for_some, out);
    } else if (is("warp-without-all")) {
        launch(at(1, 0), warp_without_all, out);
    } else {
        fprintf(stderr, "planted: no kernel is called %s\n", name);
        exit(2);
    }
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    float numbers[N], result = 0;
    void *x, *out;
    for (int i = 0; i < N; i++) {
        numbers[i] = (float)i;
    }
    if (cudaMalloc(&x, sizeof numbers) || cudaMalloc(&out, sizeof numbers)) {
        return 2;
    }
    cudaMemcpyAsync(x, numbers, sizeof numbers, cudaMemcpyHostToDevice, nullptr);
    cudaMemsetAsync(out, 0, sizeof numbers, nullptr);
    run(name, (const float *)x, (float *)out);
    cudaMemcpyAsync(&result, out, sizeof result, cudaMemcpyDeviceToHost, nullptr);
    cudaError_t error = cudaDeviceSynchronize();
    printf("%s %g\n", error ? cudaGetErrorString(error) : "done", (double)result);
    cudaFree(x);
    cudaFree(out);
    return error != cudaSuccess;
}
