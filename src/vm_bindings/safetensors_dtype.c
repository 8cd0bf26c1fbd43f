#include "vm_bindings/safetensors_dtype.h"

#include <string.h>

/* X(dtype, name in the file); complex128 has none. */
#define SAFE_DTYPES(X)  \
    X(BOOL, "BOOL")     \
    X(UINT8, "U8")      \
    X(INT8, "I8")       \
    X(INT16, "I16")     \
    X(INT32, "I32")     \
    X(INT64, "I64")     \
    X(FLOAT16, "F16")   \
    X(BFLOAT16, "BF16") \
    X(FLOAT32, "F32")   \
    X(FLOAT64, "F64")   \
    X(COMPLEX64, "C64")

#define X(ENUM, name) [DT_##ENUM] = name,
static const char *const names[N_DTYPES] = {SAFE_DTYPES(X)};
#undef X

#define X(ENUM, name) +1
_Static_assert(SAFE_DTYPES(X) == N_DTYPES - 1, "every dtype but complex128 has a name in the file");
#undef X

const char *safe_dtype_name(int dtype) { return names[dtype]; }

int safe_dtype_parse(const char *name) {
    for (int dtype = 0; dtype < N_DTYPES; dtype++) {
        if (names[dtype] && strcmp(names[dtype], name) == 0) {
            return dtype;
        }
    }
    return DT_NONE;
}

const char *safe_dtype_list(void) {
#define X(ENUM, name) ", " name
    return SAFE_DTYPES(X) + 2;
#undef X
}
