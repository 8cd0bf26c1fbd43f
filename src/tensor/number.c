#include "tensor/number.h"

#include <float.h>
#include <math.h>

#include "tensor/op.h"

void dtype_int_range(int dtype, int64_t *least, int64_t *most) {
    bool is_signed = dtype != DT_UINT8 && dtype != DT_BOOL;
    int bits = dtype == DT_BOOL ? 1 : 8 * (int)dtype_size(dtype) - is_signed;
    *most = (int64_t)(~0ull >> (64 - bits));
    *least = is_signed ? -*most - 1 : 0;
}

double dtype_most_trials(int dtype) {
    int64_t least, most;
    if (dtype_is_float(dtype)) {
        return INFINITY;
    }
    dtype_int_range(dtype, &least, &most);
    return dtype == DT_INT64 ? 0x1p62 : (double)most;
}

int64_t dtype_whole_limit(int dtype) {
    switch (dtype) {
    case DT_FLOAT16: return 1ll << 11;
    case DT_BFLOAT16: return 1ll << 8;
    case DT_FLOAT32: return 1ll << FLT_MANT_DIG;
    case DT_COMPLEX64: return 1ll << FLT_MANT_DIG;
    default: return 1ll << DBL_MANT_DIG;
    }
}

double dtype_number_before(double x, double least, int dtype) {
    double before = -INFINITY;
    if (dtype == DT_FLOAT64) {
        before = nextafter(x, -INFINITY);
    } else if (dtype == DT_FLOAT32) {
        before = nextafterf((float)x, -INFINITY);
    } else {
        uint16_t bits;
        element_set_float(&bits, dtype, x);
        bool negative = bits & 0x8000u || (bits & 0x7fffu) == 0;
        bits = (bits & 0x7fffu) == 0 ? 0x8001u : (uint16_t)(negative ? bits + 1u : bits - 1u);
        before = element_get_float(&bits, dtype);
    }
    return before < least ? least : before;
}

static bool fits_int(const Op *op, const char *name, int64_t number, int dtype) {
    int64_t least, most;
    dtype_int_range(dtype, &least, &most);
    if (number >= least && number <= most) {
        return true;
    }
    return fail("%s: %s must be in [%lld, %lld] for %s, got %lld", op->public_name, name,
                (long long)least, (long long)most, dtype_name(dtype), (long long)number);
}

bool whole_number_fits(const Op *op, const char *name, int64_t number, int dtype) {
    if (!dtype_is_inexact(dtype)) {
        return fits_int(op, name, number, dtype);
    }
    int64_t limit = dtype_whole_limit(dtype);
    if (number >= -limit && number <= limit) {
        return true;
    }
    return fail("%s: %s is %lld, but %s holds whole numbers exactly up to %lld only",
                op->public_name, name, (long long)number, dtype_name(dtype), (long long)limit);
}

/* Whether a finite number stays finite as a float of dtype. */
static bool stays_finite(double number, int dtype) {
    double element;
    element_set_float(&element, dtype, number);
    return isfinite(element_get_float(&element, dtype));
}

static bool fits_float(const Op *op, const char *name, double f, int dtype) {
    return !isfinite(f) || stays_finite(f, dtype_real_of(dtype)) ||
           fail("%s: %s is %g, which overflows %s", op->public_name, name, f, dtype_name(dtype));
}

static bool complex_fits(const Op *op, const char *name, Complex128 z, int dtype) {
    if (!dtype_is_complex(dtype)) {
        return fail("%s: %s is complex and does not fit into %s; take the part that is meant: "
                    ":real(), :imag() or :abs()",
                    op->public_name, name, dtype_name(dtype));
    }
    return fits_float(op, name, z.re, dtype) && fits_float(op, name, z.im, dtype);
}

bool number_fits(const Op *op, const char *name, Arg number, int dtype) {
    if (number.kind == ARG_COMPLEX) {
        return complex_fits(op, name, number_complex(number), dtype);
    }
    if (dtype == DT_BOOL) {
        return true;
    }
    if (dtype_is_inexact(dtype)) {
        return fits_float(op, name, arg_number(number), dtype);
    }
    if (number.kind != ARG_FLOAT) {
        return fits_int(op, name, number.i, dtype);
    }
    if (number.f != floor(number.f) || !(fabs(number.f) < 0x1p63)) {
        return fail("%s: %s must be a whole number for %s, got %g", op->public_name, name,
                    dtype_name(dtype), number.f);
    }
    return fits_int(op, name, (int64_t)number.f, dtype);
}

Complex128 number_complex(Arg number) {
    return number.kind == ARG_COMPLEX ? (Complex128){number.floats[0], number.floats[1]}
                                      : (Complex128){arg_number(number), 0};
}

bool number_is(Arg number, double value) {
    Complex128 z = number_complex(number);
    return z.re == value && z.im == 0;
}

void number_store(void *element, int dtype, Arg number) {
    if (number.kind == ARG_COMPLEX) {
        element_set_complex(element, dtype, number_complex(number));
    } else if (number.kind == ARG_FLOAT) {
        element_set_float(element, dtype, number.f);
    } else {
        element_set_int(element, dtype, number.i);
    }
}
