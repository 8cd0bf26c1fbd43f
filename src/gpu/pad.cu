/* Padding: every element of the result, or of the gradient, finds where it comes from. */
#include "gpu/dense.h"
#include "gpu/planes.cuh"
#include "tensor/number.h"
#include "tensor/pad_shape.h"

namespace {

struct Pad {
    PadShape s;
    int64_t stride[MAX_DIMS]; /* of the input */
    Size by[MAX_DIMS];        /* sizes of the result */
    int64_t numel;
};

/* Where the element of the result at place comes from; -1: from nowhere. */
static __device__ __forceinline__ int64_t source_of(const Pad &p, int64_t place) {
    int64_t from = 0;
    for (int d = p.s.dim - 1; d >= 0; d--) {
        int64_t at = place;
        place = d > 0 ? divide(p.by[d], &at) : 0;
        if (p.s.mode != PAD_CONSTANT) {
            at = pad_source(&p.s, d, at);
        } else {
            at -= p.s.before[d];
            if (at < 0 || at >= p.s.in[d]) {
                return -1;
            }
        }
        from += at * p.stride[d];
    }
    return from;
}

template <class T> __global__ void pad_kernel(Pad p, const T *in, T value, T *out) {
    for (int64_t i = first_of(); i < p.numel; i += step_of()) {
        int64_t from = source_of(p, i);
        out[i] = from < 0 ? value : in[from];
    }
}

/* Makes one of neighbouring dims that nothing is added to, where the input's strides allow. */
static void merge_dims(PadShape *s, int64_t *stride) {
    int last = 0;
    for (int d = 1; d < s->dim; d++) {
        bool plain = !s->before[d] && !s->behind[d] && !s->before[last] && !s->behind[last];
        if (plain && stride[last] == stride[d] * s->in[d]) {
            s->in[last] *= s->in[d];
            s->out[last] *= s->out[d];
        } else {
            last++;
            s->in[last] = s->in[d];
            s->out[last] = s->out[d];
            s->before[last] = s->before[d];
            s->behind[last] = s->behind[d];
        }
        stride[last] = stride[d];
    }
    s->dim = s->dim ? last + 1 : 0;
}

static bool pad(const KernelCall *c) {
    const View *in = &c->in[0], *out = &c->out[0];
    Pad p = Pad();
    if (!pad_shape(c->op, c->arg[1], c->arg[2].s, Ints{in->shape, in->dim}, &p.s)) {
        return false;
    }
    if (out->numel == 0) {
        return true;
    }
    for (int d = 0; d < in->dim; d++) {
        p.stride[d] = in->stride[d];
    }
    merge_dims(&p.s, p.stride);
    for (int d = 0; d < p.s.dim; d++) {
        p.by[d] = size_of(p.s.out[d], out->numel);
    }
    p.numel = out->numel;
    return for_width(in->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        T value = T();
        number_store(&value, in->dtype, c->arg[3].kind == ARG_NONE ? whole(0) : c->arg[3]);
        launch(launch_over(c, p.numel), pad_kernel<T>, p, (const T *)in->data, value,
               (T *)out->data);
        return true;
    });
}

/* The entries along an axis of the result that come from one of the input: runs of them. */
struct Origins {
    int64_t first[IMAGE_DIMS], end[IMAGE_DIMS];
    int n;
};

static __device__ __forceinline__ void add_origins(const PadShape &s, int d, int64_t first,
                                                   int64_t end, Origins *o) {
    first = first > 0 ? first : 0;
    end = end < s.out[d] ? end : s.out[d];
    if (first < end) {
        o->first[o->n] = first;
        o->end[o->n++] = end;
    }
}

static __device__ __forceinline__ Origins origins_of(const PadShape &s, int d, int64_t at) {
    Origins o = Origins();
    int64_t n = s.in[d], own = at + s.before[d], kept = pad_kept(&s, d);
    bool edge = at == n - 1;
    if (s.mode == PAD_REPLICATE) {
        add_origins(s, d, at == 0 ? 0 : own, edge ? s.out[d] : own + 1, &o);
        return o;
    }
    int64_t before = s.mode == PAD_REFLECT ? s.before[d] - at : own - kept;
    int64_t behind = s.mode == PAD_REFLECT ? s.before[d] + 2 * (n - 1) - at : own + kept;
    add_origins(s, d, own, own + 1, &o);
    if (before < s.before[d]) {
        add_origins(s, d, before, before + 1, &o);
    }
    if (behind >= s.before[d] + n) {
        add_origins(s, d, behind, behind + 1, &o);
    }
    return o;
}

/* The last three dims of padding, and planes of them. */
struct Folding {
    PadShape s;
    Planes in, out;
    int64_t numel;
};

/* The sum over the runs of one axis of what f gives for each entry. */
template <class M, class F> __device__ __forceinline__ M sum_origins(const Origins &o, F f) {
    M sum = 0;
    for (int k = 0; k < o.n; k++) {
        for (int64_t i = o.first[k]; i < o.end[k]; i++) {
            sum += f(i);
        }
    }
    return sum;
}

template <class T> __global__ void backward_kernel(Folding p, const T *grad, T *out) {
    typedef Math<T> M;
    for (int64_t i = first_of(); i < p.numel; i += step_of()) {
        int64_t at[IMAGE_DIMS];
        const T *plane = grad + locate(p.in, i, at) * p.out.elements;
        Origins slices = origins_of(p.s, 0, at[0]), rows = origins_of(p.s, 1, at[1]);
        Origins columns = origins_of(p.s, 2, at[2]);
        M sum = sum_origins<M>(slices, [&](int64_t z) {
            return sum_origins<M>(rows, [&](int64_t y) {
                const T *row = plane + (z * p.out.size[1] + y) * p.out.size[2];
                return sum_origins<M>(columns, [&](int64_t x) { return load(row[x]); });
            });
        });
        out[i] = Element<T>::store(sum);
    }
}

} // namespace

/* At most the last three dims are padded: those before them count planes. */
static Folding folding_of(const PadShape &s) {
    Folding p = Folding();
    int64_t planes = 1;
    p.s.mode = s.mode;
    p.s.dim = IMAGE_DIMS;
    for (int d = 0; d < s.dim - IMAGE_DIMS; d++) {
        planes *= s.in[d];
    }
    for (int i = 0; i < IMAGE_DIMS; i++) {
        int d = s.dim - IMAGE_DIMS + i;
        p.s.in[i] = d < 0 ? 1 : s.in[d];
        p.s.out[i] = d < 0 ? 1 : s.out[d];
        p.s.before[i] = d < 0 ? 0 : s.before[d];
        p.s.behind[i] = d < 0 ? 0 : s.behind[d];
    }
    p.in = planes_of(p.s.in, planes);
    p.out = planes_of(p.s.out, planes);
    return p;
}

static bool pad_backward(const KernelCall *c) {
    const View *out = &c->out[0];
    PadShape s;
    if (!pad_shape(c->op, c->arg[2], c->arg[3].s, Ints{out->shape, out->dim}, &s)) {
        return false;
    }
    if (out->numel == 0) {
        return true;
    }
    Dense d = Dense();
    d.call = c;
    Folding p = folding_of(s);
    p.numel = out->numel;
    const void *grad = dense_in(&d, &c->in[0]);
    bool ok =
        d.failed || for_float(out->dtype, [&](auto zero) {
            typedef decltype(zero) T;
            launch(launch_over(c, p.numel), backward_kernel<T>, p, (const T *)grad, (T *)out->data);
            return true;
        });
    return dense_end(&d, ok);
}

const KernelRow gpu_pad_rows[] = {{"pad", pad}, {"pad_backward", pad_backward}, {NULL, NULL}};
