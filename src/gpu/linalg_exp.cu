/* Steps of the matrix exponential, on float64 or complex128 matrices without gaps. */
#include "gpu/linalg_exp.h"

#include "gpu/matrices.cuh"

enum { WIDTH = 128 };

/* The largest sum of a column's parts, a block for each matrix; nan where a number is not finite.
 */
__global__ void norms_kernel(StackView a, double *norm) {
    __shared__ double most[WIDTH];
    for (int64_t i = blockIdx.x; i < a.count; i += gridDim.x) {
        double largest = 0;
        for (int64_t r = threadIdx.x; r < a.rows; r += WIDTH) {
            double sum = 0;
            for (int64_t j = 0; j < a.columns; j++) {
                Complex128 z = a.get(a.at(i, r, j));
                sum += fabs(z.re) + fabs(z.im);
            }
            largest = sum > largest || isnan(sum) ? sum : largest;
            largest = isnan(largest) ? INFINITY : largest;
        }
        most[threadIdx.x] = largest;
        __syncthreads();
        for (int width = WIDTH / 2; width > 0; width /= 2) {
            if ((int)threadIdx.x < width) {
                most[threadIdx.x] = fmax(most[threadIdx.x], most[threadIdx.x + width]);
            }
            __syncthreads();
        }
        if (threadIdx.x == 0) {
            norm[i] = most[0];
        }
        __syncthreads();
    }
}

bool exp_norms(const KernelCall *c, const Stack *a, double *norm) {
    launch(launch_for_each(c, a->count, WIDTH), norms_kernel, numbers(a), norm);
    return true;
}

__global__ void scale_kernel(StackView a, const int *halvings) {
    for (int64_t i = first_of(); i < a.numel(); i += step_of()) {
        int times = halvings[i / a.step];
        Complex128 z = f_scale_by_c128(a.get(i), times < 0 ? 0 : ldexp(1.0, -times));
        a.set(i, times < 0 ? f_make_c128(0, 0) : z);
    }
}

bool exp_scale(const KernelCall *c, const Stack *a, const int *halvings) {
    launch(launch_over(c, numel(a)), scale_kernel, numbers(a), halvings);
    return true;
}

namespace {

struct Combination {
    StackView sum, power[3];
    double factor[4];
    bool adds;
};

__global__ void combine_kernel(Combination p) {
    for (int64_t i = first_of(); i < p.sum.numel(); i += step_of()) {
        Complex128 z = p.adds ? p.sum.get(i) : f_make_c128(0, 0);
        z.re += i % p.sum.step % (p.sum.rows + 1) == 0 ? p.factor[0] : 0;
        for (int k = 0; k < 3; k++) {
            z = f_add_c128(z, f_scale_by_c128(p.power[k].get(i), p.factor[k + 1]));
        }
        p.sum.set(i, z);
    }
}

} // namespace

bool exp_combine(const KernelCall *c, const Stack *sum, const Stack power[3],
                 const double factor[4], bool adds) {
    Combination p = Combination();
    p.sum = numbers(sum);
    p.factor[0] = factor[0];
    for (int k = 0; k < 3; k++) {
        p.power[k] = numbers(&power[k]);
        p.factor[k + 1] = factor[k + 1];
    }
    p.adds = adds;
    launch(launch_over(c, numel(sum)), combine_kernel, p);
    return true;
}

__global__ void ends_kernel(StackView u, StackView v) {
    for (int64_t i = first_of(); i < u.numel(); i += step_of()) {
        Complex128 odd = u.get(i), even = v.get(i);
        u.set(i, f_sub_c128(even, odd));
        v.set(i, f_add_c128(even, odd));
    }
}

bool exp_ends(const KernelCall *c, const Stack *u, const Stack *v) {
    launch(launch_over(c, numel(u)), ends_kernel, numbers(u), numbers(v));
    return true;
}

__global__ void take_squares_kernel(StackView a, StackView squares, const int *squarings,
                                    int done) {
    for (int64_t i = first_of(); i < a.numel(); i += step_of()) {
        if (done < squarings[i / a.step]) {
            a.set(i, squares.get(i));
        }
    }
}

bool exp_take_squares(const KernelCall *c, const Stack *a, const Stack *squares,
                      const int *squarings, int done) {
    launch(launch_over(c, numel(a)), take_squares_kernel, numbers(a), numbers(squares), squarings,
           done);
    return true;
}
