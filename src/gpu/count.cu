/* Counting how often each number comes: integer additions, whose order does not matter. */
#include "gpu/fault.cuh"

static __global__ void count_kernel(const int64_t *x, int64_t n, int64_t step,
                                    unsigned long long *out, int64_t bins, GpuFaultSite site) {
    for (int64_t i = first_of(); i < n; i += step_of()) {
        int64_t bin = checked_offset(site, x[i * step], bins, i, false);
        if (bin >= 0) {
            atomicAdd(&out[bin], 1ull);
        }
    }
}

static bool bincount_static(const KernelCall *c) {
    const View *in = &c->in[0], *out = &c->out[0];
    if (!gpu_fill_view(c, out, whole(0))) {
        return false;
    }
    if (in->numel > 0) {
        launch(launch_over(c, in->numel), count_kernel, (const int64_t *)in->data, in->numel,
               in->stride[0], (unsigned long long *)out->data, out->numel,
               gpu_fault_site(c, "input", in));
    }
    return true;
}

const KernelRow gpu_count_rows[] = {{"bincount_static", bincount_static}, {NULL, NULL}};
