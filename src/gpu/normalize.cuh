#ifndef TOCHA_GPU_NORMALIZE_CUH
#define TOCHA_GPU_NORMALIZE_CUH
/* What the kernels of standardize and of its gradients share. x is (N, G, K, S), without gaps. A
 * row is a set of elements that is normalised by itself: those of one n and g, which stand in one
 * piece, or over the batch those of one g. A line is the S elements of one n, g and k. */
#include <math.h>

#include "gpu/dense.h"
#include "gpu/divide.cuh"
#include "gpu/kept.cuh"

/* Kernels that go down columns: threads side by side, and rows of them in a block. */
enum { ACROSS = 32, DOWN = 8 };
enum { MOST_PARTS = 1024 };

struct Norm {
    const void *x, *grad, *weight, *bias; /* grad: of the output; weight and bias may be NULL */
    void *out;
    void *mean, *rstd; /* by row; written forward and read backward */
    int64_t numel, rows, channels, lines, span, count; /* channels: G * K; count: of a row */
    Size by_span, by_channel, by_group;                /* by_group: K */
    bool over_batch, center;
    bool whole; /* packs may be moved whole: each lies in a line, or in a row of lines of 1 */
    int width;  /* threads that share a row or a line */
    int64_t parts, cut; /* parts that a row, a line or a column is cut into, and their elements */
    double eps;
};

/* The dims of x, and what follows from them; operands are added by the caller. */
static inline Norm norm_of(const View *x, bool over_batch, bool center) {
    Norm p = Norm();
    int64_t n = x->shape[0], g = x->shape[1], k = x->shape[2];
    p.numel = x->numel;
    p.channels = g * k;
    p.lines = n * p.channels;
    p.span = x->shape[3];
    p.rows = over_batch ? g : n * g;
    p.count = p.rows ? x->numel / p.rows : 0;
    p.by_span = size_of(p.span, x->numel);
    p.by_channel = size_of(p.channels, p.lines);
    p.by_group = size_of(k, p.lines);
    p.over_batch = over_batch;
    p.center = center;
    p.parts = 1;
    return p;
}

/* Once the operands are known. */
template <class T> bool norm_is_whole(const Norm &p) {
    int64_t run = p.span > 1 ? p.span : p.over_batch ? p.channels : p.by_group.size;
    bool weights = p.span > 1 || (packs_fit<T>(p.weight, run) && packs_fit<T>(p.bias, run));
    return weights && packs_fit<T>(p.x, run) && packs_fit<T>(p.grad, run) &&
           packs_fit<T>(p.out, run);
}

/* The channel, and the row, that the element at place belongs to. */
static __device__ __forceinline__ int64_t channel_at(const Norm &p, int64_t place) {
    int64_t line = divide(p.by_span, &place);
    divide(p.by_channel, &line);
    return line;
}

static __device__ __forceinline__ int64_t row_at(const Norm &p, int64_t place) {
    if (p.over_batch) {
        return channel_at(p, place);
    }
    int64_t line = divide(p.by_span, &place);
    return divide(p.by_group, &line);
}

/* Where element i of a row stands. */
static __device__ __forceinline__ int64_t place_in(const Norm &p, int64_t row, int64_t i) {
    if (!p.over_batch) {
        return row * p.count + i;
    }
    int64_t n = divide(p.by_span, &i);
    return (n * p.channels + row) * p.span + i;
}

/* What values, one for each channel or NULL for all missing, has for count elements from place on.
 */
template <class T>
__device__ __forceinline__ void channel_pack(const Norm &p, const void *values, Math<T> missing,
                                             int64_t place, int count, Math<T> (&x)[Pack<T>::N]) {
    const T *from = (const T *)values;
    int64_t channel = from && count > 0 ? channel_at(p, place) : 0;
    if (from && p.whole && p.span == 1) {
        pack_load(from + channel, count, true, x);
        return;
    }
    Math<T> one = from && count > 0 ? load(from[channel]) : missing;
    for (int e = 0; e < Pack<T>::N; e++) {
        bool own = from && !p.whole && e < count;
        x[e] = own ? load(from[channel_at(p, place + e)]) : one;
    }
}

/* The same for values by row. */
template <class V, int N>
__device__ __forceinline__ void row_pack(const Norm &p, const V *values, int64_t place, int count,
                                         V (&x)[N]) {
    bool same = p.whole && !(p.over_batch && p.span == 1);
    V one = values[count > 0 ? row_at(p, place) : 0];
    for (int e = 0; e < N; e++) {
        x[e] = same || e >= count ? one : values[row_at(p, place + e)];
    }
}

/* Cuts n elements of each of things into p->parts of p->cut, a multiple of least, so that there are
 * blocks for all processors. */
static inline void cut_up(const KernelCall *c, Norm *p, int64_t things, int64_t n, int64_t least) {
    int64_t wanted = divide_up((int64_t)gpu_processors(c->device) * 4, things > 0 ? things : 1);
    int64_t most = divide_up(n, least);
    int64_t parts = wanted < most ? wanted : most;
    parts = parts < 1 ? 1 : parts < MOST_PARTS ? parts : (int64_t)MOST_PARTS;
    p->cut = divide_up(divide_up(n, parts), least) * least;
    p->parts = p->cut ? divide_up(n, p->cut) : 1;
}

#endif
