/* Pooling over windows at even distances. A thread makes an element of the result; for gradients it
 * finds the windows that its element was in. */
#include "gpu/pool.cuh"

#include "gpu/fault.cuh"
#include "gpu/lists.cuh"

namespace {

struct Pool {
    Planes in, out;
    int64_t kernel[IMAGE_DIMS], stride[IMAGE_DIMS], padding[IMAGE_DIMS], dilation[IMAGE_DIMS];
    int64_t numel; /* of what is written */
    bool count_padding;
    double divisor; /* 0, or what to divide by in any case */
};

static Pool pool_of(const ConvShape &s) {
    Pool p = Pool();
    p.in = planes_of(s.in, s.n * s.c);
    p.out = planes_of(s.out, s.n * s.c);
    for (int i = 0; i < IMAGE_DIMS; i++) {
        p.kernel[i] = s.kernel[i];
        p.stride[i] = s.stride[i];
        p.padding[i] = s.padding[i];
        p.dilation[i] = s.dilation[i];
    }
    return p;
}

/* The taps of a window along an axis that meet the input: [first, end), dilation apart. */
static __device__ __forceinline__ void taps_of(const Pool &p, int axis, int64_t at, int64_t *first,
                                               int64_t *end) {
    int64_t start = at * p.stride[axis] - p.padding[axis], step = p.dilation[axis];
    int64_t behind = start + (p.kernel[axis] - 1) * step + 1;
    *first = start < 0 ? start + (step - 1 - start) / step * step : start;
    *end = behind < p.in.size[axis] ? behind : p.in.size[axis];
}

template <class T> __global__ void max_kernel(Pool p, const T *in, T *values, int64_t *places) {
    for (int64_t i = first_of(); i < p.numel; i += step_of()) {
        int64_t at[IMAGE_DIMS], first[IMAGE_DIMS], end[IMAGE_DIMS], place;
        int64_t plane = locate(p.out, i, at);
        for (int k = 0; k < IMAGE_DIMS; k++) {
            taps_of(p, k, at[k], &first[k], &end[k]);
        }
        values[i] = largest(in + plane * p.in.elements, p.in, first, end, p.dilation, &place);
        places[i] = place + 1;
    }
}

/* The length of a window along an axis, with the padding or without. */
static __device__ __forceinline__ int64_t length_of(const Pool &p, int axis, int64_t at) {
    int64_t start = at * p.stride[axis] - p.padding[axis];
    int64_t limit = p.in.size[axis] + (p.count_padding ? p.padding[axis] : 0);
    int64_t end = start + p.kernel[axis] < limit ? start + p.kernel[axis] : limit;
    return end - (start < 0 && !p.count_padding ? 0 : start);
}

static __device__ __forceinline__ double divisor_of(const Pool &p, const int64_t *at) {
    return p.divisor != 0 ? p.divisor
                          : (double)length_of(p, 0, at[0]) * (double)length_of(p, 1, at[1]) *
                                (double)length_of(p, 2, at[2]);
}

/* Rows of a window are summed as M, and those sums as double: windows may be whole images. */
template <class T> __global__ void average_kernel(Pool p, const T *in, T *out) {
    typedef Math<T> M;
    for (int64_t i = first_of(); i < p.numel; i += step_of()) {
        int64_t at[IMAGE_DIMS], first[IMAGE_DIMS], end[IMAGE_DIMS];
        const T *plane = in + locate(p.out, i, at) * p.in.elements;
        for (int k = 0; k < IMAGE_DIMS; k++) {
            taps_of(p, k, at[k], &first[k], &end[k]);
        }
        double sum = 0;
        for (int64_t z = first[0]; z < end[0]; z++) {
            for (int64_t y = first[1]; y < end[1]; y++) {
                const T *row = plane + (z * p.in.size[1] + y) * p.in.size[2];
                M part = 0;
                for (int64_t x = first[2]; x < end[2]; x++) {
                    part += load(row[x]);
                }
                sum += (double)part;
            }
        }
        out[i] = Element<T>::store((M)(sum / divisor_of(p, at)));
    }
}

/* The windows along an axis that have position at: [first, end). */
static __device__ __forceinline__ void windows_of(const Pool &p, int axis, int64_t at,
                                                  int64_t *first, int64_t *end) {
    int64_t padded = at + p.padding[axis], stride = p.stride[axis];
    int64_t least = padded - p.kernel[axis] + 1, most = padded / stride + 1;
    *first = least > 0 ? (least + stride - 1) / stride : 0;
    *end = most < p.out.size[axis] ? most : p.out.size[axis];
}

template <class T> __global__ void average_backward_kernel(Pool p, const T *grad, T *out) {
    typedef Math<T> M;
    for (int64_t i = first_of(); i < p.numel; i += step_of()) {
        int64_t at[IMAGE_DIMS], first[IMAGE_DIMS], end[IMAGE_DIMS], w[IMAGE_DIMS];
        const T *plane = grad + locate(p.in, i, at) * p.out.elements;
        for (int k = 0; k < IMAGE_DIMS; k++) {
            windows_of(p, k, at[k], &first[k], &end[k]);
        }
        M sum = 0;
        for (w[0] = first[0]; w[0] < end[0]; w[0]++) {
            for (w[1] = first[1]; w[1] < end[1]; w[1]++) {
                const T *row = plane + (w[0] * p.out.size[1] + w[1]) * p.out.size[2];
                for (w[2] = first[2]; w[2] < end[2]; w[2]++) {
                    sum += (M)((double)load(row[w[2]]) / divisor_of(p, w));
                }
            }
        }
        out[i] = Element<T>::store(sum);
    }
}

static Ints shape_of(const View *v) { return Ints{v->shape, v->dim}; }

static bool max_pool(const KernelCall *c) {
    ConvShape s;
    if (!pool_shape(c->op, c->arg, max_pool_args(), shape_of(&c->in[0]), &s)) {
        return false;
    }
    Pool p = pool_of(s);
    p.numel = c->out[0].numel;
    Dense d = Dense();
    d.call = c;
    const void *in = dense_in(&d, &c->in[0]);
    bool ok = p.numel == 0 || d.failed || for_real(c->in[0].dtype, [&](auto zero) {
                  typedef decltype(zero) T;
                  launch(launch_over(c, p.numel), max_kernel<T>, p, (const T *)in,
                         (T *)c->out[0].data, (int64_t *)c->out[1].data);
                  return true;
              });
    return dense_end(&d, ok);
}

template <bool backward> static bool average(const KernelCall *c) {
    const View *images = backward ? &c->out[0] : &c->in[0];
    int at = backward ? 6 : 5;
    ConvShape s;
    if (!pool_shape(c->op, c->arg, avg_pool_args(backward), shape_of(images), &s)) {
        return false;
    }
    Pool p = pool_of(s);
    p.numel = c->out[0].numel;
    p.count_padding = c->arg[at].b;
    p.divisor = c->arg[at + 1].kind == ARG_NONE ? 0 : (double)c->arg[at + 1].i;
    Dense d = Dense();
    d.call = c;
    const void *in = dense_in(&d, &c->in[0]);
    bool ok = p.numel == 0 || d.failed || for_float(c->in[0].dtype, [&](auto zero) {
                  typedef decltype(zero) T;
                  launch(launch_over(c, p.numel),
                         backward ? average_backward_kernel<T> : average_kernel<T>, p,
                         (const T *)in, (T *)c->out[0].data);
                  return true;
              });
    return dense_end(&d, ok);
}

/* Some planes of a gradient, whose elements were taken from places in planes of the result. */
struct Scatter {
    Lists lists;
    const int64_t *places;
    int64_t in_plane, planes, first; /* first: the number of the first of these planes */
    int32_t entries, targets;
    Size by_plane; /* elements of a plane of the gradient */
    GpuFaultSite site;
};

static __global__ void link_kernel(Scatter s) {
    for (int64_t i = first_of(); i < s.entries; i += step_of()) {
        int64_t rest = i, plane = divide(s.by_plane, &rest), before = s.first * s.by_plane.size;
        int64_t at = checked_offset(s.site, s.places[before + i], s.in_plane, before + i, false);
        if (at >= 0) {
            list_add(s.lists, (int32_t)(plane * s.in_plane + at), (int32_t)i);
        }
    }
}

template <class T> __global__ void collect_kernel(Scatter s, const T *grad, T *out) {
    typedef Math<T> M;
    const T *entries = grad + s.first * s.by_plane.size;
    for (int64_t i = first_of(); i < s.targets; i += step_of()) {
        int32_t head = list_settle(s.lists, (int32_t)i);
        M sum = sum_list<M>(s.lists, head, [=](int32_t e) { return load(entries[e]); });
        out[s.first * s.in_plane + i] = Element<T>::store(sum);
    }
}

} // namespace

/* Elements that lists are made of at once, in the gradient and in the result. */
const int64_t AT_ONCE = INT64_C(1) << 27;

static bool scatter(const KernelCall *c, Dense *d, Scatter s, const void *grad) {
    int64_t out_plane = s.by_plane.size, all = s.planes;
    int64_t most = AT_ONCE / (out_plane + s.in_plane);
    most = most < 1 ? 1 : most < all ? most : all;
    size_t heads = (size_t)(most * s.in_plane) * sizeof(int32_t);
    s.lists.head = (int32_t *)dense_room(d, heads);
    s.lists.next = (int32_t *)dense_room(d, (size_t)(most * out_plane) * sizeof(int32_t));
    for (s.first = 0; s.first < all && !d->failed; s.first += most) {
        int64_t planes = all - s.first < most ? all - s.first : most;
        s.entries = (int32_t)(planes * out_plane);
        s.targets = (int32_t)(planes * s.in_plane);
        if (!gpu_ok(cudaMemsetAsync(s.lists.head, 0xff, heads, gpu_stream(c->device)), c->name)) {
            return false;
        }
        launch(launch_over(c, s.entries), link_kernel, s);
        bool ok = for_real(c->out[0].dtype, [&](auto zero) {
            typedef decltype(zero) T;
            launch(launch_over(c, s.targets), collect_kernel<T>, s, (const T *)grad,
                   (T *)c->out[0].data);
            return true;
        });
        if (!ok) {
            return false;
        }
    }
    return true;
}

static int64_t product_of(const int64_t *size, int first, int end) {
    int64_t product = 1;
    for (int d = first; d < end; d++) {
        product *= size[d];
    }
    return product;
}

static bool max_pool_backward(const KernelCall *c) {
    const View *grad = &c->in[0], *out = &c->out[0];
    int lead = grad->dim - (int)c->arg[3].i;
    Scatter s = Scatter();
    s.in_plane = product_of(out->shape, lead, out->dim);
    s.planes = product_of(grad->shape, 0, lead);
    int64_t out_plane = product_of(grad->shape, lead, grad->dim);
    if (out->numel == 0 || grad->numel == 0) {
        return gpu_fill_view(c, out, whole(0));
    }
    if (s.in_plane > INT32_MAX || out_plane > INT32_MAX) {
        return fail("there is no cuda kernel for planes of more than %d elements", INT32_MAX);
    }
    s.by_plane = size_of(out_plane, INT32_MAX);
    s.site = gpu_fault_site(c, "indices", &c->in[1]);
    Dense d = Dense();
    d.call = c;
    const void *elements = dense_in(&d, grad);
    s.places = (const int64_t *)dense_in(&d, &c->in[1]);
    return dense_end(&d, !d.failed && scatter(c, &d, s, elements));
}

const KernelRow gpu_pool_rows[] = {{"max_pool", max_pool},
                                   {"max_pool_backward", max_pool_backward},
                                   {"avg_pool", average<false>},
                                   {"avg_pool_backward", average<true>},
                                   {NULL, NULL}};
