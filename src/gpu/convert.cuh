#ifndef TOCHA_GPU_CONVERT_CUH
#define TOCHA_GPU_CONVERT_CUH
/* Numbers that were made as double, float or int64 into elements of any real dtype. */
#include "gpu/kinds.cuh"
#include "tensor/formulas/integer.h"

/* Element i of to becomes v, as a cast has it. */
static __device__ __forceinline__ void put_number(void *to, int64_t i, int dtype, double v) {
    switch (dtype) {
    case DT_BOOL: ((uint8_t *)to)[i] = v != 0; break;
    case DT_UINT8:
    case DT_INT8: ((uint8_t *)to)[i] = f_to_u8_f64(v); break;
    case DT_INT16: ((int16_t *)to)[i] = f_to_i16_f64(v); break;
    case DT_INT32: ((int32_t *)to)[i] = f_to_i32_f64(v); break;
    case DT_INT64: ((int64_t *)to)[i] = f_to_i64_f64(v); break;
    default: put(to, i, dtype, v);
    }
}
static __device__ __forceinline__ void put_number(void *to, int64_t i, int dtype, float v) {
    put_number(to, i, dtype, (double)v);
}
static __device__ __forceinline__ void put_number(void *to, int64_t i, int dtype, int64_t v) {
    switch (dtype) {
    case DT_FLOAT16:
    case DT_BFLOAT16:
    case DT_FLOAT32: put(to, i, dtype, (float)v); break;
    case DT_FLOAT64: put(to, i, dtype, (double)v); break;
    default: put(to, i, dtype, v);
    }
}

#endif
