/* Resampling: the taps of each axis are found once, in double as on the CPU, and serve all planes.
 * An element of the result looks its taps up; one of the gradient looks for the elements whose taps
 * it is. Where that is many, threads share them. */
#include <math.h>

#include "gpu/dense.h"
#include "gpu/group.cuh"
#include "gpu/planes.cuh"
#include "tensor/resample_shape.h"

namespace {

/* Output o of an axis is the sum over t < count[o] of weight[o * most + t] times the input at
 * start[o] + t, brought into range. Input i is met by the outputs from first[i] to before end[i].
 */
struct ResampleAxis {
    int32_t *start, *count, *first, *end;
    void *weight; /* as the elements are computed with */
    int64_t in, out, most;
    ResampleMode mode;
    bool same, align_corners, smooth; /* smooth: the filter is as wide as an output, or wider */
    double step, reach;
    float near_step;
};

static __device__ __forceinline__ int64_t brought_in(int64_t i, int64_t n) {
    return i < 0 ? 0 : i < n ? i : n - 1;
}

/* Cubic convolution (Keys: Cubic Convolution Interpolation for Digital Image Processing, 1981) at
 * distance d. */
static __device__ double cubic(double d, double a) {
    d = fabs(d);
    if (d <= 1) {
        return ((a + 2) * d - (a + 3)) * d * d + 1;
    }
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/* Positions are found in float, as PyTorch does: where they fall between two elements in double,
 * the two would differ. */
template <class M> __device__ void nearest_taps(const ResampleAxis &x, int64_t o, M *weight) {
    float offset = x.mode == RESAMPLE_NEAREST ? 0 : 0.5F;
    int64_t at = (int64_t)floorf(((float)o + offset) * x.near_step);
    x.start[o] = (int32_t)brought_in(at, x.in);
    x.count[o] = 1;
    weight[0] = 1;
}

template <class M> __device__ void linear_taps(const ResampleAxis &x, int64_t o, M *weight) {
    double at = x.align_corners ? x.step * (double)o : x.step * ((double)o + 0.5) - 0.5;
    at = at > 0 ? at : 0;
    int64_t left = (int64_t)at < x.in ? (int64_t)at : x.in - 1;
    double share = at - (double)left < 1 ? at - (double)left : 1;
    x.start[o] = (int32_t)left;
    x.count[o] = 2;
    weight[0] = (M)(1 - share);
    weight[1] = (M)share;
}

template <class M> __device__ void cubic_taps(const ResampleAxis &x, int64_t o, M *weight) {
    double at = x.align_corners ? x.step * (double)o : x.step * ((double)o + 0.5) - 0.5;
    double left = floor(at);
    x.start[o] = (int32_t)((int64_t)left - 1);
    x.count[o] = 4;
    for (int t = 0; t < 4; t++) {
        weight[t] = (M)cubic(at - (left - 1 + (double)t), -0.75);
    }
}

template <class M> __device__ void area_taps(const ResampleAxis &x, int64_t o, M *weight) {
    int64_t start = o * x.in / x.out, end = ((o + 1) * x.in + x.out - 1) / x.out;
    x.start[o] = (int32_t)start;
    x.count[o] = (int32_t)(end - start);
    for (int64_t i = start; i < end; i++) {
        weight[i - start] = (M)(1 / (double)(end - start));
    }
}

static __device__ double filter(ResampleMode mode, double d) {
    return mode == RESAMPLE_CUBIC ? cubic(d, -0.5) : fabs(d) < 1 ? 1 - fabs(d) : 0;
}

template <class M> __device__ void smooth_taps(const ResampleAxis &x, int64_t o, M *weight) {
    double at = x.step * ((double)o + 0.5), narrow = x.step > 1 ? 1 / x.step : 1, total = 0;
    int64_t start = (int64_t)fmax(at - x.reach + 0.5, 0.0);
    int64_t end = (int64_t)fmin(at + x.reach + 0.5, (double)x.in);
    start = start < x.in ? start : x.in - 1;
    end = end > start ? end : start + 1;
    x.start[o] = (int32_t)start;
    x.count[o] = (int32_t)(end - start);
    for (int64_t i = start; i < end; i++) {
        total += filter(x.mode, ((double)i - at + 0.5) * narrow);
    }
    for (int64_t i = start; i < end; i++) {
        double w = filter(x.mode, ((double)i - at + 0.5) * narrow);
        weight[i - start] = (M)(total != 0 ? w / total : 1 / (double)(end - start));
    }
}

template <class M> __global__ void taps_kernel(ResampleAxis x) {
    for (int64_t o = first_of(); o < x.out; o += step_of()) {
        M *weight = (M *)x.weight + o * x.most;
        if (x.same) {
            x.start[o] = (int32_t)o;
            x.count[o] = 1;
            weight[0] = 1;
        } else if (x.smooth) {
            smooth_taps(x, o, weight);
        } else if (x.mode == RESAMPLE_LINEAR) {
            linear_taps(x, o, weight);
        } else if (x.mode == RESAMPLE_CUBIC) {
            cubic_taps(x, o, weight);
        } else if (x.mode == RESAMPLE_AREA) {
            area_taps(x, o, weight);
        } else {
            nearest_taps(x, o, weight);
        }
    }
}

static __device__ __forceinline__ int64_t last_of(const ResampleAxis &x, int64_t o) {
    return brought_in((int64_t)x.start[o] + x.count[o] - 1, x.in);
}

/* The outputs that meet each input stand side by side, as taps only ever move on. */
static __global__ void met_kernel(ResampleAxis x) {
    for (int64_t i = first_of(); i < x.in; i += step_of()) {
        int64_t first = 0, end = 0, n;
        for (n = x.out; n > 0;) {
            int64_t half = n / 2;
            bool before = last_of(x, first + half) < i;
            first += before ? half + 1 : 0;
            n = before ? n - half - 1 : half;
        }
        for (n = x.out; n > 0;) {
            int64_t half = n / 2;
            bool within = brought_in(x.start[end + half], x.in) <= i;
            end += within ? half + 1 : 0;
            n = within ? n - half - 1 : half;
        }
        x.first[i] = (int32_t)first;
        x.end[i] = (int32_t)end;
    }
}

struct Resample {
    ResampleAxis axis[IMAGE_DIMS];
    Planes in, out;
    int64_t numel; /* of what is written */
    int width;     /* threads that share an element */
};

/* Numbers of what a thread of a group looks at: all of three ranges, every width-th. */
struct Ranges {
    int64_t first[IMAGE_DIMS], count[IMAGE_DIMS];
};

template <class M> struct Total {
    M sum;
    template <class F> __device__ Total each(F f) const { return Total{f(sum)}; }
    __device__ void join(const Total &o) { sum += o.sum; }
};

/* The sum of f(place) over the places in r, which threads self, self + width, ... share. */
template <class M, class F>
__device__ __forceinline__ M sum_ranges(const Ranges &r, int self, int width, F f) {
    M sum = 0;
    int64_t n = r.count[0] * r.count[1] * r.count[2];
    if (width == 1) {
        int64_t at[IMAGE_DIMS];
        for (at[0] = 0; at[0] < r.count[0]; at[0]++) {
            for (at[1] = 0; at[1] < r.count[1]; at[1]++) {
                for (at[2] = 0; at[2] < r.count[2]; at[2]++) {
                    sum += f(at);
                }
            }
        }
        return sum;
    }
    for (int64_t k = self; k < n; k += width) {
        int64_t row = k / r.count[2];
        const int64_t at[IMAGE_DIMS] = {row / r.count[1], row % r.count[1], k % r.count[2]};
        sum += f(at);
    }
    return sum;
}

template <class T> __global__ void forward_kernel(Resample p, const T *in, T *out) {
    typedef Math<T> M;
    __shared__ Total<M> shared[MOST_WARPS];
    int groups = (int)blockDim.x / p.width, self = (int)threadIdx.x % p.width;
    for (int64_t base = blockIdx.x * (int64_t)groups; base < p.numel;
         base += gridDim.x * (int64_t)groups) {
        int64_t i = base + (int)threadIdx.x / p.width, at[IMAGE_DIMS];
        const T *plane = in + locate(p.out, i < p.numel ? i : 0, at) * p.in.elements;
        const M *weight[IMAGE_DIMS];
        Ranges r;
        for (int k = 0; k < IMAGE_DIMS; k++) {
            const ResampleAxis &x = p.axis[k];
            weight[k] = (const M *)x.weight + at[k] * x.most;
            r.first[k] = x.start[at[k]];
            r.count[k] = i < p.numel ? x.count[at[k]] : 0;
        }
        M sum = sum_ranges<M>(r, self, p.width, [&](const int64_t *t) {
            int64_t from = 0;
            M w = 1;
            for (int k = 0; k < IMAGE_DIMS; k++) {
                from = from * p.in.size[k] + brought_in(r.first[k] + t[k], p.in.size[k]);
                w *= weight[k][t[k]];
            }
            return w * load(plane[from]);
        });
        sum = join_group(Total<M>{sum}, p.width, shared).sum;
        if (self == 0 && i < p.numel) {
            out[i] = Element<T>::store(sum);
        }
    }
}

/* What output o of an axis takes of input i: several taps may have been brought in to an edge. */
template <class M>
__device__ __forceinline__ M share_of(const ResampleAxis &x, int64_t o, int64_t i) {
    const M *weight = (const M *)x.weight + o * x.most;
    int64_t start = x.start[o], count = x.count[o];
    int64_t first = i == 0 ? 0 : i - start, end = i == x.in - 1 ? count : i - start + 1;
    M sum = 0;
    for (int64_t t = first > 0 ? first : 0; t < end && t < count; t++) {
        sum += weight[t];
    }
    return sum;
}

template <class T> __global__ void backward_kernel(Resample p, const T *grad, T *out) {
    typedef Math<T> M;
    __shared__ Total<M> shared[MOST_WARPS];
    int groups = (int)blockDim.x / p.width, self = (int)threadIdx.x % p.width;
    for (int64_t base = blockIdx.x * (int64_t)groups; base < p.numel;
         base += gridDim.x * (int64_t)groups) {
        int64_t i = base + (int)threadIdx.x / p.width, at[IMAGE_DIMS];
        const T *plane = grad + locate(p.in, i < p.numel ? i : 0, at) * p.out.elements;
        Ranges r;
        for (int k = 0; k < IMAGE_DIMS; k++) {
            const ResampleAxis &x = p.axis[k];
            r.first[k] = x.first[at[k]];
            r.count[k] = i < p.numel ? x.end[at[k]] - r.first[k] : 0;
        }
        M sum = sum_ranges<M>(r, self, p.width, [&](const int64_t *t) {
            int64_t from = 0;
            M w = 1;
            for (int k = 0; k < IMAGE_DIMS; k++) {
                int64_t o = r.first[k] + t[k];
                from = from * p.out.size[k] + o;
                w *= share_of<M>(p.axis[k], o, at[k]);
            }
            return w * load(plane[from]);
        });
        sum = join_group(Total<M>{sum}, p.width, shared).sum;
        if (self == 0 && i < p.numel) {
            out[i] = Element<T>::store(sum);
        }
    }
}

/* Elements of the input from one of the result to the next. */
static double step_of_axis(const ResampleShape &r, int axis) {
    int64_t in = r.s.in[axis], out = r.s.out[axis];
    if (r.align_corners && (r.mode == RESAMPLE_LINEAR || r.mode == RESAMPLE_CUBIC)) {
        return out > 1 ? (double)(in - 1) / (double)(out - 1) : 0;
    }
    return r.scale[axis] > 0 ? 1 / r.scale[axis] : (double)in / (double)out;
}

/* The most taps that an output of the axis has. */
static int64_t most_taps(const ResampleAxis &x) {
    if (x.same || x.mode == RESAMPLE_NEAREST || x.mode == RESAMPLE_NEAREST_EXACT) {
        return 1;
    }
    if (x.mode != RESAMPLE_AREA && !x.smooth) {
        return x.mode == RESAMPLE_LINEAR ? 2 : 4;
    }
    double most = x.mode == RESAMPLE_AREA ? (double)x.in / (double)x.out + 2 : 2 * x.reach + 2;
    return most < (double)x.in ? (int64_t)most + 1 : x.in;
}

static ResampleAxis axis_of(const ResampleShape &r, int axis) {
    ResampleAxis x = ResampleAxis();
    int64_t in = x.in = r.s.in[axis], out = x.out = r.s.out[axis];
    double scale = r.scale[axis];
    x.mode = r.mode;
    x.align_corners = r.align_corners;
    x.smooth = r.antialias;
    x.same = in == out && !(scale > 0 && scale != 1);
    x.step = step_of_axis(r, axis);
    x.reach = (r.mode == RESAMPLE_CUBIC ? 2 : 1) * (x.step > 1 ? x.step : 1);
    x.near_step = scale > 0 ? (float)(1 / scale) : (float)in / (float)out;
    x.most = most_taps(x);
    return x;
}

/* Fills an axis's tables; false: memory ran out. */
template <class M>
static bool open_axis(const KernelCall *c, Dense *d, bool backward, ResampleAxis *x) {
    size_t out = (size_t)x->out, in = backward ? (size_t)x->in : 0;
    size_t weights = out * (size_t)x->most * sizeof(M);
    char *room = (char *)dense_room(d, weights + 2 * (out + in) * sizeof(int32_t));
    if (!room) {
        return false;
    }
    x->weight = room;
    x->start = (int32_t *)(room + weights);
    x->count = x->start + out;
    x->first = x->count + out;
    x->end = x->first + in;
    launch(launch_over(c, x->out), taps_kernel<M>, *x);
    if (backward) {
        launch(launch_over(c, x->in), met_kernel, *x);
    }
    return true;
}

/* Threads for sums of about so many: few have more than some dozens to add up. */
static int width_for(double terms) { return terms < 64 ? 1 : terms < 4096 ? (int)LANES : THREADS; }

template <bool backward> static bool run(const KernelCall *c, const ResampleShape &r) {
    Dense d = Dense();
    d.call = c;
    Resample p = Resample();
    double terms = 1;
    for (int i = 0; i < IMAGE_DIMS; i++) {
        ResampleAxis *x = &p.axis[i];
        *x = axis_of(r, i);
        double each = (double)x->most;
        terms *= backward ? each * (double)x->out / (double)x->in : each;
    }
    p.in = planes_of(r.s.in, r.s.n * r.s.c);
    p.out = planes_of(r.s.out, r.s.n * r.s.c);
    p.numel = c->out[0].numel;
    p.width = width_for(terms);
    const void *in = dense_in(&d, &c->in[0]);
    bool ok = p.numel == 0 || d.failed || for_float(c->in[0].dtype, [&](auto zero) {
                  typedef decltype(zero) T;
                  for (int i = 0; i < IMAGE_DIMS; i++) {
                      if (!open_axis<Math<T>>(c, &d, backward, &p.axis[i])) {
                          return false;
                      }
                  }
                  launch(launch_over(c, p.numel * p.width),
                         backward ? backward_kernel<T> : forward_kernel<T>, p, (const T *)in,
                         (T *)c->out[0].data);
                  return true;
              });
    return dense_end(&d, ok);
}

} // namespace

static bool resample(const KernelCall *c) {
    const View *in = &c->in[0], *out = &c->out[0];
    ResampleShape r;
    return resample_shape(c->op, c->arg, 2, Ints{in->shape, in->dim},
                          Ints{out->shape + 2, out->dim - 2}, &r) &&
           run<false>(c, r);
}

static bool resample_backward(const KernelCall *c) {
    const View *grad = &c->in[0], *out = &c->out[0];
    ResampleShape r;
    return resample_shape(c->op, c->arg, 2, Ints{out->shape, out->dim},
                          Ints{grad->shape + 2, grad->dim - 2}, &r) &&
           run<true>(c, r);
}

const KernelRow gpu_resample_rows[] = {
    {"resample", resample}, {"resample_backward", resample_backward}, {NULL, NULL}};
