#ifndef TOCHA_ISA_NAME_H
#define TOCHA_ISA_NAME_H
/* What is compiled once per instruction set, and the choice between the variants.
 *
 * A source in this folder names what it exports ISA_NAME(x), such as x_avx2: a function, or better
 * one table of functions. Ordinary code declares the variants and takes the one for this CPU:
 *     ISA_DECLARE(const SumTable, sum_table);
 *     const SumTable *table = ISA_PICK(sum_table);  */
#include <stddef.h>

#include "base/isa.h"

#define ISA_NAME3(x, isa) x##_##isa
#define ISA_NAME2(x, isa) ISA_NAME3(x, isa)
#define ISA_NAME(x)       ISA_NAME2(x, ISA)

#define ISA_DECLARE(type, name) extern type name##_baseline, name##_avx2, name##_avx512

/* A variant that this build does not hold is NULL; isa_current() never chooses it. */
#ifdef TOCHA_ISA_AVX2
    #define ISA_ADDRESS_AVX2(name) &name##_avx2
#else
    #define ISA_ADDRESS_AVX2(name) NULL
#endif
#ifdef TOCHA_ISA_AVX512
    #define ISA_ADDRESS_AVX512(name) &name##_avx512
#else
    #define ISA_ADDRESS_AVX512(name) NULL
#endif
#define ISA_PICK(name)                                                                \
    ((__typeof__(&name##_baseline)[N_ISAS]){&name##_baseline, ISA_ADDRESS_AVX2(name), \
                                            ISA_ADDRESS_AVX512(name)}[isa_current()])

#endif
