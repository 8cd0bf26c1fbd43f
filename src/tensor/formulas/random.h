#ifndef TOCHA_FORMULA_RANDOM_H
#define TOCHA_FORMULA_RANDOM_H

/* Random words as numbers. Products are rounded by themselves, with or without a fused
 * multiply-add, so that every machine makes the same of a word. */

#include "tensor/formulas/formula.h"

/* shift + scale * u, at most most, for u uniform in [0, 1) in steps of 2^-bits, bits up to 24. */
TOCHA_HD float f_uniform_f32(uint32_t word, int bits, float shift, float scale, float most) {
    float u = (float)(int32_t)(word >> (32 - bits)) * (1.0f / (float)(1 << bits));
    float x = shift + f_mul_rn_f32(scale, u);
    return x > most ? most : x;
}

/* The same in steps of 2^-53. */
TOCHA_HD double f_uniform_f64(uint64_t word, double shift, double scale, double most) {
    double u = (double)(int64_t)(word >> 11) * 0x1p-53;
    double x = shift + f_mul_rn_f64(scale, u);
    return x > most ? most : x;
}

/* In (0, 1), never at its ends. */
TOCHA_HD double f_inside_f64(uint64_t word) {
    return ((double)(int64_t)(word >> 12) + 0.5) * 0x1p-52;
}

/* The i-th pair of words as one. */
TOCHA_HD uint64_t f_long_word(const uint32_t *w, int64_t i) {
    return (uint64_t)w[2 * i + 1] << 32 | w[2 * i];
}

/* A number below possible (0: any), off uniform by no more than possible / 2^64. */
TOCHA_HD uint64_t f_below(uint64_t word, uint64_t possible) {
#if defined(__CUDA_ARCH__)
    return possible ? __umul64hi(word, possible) : word;
#else
    __extension__ typedef unsigned __int128 Wide;
    return possible ? (uint64_t)((Wide)word * possible >> 64) : word;
#endif
}

#endif
