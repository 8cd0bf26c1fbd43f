#ifndef TOCHA_KERNELS_RANDOM_H
#define TOCHA_KERNELS_RANDOM_H
/* Random numbers from Philox, compiled once per instruction set with the same bits on each. */
#include <stdint.h>

#include "cpu/kernels/isa_name.h"

/* A distribution's constants. Results do not exceed most, as rounding could make them. */
typedef struct RandomShape {
    double shift, scale, most;
    uint32_t drop; /* words below this are dropped */
} RandomShape;

typedef struct RandomTable {
    /* The four words of each of n counters, in order. */
    void (*words)(uint32_t *out, uint64_t key, uint64_t counter, int64_t n);
    /* n numbers shift + scale * u with u in [0, 1) of so many bits: 24 and 53 fill float and
     * double. A float takes one word, a double two. */
    void (*uniform_f32)(float *out, const uint32_t *words, int64_t n, const RandomShape *s,
                        int bits);
    void (*uniform_f64)(double *out, const uint32_t *words, int64_t n, const RandomShape *s);
    /* shift + scale * z, z of the normal distribution; n is even; words as uniform. */
    void (*normal_f32)(float *out, const uint32_t *words, int64_t n, const RandomShape *s);
    void (*normal_f64)(double *out, const uint32_t *words, int64_t n, const RandomShape *s);
    /* 0 where the word is dropped, else scale. */
    void (*mask_f32)(float *out, const uint32_t *words, int64_t n, const RandomShape *s);
    void (*mask_f64)(double *out, const uint32_t *words, int64_t n, const RandomShape *s);
} RandomTable;

ISA_DECLARE(const RandomTable, random_table);

#endif
