/* Draws from distributions, with the same bits as on the CPU. */
#include "gpu/fault.cuh"
#include "gpu/make.cuh"
#include "tensor/formulas/distributions.h"
#include "tensor/number.h"

namespace {

struct Exponential {
    double scale;
    __device__ double operator()(uint64_t word) const { return f_exponential(word, scale); }
};

struct Geometric {
    double log_failure, most;
    __device__ double operator()(uint64_t word) const {
        return f_geometric(word, log_failure, most);
    }
};

struct Cauchy {
    double median, sigma;
    __device__ double operator()(uint64_t word) const { return f_cauchy(word, median, sigma); }
};

struct Below {
    double p;
    __device__ int64_t operator()(uint64_t word) const { return f_inside_f64(word) < p; }
};

struct LogNormal {
    typedef double Number;
    enum { EACH = 2 };
    double mean, std;
    __device__ void operator()(const uint32_t *w, double *y) const {
        f_box_muller_f64(f_long_word(w, 0), f_long_word(w, 1), y);
        for (int j = 0; j < EACH; j++) {
            y[j] = f_random_exp(mean + f_mul_rn_f64(std, y[j]));
        }
    }
};

} // namespace

static bool exponential(const KernelCall *c) {
    return draw_of_long_words(c, Exponential{1 / c->arg[1].f});
}

static bool geometric(const KernelCall *c) {
    return draw_of_long_words(c,
                              Geometric{log1p(-c->arg[1].f), dtype_most_trials(c->out[0].dtype)});
}

static bool cauchy(const KernelCall *c) {
    return draw_of_long_words(c, Cauchy{c->arg[1].f, c->arg[2].f});
}

static bool log_normal(const KernelCall *c) { return draw(c, LogNormal{c->arg[1].f, c->arg[2].f}); }

static bool bernoulli_number(const KernelCall *c) {
    return draw_of_long_words(c, Below{c->arg[1].f});
}

namespace {

/* What element i becomes, given the number that input holds for it. */
struct Bernoulli {
    __device__ double operator()(const Counters &from, int64_t i, double p) const {
        uint32_t words[4];
        philox4x32(from.key(), from.at((uint64_t)(i / 2)), 0, words);
        return f_inside_f64(f_long_word(words, i % 2)) < p;
    }
};

struct Poisson {
    __device__ double operator()(const Counters &from, int64_t i, double rate) const {
        return f_poisson(from.key(), from.at((uint64_t)i), rate);
    }
};

} // namespace

/* Reports what is not in [0, most]. */
template <class F>
__global__ void rate_kernel(void *out, int dtype, const double *rate, int64_t n, Counters from,
                            double most, GpuFaultSite site, F f) {
    for (int64_t i = first_of(); i < n; i += step_of()) {
        bool good = rate[i] >= 0 && rate[i] <= most;
        if (!good) {
            fault_report(site, FAULT_ELEMENT, (int64_t)f_bits_f64(rate[i]), 0, i);
        }
        put_number(out, i, dtype, good ? f(from, i, rate[i]) : 0.0);
    }
}

template <class F> static bool by_rate(const KernelCall *c, const char *what, double most, F f) {
    const View *in = &c->in[0], *out = &c->out[0];
    size_t bytes = (size_t)in->numel * sizeof(double);
    if (in->numel == 0) {
        return true;
    }
    double *rate = (double *)gpu_alloc(c->device, bytes);
    bool ok = rate && gpu_copy_doubles(c, rate, in);
    if (ok) {
        launch(launch_over(c, in->numel), rate_kernel<F>, out->data, (int)out->dtype,
               (const double *)rate, in->numel, counters_of(c), most, gpu_fault_site(c, what, in),
               f);
    }
    if (rate) {
        gpu_release(c->device, rate, bytes);
    }
    return ok;
}

static bool bernoulli(const KernelCall *c) {
    return by_rate(c, "input must hold probabilities, in [0, 1]", 1, Bernoulli());
}

static bool poisson(const KernelCall *c) {
    return by_rate(c, "input must hold rates from 0 on that are finite", 0x1p1000, Poisson());
}

const KernelRow gpu_distributions_rows[] = {
    {"exponential", exponential}, {"geometric", geometric},
    {"cauchy", cauchy},           {"log_normal", log_normal},
    {"bernoulli", bernoulli},     {"bernoulli__number", bernoulli_number},
    {"poisson", poisson},         {NULL, NULL}};
