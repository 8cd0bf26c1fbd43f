/* One row of an integer product of T, multiplied as the unsigned type WIDE. See cpu/gemm_int.h. */

static void ROW(const IntRow *r) {
    const T *restrict a = r->a, *restrict b = r->b, *restrict add = r->add;
    T *restrict c = r->c;
    int64_t n = r->n, step = r->b_rs, gap = r->b_cs, p = 0;
    for (int64_t j = 0; j < n; j++) {
        c[j] = 0;
    }
    for (; gap == 1 && p + 4 <= r->k; p += 4) {
        const T *restrict row = b + p * step, *restrict second = row + step;
        const T *restrict third = second + step, *restrict fourth = third + step;
        const T *x = a + p * r->a_step;
        WIDE w = x[0], y = x[r->a_step], z = x[2 * r->a_step], u = x[3 * r->a_step];
        for (int64_t j = 0; j < n; j++) {
            c[j] = (T)(c[j] + w * row[j] + y * second[j] + z * third[j] + u * fourth[j]);
        }
    }
    for (; p < r->k; p++) {
        WIDE x = a[p * r->a_step];
        const T *restrict row = b + p * step;
        for (int64_t j = 0; j < n; j++) {
            c[j] = (T)(c[j] + x * row[j * gap]);
        }
    }
    WIDE alpha = (WIDE)r->alpha, beta = (WIDE)r->beta;
    for (int64_t j = 0; j < n; j++) {
        WIDE other = add ? add[j * r->add_step] : 0;
        c[j] = (T)(alpha * c[j] + beta * other);
    }
}
