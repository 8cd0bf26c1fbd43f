/* How a register tile of T becomes part of the result, on top of turn_body.inc.c. */

static void NAME(store_slow)(int64_t rows, int64_t cols, const T *acc, const GemmOut *o) {
    T *c = o->c;
    const T *add = o->add.data;
    T alpha = (T)o->alpha, beta = (T)o->beta;
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < cols; j++) {
            T x = alpha * acc[i * NR + j];
            c[i * o->rs + j * o->cs] = add ? x + beta * add[i * o->add.rs + j * o->add.cs] : x;
        }
    }
}

static ALWAYS_INLINE V NAME(finish)(V acc, int64_t i, int64_t j, const GemmOut *o) {
    acc *= (T)o->alpha;
    if (o->add.data) {
        const T *add = (const T *)o->add.data + i * o->add.rs;
        V x = *add - (V){0};
        if (o->add.cs) {
            x = *(const V *)(add + j);
        }
        acc += (T)o->beta * x;
    }
    return acc;
}

static ALWAYS_INLINE void NAME(tile_store)(const int mr, const int nv, V acc[MR][2], int64_t cols,
                                           const GemmOut *o) {
    if (cols == nv * VL && o->cs == 1 && (o->add.cs == 1 || o->add.cs == 0)) {
#pragma GCC unroll 16
        for (int i = 0; i < mr; i++) {
#pragma GCC unroll 2
            for (int j = 0; j < nv; j++) {
                *(V *)((T *)o->c + i * o->rs + j * VL) = NAME(finish)(acc[i][j], i, j * VL, o);
            }
        }
        return;
    }
    T kept[MR * NR];
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            *(V *)(kept + i * NR + j * VL) = acc[i][j];
        }
    }
    NAME(store_slow)(mr, cols, kept, o);
}
