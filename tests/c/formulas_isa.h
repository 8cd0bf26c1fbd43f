#ifndef TOCHA_TEST_FORMULAS_ISA_H
#define TOCHA_TEST_FORMULAS_ISA_H

/* The tables that tests/c/isa/NAME.c defines once per instruction set, as its test program sees
 * them: ISA_AVX2(name) is NULL where the build leaves AVX2 out or this machine has none. */

#include <stddef.h>

#ifdef TOCHA_ISA_AVX2
    #define ISA_AVX2(name) (__builtin_cpu_supports("x86-64-v3") ? name##_avx2 : NULL)
#else
    #define ISA_AVX2(name) NULL
#endif
#ifdef TOCHA_ISA_AVX512
    #define ISA_AVX512(name) (__builtin_cpu_supports("x86-64-v4") ? name##_avx512 : NULL)
#else
    #define ISA_AVX512(name) NULL
#endif

#define ISA_TABLES(type, name) extern const type name##_baseline[], name##_avx2[], name##_avx512[];

#endif
