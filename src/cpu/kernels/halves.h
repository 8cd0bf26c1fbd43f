#ifndef TOCHA_KERNEL_HALVES_H
#define TOCHA_KERNEL_HALVES_H
/* Runs of half types to and from float: as f_from_f16 and its like bit for bit, by the
 * instructions of the CPU. */
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

static inline void widen_bf16(const uint16_t *restrict from, int64_t n, float *restrict to) {
    int64_t i = 0;
#ifdef __AVX512F__ /* in whole vectors, which GCC 12 takes apart */
    for (; i + 16 <= n; i += 16) {
        __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(from + i)));
        _mm512_storeu_si512(to + i, _mm512_slli_epi32(wide, 16));
    }
#endif
    for (; i < n; i++) {
        to[i] = f_from_bf16(from[i]);
    }
}

static inline void narrow_bf16(const float *restrict from, int64_t n, uint16_t *restrict to) {
    int64_t i = 0;
#ifdef __AVX512F__
    const __m512i half = _mm512_set1_epi32(0x7fff), one = _mm512_set1_epi32(1);
    for (; i + 16 <= n; i += 16) {
        __m512 x = _mm512_loadu_ps(from + i);
        __m512i u = _mm512_castps_si512(x), high = _mm512_srli_epi32(u, 16);
        __m512i up = _mm512_add_epi32(half, _mm512_and_si512(high, one));
        __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(u, up), 16);
        __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
        rounded = _mm512_mask_or_epi32(rounded, nan, high, _mm512_set1_epi32(0x40));
        _mm256_storeu_si256((void *)(to + i), _mm512_cvtepi32_epi16(rounded));
    }
#endif
    for (; i < n; i++) {
        to[i] = f_to_bf16(from[i]);
    }
}
#endif
