/* Kernels that draw from distributions which the vectorised tables do not have. */
#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cpu/dense.h"
#include "cpu/make.h"
#include "tensor/formulas/distributions.h"
#include "tensor/index_plan.h"
#include "tensor/number.h"

/* What a random word becomes. */
typedef double Inverse(uint64_t word, const RandomShape *s);

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
        out[i] = v->inverse(f_long_word(words, i), &v->random.shape);
    }
}

static bool invert(const KernelCall *c, Inverse *inverse, RandomShape shape) {
    Inverting v = {random_of(c), inverse};
    v.random.shape = shape;
    make_wide(&c->out[0], DT_FLOAT64, make_inverted, &v);
    return true;
}

static double exponential(uint64_t word, const RandomShape *s) {
    return f_exponential(word, s->scale);
}

bool cpu_exponential(const KernelCall *c) {
    return invert(c, exponential, (RandomShape){.scale = 1 / c->arg[1].f});
}

static double geometric(uint64_t word, const RandomShape *s) {
    return f_geometric(word, s->scale, s->most);
}

bool cpu_geometric(const KernelCall *c) {
    double most = dtype_most_trials(c->out[0].dtype);
    return invert(c, geometric, (RandomShape){.scale = log1p(-c->arg[1].f), .most = most});
}

static double cauchy(uint64_t word, const RandomShape *s) {
    return f_cauchy(word, s->shift, s->scale);
}

bool cpu_cauchy(const KernelCall *c) {
    return invert(c, cauchy, (RandomShape){.shift = c->arg[1].f, .scale = c->arg[2].f});
}

static double below(uint64_t word, const RandomShape *s) { return f_inside_f64(word) < s->most; }

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
    for (int64_t i = 0; i < n; i++) out[i] = f_random_exp(out[i]);
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
            char text[INDEX_TEXT_MAX];
            element_text(text, c->name, what, (Ints){v->shape, v->dim}, i, rate[i]);
            return fail("%s", text);
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
        out[i] = f_inside_f64(f_long_word(words, i)) < r->rate[begin + i];
    }
}

bool cpu_bernoulli(const KernelCall *c) {
    return make_by_rate(c, "input must hold probabilities, in [0, 1]", 1, make_bernoulli);
}

static void make_poisson(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Random *r = ctx;
    double *out = block;
    for (int64_t i = 0; i < n; i++) {
        out[i] = f_poisson(r->seed, r->offset + (uint64_t)(begin + i), r->rate[begin + i]);
    }
}

bool cpu_poisson(const KernelCall *c) {
    return make_by_rate(c, "input must hold rates from 0 on that are finite", 0x1p1000,
                        make_poisson);
}
