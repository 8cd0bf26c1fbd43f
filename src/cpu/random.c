/* Kernels of random tensors. Element i is made from the words of counter offset + i / k alone, so
 * that the bits do not depend on the threads. */
#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "cpu/make.h"
#include "tensor/formulas/random.h"
#include "tensor/number.h"

Random random_of(const KernelCall *c) {
    return (Random){.table = ISA_PICK(random_table), .seed = c->seed, .offset = c->offset};
}

void random_draw(const Random *r, uint32_t *words, int64_t begin, int64_t n, int64_t each) {
    r->table->words(words, r->seed, r->offset + (uint64_t)(begin * each / 4), (n * each + 3) / 4);
}

static void make_uniform_f32(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    uint32_t words[MAKE_BLOCK];
    random_draw(r, words, begin, n, 1);
    r->table->uniform_f32(block, words, n, &r->shape, r->bits);
}

static void make_uniform_f64(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    uint32_t words[2 * MAKE_BLOCK];
    random_draw(r, words, begin, n, 2);
    r->table->uniform_f64(block, words, n, &r->shape);
}

static void make_normal_f32(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    uint32_t words[MAKE_BLOCK];
    random_draw(r, words, begin, n, 1);
    r->table->normal_f32(block, words, (n + 1) / 2 * 2, &r->shape);
}

static void make_normal_f64(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    uint32_t words[2 * MAKE_BLOCK];
    int64_t even = (n + 1) / 2 * 2;
    random_draw(r, words, begin, even, 2);
    r->table->normal_f64(block, words, even, &r->shape);
}

static void make_mask_f32(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    uint32_t words[MAKE_BLOCK];
    random_draw(r, words, begin, n, 1);
    r->table->mask_f32(block, words, n, &r->shape);
}

static void make_mask_f64(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    uint32_t words[MAKE_BLOCK];
    random_draw(r, words, begin, n, 1);
    r->table->mask_f64(block, words, n, &r->shape);
}

static void make_integers(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    int64_t *out = block;
    uint32_t words[2 * MAKE_BLOCK];
    random_draw(r, words, begin, n, 2);
    for (int64_t i = 0; i < n; i++) {
        out[i] = (int64_t)((uint64_t)r->low + f_below(f_long_word(words, i), r->possible));
    }
}

static bool make_uniform(const KernelCall *c, double from, double to) {
    const View numbers = make_numbers(&c->out[0]), *out = &numbers;
    Random r = random_of(c);
    r.shape = (RandomShape){
        .shift = from, .scale = to - from, .most = dtype_number_before(to, from, out->dtype)};
    r.bits = out->dtype == DT_FLOAT16 ? 11 : out->dtype == DT_BFLOAT16 ? 8 : 24;
    if (out->dtype == DT_FLOAT64) {
        make_elements(out, DT_FLOAT64, make_uniform_f64, &r);
    } else {
        make_elements(out, DT_FLOAT32, make_uniform_f32, &r);
    }
    return true;
}

/* A complex number deviates by std altogether: each part by its share. */
static bool make_normal(const KernelCall *c, double mean, double std) {
    const View numbers = make_numbers(&c->out[0]), *out = &numbers;
    std = out->numel == c->out[0].numel ? std : std * M_SQRT1_2;
    Random r = random_of(c);
    r.shape = (RandomShape){.shift = mean, .scale = std};
    if (out->dtype == DT_FLOAT64) {
        make_elements(out, DT_FLOAT64, make_normal_f64, &r);
    } else {
        make_elements(out, DT_FLOAT32, make_normal_f32, &r);
    }
    return true;
}

static bool cpu_rand(const KernelCall *c) { return make_uniform(c, 0, 1); }
static bool cpu_randn(const KernelCall *c) { return make_normal(c, 0, 1); }
static bool cpu_uniform(const KernelCall *c) { return make_uniform(c, c->arg[1].f, c->arg[2].f); }
static bool cpu_normal(const KernelCall *c) { return make_normal(c, c->arg[1].f, c->arg[2].f); }

static bool make_integer_tensor(const KernelCall *c, int64_t low, int64_t high) {
    Random r = random_of(c);
    r.low = low;
    r.possible = (uint64_t)high - (uint64_t)low + 1;
    make_wide(&c->out[0], DT_INT64, make_integers, &r);
    return true;
}

static bool cpu_randint(const KernelCall *c) { return make_integer_tensor(c, 1, c->arg[0].i); }

static bool cpu_randint__range(const KernelCall *c) {
    return make_integer_tensor(c, c->arg[0].i, c->arg[1].i);
}

static bool cpu_dropout_mask(const KernelCall *c) {
    const View *out = &c->out[0];
    double p = c->arg[1].f, words = p * 0x1p32;
    Random r = random_of(c);
    r.shape.scale = p < 1 ? 1 / (1 - p) : 0;
    r.shape.drop = words < 0x1p32 - 1 ? (uint32_t)words : UINT32_MAX;
    if (out->dtype == DT_FLOAT64) {
        make_elements(out, DT_FLOAT64, make_mask_f64, &r);
    } else {
        make_elements(out, DT_FLOAT32, make_mask_f32, &r);
    }
    return true;
}

/* The shuffle of Fisher and Yates, grown from the left; stops early when interrupted. */
static void shuffle(const Random *r, int64_t *p, int64_t n) {
    uint32_t words[2 * MAKE_BLOCK];
    for (int64_t begin = 0; begin < n && !interrupt_pending(); begin += MAKE_BLOCK) {
        int64_t m = n - begin < MAKE_BLOCK ? n - begin : MAKE_BLOCK;
        random_draw(r, words, begin, m, 2);
        for (int64_t i = begin; i < begin + m; i++) {
            int64_t at = (int64_t)f_below(f_long_word(words, i - begin), (uint64_t)i + 1);
            p[i] = p[at];
            p[at] = i + 1;
        }
    }
}

static bool cpu_randperm(const KernelCall *c) {
    const View *out = &c->out[0];
    Random r = random_of(c);
    if (out->dtype == DT_INT64) {
        shuffle(&r, out->data, out->numel);
        return true;
    }
    size_t bytes = (size_t)out->numel * sizeof(int64_t);
    View whole = *out;
    whole.dtype = DT_INT64;
    whole.data = mem_alloc(bytes);
    if (!whole.data) {
        return false;
    }
    memset(whole.data, 0, bytes);
    shuffle(&r, whole.data, out->numel);
    dense_copy(out, &whole);
    mem_free(whole.data, bytes);
    return true;
}

static bool cpu_random(const KernelCall *c) {
    int dtype = c->out[0].dtype;
    int64_t least, most;
    if (dtype_is_float(dtype)) {
        return make_integer_tensor(c, 0, dtype_whole_limit(dtype));
    }
    dtype_int_range(dtype, &least, &most);
    return make_integer_tensor(c, 0, most);
}

static bool cpu_random__to(const KernelCall *c) { return make_integer_tensor(c, 1, c->arg[1].i); }

static bool cpu_random__range(const KernelCall *c) {
    return make_integer_tensor(c, c->arg[1].i, c->arg[2].i);
}

#define ROW(name) \
    { #name, cpu_##name }
const KernelRow cpu_random_rows[] = {ROW(rand),
                                     ROW(randn),
                                     ROW(randint),
                                     ROW(randint__range),
                                     ROW(randperm),
                                     ROW(uniform),
                                     ROW(normal),
                                     ROW(dropout_mask),
                                     ROW(random),
                                     ROW(random__to),
                                     ROW(random__range),
                                     ROW(exponential),
                                     ROW(geometric),
                                     ROW(cauchy),
                                     ROW(log_normal),
                                     ROW(bernoulli),
                                     ROW(bernoulli__number),
                                     ROW(poisson),
                                     ROW(multinomial),
                                     {NULL, NULL}};
