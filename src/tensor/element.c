/* Single elements as numbers. */
#include <math.h>

#include "tensor/formulas/half.h"
#include "tensor/formulas/integer.h"
#include "tensor/tensor.h"

double element_get_float(const void *p, int dtype) {
    switch (dtype) {
    case DT_FLOAT64: return *(const double *)p;
    case DT_FLOAT32: return *(const float *)p;
    case DT_FLOAT16: return f_from_f16(*(const uint16_t *)p);
    case DT_BFLOAT16: return f_from_bf16(*(const uint16_t *)p);
    case DT_COMPLEX64: return ((const Complex64 *)p)->re;
    case DT_COMPLEX128: return ((const Complex128 *)p)->re;
    default: return (double)element_get_int(p, dtype);
    }
}

int64_t element_get_int(const void *p, int dtype) {
    switch (dtype) {
    case DT_BOOL:
    case DT_UINT8: return *(const uint8_t *)p;
    case DT_INT8: return *(const int8_t *)p;
    case DT_INT16: return *(const int16_t *)p;
    case DT_INT32: return *(const int32_t *)p;
    case DT_INT64: return *(const int64_t *)p;
    default: return f_to_i64_f64(element_get_float(p, dtype));
    }
}

void element_set_float(void *p, int dtype, double f) {
    switch (dtype) {
    case DT_BOOL: *(uint8_t *)p = f != 0; break;
    case DT_FLOAT64: *(double *)p = f; break;
    case DT_FLOAT32: *(float *)p = (float)f; break;
    case DT_FLOAT16: *(uint16_t *)p = f_to_f16((float)f); break;
    case DT_BFLOAT16: *(uint16_t *)p = f_to_bf16((float)f); break;
    case DT_COMPLEX64:
    case DT_COMPLEX128: element_set_complex(p, dtype, (Complex128){f, 0}); break;
    default: element_set_int(p, dtype, f_to_i64_f64(f));
    }
}

void element_set_int(void *p, int dtype, int64_t i) {
    switch (dtype) {
    case DT_BOOL: *(uint8_t *)p = i != 0; break;
    case DT_UINT8: *(uint8_t *)p = (uint8_t)i; break;
    case DT_INT8: *(int8_t *)p = (int8_t)i; break;
    case DT_INT16: *(int16_t *)p = (int16_t)i; break;
    case DT_INT32: *(int32_t *)p = (int32_t)i; break;
    case DT_INT64: *(int64_t *)p = i; break;
    default: element_set_float(p, dtype, (double)i);
    }
}

Complex128 element_get_complex(const void *p, int dtype) {
    switch (dtype) {
    case DT_COMPLEX64: {
        const Complex64 *z = p;
        return (Complex128){z->re, z->im};
    }
    case DT_COMPLEX128: return *(const Complex128 *)p;
    default: return (Complex128){element_get_float(p, dtype), 0};
    }
}

void element_set_complex(void *p, int dtype, Complex128 z) {
    if (dtype == DT_COMPLEX64) {
        *(Complex64 *)p = (Complex64){(float)z.re, (float)z.im};
    } else {
        *(Complex128 *)p = z;
    }
}
