/* Kernels of the operators that make tensors. Their outputs are new and contiguous. */
#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "cpu/kernels/random.h"
#include "tensor/formulas/random.h"
#include "tensor/number.h"
#include "tensor/op.h"

enum { BLOCK = 1024, GRAIN_BYTES = 1 << 17 };

static void zero_bytes(void *ctx, int64_t begin, int64_t end) {
    memset((char *)ctx + begin, 0, (size_t)(end - begin));
}

static bool cpu_zeros(const KernelCall *c) {
    const View *out = &c->out[0];
    parallel_for(out->numel * (int64_t)dtype_size(out->dtype), GRAIN_BYTES, zero_bytes, out->data);
    return true;
}

static bool cpu_empty(const KernelCall *c) {
    (void)c;
    return true;
}

static bool cpu_ones(const KernelCall *c) {
    dense_fill(&c->out[0], arg_int(1));
    return true;
}

static bool cpu_full(const KernelCall *c) {
    dense_fill(&c->out[0], c->arg[1]);
    return true;
}

static bool cpu_eye(const KernelCall *c) {
    const View *out = &c->out[0];
    int64_t n = out->shape[0], m = out->shape[1];
    if (out->numel == 0) {
        return true; /* the other size may be any number */
    }
    int64_t stride[] = {m + 1}, shape[] = {n < m ? n : m};
    View diagonal = {.data = out->data,
                     .shape = shape,
                     .stride = stride,
                     .numel = shape[0],
                     .dim = 1,
                     .dtype = out->dtype};
    cpu_zeros(c);
    dense_fill(&diagonal, arg_int(1));
    return true;
}

/* Computes elements [begin, begin + n) of a tensor, n <= BLOCK, in the dtype agreed on. It may
 * write one element more where n is odd. */
typedef void MakeBlock(const void *ctx, void *block, int64_t begin, int64_t n);

typedef struct Making {
    const View *out;
    MakeBlock *make;
    const void *ctx;
    IterLoop *convert; /* from the dtype that make computes in; NULL: it is out's */
    int64_t made_size;
} Making;

static void make_blocks(void *ctx, int64_t begin, int64_t end) {
    const Making *m = ctx;
    const int64_t size = (int64_t)dtype_size(m->out->dtype);
    _Alignas(64) char block[(BLOCK + 1) * sizeof(double)];
    for (int64_t b = begin; b < end; b++) {
        int64_t first = b * BLOCK, n = m->out->numel - first;
        n = n < BLOCK ? n : BLOCK;
        char *dst = (char *)m->out->data + first * size;
        m->make(m->ctx, block, first, n);
        if (m->convert) {
            char *const ptr[] = {dst, block};
            const int64_t stride[] = {size, m->made_size};
            m->convert(ptr, stride, n, NULL);
        } else {
            memcpy(dst, block, (size_t)(n * size));
        }
    }
}

/* Fills out block by block with what make computes in dtype. */
static void make_elements(const View *out, int dtype, MakeBlock *make, const void *ctx) {
    Making m = {.out = out,
                .make = make,
                .ctx = ctx,
                .convert = dtype == out->dtype ? NULL : ew_tables()->cast[dtype][out->dtype],
                .made_size = (int64_t)dtype_size(dtype)};
    parallel_for((out->numel + BLOCK - 1) / BLOCK, 8, make_blocks, &m);
}

/* Halves are computed as floats; elements of other dtypes in the dtype given. */
static int made_dtype(const View *out, int dtype) {
    return ew_compute_dtype(out->dtype) == out->dtype ? dtype : DT_FLOAT32;
}

typedef struct Range {
    double first, last, step;
    int64_t whole_first, whole_step, n;
} Range;

/* Without a sign, as the way from one end to the other may not fit into an int64. */
static void make_whole_range(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Range *r = ctx;
    int64_t *out = block;
    for (int64_t i = 0; i < n; i++) {
        uint64_t way = (uint64_t)(begin + i) * (uint64_t)r->whole_step;
        out[i] = (int64_t)((uint64_t)r->whole_first + way);
    }
}

/* Rounding does not lead beyond the last number. */
static void make_range(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Range *r = ctx;
    double *out = block;
    for (int64_t i = 0; i < n; i++) {
        double x = r->first + (double)(begin + i) * r->step;
        out[i] = r->step > 0 ? fmin(x, r->last) : fmax(x, r->last);
    }
}

/* From both ends, so that both are met exactly. */
static void make_linspace(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Range *r = ctx;
    double *out = block;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = begin + i;
        out[i] = at < r->n / 2 || r->n == 1 ? r->first + (double)at * r->step
                                            : r->last - (double)(r->n - 1 - at) * r->step;
    }
}

typedef struct Narrowing {
    MakeBlock *make;
    const void *ctx;
    IterLoop *narrow;
} Narrowing;

/* A block of doubles or int64 as floats, on the way to a half type. */
static void make_narrowed(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Narrowing *w = ctx;
    _Alignas(64) char wide[(BLOCK + 1) * sizeof(double)];
    w->make(w->ctx, wide, begin, n);
    char *const ptr[] = {block, wide};
    const int64_t stride[] = {sizeof(float), sizeof(double)};
    w->narrow(ptr, stride, n, NULL);
}

/* As make_elements for a make that computes in DT_FLOAT64 or DT_INT64. */
static void make_wide(const View *out, int dtype, MakeBlock *make, const void *ctx) {
    if (made_dtype(out, dtype) == dtype) {
        make_elements(out, dtype, make, ctx);
        return;
    }
    Narrowing narrowing = {make, ctx, ew_tables()->cast[dtype][DT_FLOAT32]};
    make_elements(out, DT_FLOAT32, make_narrowed, &narrowing);
}

static bool make_arange(const KernelCall *c, Arg first, Arg last, Arg step) {
    Range r = {.first = arg_number(first),
               .last = arg_number(last),
               .step = arg_number(step),
               .whole_first = first.i,
               .whole_step = step.i};
    if (first.kind == ARG_FLOAT || last.kind == ARG_FLOAT || step.kind == ARG_FLOAT) {
        make_wide(&c->out[0], DT_FLOAT64, make_range, &r);
    } else {
        make_wide(&c->out[0], DT_INT64, make_whole_range, &r);
    }
    return true;
}

static bool cpu_arange(const KernelCall *c) {
    return make_arange(c, arg_int(1), c->arg[0], arg_int(1));
}

static bool cpu_arange__range(const KernelCall *c) {
    return make_arange(c, c->arg[0], c->arg[1], c->arg[2]);
}

static bool cpu_linspace(const KernelCall *c) {
    Range r = {.first = arg_number(c->arg[0]), .last = arg_number(c->arg[1]), .n = c->out[0].numel};
    r.step = r.n > 1 ? (r.last - r.first) / (double)(r.n - 1) : 0;
    make_wide(&c->out[0], DT_FLOAT64, make_linspace, &r);
    return true;
}

typedef struct Random {
    const RandomTable *table;
    uint64_t seed, offset;
    RandomShape shape;
    int bits;          /* of a uniform float */
    int64_t low;       /* integers */
    uint64_t possible; /* how many integers; 0: all of them */
} Random;

static Random random_of(const KernelCall *c) {
    return (Random){.table = ISA_PICK(random_table), .seed = c->seed, .offset = c->offset};
}

/* The random words of elements [begin, begin + n), each of so many words; begin is a multiple of
 * BLOCK. */
static void draw(const Random *r, uint32_t *words, int64_t begin, int64_t n, int64_t each) {
    r->table->words(words, r->seed, r->offset + (uint64_t)(begin * each / 4), (n * each + 3) / 4);
}

static void make_uniform_f32(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    uint32_t words[BLOCK];
    draw(r, words, begin, n, 1);
    r->table->uniform_f32(block, words, n, &r->shape, r->bits);
}

static void make_uniform_f64(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    uint32_t words[2 * BLOCK];
    draw(r, words, begin, n, 2);
    r->table->uniform_f64(block, words, n, &r->shape);
}

static void make_normal_f32(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    uint32_t words[BLOCK];
    draw(r, words, begin, n, 1);
    r->table->normal_f32(block, words, (n + 1) / 2 * 2, &r->shape);
}

static void make_normal_f64(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    uint32_t words[2 * BLOCK];
    int64_t even = (n + 1) / 2 * 2;
    draw(r, words, begin, even, 2);
    r->table->normal_f64(block, words, even, &r->shape);
}

static void make_mask_f32(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    uint32_t words[BLOCK];
    draw(r, words, begin, n, 1);
    r->table->mask_f32(block, words, n, &r->shape);
}

static void make_mask_f64(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    uint32_t words[BLOCK];
    draw(r, words, begin, n, 1);
    r->table->mask_f64(block, words, n, &r->shape);
}

static void make_integers(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    int64_t *out = block;
    uint32_t words[2 * BLOCK];
    draw(r, words, begin, n, 2);
    for (int64_t i = 0; i < n; i++) {
        out[i] = (int64_t)((uint64_t)r->low + f_below(f_long_word(words, i), r->possible));
    }
}

static bool make_uniform(const KernelCall *c, double from, double to) {
    const View *out = &c->out[0];
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

static bool make_normal(const KernelCall *c, double mean, double std) {
    const View *out = &c->out[0];
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
    uint32_t words[2 * BLOCK];
    for (int64_t begin = 0; begin < n && !interrupt_pending(); begin += BLOCK) {
        int64_t m = n - begin < BLOCK ? n - begin : BLOCK;
        draw(r, words, begin, m, 2);
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

const KernelRow cpu_create_rows[] = {{"zeros", cpu_zeros},
                                     {"ones", cpu_ones},
                                     {"empty", cpu_empty},
                                     {"full", cpu_full},
                                     {"arange", cpu_arange},
                                     {"arange__range", cpu_arange__range},
                                     {"linspace", cpu_linspace},
                                     {"eye", cpu_eye},
                                     {"rand", cpu_rand},
                                     {"randn", cpu_randn},
                                     {"randint", cpu_randint},
                                     {"randint__range", cpu_randint__range},
                                     {"randperm", cpu_randperm},
                                     {"uniform", cpu_uniform},
                                     {"normal", cpu_normal},
                                     {"dropout_mask", cpu_dropout_mask},
                                     {NULL, NULL}};
