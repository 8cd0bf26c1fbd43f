#ifndef TOCHA_DTYPE_H
#define TOCHA_DTYPE_H
/* The element types. Every list of dtypes anywhere derives from DTYPES (invariant 12). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How complex elements lie in memory; kernels compute with tensor/formulas/complex.h. */
typedef struct Complex64 {
    float re, im;
} Complex64;
typedef struct Complex128 {
    double re, im;
} Complex128;

/* X(ENUM, name, C storage type, kind); ordered so that within a kind a later row is wider. */
#define DTYPES(X)                                      \
    X(BOOL, "bool", uint8_t, KIND_BOOL)                \
    X(UINT8, "uint8", uint8_t, KIND_INT)               \
    X(INT8, "int8", int8_t, KIND_INT)                  \
    X(INT16, "int16", int16_t, KIND_INT)               \
    X(INT32, "int32", int32_t, KIND_INT)               \
    X(INT64, "int64", int64_t, KIND_INT)               \
    X(FLOAT16, "float16", uint16_t, KIND_FLOAT)        \
    X(BFLOAT16, "bfloat16", uint16_t, KIND_FLOAT)      \
    X(FLOAT32, "float32", float, KIND_FLOAT)           \
    X(FLOAT64, "float64", double, KIND_FLOAT)          \
    X(COMPLEX64, "complex64", Complex64, KIND_COMPLEX) \
    X(COMPLEX128, "complex128", Complex128, KIND_COMPLEX)

/* In promotion the later kind wins. */
typedef enum { KIND_BOOL, KIND_INT, KIND_FLOAT, KIND_COMPLEX } DTypeKind;

typedef enum {
#define X(ENUM, name, ctype, kind) DT_##ENUM,
    DTYPES(X)
#undef X
        N_DTYPES,
    DT_NONE = -1
} DType;

/* Sets of dtypes, as an operator's row names them. Complex is in none of the real sets: a row that
 * has complex loops says so. */
enum {
#define X(ENUM, name, ctype, kind) DTBIT_##ENUM = 1 << DT_##ENUM,
    DTYPES(X)
#undef X
        DTSET_HALF = DTBIT_FLOAT16 | DTBIT_BFLOAT16,
    DTSET_FLOAT = DTSET_HALF | DTBIT_FLOAT32 | DTBIT_FLOAT64,
    DTSET_INT = DTBIT_UINT8 | DTBIT_INT8 | DTBIT_INT16 | DTBIT_INT32 | DTBIT_INT64,
    DTSET_REAL = DTSET_INT | DTSET_FLOAT,
    DTSET_ANY = DTBIT_BOOL | DTSET_REAL, /* any that has an order */
    DTSET_COMPLEX = DTBIT_COMPLEX64 | DTBIT_COMPLEX128,
    DTSET_FIELD = DTSET_FLOAT | DTSET_COMPLEX, /* what divides: floats and complex */
    DTSET_NUMBER = DTSET_REAL | DTSET_COMPLEX, /* all but bool */
    DTSET_FACTOR = DTBIT_FLOAT32 | DTBIT_FLOAT64 | DTSET_COMPLEX, /* what LAPACK takes */
    DTSET_ALL = DTSET_ANY | DTSET_COMPLEX, /* what only moves or compares elements */
    DTSET_BITS = DTBIT_BOOL | DTSET_INT,
    /* Integers and bools are accepted too, and become the default float first. */
    DTSET_TO_FLOAT = 1 << 30,
    DTSET_MATH = DTSET_FLOAT | DTSET_TO_FLOAT,
    DTSET_MATH_COMPLEX = DTSET_MATH | DTSET_COMPLEX,
};

#ifdef __cplusplus
extern "C" {
#endif

extern const uint8_t dtype_sizes[N_DTYPES];
extern const uint8_t dtype_kinds[N_DTYPES];

static inline size_t dtype_size(int dtype) { return dtype_sizes[dtype]; }
/* A real float: not complex. */
static inline bool dtype_is_float(int dtype) { return dtype_kinds[dtype] == KIND_FLOAT; }
static inline bool dtype_is_complex(int dtype) { return dtype_kinds[dtype] == KIND_COMPLEX; }
/* Of a kind that gradients are of: float or complex. */
static inline bool dtype_is_inexact(int dtype) { return dtype_kinds[dtype] >= KIND_FLOAT; }
/* The complex dtype whose parts hold that float's values: complex64 for the half types too. */
static inline int dtype_complex_of(int dtype) {
    return dtype == DT_FLOAT64 || dtype == DT_COMPLEX128 ? DT_COMPLEX128 : DT_COMPLEX64;
}
/* The dtype of a complex number's parts; any other dtype is its own. */
static inline int dtype_real_of(int dtype) {
    return dtype == DT_COMPLEX64 ? DT_FLOAT32 : dtype == DT_COMPLEX128 ? DT_FLOAT64 : dtype;
}

const char *dtype_name(int dtype);
/* The largest finite number of a float dtype. */
double dtype_largest(int dtype);
/* The dtype of that name ("float32"; "float", "double", "half", "int", "long", "cfloat", "cdouble"
 * too), or DT_NONE. */
int dtype_parse(const char *name);
/* The dtype that holds both, by PyTorch's table. */
int dtype_promote(int a, int b);
/* float32 unless changed; what floats written in a script become. */
int dtype_default(void);
void dtype_set_default(int dtype);
/* "float16, float32" for an error text; as text_buffer(). */
const char *dtype_set_text(uint32_t set);

#ifdef __cplusplus
}
#endif
#endif
