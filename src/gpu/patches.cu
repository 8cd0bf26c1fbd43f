/* Images as the patches that windows see: an element of the patches finds its pixel, and a pixel
 * the elements of the patches that show it. */
#include "gpu/dense.h"
#include "gpu/divide.cuh"
#include "tensor/patches_shape.h"

namespace {

/* Of height and width. columns are (planes, kernel[0], kernel[1], out[0], out[1]). */
struct Patches {
    int64_t in[2], out[2], kernel[2], stride[2], padding[2], dilation[2];
    Size by_in[2], by_out[2], by_kernel[2];
    int64_t numel; /* of what is written */
};

template <class T> __global__ void take_kernel(Patches p, const T *in, T *out) {
    for (int64_t i = first_of(); i < p.numel; i += step_of()) {
        int64_t x = i, y = divide(p.by_out[1], &x), kx = divide(p.by_out[0], &y);
        int64_t ky = divide(p.by_kernel[1], &kx), plane = divide(p.by_kernel[0], &ky);
        int64_t row = y * p.stride[0] - p.padding[0] + ky * p.dilation[0];
        int64_t column = x * p.stride[1] - p.padding[1] + kx * p.dilation[1];
        bool inside = row >= 0 && row < p.in[0] && column >= 0 && column < p.in[1];
        out[i] = inside ? in[(plane * p.in[0] + row) * p.in[1] + column] : T();
    }
}

/* The position of the window whose tap shows what lies at at along an axis; -1: there is none. */
static __device__ __forceinline__ int64_t window_of(const Patches &p, int axis, int64_t at,
                                                    int64_t tap) {
    int64_t start = at + p.padding[axis] - tap * p.dilation[axis], o = start / p.stride[axis];
    return start >= 0 && o * p.stride[axis] == start && o < p.out[axis] ? o : -1;
}

template <class T> __global__ void add_kernel(Patches p, const T *in, T *out) {
    typedef Math<T> M;
    for (int64_t i = first_of(); i < p.numel; i += step_of()) {
        int64_t column = i, row = divide(p.by_in[1], &column), plane = divide(p.by_in[0], &row);
        const T *columns = in + plane * p.kernel[0] * p.kernel[1] * p.out[0] * p.out[1];
        M sum = 0;
        for (int64_t ky = 0; ky < p.kernel[0]; ky++) {
            int64_t y = window_of(p, 0, row, ky);
            for (int64_t kx = 0; kx < p.kernel[1] && y >= 0; kx++) {
                int64_t x = window_of(p, 1, column, kx);
                if (x >= 0) {
                    int64_t tap = ky * p.kernel[1] + kx;
                    sum += load(columns[(tap * p.out[0] + y) * p.out[1] + x]);
                }
            }
        }
        out[i] = Element<T>::store(sum);
    }
}

} // namespace

static Patches patches_of(const KernelCall *c, const ConvShape &s) {
    Patches p = Patches();
    p.numel = c->out[0].numel;
    for (int i = 0; i < 2; i++) {
        p.in[i] = s.in[i + 1];
        p.out[i] = s.out[i + 1];
        p.kernel[i] = s.kernel[i + 1];
        p.stride[i] = s.stride[i + 1];
        p.padding[i] = s.padding[i + 1];
        p.dilation[i] = s.dilation[i + 1];
        p.by_in[i] = size_of(p.in[i], p.numel);
        p.by_out[i] = size_of(p.out[i], p.numel);
        p.by_kernel[i] = size_of(p.kernel[i], p.numel);
    }
    return p;
}

static bool im2col(const KernelCall *c) {
    ConvShape s;
    if (!patches_shape(c->op, c->arg, 1, Ints{c->in[0].shape, c->in[0].dim}, &s)) {
        return false;
    }
    Dense d = Dense();
    d.call = c;
    Patches p = patches_of(c, s);
    const void *in = dense_in(&d, &c->in[0]);
    bool ok =
        p.numel == 0 || d.failed || for_width(c->in[0].dtype, [&](auto zero) {
            typedef decltype(zero) T;
            launch(launch_over(c, p.numel), take_kernel<T>, p, (const T *)in, (T *)c->out[0].data);
            return true;
        });
    return dense_end(&d, ok);
}

static bool col2im(const KernelCall *c) {
    ConvShape s;
    if (!col2im_shape(c->op, c->arg, Ints{c->in[0].shape, c->in[0].dim}, &s)) {
        return false;
    }
    Dense d = Dense();
    d.call = c;
    Patches p = patches_of(c, s);
    const void *in = dense_in(&d, &c->in[0]);
    bool ok =
        p.numel == 0 || d.failed || for_float(c->in[0].dtype, [&](auto zero) {
            typedef decltype(zero) T;
            launch(launch_over(c, p.numel), add_kernel<T>, p, (const T *)in, (T *)c->out[0].data);
            return true;
        });
    return dense_end(&d, ok);
}

const KernelRow gpu_patches_rows[] = {{"im2col", im2col}, {"col2im", col2im}, {NULL, NULL}};
