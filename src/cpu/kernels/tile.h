#ifndef TOCHA_KERNEL_TILE_H
#define TOCHA_KERNEL_TILE_H
/* The register tile of matrix products and convolutions: MR rows of two vectors, which leave room
 * for two vectors of the one operand and an element of the other. */
#include "cpu/kernels/vector.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

#define ROWS_1_TO_6 ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6)
#ifdef __AVX512F__
    #define MR 14
    /* ROWS(n) for each number of rows that a tile may have. */
    #define ALL_ROWS \
        ROWS_1_TO_6 ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
#else
    #define MR       6
    #define ALL_ROWS ROWS_1_TO_6
#endif
#endif
