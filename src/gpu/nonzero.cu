/* The places of elements that are not zero, in row-major order. Each block counts
 * its stretch of elements, one block adds the counts up, and each then writes from its own on. */
#include "gpu/axes.cuh"
#include "gpu/block.cuh"
#include "gpu/pick.h"
#include "tensor/formulas/complex.h"

enum { STRETCH = THREADS * 8 };

namespace {

struct Search {
    const void *in;
    int dtype, dim;
    int64_t numel, size, blocks;
    int64_t shape[MAX_DIMS];
    Axes axes;                          /* of the input: operand 0 */
    int64_t *out, place_step, dim_step; /* of the result: from place to place, from dim to dim */
    int64_t *counts;
};

} // namespace

static __device__ bool is_true(const Search &s, int64_t i) {
    int64_t at[AXIS_OPERANDS] = {0, 0, 0};
    locate(s.axes, i, at);
    const int64_t k = at[0];
    switch (s.dtype) {
    case DT_INT16: return ((const int16_t *)s.in)[k] != 0;
    case DT_INT32: return ((const int32_t *)s.in)[k] != 0;
    case DT_INT64: return ((const int64_t *)s.in)[k] != 0;
    case DT_FLOAT16:
    case DT_BFLOAT16: return (((const uint16_t *)s.in)[k] & 0x7fffu) != 0;
    case DT_FLOAT32: return ((const float *)s.in)[k] != 0;
    case DT_FLOAT64: return ((const double *)s.in)[k] != 0;
    case DT_COMPLEX64: return f_is_true_c64(((const Complex64 *)s.in)[k]);
    case DT_COMPLEX128: return f_is_true_c128(((const Complex128 *)s.in)[k]);
    default: return ((const uint8_t *)s.in)[k] != 0;
    }
}

/* A thread's part of the block's stretch: neighbours, so that order is kept. */
static __device__ int64_t first_place() {
    return blockIdx.x * (int64_t)STRETCH + threadIdx.x * (int64_t)(STRETCH / THREADS);
}

static __device__ int64_t count_part(const Search &s) {
    int64_t count = 0, first = first_place();
    for (int64_t i = first; i < first + STRETCH / THREADS && i < s.numel; i++) {
        count += is_true(s, i);
    }
    return count;
}

static __global__ void count_kernel(Search s) {
    __shared__ Count warps[WARPS];
    Count total;
    scan_before(Count{count_part(s)}, warps, &total);
    if (threadIdx.x == 0) {
        s.counts[blockIdx.x] = total.n;
    }
}

/* counts[i] becomes the sum of those before; counts[blocks] that of all. One block. */
static __global__ void add_up_kernel(Search s) {
    __shared__ Count warps[WARPS];
    int64_t before = 0;
    for (int64_t first = 0; first < s.blocks; first += THREADS) {
        int64_t i = first + threadIdx.x;
        Count own = {i < s.blocks ? s.counts[i] : 0}, total;
        int64_t at = scan_before(own, warps, &total).n;
        if (i < s.blocks) {
            s.counts[i] = before + at;
        }
        before += total.n;
    }
    if (threadIdx.x == 0) {
        s.counts[s.blocks] = before;
    }
}

static __global__ void write_kernel(Search s) {
    __shared__ Count warps[WARPS];
    Count own = {count_part(s)}, total;
    int64_t first = first_place();
    int64_t row = s.counts[blockIdx.x] + scan_before(own, warps, &total).n;
    for (int64_t i = first; i < first + STRETCH / THREADS && i < s.numel; i++) {
        if (!is_true(s, i)) {
            continue;
        }
        int64_t rest = i;
        for (int d = s.dim - 1; d >= 0 && row < s.size; d--) {
            s.out[row * s.place_step + d * s.dim_step] = rest % s.shape[d] + 1;
            rest /= s.shape[d];
        }
        row++;
    }
}

/* The rows that nothing was found for. */
static __global__ void fill_kernel(Search s, int64_t value) {
    int64_t found = s.counts ? s.counts[s.blocks] : 0;
    for (int64_t i = found * s.dim + first_of(); i < s.size * s.dim; i += step_of()) {
        s.out[i] = value;
    }
}

static Search search_of(const View *in) {
    Search s = Search();
    s.in = in->data;
    s.dtype = in->dtype;
    s.dim = in->dim;
    s.numel = in->numel;
    s.blocks = divide_up(in->numel, STRETCH);
    s.axes = axes_of(in);
    for (int d = 0; d < in->dim; d++) {
        s.shape[d] = in->shape[d];
    }
    return s;
}

static size_t counts_bytes(const Search &s) { return (size_t)(s.blocks + 1) * sizeof(int64_t); }

/* Allocates and fills counts; there are elements. */
static bool count(const KernelCall *c, Search *s) {
    s->counts = (int64_t *)gpu_alloc(c->device, counts_bytes(*s));
    if (!s->counts) {
        return false;
    }
    launch(launch_of(c, dim3((unsigned)s->blocks), dim3(THREADS)), count_kernel, *s);
    launch(launch_of(c, dim3(1), dim3(THREADS)), add_up_kernel, *s);
    return true;
}

static void write(const KernelCall *c, const Search &s) {
    launch(launch_of(c, dim3((unsigned)s.blocks), dim3(THREADS)), write_kernel, s);
}

static bool nonzero_static(const KernelCall *c) {
    Search s = search_of(&c->in[0]);
    if (c->out[0].numel == 0) {
        return true;
    }
    s.size = c->arg[1].i;
    s.out = (int64_t *)c->out[0].data;
    s.place_step = s.dim;
    s.dim_step = 1;
    if (s.numel > 0) {
        if (!count(c, &s)) {
            return false;
        }
        write(c, s);
    }
    launch(launch_over(c, s.size * s.dim), fill_kernel, s, c->arg[2].i);
    if (s.counts) {
        gpu_release(c->device, s.counts, counts_bytes(s));
    }
    return true;
}

int64_t *gpu_mask_columns(const KernelCall *c, const View *mask, int64_t *found) {
    Search s = search_of(mask);
    Device host = {DEVICE_CPU, 0};
    *found = 0;
    if (s.numel > 0 && !count(c, &s)) {
        return NULL;
    }
    if (!s.counts || gpu_copy(host, found, c->device, s.counts + s.blocks, sizeof *found)) {
        s.out = (int64_t *)gpu_alloc(c->device, (size_t)(*found * s.dim) * sizeof(int64_t));
    }
    s.size = s.dim_step = *found;
    s.place_step = 1;
    if (s.out && *found > 0) {
        write(c, s);
    }
    if (s.counts) {
        gpu_release(c->device, s.counts, counts_bytes(s));
    }
    return s.out;
}

const KernelRow gpu_nonzero_rows[] = {{"nonzero_static", nonzero_static}, {NULL, NULL}};
