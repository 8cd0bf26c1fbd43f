#ifndef TOCHA_DTYPE_H
#define TOCHA_DTYPE_H
/* The element types. Every list of dtypes anywhere derives from DTYPES (invariant 12). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(ENUM, name, C storage type, kind); ordered so that within a kind a later row is wider. */
#define DTYPES(X)                                 \
    X(BOOL, "bool", uint8_t, KIND_BOOL)           \
    X(UINT8, "uint8", uint8_t, KIND_INT)          \
    X(INT8, "int8", int8_t, KIND_INT)             \
    X(INT16, "int16", int16_t, KIND_INT)          \
    X(INT32, "int32", int32_t, KIND_INT)          \
    X(INT64, "int64", int64_t, KIND_INT)          \
    X(FLOAT16, "float16", uint16_t, KIND_FLOAT)   \
    X(BFLOAT16, "bfloat16", uint16_t, KIND_FLOAT) \
    X(FLOAT32, "float32", float, KIND_FLOAT)      \
    X(FLOAT64, "float64", double, KIND_FLOAT)

typedef enum { KIND_BOOL, KIND_INT, KIND_FLOAT } DTypeKind;

typedef enum {
#define X(ENUM, name, ctype, kind) DT_##ENUM,
    DTYPES(X)
#undef X
        N_DTYPES,
    DT_NONE = -1
} DType;

/* Sets of dtypes, as an operator's row names them. */
enum {
#define X(ENUM, name, ctype, kind) DTBIT_##ENUM = 1 << DT_##ENUM,
    DTYPES(X)
#undef X
        DTSET_HALF = DTBIT_FLOAT16 | DTBIT_BFLOAT16,
    DTSET_FLOAT = DTSET_HALF | DTBIT_FLOAT32 | DTBIT_FLOAT64,
    DTSET_INT = DTBIT_UINT8 | DTBIT_INT8 | DTBIT_INT16 | DTBIT_INT32 | DTBIT_INT64,
    DTSET_REAL = DTSET_INT | DTSET_FLOAT,
    DTSET_ANY = DTBIT_BOOL | DTSET_REAL,
    DTSET_BITS = DTBIT_BOOL | DTSET_INT,
    /* Integers and bools are accepted too, and become the default float first. */
    DTSET_TO_FLOAT = 1 << 30,
    DTSET_MATH = DTSET_FLOAT | DTSET_TO_FLOAT,
};

#ifdef __cplusplus
extern "C" {
#endif

extern const uint8_t dtype_sizes[N_DTYPES];
extern const uint8_t dtype_kinds[N_DTYPES];

static inline size_t dtype_size(int dtype) { return dtype_sizes[dtype]; }
static inline bool dtype_is_float(int dtype) { return dtype_kinds[dtype] == KIND_FLOAT; }

const char *dtype_name(int dtype);
/* The dtype of that name ("float32"; "float", "double", "half", "int", "long" too), or DT_NONE. */
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
