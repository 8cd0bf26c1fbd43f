/* Kernels that draw from distributions which the vectorised tables do not have. */
#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/philox.h"
#include "base/threads.h"
#include "cpu/dense.h"
#include "cpu/make.h"
#include "tensor/index_plan.h"
#include "tensor/number.h"

/* What the inside of (0, 1) becomes. */
typedef double Inverse(double u, const RandomShape *s);

typedef struct Inverting {
    Random random;
    Inverse *inverse;
} Inverting;

static void make_inverted(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Inverting *v = ctx;
    double *out = block;
    uint32_t words[2 * MAKE_BLOCK];
    random_draw(&v->random, words, begin, n, 2);
    for (int64_t i = 0; i < n; i++) {
        out[i] = v->inverse(random_inside(f_long_word(words, i)), &v->random.shape);
    }
}

static bool invert(const KernelCall *c, Inverse *inverse, RandomShape shape) {
    Inverting v = {random_of(c), inverse};
    v.random.shape = shape;
    make_wide(&c->out[0], DT_FLOAT64, make_inverted, &v);
    return true;
}

static double exponential(double u, const RandomShape *s) { return -log(u) * s->scale; }

bool cpu_exponential(const KernelCall *c) {
    return invert(c, exponential, (RandomShape){.scale = 1 / c->arg[1].f});
}

/* How many trials up to the first success, at most what the dtype holds. */
static double geometric(double u, const RandomShape *s) {
    double k = ceil(log(u) / s->scale);
    return k < 1 ? 1 : k > s->most ? s->most : k;
}

bool cpu_geometric(const KernelCall *c) {
    int dtype = c->out[0].dtype;
    int64_t least, most = 0;
    double limit = INFINITY;
    if (!dtype_is_float(dtype)) {
        dtype_int_range(dtype, &least, &most);
        limit = dtype == DT_INT64 ? 0x1p62 : (double)most;
    }
    return invert(c, geometric, (RandomShape){.scale = log1p(-c->arg[1].f), .most = limit});
}

static double cauchy(double u, const RandomShape *s) {
    return s->shift + s->scale * tan(3.14159265358979323846 * (u - 0.5));
}

bool cpu_cauchy(const KernelCall *c) {
    return invert(c, cauchy, (RandomShape){.shift = c->arg[1].f, .scale = c->arg[2].f});
}

static double below(double u, const RandomShape *s) { return u < s->most; }

bool cpu_bernoulli__number(const KernelCall *c) {
    return invert(c, below, (RandomShape){.most = c->arg[1].f});
}

static void make_log_normal(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    double *out = block;
    uint32_t words[2 * MAKE_BLOCK];
    int64_t even = (n + 1) / 2 * 2;
    random_draw(r, words, begin, even, 2);
    r->table->normal_f64(out, words, even, &r->shape);
    for (int64_t i = 0; i < n; i++) out[i] = exp(out[i]);
}

bool cpu_log_normal(const KernelCall *c) {
    Random r = random_of(c);
    r.shape = (RandomShape){.shift = c->arg[1].f, .scale = c->arg[2].f};
    make_wide(&c->out[0], DT_FLOAT64, make_log_normal, &r);
    return true;
}

/* The elements of v in row-major order as doubles, to be freed by free_doubles; NULL after an
 * error. No elements take one all the same. */
static double *copy_doubles(const View *v) {
    double *all = mem_alloc((size_t)(v->numel + 1) * sizeof *all);
    int64_t stride[MAX_DIMS];
    if (all) {
        shape_contiguous_strides((Ints){v->shape, v->dim}, stride);
        View copy = *v;
        copy.data = all;
        copy.stride = stride;
        copy.dtype = DT_FLOAT64;
        dense_copy(&copy, v);
    }
    return all;
}

static void free_doubles(double *all, int64_t numel) {
    mem_free(all, (size_t)(numel + 1) * sizeof *all);
}

/* Refuses elements that are not in [0, most], telling the first. */
static bool check_rates(const KernelCall *c, const char *what, const double *rate, double most) {
    const View *v = &c->in[0];
    for (int64_t i = 0; i < v->numel; i++) {
        if (!(rate[i] >= 0 && rate[i] <= most)) {
            char place[INDEX_PLACE_MAX];
            index_place((Ints){v->shape, v->dim}, i, place);
            return fail("%s: %s, got %g at position %s", c->name, what, rate[i], place);
        }
    }
    return true;
}

/* Fills out by make, which finds input's elements in the random's rate. */
static bool make_by_rate(const KernelCall *c, const char *what, double most, MakeBlock *make) {
    int64_t numel = c->in[0].numel;
    double *rate = copy_doubles(&c->in[0]);
    bool ok = rate && check_rates(c, what, rate, most);
    if (ok) {
        Random r = random_of(c);
        r.rate = rate;
        make_wide(&c->out[0], DT_FLOAT64, make, &r);
    }
    free_doubles(rate, numel);
    return ok;
}

static void make_bernoulli(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    double *out = block;
    uint32_t words[2 * MAKE_BLOCK];
    random_draw(r, words, begin, n, 2);
    for (int64_t i = 0; i < n; i++) {
        out[i] = random_inside(f_long_word(words, i)) < r->rate[begin + i];
    }
}

bool cpu_bernoulli(const KernelCall *c) {
    return make_by_rate(c, "input must hold probabilities, in [0, 1]", 1, make_bernoulli);
}

/* A stream of an element's own, for what takes nobody knows how many words: the counter's upper
 * half counts on from 1, which no other op uses. */
typedef struct Stream {
    uint64_t seed, counter, turn;
    uint32_t words[4];
    int used;
} Stream;

static double stream_next(Stream *s) {
    if (s->used == 4) {
        philox4x32(s->seed, s->counter, ++s->turn, s->words);
        s->used = 0;
    }
    uint64_t word = f_long_word(s->words + s->used, 0);
    s->used += 2;
    return random_inside(word);
}

/* The number of factors below 1 whose product stays above e to the power of -rate. */
static double poisson_small(Stream *s, double rate) {
    double limit = exp(-rate), product = stream_next(s), k = 0;
    while (product > limit) {
        product *= stream_next(s);
        k++;
    }
    return k;
}

/* Transformed rejection with a squeeze, for rates from 10 (Hoermann, The transformed rejection
 * method for generating Poisson random variables, Insurance: Mathematics and Economics 12, 1993).
 */
static double poisson_large(Stream *s, double rate) {
    double b = 0.931 + 2.53 * sqrt(rate), a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        double u = stream_next(s) - 0.5, v = stream_next(s), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + rate + 0.43);
        if (us >= 0.07 && v <= v_r) {
            return k;
        }
        if (k < 0 || (us < 0.013 && v > us)) {
            continue;
        }
        int sign;
        double bound = -rate + k * log(rate) - lgamma_r(k + 1, &sign);
        if (log(v * inverse_alpha / (a / (us * us) + b)) <= bound) {
            return k;
        }
    }
}

static void make_poisson(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    double *out = block;
    for (int64_t i = 0; i < n; i++) {
        double rate = r->rate[begin + i];
        Stream s = {.seed = r->seed, .counter = r->offset + (uint64_t)(begin + i), .used = 4};
        out[i] = rate == 0 ? 0 : rate < 10 ? poisson_small(&s, rate) : poisson_large(&s, rate);
    }
}

bool cpu_poisson(const KernelCall *c) {
    return make_by_rate(c, "input must hold rates from 0 on that are finite", 0x1p1000,
                        make_poisson);
}
