#ifndef TOCHA_KERNEL_HALVES_H
#define TOCHA_KERNEL_HALVES_H
/* Runs of float16 to and from float, by the instructions that f_from_f16 and f_to_f16 agree with
 * bit for bit where the CPU has them. */
#ifdef __F16C__
    #include <immintrin.h>
#endif

#include "tensor/formulas/half.h"

static inline void widen_f16(const uint16_t *restrict from, int64_t n, float *restrict to) {
    int64_t i = 0;
#ifdef __AVX512F__
    for (; i + 16 <= n; i += 16) {
        _mm512_storeu_ps(to + i, _mm512_cvtph_ps(_mm256_loadu_si256((const void *)(from + i))));
    }
#endif
#ifdef __F16C__
    for (; i + 8 <= n; i += 8) {
        _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const void *)(from + i))));
    }
#endif
    for (; i < n; i++) {
        to[i] = f_from_f16(from[i]);
    }
}

static inline void narrow_f16(const float *restrict from, int64_t n, uint16_t *restrict to) {
    int64_t i = 0;
#ifdef __AVX512F__
    for (; i + 16 <= n; i += 16) {
        __m256i half = _mm512_cvtps_ph(_mm512_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
        _mm256_storeu_si256((void *)(to + i), half);
    }
#endif
#ifdef __F16C__
    for (; i + 8 <= n; i += 8) {
        __m128i half = _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
        _mm_storeu_si128((void *)(to + i), half);
    }
#endif
    for (; i < n; i++) {
        to[i] = f_to_f16(from[i]);
    }
}
#endif
