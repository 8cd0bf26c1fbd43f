#ifndef TOCHA_KERNELS_ELEMENTWISE_BLOCKS_H
#define TOCHA_KERNELS_ELEMENTWISE_BLOCKS_H
/* The dense loop op_S of a function that has a branch-free form, inside, for arguments x of which
 * outside(x) is false: blocks whose elements all are so take it, others anywhere. */
#include "cpu/kernels/elementwise_loops.h"

enum { EW_BLOCK = 256 };

typedef float EwElement_f32;
typedef double EwElement_f64;

#define BLOCKS(op, S, outside, inside, anywhere)                                  \
    static void op##_##S(EW_LOOP_PARAMS) {                                        \
        typedef EwElement_##S T;                                                  \
        for (int64_t begin = 0; begin < n; begin += EW_BLOCK) {                   \
            int64_t m = n - begin < EW_BLOCK ? n - begin : EW_BLOCK;              \
            const T *x = (const T *)ptr[1] + begin;                               \
            char *const part[] = {(char *)((T *)ptr[0] + begin), (char *)(T *)x}; \
            int found = 0;                                                        \
            for (int64_t i = 0; i < m; i++) found |= outside(x[i]);               \
            if (found) {                                                          \
                map_##S(part, m, anywhere);                                       \
            } else {                                                              \
                map_##S(part, m, inside);                                         \
            }                                                                     \
        }                                                                         \
    }

#endif
