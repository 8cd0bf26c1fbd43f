/* One row of an integer product of T, multiplied as the unsigned type WIDE. See cpu/gemm_int.h. */

static void ROW(const IntRow *r) {
    const T *a = r->a, *b = r->b, *add = r->add;
    T *restrict c = r->c;
    for (int64_t j = 0; j < r->n; j++) {
        c[j] = 0;
    }
    for (int64_t p = 0; p < r->k; p++) {
        WIDE x = a[p * r->a_step];
        const T *row = b + p * r->b_rs;
        if (r->b_cs == 1) {
            for (int64_t j = 0; j < r->n; j++) {
                c[j] = (T)(c[j] + x * row[j]);
            }
        } else {
            for (int64_t j = 0; j < r->n; j++) {
                c[j] = (T)(c[j] + x * row[j * r->b_cs]);
            }
        }
    }
    for (int64_t j = 0; j < r->n; j++) {
        WIDE other = add ? add[j * r->add_step] : 0;
        c[j] = (T)((WIDE)r->alpha * c[j] + (WIDE)r->beta * other);
    }
}
