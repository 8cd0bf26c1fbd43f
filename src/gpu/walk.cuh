#ifndef TOCHA_GPU_WALK_CUH
#define TOCHA_GPU_WALK_CUH
/* Walks over the elements of an output and of inputs broadcast to it, of any strides: the
 * counterpart of tensor/iter.h. map(call, f, ...) computes one output element from those of up to
 * three inputs, a tile of elements to each block. */
#include "gpu/divide.cuh"
#include "gpu/kernel.cuh"
#include "tensor/iter.h"

enum { WALK_THREADS = 256, WALK_ITEMS = 4, WALK_TILE = WALK_THREADS * WALK_ITEMS };
/* Elements are counted in 32 bits; what is larger is cut into parts. */
const int64_t WALK_MOST = 0x7fffffff - WALK_TILE;

/* What a kernel is given: operand 0 is the output, the others are inputs. */
template <int N> struct Walk {
    uint32_t numel;
    int dim;        /* the innermost dim first */
    bool linear;    /* every operand is one run of elements, or one element (single) */
    bool single[N]; /* one element serves all */
    uint8_t dtype[N];
    Divider size[MAX_DIMS];
    int64_t stride[N][MAX_DIMS]; /* bytes */
    char *data[N];
    Bits128 number[N]; /* operands without data: the element itself, as it is computed with */
};

template <int N>
__device__ __forceinline__ void walk_offsets(const Walk<N> &w, uint32_t i, int64_t (&offset)[N]) {
    for (int k = 0; k < N; k++) {
        offset[k] = 0;
    }
    for (int d = 0; d < w.dim; d++) {
        uint32_t rest = divide(w.size[d], i), at = i - rest * w.size[d].size;
        i = rest;
#pragma unroll
        for (int k = 0; k < N; k++) {
            offset[k] += at * w.stride[k][d];
        }
    }
}

/* WALK_ITEMS elements that are loaded and stored at once. */
template <class T> struct alignas(sizeof(T) * WALK_ITEMS > 16 ? 16 : sizeof(T) * WALK_ITEMS) Run {
    T v[WALK_ITEMS];
};

/* The elements of a thread, the first count of WALK_ITEMS (a thread without any must not load
 * either: what serves all may be what another thread writes in place): a run of neighbours in a
 * linear walk, else every WALK_THREADS-th of the block's tile, so that the threads of a warp stand
 * side by side.
 */
template <int N> struct Share {
    uint32_t first, step, count;
    int64_t offset[WALK_ITEMS][N];
};

/* block: which of the walk's blocks the calling one is. */
template <int N>
__device__ __forceinline__ void share_init(const Walk<N> &w, Share<N> *s, uint32_t block) {
    uint32_t tile = block * (uint32_t)WALK_TILE;
    s->first = tile + threadIdx.x * (w.linear ? (uint32_t)WALK_ITEMS : 1u);
    s->step = w.linear ? 1 : WALK_THREADS;
    uint32_t left = s->first < w.numel ? w.numel - s->first : 0;
    uint32_t count = (left + s->step - 1) / s->step;
    s->count = count < WALK_ITEMS ? count : (uint32_t)WALK_ITEMS;
    if (!w.linear) {
        for (uint32_t j = 0; j < s->count; j++) {
            walk_offsets(w, s->first + j * s->step, s->offset[j]);
        }
    }
}

template <int N> __device__ __forceinline__ void share_init(const Walk<N> &w, Share<N> *s) {
    share_init(w, s, blockIdx.x);
}

template <class T> __host__ __device__ __forceinline__ T number_as(const Bits128 &bits) {
    T x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Operand k of the thread's elements, which are T in memory. */
template <class T, class M, int N>
__device__ __forceinline__ void load_as(const Walk<N> &w, const Share<N> &s, int k,
                                        M (&x)[WALK_ITEMS]) {
    if (w.linear && s.count == WALK_ITEMS && !w.single[k]) {
        Run<T> run = *(const Run<T> *)((const T *)w.data[k] + s.first);
        for (int j = 0; j < WALK_ITEMS; j++) {
            x[j] = (M)load(run.v[j]);
        }
        return;
    }
    for (uint32_t j = 0; j < WALK_ITEMS; j++) {
        if (j < s.count) {
            int64_t run = (int64_t)(s.first + j) * (int64_t)sizeof(T);
            int64_t at = w.single[k] ? 0 : w.linear ? run : s.offset[j][k];
            x[j] = (M)load(*(const T *)(w.data[k] + at));
        }
    }
}

/* Operand k of the thread's elements, as they are computed with. */
template <class T, int N>
__device__ __forceinline__ void share_load(const Walk<N> &w, const Share<N> &s, int k,
                                           Math<T> (&x)[WALK_ITEMS]) {
    if (!w.data[k]) {
        for (int j = 0; j < WALK_ITEMS; j++) {
            x[j] = number_as<Math<T>>(w.number[k]);
        }
        return;
    }
    Stored<T>::pick(w.dtype[k], [&](auto zero) { load_as<decltype(zero)>(w, s, k, x); });
}

template <class R, class M, int N>
__device__ __forceinline__ void store_as(const Walk<N> &w, const Share<N> &s, int k,
                                         const M (&y)[WALK_ITEMS]) {
    if (w.linear && s.count == WALK_ITEMS) {
        Run<R> run;
        for (int j = 0; j < WALK_ITEMS; j++) {
            run.v[j] = Element<R>::store((Math<R>)y[j]);
        }
        *(Run<R> *)((R *)w.data[k] + s.first) = run;
        return;
    }
    for (uint32_t j = 0; j < WALK_ITEMS; j++) {
        if (j < s.count) {
            int64_t at = w.linear ? (int64_t)(s.first + j) * (int64_t)sizeof(R) : s.offset[j][k];
            *(R *)(w.data[k] + at) = Element<R>::store((Math<R>)y[j]);
        }
    }
}

template <class R, int N>
__device__ __forceinline__ void share_store(const Walk<N> &w, const Share<N> &s, int k,
                                            const Math<R> (&y)[WALK_ITEMS]) {
    Stored<R>::pick(w.dtype[k], [&](auto zero) { store_as<decltype(zero)>(w, s, k, y); });
}

template <class F, class R> __global__ void map_kernel0(Walk<1> w, F f) {
    Share<1> s;
    Math<R> y[WALK_ITEMS];
    share_init(w, &s);
#pragma unroll
    for (uint32_t j = 0; j < WALK_ITEMS; j++) {
        if (j < s.count) {
            y[j] = f();
        }
    }
    share_store<R>(w, s, 0, y);
}

template <class F, class R, class A> __global__ void map_kernel1(Walk<2> w, F f) {
    Share<2> s;
    Math<R> y[WALK_ITEMS];
    Math<A> a[WALK_ITEMS];
    share_init(w, &s);
    if (s.count == 0) {
        return;
    }
    share_load<A>(w, s, 1, a);
#pragma unroll
    for (uint32_t j = 0; j < WALK_ITEMS; j++) {
        if (j < s.count) {
            y[j] = f(a[j]);
        }
    }
    share_store<R>(w, s, 0, y);
}

template <class F, class R, class A, class B> __global__ void map_kernel2(Walk<3> w, F f) {
    Share<3> s;
    Math<R> y[WALK_ITEMS];
    Math<A> a[WALK_ITEMS];
    Math<B> b[WALK_ITEMS];
    share_init(w, &s);
    if (s.count == 0) {
        return;
    }
    share_load<A>(w, s, 1, a);
    share_load<B>(w, s, 2, b);
#pragma unroll
    for (uint32_t j = 0; j < WALK_ITEMS; j++) {
        if (j < s.count) {
            y[j] = f(a[j], b[j]);
        }
    }
    share_store<R>(w, s, 0, y);
}

template <class F, class R, class A, class B, class C> __global__ void map_kernel3(Walk<4> w, F f) {
    Share<4> s;
    Math<R> y[WALK_ITEMS];
    Math<A> a[WALK_ITEMS];
    Math<B> b[WALK_ITEMS];
    Math<C> c[WALK_ITEMS];
    share_init(w, &s);
    if (s.count == 0) {
        return;
    }
    share_load<A>(w, s, 1, a);
    share_load<B>(w, s, 2, b);
    share_load<C>(w, s, 3, c);
#pragma unroll
    for (uint32_t j = 0; j < WALK_ITEMS; j++) {
        if (j < s.count) {
            y[j] = f(a[j], b[j], c[j]);
        }
    }
    share_store<R>(w, s, 0, y);
}

/* Whether operand k is one run of elements that whole Runs can be read from. */
static inline bool is_run(const Iter *it, int k) {
    size_t run = (size_t)it->size[k] * WALK_ITEMS;
    size_t align = run > 16 ? 16 : run;
    return it->dim == 1 && it->stride[k][0] == it->size[k] && (uintptr_t)it->data[k] % align == 0;
}

static inline bool is_single(const Iter *it, int k) {
    for (int d = 0; d < it->dim; d++) {
        if (it->stride[k][d] != 0) {
            return false;
        }
    }
    return true;
}

/* operands: needed where a kernel learns of their dtypes only as it runs. */
template <int N>
Walk<N> walk_of(const Iter *it, const Bits128 (&number)[N], const View *const *operands = NULL) {
    Walk<N> w;
    w.numel = (uint32_t)it->numel;
    w.dim = it->dim;
    w.linear = true;
    for (int d = 0; d < it->dim; d++) {
        w.size[d] = divider_of((uint32_t)it->shape[d]);
    }
    for (int k = 0; k < N; k++) {
        w.single[k] = k > 0 && is_single(it, k);
        w.linear = w.linear && (w.single[k] || is_run(it, k));
        w.data[k] = it->data[k];
        w.number[k] = number[k];
        w.dtype[k] = (uint8_t)(operands ? operands[k]->dtype : 0);
        for (int d = 0; d < it->dim; d++) {
            w.stride[k][d] = it->stride[k][d];
        }
    }
    return w;
}

/* Calls f(part) for parts of a walk that can be counted in 32 bits. */
template <class F> void walk_parts(const Iter *it, F f) {
    if (it->numel <= WALK_MOST) {
        f(it);
        return;
    }
    int d = 0;
    for (int k = 1; k < it->dim; k++) {
        d = it->shape[k] > it->shape[d] ? k : d;
    }
    Iter part[2] = {*it, *it};
    part[0].shape[d] = it->shape[d] / 2;
    part[1].shape[d] = it->shape[d] - part[0].shape[d];
    for (int k = 0; k < it->n; k++) {
        part[1].data[k] += part[0].shape[d] * it->stride[k][d];
    }
    for (int i = 0; i < 2; i++) {
        part[i].numel = it->numel / it->shape[d] * part[i].shape[d];
        walk_parts(&part[i], f);
    }
}

/* An element as it is computed with: a float of a half type, 64 bits of integers. */
static inline Bits128 number_of(const void *element, int dtype) {
    Bits128 number = {};
    memcpy(&number, element, dtype_size(dtype));
    if (dtype == DT_FLOAT16 || dtype == DT_BFLOAT16) {
        uint16_t half = (uint16_t)number.half[0];
        float wide = dtype == DT_FLOAT16 ? f_from_f16(half) : f_from_bf16(half);
        memcpy(&number, &wide, sizeof wide);
    } else if (!dtype_is_inexact(dtype) && dtype != DT_BOOL && dtype != DT_UINT8) {
        int unused = 64 - 8 * (int)dtype_size(dtype);
        number.half[0] = (uint64_t)((int64_t)(number.half[0] << unused) >> unused);
    }
    return number;
}

/* Whether a view is an input of the call that stands in host memory. */
static inline bool is_on_host(const KernelCall *c, const View *v) {
    ptrdiff_t i = v - c->in;
    return i >= 0 && i < c->n_in && i < 32 && (c->on_host >> i & 1);
}

/* Starts kernel(walk, f) over out and in. An input on the host is handed over as a number. */
template <int N, class K, class F>
bool map_views(const KernelCall *c, const View *out, const View *const (&in)[N], K kernel, F f) {
    const View *operands[N + 1] = {out};
    Bits128 number[N + 1] = {};
    View held[N];
    for (int k = 0; k < N; k++) {
        held[k] = *in[k];
        if (is_on_host(c, in[k])) {
            number[k + 1] = number_of(held[k].data, held[k].dtype);
            held[k].data = NULL;
        }
        operands[k + 1] = &held[k];
    }
    if (out->numel == 0) {
        return true;
    }
    Iter it;
    iter_init(&it, out->shape, out->dim, operands, N + 1);
    walk_parts(&it, [&](const Iter *part) {
        dim3 grid((unsigned)divide_up(part->numel, WALK_TILE));
        launch(launch_of(c, grid, dim3(WALK_THREADS)), kernel,
               walk_of<N + 1>(part, number, operands), f);
    });
    return true;
}

template <class R, class F> bool map0(const KernelCall *c, const View *out, F f) {
    const View *operands[1] = {out};
    const Bits128 number[1] = {};
    if (out->numel == 0) {
        return true;
    }
    Iter it;
    iter_init(&it, out->shape, out->dim, operands, 1);
    walk_parts(&it, [&](const Iter *part) {
        dim3 grid((unsigned)divide_up(part->numel, WALK_TILE));
        launch(launch_of(c, grid, dim3(WALK_THREADS)), map_kernel0<F, R>,
               walk_of<1>(part, number, operands), f);
    });
    return true;
}

template <class R, class A, class F>
bool map1(const KernelCall *c, const View *out, const View *a, F f) {
    return map_views<1>(c, out, {a}, map_kernel1<F, R, A>, f);
}

template <class R, class A, class B, class F>
bool map2(const KernelCall *c, const View *out, const View *a, const View *b, F f) {
    return map_views<2>(c, out, {a, b}, map_kernel2<F, R, A, B>, f);
}

template <class R, class A, class B, class C, class F>
bool map3(const KernelCall *c, const View *out, const View *a, const View *b, const View *third,
          F f) {
    return map_views<3>(c, out, {a, b, third}, map_kernel3<F, R, A, B, C>, f);
}

/* f of one and of two elements, which gives one of their dtype. */
template <class F> bool map_floats(const KernelCall *c, F f) {
    return for_any_float(c->in[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map1<T, T>(c, &c->out[0], &c->in[0], f);
    });
}

template <class F> bool zip_floats(const KernelCall *c, F f) {
    return for_any_float(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map2<T, T, T>(c, &c->out[0], &c->in[0], &c->in[1], f);
    });
}

template <class F> bool zip_ints(const KernelCall *c, F f) {
    return for_any_int(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map2<T, T, T>(c, &c->out[0], &c->in[0], &c->in[1], f);
    });
}

template <class F> bool of_floats(const KernelCall *c) { return map_floats(c, F()); }
template <class F> bool of_two_floats(const KernelCall *c) { return zip_floats(c, F()); }
template <class F> bool of_two_ints(const KernelCall *c) { return zip_ints(c, F()); }
template <class F> bool of_two(const KernelCall *c) {
    return dtype_is_float(c->out[0].dtype) ? of_two_floats<F>(c) : of_two_ints<F>(c);
}

#endif
