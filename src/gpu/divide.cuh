#ifndef TOCHA_GPU_DIVIDE_CUH
#define TOCHA_GPU_DIVIDE_CUH
/* Divisions by sizes that stay the same during a launch. */
#include "gpu/kernel.cuh"

/* Divides numbers below 2^31 by a size: one multiplication for a division. */
struct Divider {
    uint32_t size, factor, shift;
};

static inline Divider divider_of(uint32_t size) {
    uint32_t shift = 0;
    while (shift < 32 && (uint64_t)1 << shift < size) {
        shift++;
    }
    uint64_t factor = ((((uint64_t)1 << shift) - size) << 32) / size + 1;
    return Divider{size, (uint32_t)factor, shift};
}

__device__ __forceinline__ uint32_t divide(const Divider &d, uint32_t n) {
    return (__umulhi(n, d.factor) + n) >> d.shift;
}

/* Divides places below a limit that the host knows; the short way where 31 bits hold them all. */
struct Size {
    int64_t size;
    Divider fast;
    bool narrow;
};

/* For places below limit. */
static inline Size size_of(int64_t size, int64_t limit) {
    bool narrow = limit <= INT32_MAX && size > 0 && size <= INT32_MAX;
    return Size{size, divider_of(narrow ? (uint32_t)size : 1u), narrow};
}

/* place / size; *place is left with the rest. */
__device__ __forceinline__ int64_t divide(const Size &s, int64_t *place) {
    int64_t whole = s.narrow ? (int64_t)divide(s.fast, (uint32_t)*place) : *place / s.size;
    *place -= whole * s.size;
    return whole;
}

#endif
