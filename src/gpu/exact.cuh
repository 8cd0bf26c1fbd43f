#ifndef TOCHA_GPU_EXACT_CUH
#define TOCHA_GPU_EXACT_CUH
/* Sums of floats that do not depend on the order of their summands: these are added as integers, as
 * multiples of a fixed fraction of the largest of them. */
#include <math.h>

#include "gpu/kernel.cuh"

enum { INFINITE = 1, MINUS_INFINITE = 2, NOT_A_NUMBER = 4 };

/* One sum. Integers use high alone. */
struct Cell {
    unsigned long long high, low; /* in units of 2^(exponent - bits) and 2^(exponent - 2 bits) */
    int exponent;                 /* of the largest summand, less EXPONENT_LEAST; 0: all are 0 */
    int specials;
};

const int EXPONENT_LEAST = -1100;

static __device__ __forceinline__ bool is_special(double x) { return !(x - x == 0); }

static __device__ __forceinline__ int special_kind(double x) {
    return x != x ? (int)NOT_A_NUMBER : x > 0 ? (int)INFINITE : (int)MINUS_INFINITE;
}

/* Of an x that is neither 0 nor special, less EXPONENT_LEAST. */
static __device__ __forceinline__ int exponent_of(double x) {
    int exponent;
    frexp(x, &exponent);
    return exponent - EXPONENT_LEAST;
}

/* What an x that is not special adds to a cell of that exponent. */
struct Units {
    unsigned long long high, low;
};

static __device__ __forceinline__ Units units_of(double x, int exponent, int bits) {
    int unit = exponent + EXPONENT_LEAST - bits;
    double high = rint(ldexp(x, -unit));
    double low = rint(ldexp(x - ldexp(high, unit), bits - unit));
    return Units{(unsigned long long)(long long)high, (unsigned long long)(long long)low};
}

static __device__ __forceinline__ double cell_sum(const Cell &c, int bits) {
    bool both = (c.specials & INFINITE) && (c.specials & MINUS_INFINITE);
    if ((c.specials & NOT_A_NUMBER) || both) {
        return (double)NAN;
    }
    if (c.specials) {
        return c.specials & INFINITE ? (double)INFINITY : -(double)INFINITY;
    }
    int unit = c.exponent + EXPONENT_LEAST - bits;
    return ldexp((double)(long long)c.high, unit) + ldexp((double)(long long)c.low, unit - bits);
}

/* The bits of a unit that let so many summands fit into 63. */
static __host__ __device__ __forceinline__ int bits_for(int64_t summands) {
    int bits = 61;
    while (bits > 30 && summands >> (61 - bits) > 1) {
        bits--;
    }
    return bits < 52 ? bits : 52;
}

#endif
