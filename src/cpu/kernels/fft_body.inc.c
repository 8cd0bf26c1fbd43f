/* Panels of one element type T, on top of turn_body.inc.c and fft_radix.inc.c. See fft.h. */

/* Every second element of a and b: those from first (0 or 1) on. */
static ALWAYS_INLINE V NAME(every_second)(V a, V b, int first) {
    NAME(VI) index;
    for (int i = 0; i < VL; i++) {
        index[i] = (INDEX)(2 * i + first);
    }
    return __builtin_shuffle(a, b, index);
}

/* VL pairs of parts in a row. */
static ALWAYS_INLINE Z NAME(read_pairs)(const T *from) {
    V a = *(const V *)from, b = *(const V *)(from + VL);
    return (Z){NAME(every_second)(a, b, 0), NAME(every_second)(a, b, 1)};
}

static ALWAYS_INLINE void NAME(write_pairs)(Z z, T *to) {
    *(V *)to = NAME(interleave)(z.re, z.im, 0);
    *(V *)(to + VL) = NAME(interleave)(z.re, z.im, 1);
}

static ALWAYS_INLINE Z NAME(exchanged)(Z z, bool swap) { return swap ? (Z){z.im, z.re} : z; }

static ALWAYS_INLINE void NAME(put)(T *panel, int64_t i, Z z) {
    *(V *)(panel + 2 * VL * i) = z.re;
    *(V *)(panel + 2 * VL * i + VL) = z.im;
}

static ALWAYS_INLINE Z NAME(get)(const T *panel, int64_t i) {
    return (Z){*(const V *)(panel + 2 * VL * i), *(const V *)(panel + 2 * VL * i + VL)};
}

/* Elements [begin, end) of the lines, one by one. */
static void NAME(load_slowly)(const FftLines *from, int64_t begin, int64_t end, bool swap,
                              T *panel) {
    for (int lane = 0; lane < (int)VL; lane++) {
        const T *x = from->line[lane < from->count ? lane : 0];
        for (int64_t i = begin; i < end; i++) {
            T *to = panel + 2 * VL * i + lane;
            to[swap ? VL : 0] = x[i * from->step];
            to[swap ? 0 : VL] = x[i * from->step + 1];
        }
    }
}

static void NAME(load)(const FftLines *from, int64_t n, bool swap, void *panel) {
    T *to = panel;
    if (from->adjacent && from->count == VL) {
        const T *x = from->line[0];
        for (int64_t i = 0; i < n; i++) {
            NAME(put)(to, i, NAME(exchanged)(NAME(read_pairs)(x + i * from->step), swap));
        }
        return;
    }
    int64_t i = 0;
    for (; from->step == 2 && i + VL <= n; i += VL) {
        V re[VL], im[VL];
        for (int lane = 0; lane < (int)VL; lane++) {
            const T *x = from->line[lane < from->count ? lane : 0];
            Z z = NAME(exchanged)(NAME(read_pairs)(x + 2 * i), swap);
            re[lane] = z.re;
            im[lane] = z.im;
        }
        NAME(transpose)(re);
        NAME(transpose)(im);
        for (int k = 0; k < (int)VL; k++) {
            NAME(put)(to, i + k, (Z){re[k], im[k]});
        }
    }
    NAME(load_slowly)(from, i, n, swap, to);
}

static void NAME(store_slowly)(const FftLines *to, int64_t begin, int64_t end, bool swap, T scale,
                               const T *panel) {
    for (int lane = 0; lane < to->count; lane++) {
        T *x = to->line[lane];
        for (int64_t i = begin; i < end; i++) {
            const T *from = panel + 2 * VL * i + lane;
            x[i * to->step] = from[swap ? VL : 0] * scale;
            x[i * to->step + 1] = from[swap ? 0 : VL] * scale;
        }
    }
}

static void NAME(store)(const FftLines *to, int64_t n, bool swap, double scale, const void *panel) {
    const T *from = panel;
    const T s = (T)scale;
    if (to->adjacent && to->count == VL) {
        T *x = to->line[0];
        for (int64_t i = 0; i < n; i++) {
            Z z = NAME(exchanged)(NAME(get)(from, i), swap);
            NAME(write_pairs)(NAME(z_scale)(z, s), x + i * to->step);
        }
        return;
    }
    int64_t i = 0;
    for (; to->step == 2 && i + VL <= n; i += VL) {
        V re[VL], im[VL];
        for (int k = 0; k < (int)VL; k++) {
            Z z = NAME(exchanged)(NAME(get)(from, i + k), swap);
            re[k] = z.re * s;
            im[k] = z.im * s;
        }
        NAME(transpose)(re);
        NAME(transpose)(im);
        for (int lane = 0; lane < to->count; lane++) {
            NAME(write_pairs)((Z){re[lane], im[lane]}, (T *)to->line[lane] + 2 * i);
        }
    }
    NAME(store_slowly)(to, i, n, swap, s, from);
}

/* One stage: butterflies of elements m apart in blocks of s, whose results come to stand s apart.
 */
static ALWAYS_INLINE void NAME(stage)(const int r, int64_t m, int64_t s, const T *x, T *y,
                                      const T *w, const T *roots) {
    for (int64_t p = 0; p < m; p++, w += 2 * (r - 1)) {
        for (int64_t q = 0; q < s; q++) {
            Z z[FFT_MOST_RADIX];
#pragma GCC unroll 16
            for (int j = 0; j < r; j++) {
                z[j] = NAME(get)(x, q + s * (p + m * j));
            }
            NAME(radix)(r, roots, z);
            NAME(put)(y, q + s * r * p, z[0]);
#pragma GCC unroll 16
            for (int k = 1; k < r; k++) {
                NAME(put)(y, q + s * (r * p + k), NAME(z_twiddle)(z[k], w + 2 * (k - 1)));
            }
        }
    }
}

static void NAME(stage_any)(int r, int64_t m, int64_t s, const T *x, T *y, const T *w,
                            const T *roots) {
    NAME(stage)(r, m, s, x, y, w, roots);
}

static void *NAME(run)(const FftPanel *plan, void *panel, void *work) {
    int64_t left = plan->n, s = 1;
    T *x = panel, *y = work;
    for (int f = 0; f < plan->n_factors; f++) {
        int r = plan->factor[f];
        int64_t m = left / r;
        const T *w = plan->twiddle[f];
        switch (r) {
#define STAGE(r) \
    case r: NAME(stage)(r, m, s, x, y, w, NULL); break;
            STAGE(2)
            STAGE(3)
            STAGE(4)
            STAGE(5)
            STAGE(8)
            STAGE(16)
#undef STAGE
        default: NAME(stage_any)(r, m, s, x, y, w, plan->roots[f]);
        }
        T *t = x;
        x = y;
        y = t;
        s *= r;
        left = m;
    }
    return x;
}

static void NAME(load_split)(const void *from, int64_t n, int64_t split, bool swap, void *panel) {
    const T *x = from;
    T *to = panel;
    if (split == VL) {
        for (int64_t i = 0; i < n; i++) {
            NAME(put)(to, i, NAME(exchanged)(NAME(read_pairs)(x + 2 * VL * i), swap));
        }
        return;
    }
    memset(to, 0, (size_t)(2 * VL * n) * sizeof *to);
    for (int64_t i = 0; i < n; i++) {
        T *re = to + 2 * VL * i + (swap ? VL : 0), *im = to + 2 * VL * i + (swap ? 0 : VL);
        for (int64_t lane = 0; lane < split; lane++) {
            re[lane] = x[2 * (split * i + lane)];
            im[lane] = x[2 * (split * i + lane) + 1];
        }
    }
}

static ALWAYS_INLINE void NAME(join_radix)(const int split, const void *panel, int64_t n,
                                           const void *twist, const T *roots, bool swap, T scale,
                                           T *out) {
    const T *x = panel, *w = twist;
    for (int64_t k = 0; k < n; k += VL, w += 2 * VL * split) {
        int64_t count = n - k < VL ? n - k : VL;
        V re[VL], im[VL];
        Z z[FFT_MOST_LANES];
#pragma GCC unroll 16
        for (int i = 0; i < (int)VL; i++) {
            /* Beyond the end anything will do: the last element, over again. */
            Z e = NAME(get)(x, k + i < n ? k + i : n - 1);
            re[i] = e.re;
            im[i] = e.im;
        }
        NAME(transpose)(re);
        NAME(transpose)(im);
#pragma GCC unroll 16
        for (int l = 0; l < split; l++) {
            Z turn = NAME(get)(w, l);
            z[l] = NAME(z_mul)((Z){re[l], im[l]}, turn.re, turn.im);
        }
        NAME(radix)(split, roots, z);
#pragma GCC unroll 16
        for (int l = 0; l < split; l++) {
            Z e = NAME(exchanged)(NAME(z_scale)(z[l], scale), swap);
            T *at = out + 2 * (k + n * l);
            if (count == VL) {
                NAME(write_pairs)(e, at);
                continue;
            }
            for (int i = 0; i < count; i++) {
                at[2 * i] = e.re[i];
                at[2 * i + 1] = e.im[i];
            }
        }
    }
}

static void NAME(join)(const void *panel, int64_t n, int64_t split, const void *twist,
                       const void *roots, bool swap, double scale, void *to) {
    switch (split) {
    case VL: NAME(join_radix)(VL, panel, n, twist, roots, swap, (T)scale, to); return;
    default: NAME(join_radix)((int)split, panel, n, twist, roots, swap, (T)scale, to);
    }
}

static void NAME(twist)(void *panel, int64_t n, const double *base, const void *lane) {
    T *x = panel;
    for (int64_t i = 0; i < n; i++) {
        const T by[2] = {(T)base[2 * i], (T)base[2 * i + 1]};
        Z w = NAME(z_twiddle)(NAME(get)(lane, i), by);
        NAME(put)(x, i, NAME(z_mul)(NAME(get)(x, i), w.re, w.im));
    }
}

/* z of pairs gives x = (z[k] + conj z[n - k]) / 2 of the even numbers and (z[k] - conj z[n - k]) /
 * 2i of the odd ones, which are turned by k and added. */
static void NAME(split_real)(void *panel, int64_t n, const void *turn) {
    T *x = panel;
    const T *w = turn;
    Z first = NAME(get)(x, 0);
    for (int64_t k = 1; k <= n / 2; k++) {
        Z a = NAME(get)(x, k), b = NAME(get)(x, n - k);
        Z even = {(a.re + b.re) * (T)0.5, (a.im - b.im) * (T)0.5};
        Z odd = {(a.im + b.im) * (T)0.5, (b.re - a.re) * (T)0.5};
        odd = NAME(z_twiddle)(odd, w + 2 * k);
        NAME(put)(x, k, NAME(z_add)(even, odd));
        NAME(put)(x, n - k, (Z){even.re - odd.re, odd.im - even.im});
    }
    NAME(put)(x, 0, (Z){first.re + first.im, (V){0}});
    NAME(put)(x, n, (Z){first.re - first.im, (V){0}});
}

static void NAME(merge_real)(void *panel, int64_t n, const void *turn) {
    T *x = panel;
    const T *w = turn;
    V first = NAME(get)(x, 0).re, last = NAME(get)(x, n).re;
    for (int64_t k = 1; k <= n / 2; k++) {
        Z a = NAME(get)(x, k), b = NAME(get)(x, n - k);
        Z even = {a.re + b.re, a.im - b.im}, odd = {a.re - b.re, a.im + b.im};
        const T back[2] = {w[2 * k], -w[2 * k + 1]};
        odd = NAME(z_twiddle)(odd, back);
        NAME(put)(x, k, (Z){even.im + odd.re, even.re - odd.im});
        NAME(put)(x, n - k, (Z){odd.re - even.im, even.re + odd.im});
    }
    NAME(put)(x, 0, (Z){first - last, first + last});
}
#undef Z
