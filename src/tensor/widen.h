#ifndef TOCHA_WIDEN_H
#define TOCHA_WIDEN_H
/* Composed ops compute half types as float32 and round once: widened arguments, rounded result. */
#include "tensor/op.h"

static inline bool is_half(int dtype) { return dtype == DT_FLOAT16 || dtype == DT_BFLOAT16; }

static inline Tensor *widened(Tensor *t) {
    return t && is_half(t->dtype) ? t_cast(t, DT_FLOAT32) : t;
}

static inline Tensor *rounded(Tensor *t, int dtype) {
    return t && t->dtype != dtype ? t_cast(t, dtype) : t;
}
#endif
