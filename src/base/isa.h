#ifndef TOCHA_BASE_ISA_H
#define TOCHA_BASE_ISA_H

/* Instruction sets that the kernels are compiled for, each containing the ones before. */
typedef enum {
    ISA_BASELINE, /* x86-64 */
    ISA_AVX2,     /* x86-64-v3 */
    ISA_AVX512,   /* x86-64-v4 */
    N_ISAS
} Isa;

/* The best set that this CPU has, this build holds (TOCHA_ISA_AVX2, TOCHA_ISA_AVX512) and the
 * environment variable TOCHA_ISA allows. Decided at the first call, the same ever after. */
Isa isa_current(void);

/* "baseline", "avx2" or "avx512"; "unknown" for anything else. */
const char *isa_name(Isa isa);

#endif
