/* Sums of elements that are picked. Additions of floats depend on their order, and threads have
 * none; so each element's summands are added as integers, which have no order: as multiples of a
 * fixed fraction of the largest of them. A call thus always gives the same bits, and rounds once.
 */
#include <math.h>

#include "gpu/pick.cuh"
#include "tensor/formulas/integer.h"

enum { INFINITE = 1, MINUS_INFINITE = 2, NOT_A_NUMBER = 4 };

/* What is summed up for one element of the tensor's memory. Integers use high alone. */
struct Cell {
    unsigned long long high, low; /* in units of 2^(exponent - bits) and 2^(exponent - 2 bits) */
    int exponent;                 /* of the largest summand, less EXPONENT_LEAST; 0: all are 0 */
    int specials;
};

const int EXPONENT_LEAST = -1100;

static __device__ bool is_special(double x) { return !(x - x == 0); }

template <class T> __device__ double wide(T x) { return (double)load(x); }

template <class T> __global__ void exponents_kernel(Walk<3> w, const char *tensor, Cell *cells) {
    for (int64_t i = first_of(); i < w.numel; i += step_of()) {
        Cell *cell;
        T *from;
        if (!picked_cell(w, i, tensor, cells, &from, &cell)) {
            continue;
        }
        double x = wide(*from);
        if (x != x) {
            atomicOr(&cell->specials, (int)NOT_A_NUMBER);
        } else if (is_special(x)) {
            atomicOr(&cell->specials, x > 0 ? (int)INFINITE : (int)MINUS_INFINITE);
        } else if (x != 0) {
            int exponent;
            frexp(x, &exponent);
            atomicMax(&cell->exponent, exponent - EXPONENT_LEAST);
        }
    }
}

template <class T>
__global__ void add_floats_kernel(Walk<3> w, const char *tensor, Cell *cells, int bits) {
    for (int64_t i = first_of(); i < w.numel; i += step_of()) {
        Cell *cell;
        T *from;
        if (!picked_cell(w, i, tensor, cells, &from, &cell)) {
            continue;
        }
        double x = wide(*from);
        if (x == 0 || is_special(x)) {
            continue;
        }
        int unit = cell->exponent + EXPONENT_LEAST - bits;
        double high = rint(ldexp(x, -unit));
        double low = rint(ldexp(x - ldexp(high, unit), bits - unit));
        atomicAdd(&cell->high, (unsigned long long)(long long)high);
        if (low != 0) {
            atomicAdd(&cell->low, (unsigned long long)(long long)low);
        }
    }
}

template <class T> __global__ void add_ints_kernel(Walk<3> w, const char *tensor, Cell *cells) {
    for (int64_t i = first_of(); i < w.numel; i += step_of()) {
        Cell *cell;
        T *from;
        if (picked_cell(w, i, tensor, cells, &from, &cell) && *from != 0) {
            atomicAdd(&cell->high, (unsigned long long)(long long)*from);
        }
    }
}

static __device__ double special_of(int specials) {
    bool both = (specials & INFINITE) && (specials & MINUS_INFINITE);
    return (specials & NOT_A_NUMBER) || both ? (double)NAN
           : specials & INFINITE             ? (double)INFINITY
                                             : -(double)INFINITY;
}

/* Elements to which nothing was added are left alone: they need not be the tensor's. */
template <class T>
__global__ void finish_floats_kernel(T *out, const Cell *cells, int64_t n, int bits) {
    for (int64_t k = first_of(); k < n; k += step_of()) {
        const Cell c = cells[k];
        if (c.exponent == 0 && c.specials == 0) {
            continue;
        }
        int unit = c.exponent + EXPONENT_LEAST - bits;
        double sum =
            ldexp((double)(long long)c.high, unit) + ldexp((double)(long long)c.low, unit - bits);
        sum = c.specials ? special_of(c.specials) : sum;
        out[k] = Element<T>::store((Math<T>)(wide(out[k]) + sum));
    }
}

template <class T, bool truth>
__global__ void finish_ints_kernel(T *out, const Cell *cells, int64_t n) {
    for (int64_t k = first_of(); k < n; k += step_of()) {
        if (cells[k].high != 0) {
            out[k] = truth ? (T)1 : (T)((uint64_t)out[k] + cells[k].high);
        }
    }
}

/* The bits of a unit that let so many summands fit into 63. */
static int bits_for(int64_t summands) {
    int bits = 61;
    while (bits > 30 && summands >> (61 - bits) > 1) {
        bits--;
    }
    return bits < 52 ? bits : 52;
}

template <class T>
static bool add_floats(const KernelCall *c, const GpuPick *p, char *start, Cell *cells, int64_t n) {
    const View *const operand[] = {&p->dense, &p->base, &p->at};
    int bits = bits_for(p->dense.numel);
    walk_over(c, operand, exponents_kernel<T>, (const char *)start, cells);
    walk_over(c, operand, add_floats_kernel<T>, (const char *)start, cells, bits);
    launch(launch_over(c, n), finish_floats_kernel<T>, (T *)start, (const Cell *)cells, n, bits);
    return true;
}

template <class T, bool truth>
static bool add_ints(const KernelCall *c, const GpuPick *p, char *start, Cell *cells, int64_t n) {
    const View *const operand[] = {&p->dense, &p->base, &p->at};
    walk_over(c, operand, add_ints_kernel<T>, (const char *)start, cells);
    launch(launch_over(c, n), finish_ints_kernel<T, truth>, (T *)start, (const Cell *)cells, n);
    return true;
}

static bool add_any(const KernelCall *c, const GpuPick *p, char *start, Cell *cells, int64_t n) {
    int dtype = p->dense.dtype;
    if (dtype == DT_BOOL) {
        return add_ints<uint8_t, true>(c, p, start, cells, n);
    }
    if (dtype_is_float(dtype)) {
        return for_float(
            dtype, [&](auto zero) { return add_floats<decltype(zero)>(c, p, start, cells, n); });
    }
    return for_wrapping_int(
        dtype, [&](auto zero) { return add_ints<decltype(zero), false>(c, p, start, cells, n); });
}

static bool add_real(const KernelCall *c, const GpuPick *p, const View *tensor) {
    int64_t n = span_of(tensor);
    size_t bytes = (size_t)n * sizeof(Cell);
    Cell *cells = (Cell *)gpu_alloc(c->device, bytes);
    if (!cells) {
        return false;
    }
    bool ok = gpu_ok(cudaMemsetAsync(cells, 0, bytes, gpu_stream(c->device)), c->name) &&
              add_any(c, p, (char *)tensor->data, cells, n);
    gpu_release(c->device, cells, bytes);
    return ok;
}

/* The real (0) or imaginary (1) parts of a complex view's elements; stride has room for theirs. */
static View part_of(const View *v, int part, int64_t *stride) {
    View p = *v;
    p.dtype = dtype_real_of(v->dtype);
    p.data = (char *)v->data + part * dtype_size(p.dtype);
    p.stride = stride;
    for (int d = 0; d < v->dim; d++) {
        stride[d] = 2 * v->stride[d];
    }
    return p;
}

bool gpu_pick_add(const KernelCall *c, const GpuPick *p, const View *tensor) {
    int64_t stride[3][MAX_DIMS];
    if (p->dense.numel == 0) {
        return true;
    }
    if (!dtype_is_complex(tensor->dtype)) {
        return add_real(c, p, tensor);
    }
    for (int part = 0; part < 2; part++) {
        GpuPick parts = *p;
        parts.dense = part_of(&p->dense, part, stride[0]);
        parts.base = part_of(&p->base, part, stride[1]);
        View sums = part_of(tensor, part, stride[2]);
        if (!add_real(c, &parts, &sums)) {
            return false;
        }
    }
    return true;
}
