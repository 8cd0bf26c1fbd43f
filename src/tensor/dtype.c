#include "tensor/dtype.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const uint8_t dtype_sizes[N_DTYPES] = {
#define X(ENUM, name, ctype, kind) sizeof(ctype),
    DTYPES(X)
#undef X
};

const uint8_t dtype_kinds[N_DTYPES] = {
#define X(ENUM, name, ctype, kind) kind,
    DTYPES(X)
#undef X
};

static const char *const names[N_DTYPES] = {
#define X(ENUM, name, ctype, kind) name,
    DTYPES(X)
#undef X
};

static const struct {
    const char *name;
    int dtype;
} aliases[] = {{"float", DT_FLOAT32}, {"double", DT_FLOAT64}, {"half", DT_FLOAT16},
               {"byte", DT_UINT8},    {"char", DT_INT8},      {"short", DT_INT16},
               {"int", DT_INT32},     {"long", DT_INT64}};

const char *dtype_name(int dtype) { return dtype >= 0 && dtype < N_DTYPES ? names[dtype] : "none"; }

double dtype_largest(int dtype) {
    switch (dtype) {
    case DT_FLOAT16: return 65504;
    case DT_BFLOAT16: return 0x1.fep127;
    case DT_FLOAT32: return 0x1.fffffep127;
    default: return 0x1.fffffffffffffp1023;
    }
}

int dtype_parse(const char *name) {
    for (int i = 0; i < N_DTYPES; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcmp(aliases[i].name, name) == 0) {
            return aliases[i].dtype;
        }
    }
    return DT_NONE;
}

int dtype_promote(int a, int b) {
    if (a == b) {
        return a;
    }
    int kind_a = dtype_kinds[a], kind_b = dtype_kinds[b];
    if (kind_a != kind_b) {
        int high = kind_a > kind_b ? a : b, low = kind_a > kind_b ? b : a;
        bool widens = high == DT_COMPLEX64 && low == DT_FLOAT64;
        return widens ? DT_COMPLEX128 : high;
    }
    int low = a < b ? a : b, high = a < b ? b : a;
    if (low == DT_UINT8 && high == DT_INT8) {
        return DT_INT16; /* neither holds the other's values */
    }
    if (low == DT_FLOAT16 && high == DT_BFLOAT16) {
        return DT_FLOAT32;
    }
    return high;
}

static atomic_int default_dtype = DT_FLOAT32;

int dtype_default(void) { return atomic_load_explicit(&default_dtype, memory_order_relaxed); }

void dtype_set_default(int dtype) { atomic_store(&default_dtype, dtype); }

const char *dtype_set_text(uint32_t set) {
    char *text = text_buffer();
    size_t n = 0;
    text[0] = '\0';
    for (int i = 0; i < N_DTYPES; i++) {
        if (set & 1u << i) {
            n += (size_t)snprintf(text + n, TEXT_MAX - n, "%s%s", n ? ", " : "", names[i]);
        }
    }
    return text;
}
