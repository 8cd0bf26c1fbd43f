#include "gpu/conv_layout.h"

#include "gpu/elements.cuh"
#include "gpu/walk.cuh"

namespace {

struct Sum {
    template <class M> __device__ __forceinline__ M operator()(M a, M b) const { return a + b; }
};

enum { TILE = 32, TILE_ROWS = 8 };

struct Matrices {
    int64_t count, rows, columns, row_tiles, column_tiles;
};

} // namespace

bool gpu_conv_add(const KernelCall *c, const View *dst, const View *other) {
    return for_float(dst->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map2<T, T, T>(c, dst, dst, other, Sum());
    });
}

/* Tiles go through shared memory, so that reads and writes both run along rows. */
template <class T> static __global__ void transpose_kernel(T *dst, const T *src, Matrices m) {
    __shared__ T tile[TILE][TILE + 1];
    int x = (int)threadIdx.x, y = (int)threadIdx.y;
    int64_t tiles = m.count * m.row_tiles * m.column_tiles;
    for (int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
        int64_t column = t % m.column_tiles * TILE, row = t / m.column_tiles % m.row_tiles * TILE;
        int64_t base = t / m.column_tiles / m.row_tiles * m.rows * m.columns;
        for (int i = y; i < TILE; i += TILE_ROWS) {
            if (row + i < m.rows && column + x < m.columns) {
                tile[i][x] = src[base + (row + i) * m.columns + column + x];
            }
        }
        __syncthreads();
        for (int i = y; i < TILE; i += TILE_ROWS) {
            if (column + i < m.columns && row + x < m.rows) {
                dst[base + (column + i) * m.rows + row + x] = tile[x][i];
            }
        }
        __syncthreads();
    }
}

bool gpu_conv_transpose(const KernelCall *c, int dtype, void *dst, const void *src, int64_t count,
                        int64_t rows, int64_t columns) {
    Matrices m = {count, rows, columns, divide_up(rows, TILE), divide_up(columns, TILE)};
    int64_t most = (int64_t)gpu_processors(c->device) * 16;
    int64_t tiles = m.count * m.row_tiles * m.column_tiles;
    Launch l = launch_of(c, dim3((unsigned)(tiles < most ? tiles : most)), dim3(TILE, TILE_ROWS));
    return for_width(dtype, [&](auto zero) {
        typedef decltype(zero) T;
        launch(l, transpose_kernel<T>, (T *)dst, (const T *)src, m);
        return true;
    });
}

/* Splits i into places in three dims. */
static __device__ __forceinline__ void split(int64_t i, const int64_t *size, int64_t *place) {
    place[2] = i % size[2];
    place[1] = i / size[2] % size[1];
    place[0] = i / size[2] / size[1];
}

template <class T>
static __global__ void columns_kernel(T *columns, const T *image, ConvColumns s, int64_t window,
                                      int64_t total) {
    int64_t plane = s.in[0] * s.in[1] * s.in[2];
    for (int64_t i = first_of(); i < total; i += step_of()) {
        int64_t row = i / s.count, out[3], tap[3], at = 0;
        split(s.from + i % s.count, s.out, out);
        split(row % window, s.kernel, tap);
        bool inside = true;
        for (int d = 0; d < 3; d++) {
            int64_t in = out[d] * s.stride[d] + tap[d] * s.dilation[d] - s.padding[d];
            inside = inside && in >= 0 && in < s.in[d];
            at = at * s.in[d] + in;
        }
        columns[i] = inside ? image[row / window * plane + at] : T(0);
    }
}

/* Each element sums what positions have for it in the order of the taps. */
template <class T>
static __global__ void gather_kernel(const T *columns, T *image, ConvColumns s, int64_t window,
                                     int64_t total) {
    int64_t plane = s.in[0] * s.in[1] * s.in[2];
    for (int64_t i = first_of(); i < total; i += step_of()) {
        int64_t in[3], tap[3];
        split(i % plane, s.in, in);
        const T *own = columns + i / plane * window * s.count;
        T sum = image[i];
        for (int64_t t = 0; t < window; t++) {
            split(t, s.kernel, tap);
            int64_t position = 0;
            bool meets = true;
            for (int d = 0; d < 3; d++) {
                int64_t from = in[d] + s.padding[d] - tap[d] * s.dilation[d];
                int64_t out = from / s.stride[d];
                meets = meets && from >= 0 && out * s.stride[d] == from && out < s.out[d];
                position = position * s.out[d] + out;
            }
            position -= s.from;
            if (meets && position >= 0 && position < s.count) {
                sum += own[t * s.count + position];
            }
        }
        image[i] = sum;
    }
}

static int64_t volume(const int64_t *size) { return size[0] * size[1] * size[2]; }

bool gpu_conv_columns(const KernelCall *c, int dtype, const ConvColumns *s, void *columns,
                      const void *image) {
    int64_t window = volume(s->kernel), total = s->channels * window * s->count;
    Launch l = launch_over(c, total);
    if (dtype == DT_FLOAT64) {
        launch(l, columns_kernel<double>, (double *)columns, (const double *)image, *s, window,
               total);
    } else {
        launch(l, columns_kernel<float>, (float *)columns, (const float *)image, *s, window, total);
    }
    return true;
}

bool gpu_conv_gather(const KernelCall *c, int dtype, const ConvColumns *s, const void *columns,
                     void *image) {
    int64_t window = volume(s->kernel), total = s->channels * volume(s->in);
    Launch l = launch_over(c, total);
    if (dtype == DT_FLOAT64) {
        launch(l, gather_kernel<double>, (const double *)columns, (double *)image, *s, window,
               total);
    } else {
        launch(l, gather_kernel<float>, (const float *)columns, (float *)image, *s, window, total);
    }
    return true;
}
