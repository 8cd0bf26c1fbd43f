/* The factor of a Fourier transform, which cuFFT does not know. */
#include "gpu/fft_plan.h"
#include "gpu/kernel.cuh"

template <class T> __global__ void scale_kernel(T *data, int64_t n, T scale) {
    for (int64_t i = first_of(); i < n; i += step_of()) {
        data[i] *= scale;
    }
}

bool gpu_fft_scale(const KernelCall *c, void *data, bool wide, int64_t n, double scale) {
    if (n == 0 || scale == 1) {
        return true;
    }
    if (wide) {
        launch(launch_over(c, n), scale_kernel<double>, (double *)data, n, scale);
    } else {
        launch(launch_over(c, n), scale_kernel<float>, (float *)data, n, (float)scale);
    }
    return true;
}
