#ifndef TOCHA_GPU_GRID_SAMPLE_CUH
#define TOCHA_GPU_GRID_SAMPLE_CUH
/* Where points meet an image: what each takes along the axes, and the corners that come of it.
 * Corners of a point outside the image, and those without weight, count as nothing, whatever the
 * image holds. */
#include <math.h>

#include "gpu/dense.h"
#include "gpu/divide.cuh"
#include "gpu/group.cuh"
#include "tensor/formulas/cubic.h"
#include "tensor/grid_shape.h"

struct Sampler {
    GridShape g;
    const void *image, *grid, *grad; /* without gaps; grad: of the result */
    void *out;
    int64_t plane; /* pixels */
    Size by_points;
    int taps, corners; /* along an axis, and of a point */
    int64_t channels;  /* that a thread takes, or threads that share a point do */
    int width;
};

template <class M> struct Taps {
    int32_t index[4];
    M weight[4];
};

/* Where a place along an axis is after padding, and how fast it moves with the coordinate. */
struct GridPlace {
    double at, slope;
};

static __device__ __forceinline__ GridPlace clipped(GridPlace p, int64_t size) {
    if (!(p.at > 0)) {
        return GridPlace{0, 0};
    }
    return p.at < (double)(size - 1) ? p : GridPlace{(double)(size - 1), 0};
}

/* noinline: two remainders for each of the places that a point looks up are a lot of code. */
static __device__ __noinline__ GridPlace reflected(GridPlace p, int64_t size, bool align_corners) {
    double low = align_corners ? 0 : -0.5, span = (double)(align_corners ? size - 1 : size);
    double beyond = p.at - low;
    if (span == 0 || beyond - beyond != 0) {
        return GridPlace{0, 0};
    }
    p.slope = beyond < 0 ? -p.slope : p.slope;
    beyond = fabs(beyond);
    double rest = fmod(beyond, span);
    if (fmod(floor(beyond / span), 2.0) == 0) {
        p.at = rest + low;
    } else {
        p.at = span - rest + low;
        p.slope = -p.slope;
    }
    return clipped(p, size);
}

static __device__ __forceinline__ GridPlace padded(const GridShape &g, GridPlace p, int64_t size) {
    switch (g.padding) {
    case GRID_BORDER: return clipped(p, size);
    case GRID_REFLECTION: return reflected(p, size, g.align_corners);
    default: return p;
    }
}

template <class M>
__device__ __forceinline__ void put_tap(Taps<M> *t, int tap, double at, int64_t size,
                                        double weight) {
    bool inside = at >= 0 && at <= (double)(size - 1);
    t->index[tap] = inside ? (int32_t)at : 0;
    t->weight[tap] = inside ? (M)weight : (M)0;
}

template <class M>
__device__ __forceinline__ void linear_taps(GridPlace p, int64_t size, int order, Taps<M> *t) {
    double left = floor(p.at), share = p.at - left;
    put_tap(t, 0, left, size, order == 0 ? 1 - share : order == 1 ? -p.slope : 0);
    put_tap(t, 1, left + 1, size, order == 0 ? share : order == 1 ? p.slope : 0);
}

template <class M>
__device__ __forceinline__ void cubic_taps(const GridShape &g, GridPlace p, int64_t size, int order,
                                           Taps<M> *t) {
    double left = floor(p.at), share = p.at - left;
    for (int k = 0; k < 4; k++) {
        double w = f_cubic_weight(k == 0 || k == 3, order, fabs(share + 1 - k));
        for (int i = 0; i < order; i++) {
            w *= (k < 2 ? 1 : -1) * p.slope;
        }
        GridPlace tap = padded(g, GridPlace{left - 1 + k, 0}, size);
        put_tap(t, k, tap.at, size, w);
    }
}

/* What a point, whose coordinates begin at grid, takes along an axis: the derivative of that order.
 */
template <class T>
__device__ __forceinline__ void taps_of(const GridShape &g, const T *grid, int axis, int order,
                                        Taps<Math<T>> *t) {
    int64_t size = g.size[axis];
    double half = (double)(g.align_corners ? size - 1 : size) / 2;
    GridPlace p = {(double)load(grid[axis]) * half + (double)(size - 1) / 2, half};
    if (g.mode == GRID_CUBIC) {
        cubic_taps(g, p, size, order, t);
        return;
    }
    p = padded(g, p, size);
    if (g.mode == GRID_LINEAR) {
        linear_taps(p, size, order, t);
        return;
    }
    put_tap(t, 0, rint(p.at), size, order == 0 ? 1 : 0);
}

/* Calls f(number, offset in a plane, weight) for the corners of a point that have weight. */
template <int taps, class M, class F>
__device__ __forceinline__ void each_corner_of(const Sampler &p, const Taps<M> *t, F f) {
    const int deepest = taps == 4 ? 1 : taps; /* cubic is for images of two dims */
    bool deep = p.g.dims == 3;
#pragma unroll
    for (int z = 0; z < deepest; z++) {
        M by_z = deep ? t[2].weight[z] : z == 0 ? (M)1 : (M)0;
        int64_t slice = deep ? t[2].index[z] : 0;
#pragma unroll
        for (int y = 0; y < taps; y++) {
            M by_y = by_z * t[1].weight[y];
            int64_t row = (slice * p.g.size[1] + t[1].index[y]) * p.g.size[0];
#pragma unroll
            for (int x = 0; x < taps; x++) {
                M w = by_y * t[0].weight[x];
                if (w != 0) {
                    f((z * taps + y) * taps + x, row + t[0].index[x], w);
                }
            }
        }
    }
}

/* Numbers of taps that the compiler knows keep them in registers. */
template <class M, class F>
__device__ __forceinline__ void each_corner(const Sampler &p, const Taps<M> *t, F f) {
    switch (p.taps) {
    case 1: each_corner_of<1>(p, t, f); return;
    case 2: each_corner_of<2>(p, t, f); return;
    default: each_corner_of<4>(p, t, f);
    }
}

/* What a point takes along all axes: of derivatives, of one more by the axis steeper. */
template <class T>
__device__ __forceinline__ void all_taps(const Sampler &p, int64_t point, int steeper,
                                         Taps<Math<T>> (&t)[GRID_DIMS]) {
    const T *grid = (const T *)p.grid + point * p.g.dims;
#pragma unroll
    for (int a = 0; a < GRID_DIMS; a++) {
        if (a < p.g.dims) {
            taps_of(p.g, grid, a, p.g.order[a] + (a == steeper ? 1 : 0), &t[a]);
        }
    }
}

#endif
