#ifndef TOCHA_FORMULA_NUMBERS_H
#define TOCHA_FORMULA_NUMBERS_H

/* The numbers that a formula takes besides its elements. */

typedef struct FNumbersF32 {
    float a, b, c;
} FNumbersF32;

typedef struct FNumbersF64 {
    double a, b, c;
} FNumbersF64;

#endif
