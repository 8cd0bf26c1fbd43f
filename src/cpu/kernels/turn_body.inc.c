/* Vectors of one element type T, INDEX being an integer type of its size, and the transposition of
 * small blocks. NAME(x) is the name of x for that type. */

typedef T NAME(V) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));
typedef INDEX NAME(VI) __attribute__((vector_size(VECTOR_BYTES)));
#define V  NAME(V)
#define VL ((int64_t)(VECTOR_BYTES / sizeof(T)))
#define NR (2 * VL)

/* The low (high = 0) or high halves of a and b interleaved: a0 b0 a1 b1 ... */
static ALWAYS_INLINE V NAME(interleave)(V a, V b, int high) {
    NAME(VI) index;
    for (int i = 0; i < VL; i++) {
        index[i] = (INDEX)(i / 2 + (i % 2 ? VL : 0) + (high ? VL / 2 : 0));
    }
    return __builtin_shuffle(a, b, index);
}

static ALWAYS_INLINE void NAME(transpose)(V *r) {
    V t[VL];
#pragma GCC unroll 4
    for (int64_t step = 1; step < VL; step *= 2) {
#pragma GCC unroll 16
        for (int i = 0; i < VL / 2; i++) {
            t[2 * i] = NAME(interleave)(r[i], r[i + VL / 2], 0);
            t[2 * i + 1] = NAME(interleave)(r[i], r[i + VL / 2], 1);
        }
#pragma GCC unroll 16
        for (int i = 0; i < VL; i++) {
            r[i] = t[i];
        }
    }
}

/* out[p * stride + i] = in[i * ld + p] for i < rows <= VL and p < VL. Every column is stored as VL
 * elements, those of missing rows as zeros. */
static ALWAYS_INLINE void NAME(turn)(int64_t rows, const T *in, int64_t ld, T *out,
                                     int64_t stride) {
    V r[VL];
#pragma GCC unroll 16
    for (int i = 0; i < VL; i++) {
        r[i] = i < rows ? *(const V *)(in + i * ld) : (V){0};
    }
    NAME(transpose)(r);
#pragma GCC unroll 16
    for (int i = 0; i < VL; i++) {
        *(V *)(out + i * stride) = r[i];
    }
}
