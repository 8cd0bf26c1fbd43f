#ifndef TOCHA_KERNEL_LOAD_H
#define TOCHA_KERNEL_LOAD_H
/* Runs of elements as the type they are computed in: floats and half types as float, doubles as
 * double, integers and bools as int64, complex numbers as int64 too: 1 where they are not 0. step
 * counts elements. A run that is already in that form and without gaps is used where it stands; any
 * other is converted into buf. */
#include "cpu/kernels/halves.h"
#include "tensor/dtype.h"
#include "tensor/formulas/complex.h"

#define LOAD_FN static __attribute__((noinline, unused)) void

static inline const void *load_at(const void *x, int64_t elements, int dtype) {
    return (const char *)x + elements * (int64_t)dtype_size(dtype);
}

/* name: buf[i] = convert(x[i * step]), with a loop of its own for runs without gaps. */
#define LOAD_LOOPS(name, from, to, convert)                                           \
    LOAD_FN name(const from *restrict x, int64_t step, int64_t n, to *restrict buf) { \
        if (step == 1) {                                                              \
            for (int64_t i = 0; i < n; i++) buf[i] = convert(x[i]);                   \
        } else {                                                                      \
            for (int64_t i = 0; i < n; i++) buf[i] = convert(x[i * step]);            \
        }                                                                             \
    }

LOAD_LOOPS(load_gaps_f32, float, float, )
LOAD_LOOPS(load_gaps_f64, double, double, )
LOAD_LOOPS(load_gaps_f16_f32, uint16_t, float, f_from_f16)
LOAD_LOOPS(load_bf16_f32, uint16_t, float, f_from_bf16)
LOAD_LOOPS(load_u8_i64, uint8_t, int64_t, )
LOAD_LOOPS(load_i8_i64, int8_t, int64_t, )
LOAD_LOOPS(load_i16_i64, int16_t, int64_t, )
LOAD_LOOPS(load_i32_i64, int32_t, int64_t, )
LOAD_LOOPS(load_gaps_i64, int64_t, int64_t, )
LOAD_LOOPS(load_c64_i64, Complex64, int64_t, f_is_true_c64)
LOAD_LOOPS(load_c128_i64, Complex128, int64_t, f_is_true_c128)

LOAD_FN load_f16_f32(const uint16_t *x, int64_t step, int64_t n, float *buf) {
    if (step == 1) {
        widen_f16(x, n, buf);
    } else {
        load_gaps_f16_f32(x, step, n, buf);
    }
}

static inline const float *load_f32(const void *x, int dtype, int64_t step, int64_t n, float *buf) {
    if (dtype == DT_FLOAT32) {
        if (step == 1) {
            return x;
        }
        load_gaps_f32(x, step, n, buf);
    } else if (dtype == DT_FLOAT16) {
        load_f16_f32(x, step, n, buf);
    } else if (step == 1) {
        widen_bf16(x, n, buf);
    } else {
        load_bf16_f32(x, step, n, buf);
    }
    return buf;
}

static inline const double *load_f64(const void *x, int dtype, int64_t step, int64_t n,
                                     double *buf) {
    (void)dtype;
    if (step == 1) {
        return x;
    }
    load_gaps_f64(x, step, n, buf);
    return buf;
}

LOAD_FN load_any_i64(const void *x, int dtype, int64_t step, int64_t n, int64_t *buf) {
    switch (dtype) {
    case DT_INT8: load_i8_i64(x, step, n, buf); return;
    case DT_INT16: load_i16_i64(x, step, n, buf); return;
    case DT_INT32: load_i32_i64(x, step, n, buf); return;
    case DT_INT64: load_gaps_i64(x, step, n, buf); return;
    case DT_COMPLEX64: load_c64_i64(x, step, n, buf); return;
    case DT_COMPLEX128: load_c128_i64(x, step, n, buf); return;
    default: load_u8_i64(x, step, n, buf);
    }
}

static inline const int64_t *load_i64(const void *x, int dtype, int64_t step, int64_t n,
                                      int64_t *buf) {
    if (dtype == DT_INT64 && step == 1) {
        return x;
    }
    load_any_i64(x, dtype, step, n, buf);
    return buf;
}

/* Stores n floats as dtype, from x on; step counts elements. */
LOAD_FN store_f32(void *x, int dtype, int64_t step, int64_t n, const float *restrict from) {
    if (dtype == DT_FLOAT32) {
        float *restrict to = x;
        for (int64_t i = 0; i < n; i++) to[i * step] = from[i];
        return;
    }
    uint16_t *restrict to = x;
    if (dtype == DT_FLOAT16 && step == 1) {
        narrow_f16(from, n, to);
    } else if (dtype == DT_FLOAT16) {
        for (int64_t i = 0; i < n; i++) to[i * step] = f_to_f16(from[i]);
    } else if (step == 1) {
        narrow_bf16(from, n, to);
    } else {
        for (int64_t i = 0; i < n; i++) to[i * step] = f_to_bf16(from[i]);
    }
}

LOAD_FN store_f64(void *x, int dtype, int64_t step, int64_t n, const double *restrict from) {
    (void)dtype;
    double *restrict to = x;
    for (int64_t i = 0; i < n; i++) to[i * step] = from[i];
}
#endif
