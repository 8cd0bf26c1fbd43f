/* One row of an integer product of T, multiplied as the unsigned type WIDE. See cpu/gemm_int.h. */

static void ROW(const IntRow *r) {
    const T *a = r->a, *b = r->b, *add = r->add;
    T *restrict c = r->c;
    for (int64_t j = 0; j < r->n; j++) {
        c[j] = 0;
    }
    int64_t p = 0;
    for (; r->b_cs == 1 && p + 4 <= r->k; p += 4) {
        const T *row = b + p * r->b_rs, *second = row + r->b_rs, *third = second + r->b_rs;
        const T *fourth = third + r->b_rs, *x = a + p * r->a_step;
        WIDE w = x[0], y = x[r->a_step], z = x[2 * r->a_step], u = x[3 * r->a_step];
        for (int64_t j = 0; j < r->n; j++) {
            c[j] = (T)(c[j] + w * row[j] + y * second[j] + z * third[j] + u * fourth[j]);
        }
    }
    for (; p < r->k; p++) {
        WIDE x = a[p * r->a_step];
        const T *row = b + p * r->b_rs;
        for (int64_t j = 0; j < r->n; j++) {
            c[j] = (T)(c[j] + x * row[j * r->b_cs]);
        }
    }
    for (int64_t j = 0; j < r->n; j++) {
        WIDE other = add ? add[j * r->add_step] : 0;
        c[j] = (T)((WIDE)r->alpha * c[j] + (WIDE)r->beta * other);
    }
}
