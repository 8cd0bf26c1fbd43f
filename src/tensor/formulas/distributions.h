#ifndef TOCHA_FORMULA_DISTRIBUTIONS_H
#define TOCHA_FORMULA_DISTRIBUTIONS_H

/* Numbers of distributions from random words. As in normal.h the same words give the same bits on
 * every machine: nothing here may be fused, or taken from a maths library. */

#include "base/philox.h"
#include "tensor/formulas/explog.h"
#include "tensor/formulas/normal.h"
#include "tensor/formulas/random.h"

/* e^x, at most e^709. */
TOCHA_HD double f_random_exp(double x) {
    double y = x < -746.0 ? -746.0 : x > 709.0 ? 709.0 : x;
    double t = f_mul_add_f64(y, F_LOG2E_F64, F_SCALE_F64), n = t - F_SCALE_F64;
    double h = y - f_mul_rn_f64(n, F_LN2_HI_F64), r = h - f_mul_rn_f64(n, F_LN2_LO_F64);
    double q = 0x1.1f1aea4f7a8ebp-29;
    q = f_mul_add_f64(q, r, 0x1.af5fe54cbb8adp-26);
    q = f_mul_add_f64(q, r, 0x1.27e51301d49a4p-22);
    q = f_mul_add_f64(q, r, 0x1.71ddf7b89cf8ap-19);
    q = f_mul_add_f64(q, r, 0x1.a01a018e13ff5p-16);
    q = f_mul_add_f64(q, r, 0x1.a01a01b01d04fp-13);
    q = f_mul_add_f64(q, r, 0x1.6c16c16c1ab0fp-10);
    q = f_mul_add_f64(q, r, 0x1.111111110f63p-7);
    q = f_mul_add_f64(q, r, 0x1.555555555554dp-5);
    q = f_mul_add_f64(q, r, 0x1.5555555555559p-3);
    q = f_mul_add_f64(q, r, 0.5);
    return f_scale_f64(1.0 + f_mul_add_f64(f_mul_rn_f64(r, r), q, r), t);
}

/* log x of a positive normal number. */
TOCHA_HD double f_random_log(double x) { return -f_normal_log_f64(x); }

TOCHA_HD double f_exponential(uint64_t word, double scale) {
    return f_mul_rn_f64(f_normal_log_f64(f_inside_f64(word)), scale);
}

/* How many trials up to the first success, at most most; log_failure: the logarithm of the
 * probability of none. */
TOCHA_HD double f_geometric(uint64_t word, double log_failure, double most) {
    double k = ceil(f_div_rn_f64(f_random_log(f_inside_f64(word)), log_failure));
    return k < 1.0 ? 1.0 : k > most ? most : k;
}

/* By the tangent of an angle, from the nearer one of the axes. */
TOCHA_HD double f_cauchy(uint64_t word, double median, double sigma) {
    double turn = f_inside_f64(word) - 0.5, a = f_abs_f64(turn), sine, cosine;
    int steep = a > 0.25;
    f_normal_circle_f64(f_mul_rn_f64(steep ? 0.5 - a : a, 0x1.921fb54442d18p+1), &sine, &cosine);
    double tangent = steep ? f_div_rn_f64(cosine, sine) : f_div_rn_f64(sine, cosine);
    return median + f_mul_rn_f64(sigma, f_copysign_f64(tangent, turn));
}

/* A stream of an element's own, for what takes nobody knows how many words: the counter's upper
 * half counts on from 1, which no other op uses. */
typedef struct FStream {
    uint64_t seed, counter, turn;
    uint32_t words[4];
    int used;
} FStream;

TOCHA_HD_CALL double f_stream_next(FStream *s) {
    if (s->used == 4) {
        philox4x32(s->seed, s->counter, ++s->turn, s->words);
        s->used = 0;
    }
    s->used += 2;
    return f_inside_f64(f_long_word(s->words + s->used - 2, 0));
}

/* The number of factors below 1 whose product stays above e to the power of -rate. */
TOCHA_HD double f_poisson_small(FStream *s, double rate) {
    double limit = f_random_exp(-rate), product = f_stream_next(s), k = 0.0;
    while (product > limit) {
        product = f_mul_rn_f64(product, f_stream_next(s));
        k += 1.0;
    }
    return k;
}

/* log k!, from 16 on by Stirling. */
TOCHA_HD double f_log_factorial(double k) {
    double product = 1.0, x = k + 1.0, over = f_div_rn_f64(1.0, x);
    if (k < 16.0) {
        for (double i = 2.0; i <= k; i += 1.0) {
            product = f_mul_rn_f64(product, i);
        }
        return f_random_log(product);
    }
    double square = f_mul_rn_f64(over, over), q = -1.0 / 1680;
    q = f_mul_add_f64(q, square, 1.0 / 1260);
    q = f_mul_add_f64(q, square, -1.0 / 360);
    q = f_mul_add_f64(q, square, 1.0 / 12);
    double rest = f_mul_add_f64(q, over, 0x1.d67f1c864beb5p-1);
    return f_mul_rn_f64(x - 0.5, f_random_log(x)) - x + rest;
}

/* Transformed rejection with a squeeze, for rates from 10 (Hoermann, The transformed rejection
 * method for generating Poisson random variables, Insurance: Mathematics and Economics 12, 1993).
 */
TOCHA_HD double f_poisson_large(FStream *s, double rate) {
    double b = f_mul_add_f64(2.53, f_sqrt_rn_f64(rate), 0.931), log_rate = f_random_log(rate);
    double a = f_mul_add_f64(0.02483, b, -0.059);
    double inverse_alpha = 1.1239 + f_div_rn_f64(1.1328, b - 3.4);
    double v_r = 0.9277 - f_div_rn_f64(3.6224, b - 2.0);
    for (;;) {
        double u = f_stream_next(s) - 0.5, v = f_stream_next(s), us = 0.5 - f_abs_f64(u);
        double slope = f_div_rn_f64(f_mul_rn_f64(2.0, a), us) + b;
        double k = floor(f_mul_add_f64(slope, u, rate) + 0.43);
        if (us >= 0.07 && v <= v_r) {
            return k;
        }
        if (k < 0.0 || (us < 0.013 && v > us)) {
            continue;
        }
        double steep = f_div_rn_f64(a, f_mul_rn_f64(us, us)) + b;
        double height = f_random_log(f_div_rn_f64(f_mul_rn_f64(v, inverse_alpha), steep));
        if (height <= f_mul_rn_f64(k, log_rate) - rate - f_log_factorial(k)) {
            return k;
        }
    }
}

TOCHA_HD_CALL double f_poisson(uint64_t seed, uint64_t counter, double rate) {
    FStream s;
    s.seed = seed;
    s.counter = counter;
    s.turn = 0;
    s.used = 4;
    if (!(rate > 0.0)) {
        return 0.0;
    }
    return rate < 10.0 ? f_poisson_small(&s, rate) : f_poisson_large(&s, rate);
}

#define F_WEIGHTS_TEXT "input must hold weights from 0 on that are finite"

/* Weights are summed up in stretches of so many, whose sums are added up in turn. */
enum { F_STRETCH = 64 };

/* weight[j] becomes the sum up to it of its stretch, n of them. */
TOCHA_HD void f_sum_stretch(double *weight, int64_t n) {
    for (int64_t j = 1; j < n; j++) {
        weight[j] += weight[j - 1];
    }
}

/* The first position whose sum of weights up to it is above x, so that it has a weight. */
TOCHA_HD int64_t f_find_above(const double *sum, int64_t n, double x) {
    int64_t low = 0, high = n - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sum[middle] > x) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* A position drawn by the sums of n weights; last: the last one that has a weight. */
TOCHA_HD int64_t f_draw_position(uint64_t seed, uint64_t counter, const double *sum, int64_t n,
                                 int64_t last) {
    uint32_t words[4];
    philox4x32(seed, counter, 0, words);
    double x = f_mul_rn_f64(f_inside_f64(f_long_word(words, 0)), sum[n - 1]);
    int64_t at = f_find_above(sum, n, x);
    return at < last ? at : last;
}

TOCHA_HD int64_t f_last_position(const double *sum, int64_t n) {
    return f_find_above(sum, n, f_from_bits_f64(f_bits_f64(sum[n - 1]) - 1));
}

/* How long position j takes in a race that the first weights win: exponentially distributed, with
 * the weight as rate. counter: of the row. */
TOCHA_HD double f_race_time(uint64_t seed, uint64_t counter, int64_t j, double weight) {
    uint32_t words[4];
    philox4x32(seed, counter, (uint64_t)j / 2 + 1, words);
    double time = f_normal_log_f64(f_inside_f64(f_long_word(words, j % 2)));
    return weight > 0.0 ? f_div_rn_f64(time, weight) : (double)INFINITY;
}

#endif
