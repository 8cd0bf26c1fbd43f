/* Pooling whose windows are found one by one: as many as are wanted, or at random. */
#include "gpu/pool.cuh"

namespace {

struct Windows {
    Planes in, out;
    int64_t kernel[IMAGE_DIMS], numel;
    const void *samples; /* by plane and dim of the image; NULL: windows are spread evenly */
    bool wide;           /* samples are double, else float */
    int dims;
};

/* Window at of an axis, one of as many as are wanted: as long as they need to be. */
static __device__ __forceinline__ void even_window(const Windows &w, int axis, int64_t at,
                                                   int64_t *first, int64_t *end) {
    int64_t in = w.in.size[axis], out = w.out.size[axis];
    *first = at * in / out;
    *end = ((at + 1) * in + out - 1) / out;
}

/* The last window ends where the input does; the others are about evenly apart, the sample saying
 * how their distances are rounded. */
static __device__ __forceinline__ void random_window(const Windows &w, int axis, int64_t plane,
                                                     int64_t at, int64_t *first, int64_t *end) {
    int64_t room = w.in.size[axis] - w.kernel[axis], out = w.out.size[axis];
    /* Of two dims, the sample of the width comes first; of three, that of the depth. */
    int own = axis - IMAGE_DIMS + w.dims, k = w.dims == 2 ? 1 - own : own;
    int64_t place = plane * w.dims + k;
    double sample = own < 0  ? 0
                    : w.wide ? ((const double *)w.samples)[place]
                             : (double)((const float *)w.samples)[place];
    double step = out > 1 ? (double)room / (double)(out - 1) : 0;
    sample = sample >= 0 && sample < 1 ? sample : 0;
    *first = (int64_t)(((double)at + sample) * step) - (int64_t)(sample * step);
    *first = at == out - 1 || *first > room ? room : *first;
    *end = *first + w.kernel[axis];
}

template <class T> __global__ void max_kernel(Windows w, const T *in, T *values, int64_t *places) {
    const int64_t step[IMAGE_DIMS] = {1, 1, 1};
    for (int64_t i = first_of(); i < w.numel; i += step_of()) {
        int64_t at[IMAGE_DIMS], first[IMAGE_DIMS], end[IMAGE_DIMS], place;
        int64_t plane = locate(w.out, i, at);
        for (int k = 0; k < IMAGE_DIMS; k++) {
            if (w.samples) {
                random_window(w, k, plane, at[k], &first[k], &end[k]);
            } else {
                even_window(w, k, at[k], &first[k], &end[k]);
            }
        }
        values[i] = largest(in + plane * w.in.elements, w.in, first, end, step, &place);
        places[i] = place + 1;
    }
}

} // namespace

static bool run(const KernelCall *c, const ConvShape &s, Windows w, Dense *d) {
    w.in = planes_of(s.in, s.n * s.c);
    w.out = planes_of(s.out, s.n * s.c);
    w.numel = c->out[0].numel;
    w.dims = s.dims;
    const void *in = dense_in(d, &c->in[0]);
    bool ok = w.numel == 0 || d->failed || for_real(c->in[0].dtype, [&](auto zero) {
                  typedef decltype(zero) T;
                  launch(launch_over(c, w.numel), max_kernel<T>, w, (const T *)in,
                         (T *)c->out[0].data, (int64_t *)c->out[1].data);
                  return true;
              });
    return dense_end(d, ok);
}

/* The sizes of images, and those of the result, which argument at says. */
static bool read_sizes(const KernelCall *c, int at, ConvShape *s) {
    return image_shape(c->op, Ints{c->in[0].shape, c->in[0].dim}, c->arg[at].count, s) &&
           image_ints(c->op, c->arg, at, s->dims, 1, s->out);
}

static bool adaptive_max_pool(const KernelCall *c) {
    ConvShape s;
    Dense d = Dense();
    d.call = c;
    return read_sizes(c, 1, &s) && run(c, s, Windows(), &d);
}

static bool fractional_max_pool(const KernelCall *c) {
    ConvShape s;
    Dense d = Dense();
    d.call = c;
    if (!read_sizes(c, 2, &s) || !image_ints(c->op, c->arg, 1, s.dims, 1, s.kernel)) {
        return false;
    }
    Windows w = Windows();
    for (int i = 0; i < IMAGE_DIMS; i++) {
        w.kernel[i] = s.kernel[i];
    }
    View samples = c->in[1];
    w.wide = samples.dtype == DT_FLOAT64;
    w.samples = w.wide ? dense_in(&d, &samples) : dense_cast(&d, &samples, DT_FLOAT32);
    return run(c, s, w, &d);
}

const KernelRow gpu_pool_windows_rows[] = {{"adaptive_max_pool", adaptive_max_pool},
                                           {"fractional_max_pool", fractional_max_pool},
                                           {NULL, NULL}};
