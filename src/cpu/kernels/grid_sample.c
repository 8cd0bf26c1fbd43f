/* Kernels of looking images up at places; see cpu/grid_kernels.h. */
#include "cpu/grid_kernels.h"

#include <math.h>
#include <string.h>
#ifdef __AVX2__
    #include <immintrin.h>
#endif

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/tile.h"
#include "tensor/formulas/cubic.h"

static const int taps_of_mode[] = {[GRID_LINEAR] = 2, [GRID_NEAREST] = 1, [GRID_CUBIC] = 4};

/* Where a place along an axis is after padding, and how fast it moves with the coordinate. */
typedef struct Place {
    double at, slope;
} Place;

static Place clipped(Place p, int64_t size) {
    if (!(p.at > 0)) {
        return (Place){0, 0};
    }
    return p.at < (double)(size - 1) ? p : (Place){(double)(size - 1), 0};
}

static Place reflected(Place p, int64_t size, bool align_corners) {
    double low = align_corners ? 0 : -0.5, span = (double)(align_corners ? size - 1 : size);
    double beyond = p.at - low;
    if (span == 0 || !isfinite(beyond)) {
        return (Place){0, 0};
    }
    p.slope = beyond < 0 ? -p.slope : p.slope;
    beyond = fabs(beyond);
    double rest = fmod(beyond, span);
    if (fmod(floor(beyond / span), 2) == 0) {
        p.at = rest + low;
    } else {
        p.at = span - rest + low;
        p.slope = -p.slope;
    }
    return clipped(p, size);
}

static Place padded(const GridShape *g, Place p, int64_t size) {
    switch (g->padding) {
    case GRID_BORDER: return clipped(p, size);
    case GRID_REFLECTION: return reflected(p, size, g->align_corners);
    default: return p;
    }
}

/* Compilers take these loads apart where they are left to themselves. */
#define GATHER_512(x, i) _mm512_i32gather_ps(_mm512_loadu_si512(i), x, 4)
#define GATHER_256(x, i) _mm256_i32gather_ps(x, _mm256_loadu_si256((const __m256i *)(i)), 4)
#define T                float
#define INDEX            int32_t
#define NAME(x)          f32_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/grid_sample_body.inc.c"
#undef GATHER_512
#undef GATHER_256
#undef T
#undef INDEX
#undef NAME

#define GATHER_512(x, i) _mm512_i32gather_pd(_mm256_loadu_si256((const __m256i *)(i)), x, 8)
#define GATHER_256(x, i) _mm256_i32gather_pd(x, _mm_loadu_si128((const __m128i *)(i)), 8)

#define T       double
#define INDEX   int64_t
#define NAME(x) f64_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/grid_sample_body.inc.c"

const GridKernels ISA_NAME(grid_float) = {f32_sample, f32_scatter, f32_by_place};
const GridKernels ISA_NAME(grid_double) = {f64_sample, f64_scatter, f64_by_place};
