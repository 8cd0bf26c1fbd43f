/* Random tensors: the same bits as on the CPU, as element i depends on the seed, the offset and i
 * alone. A thread makes what comes of one Philox counter, four words. */
#include "base/memory.h"
#include "gpu/make.cuh"
#include "tensor/formulas/normal.h"
#include "tensor/number.h"

/* Draws with one function for double and one for the other floats. */
template <class Single, class Double>
static bool draw_floats(const KernelCall *c, Single single, Double twice) {
    return dtype_real_of(c->out[0].dtype) == DT_FLOAT64 ? draw(c, twice) : draw(c, single);
}

namespace {

struct Uniform {
    typedef float Number;
    enum { EACH = 4 };
    float shift, scale, most;
    int bits;
    __device__ void operator()(const uint32_t *w, float *y) const {
        for (int j = 0; j < EACH; j++) {
            y[j] = f_uniform_f32(w[j], bits, shift, scale, most);
        }
    }
};

struct UniformDouble {
    typedef double Number;
    enum { EACH = 2 };
    double shift, scale, most;
    __device__ void operator()(const uint32_t *w, double *y) const {
        for (int j = 0; j < EACH; j++) {
            y[j] = f_uniform_f64(f_long_word(w, j), shift, scale, most);
        }
    }
};

struct Normal {
    typedef float Number;
    enum { EACH = 4 };
    float shift, scale;
    __device__ void operator()(const uint32_t *w, float *y) const {
        f_box_muller_f32(w[0], w[1], y);
        f_box_muller_f32(w[2], w[3], y + 2);
        for (int j = 0; j < EACH; j++) {
            y[j] = shift + f_mul_rn_f32(scale, y[j]);
        }
    }
};

struct NormalDouble {
    typedef double Number;
    enum { EACH = 2 };
    double shift, scale;
    __device__ void operator()(const uint32_t *w, double *y) const {
        f_box_muller_f64(f_long_word(w, 0), f_long_word(w, 1), y);
        for (int j = 0; j < EACH; j++) {
            y[j] = shift + f_mul_rn_f64(scale, y[j]);
        }
    }
};

template <class M> struct Mask {
    typedef M Number;
    enum { EACH = 4 };
    uint32_t drop;
    M scale;
    __device__ void operator()(const uint32_t *w, M *y) const {
        for (int j = 0; j < EACH; j++) {
            y[j] = w[j] < drop ? (M)0 : scale;
        }
    }
};

struct Integers {
    int64_t low;
    uint64_t possible; /* how many; 0: all of them */
    __device__ int64_t operator()(uint64_t word) const {
        return (int64_t)((uint64_t)low + f_below(word, possible));
    }
};

} // namespace

static bool make_uniform(const KernelCall *c, double from, double to) {
    int dtype = dtype_real_of(c->out[0].dtype);
    double most = dtype_number_before(to, from, dtype);
    int bits = dtype == DT_FLOAT16 ? 11 : dtype == DT_BFLOAT16 ? 8 : 24;
    return draw_floats(c, Uniform{(float)from, (float)(to - from), (float)most, bits},
                       UniformDouble{from, to - from, most});
}

/* A complex number deviates by std altogether: each part by its share. */
static bool make_normal(const KernelCall *c, double mean, double std) {
    std = dtype_is_complex(c->out[0].dtype) ? std * M_SQRT1_2 : std;
    return draw_floats(c, Normal{(float)mean, (float)std}, NormalDouble{mean, std});
}

static bool rand_rows(const KernelCall *c) { return make_uniform(c, 0, 1); }
static bool randn_rows(const KernelCall *c) { return make_normal(c, 0, 1); }
static bool uniform(const KernelCall *c) { return make_uniform(c, c->arg[1].f, c->arg[2].f); }
static bool normal(const KernelCall *c) { return make_normal(c, c->arg[1].f, c->arg[2].f); }

static bool make_integers(const KernelCall *c, int64_t low, int64_t high) {
    return draw_of_long_words(c, Integers{low, (uint64_t)high - (uint64_t)low + 1});
}

static bool randint(const KernelCall *c) { return make_integers(c, 1, c->arg[0].i); }

static bool randint_range(const KernelCall *c) {
    return make_integers(c, c->arg[0].i, c->arg[1].i);
}

static bool random_rows(const KernelCall *c) {
    int dtype = c->out[0].dtype;
    int64_t least, most = dtype_whole_limit(dtype);
    if (!dtype_is_float(dtype)) {
        dtype_int_range(dtype, &least, &most);
    }
    return make_integers(c, 0, most);
}

static bool random_to(const KernelCall *c) { return make_integers(c, 1, c->arg[1].i); }

static bool random_range(const KernelCall *c) { return make_integers(c, c->arg[1].i, c->arg[2].i); }

static bool dropout_mask(const KernelCall *c) {
    double p = c->arg[1].f, words = p * 0x1p32, scale = p < 1 ? 1 / (1 - p) : 0;
    uint32_t drop = words < 0x1p32 - 1 ? (uint32_t)words : UINT32_MAX;
    return draw_floats(c, Mask<float>{drop, (float)scale}, Mask<double>{drop, scale});
}

/* The shuffle of Fisher and Yates, grown from the left, one step after the other: on the host. */
static void shuffle(const KernelCall *c, int64_t *p, int64_t n) {
    for (int64_t i = 0; i < n; i += 2) {
        uint32_t words[4];
        philox4x32(c->seed, c->offset + (uint64_t)(i / 2), 0, words);
        for (int64_t k = i; k < i + 2 && k < n; k++) {
            int64_t at = (int64_t)f_below(f_long_word(words, k - i), (uint64_t)k + 1);
            p[k] = p[at];
            p[at] = k + 1;
        }
    }
}

/* Copies int64 numbers to out, through device memory where out has another dtype. */
static bool upload(const KernelCall *c, const int64_t *numbers, size_t bytes) {
    const View *out = &c->out[0];
    const Device host = {DEVICE_CPU, 0};
    if (out->dtype == DT_INT64) {
        return gpu_copy(c->device, out->data, host, numbers, bytes);
    }
    View whole = *out;
    whole.dtype = DT_INT64;
    whole.data = gpu_alloc(c->device, bytes);
    if (!whole.data) {
        return false;
    }
    bool ok =
        gpu_copy(c->device, whole.data, host, numbers, bytes) && gpu_cast_view(c, out, &whole);
    gpu_release(c->device, whole.data, bytes);
    return ok;
}

static bool randperm(const KernelCall *c) {
    int64_t n = c->out[0].numel;
    size_t bytes = (size_t)n * sizeof(int64_t);
    int64_t *numbers = (int64_t *)mem_zalloc(bytes);
    if (!numbers) {
        return false;
    }
    shuffle(c, numbers, n);
    bool ok = upload(c, numbers, bytes);
    mem_free(numbers, bytes);
    return ok;
}

const KernelRow gpu_random_rows[] = {{"rand", rand_rows},
                                     {"randn", randn_rows},
                                     {"randint", randint},
                                     {"randint__range", randint_range},
                                     {"randperm", randperm},
                                     {"uniform", uniform},
                                     {"normal", normal},
                                     {"random", random_rows},
                                     {"random__to", random_to},
                                     {"random__range", random_range},
                                     {"dropout_mask", dropout_mask},
                                     {NULL, NULL}};
