/* Small transforms of vectors, one element type T: x[j] are replaced by sum x[j] e^(-2 pi i j k /
 * r).
 */

typedef struct NAME(Z) {
    V re, im;
} NAME(Z);
#define Z NAME(Z)

static ALWAYS_INLINE Z NAME(z_add)(Z a, Z b) { return (Z){a.re + b.re, a.im + b.im}; }
static ALWAYS_INLINE Z NAME(z_sub)(Z a, Z b) { return (Z){a.re - b.re, a.im - b.im}; }
/* -i a */
static ALWAYS_INLINE Z NAME(z_turn)(Z a) { return (Z){a.im, -a.re}; }
static ALWAYS_INLINE Z NAME(z_scale)(Z a, T s) { return (Z){a.re * s, a.im * s}; }
static ALWAYS_INLINE Z NAME(z_mul)(Z a, V re, V im) {
    return (Z){a.re * re - a.im * im, a.re * im + a.im * re};
}
static ALWAYS_INLINE Z NAME(z_twiddle)(Z a, const T *w) {
    return (Z){a.re * w[0] - a.im * w[1], a.re * w[1] + a.im * w[0]};
}

static ALWAYS_INLINE void NAME(radix2)(Z *x) {
    Z a = x[0];
    x[0] = NAME(z_add)(a, x[1]);
    x[1] = NAME(z_sub)(a, x[1]);
}

static ALWAYS_INLINE void NAME(radix3)(Z *x) {
    const T half = (T)0.5, sine = (T)0.86602540378443864676;
    Z sum = NAME(z_add)(x[1], x[2]);
    Z across = NAME(z_scale)(NAME(z_turn)(NAME(z_sub)(x[1], x[2])), sine);
    Z middle = NAME(z_sub)(x[0], NAME(z_scale)(sum, half));
    x[0] = NAME(z_add)(x[0], sum);
    x[1] = NAME(z_add)(middle, across);
    x[2] = NAME(z_sub)(middle, across);
}

static ALWAYS_INLINE void NAME(radix4)(Z *x) {
    Z a = NAME(z_add)(x[0], x[2]), b = NAME(z_sub)(x[0], x[2]);
    Z c = NAME(z_add)(x[1], x[3]), d = NAME(z_turn)(NAME(z_sub)(x[1], x[3]));
    x[0] = NAME(z_add)(a, c);
    x[1] = NAME(z_add)(b, d);
    x[2] = NAME(z_sub)(a, c);
    x[3] = NAME(z_sub)(b, d);
}

static ALWAYS_INLINE void NAME(radix5)(Z *x) {
    const T c1 = (T)0.30901699437494742410, c2 = (T)-0.80901699437494742410;
    const T s1 = (T)0.95105651629515357212, s2 = (T)0.58778525229247312917;
    Z a = NAME(z_add)(x[1], x[4]), b = NAME(z_turn)(NAME(z_sub)(x[1], x[4]));
    Z c = NAME(z_add)(x[2], x[3]), d = NAME(z_turn)(NAME(z_sub)(x[2], x[3]));
    Z p = NAME(z_add)(x[0], NAME(z_add)(NAME(z_scale)(a, c1), NAME(z_scale)(c, c2)));
    Z q = NAME(z_add)(x[0], NAME(z_add)(NAME(z_scale)(a, c2), NAME(z_scale)(c, c1)));
    Z u = NAME(z_add)(NAME(z_scale)(b, s1), NAME(z_scale)(d, s2));
    Z v = NAME(z_sub)(NAME(z_scale)(b, s2), NAME(z_scale)(d, s1));
    x[0] = NAME(z_add)(x[0], NAME(z_add)(a, c));
    x[1] = NAME(z_add)(p, u);
    x[2] = NAME(z_add)(q, v);
    x[3] = NAME(z_sub)(q, v);
    x[4] = NAME(z_sub)(p, u);
}

static ALWAYS_INLINE void NAME(radix8)(Z *x) {
    const T h = (T)0.70710678118654752440;
    Z even[4] = {x[0], x[2], x[4], x[6]}, odd[4] = {x[1], x[3], x[5], x[7]};
    NAME(radix4)(even);
    NAME(radix4)(odd);
    Z a = odd[1], b = odd[3];
    odd[1] = NAME(z_scale)((Z){a.re + a.im, a.im - a.re}, h);
    odd[2] = NAME(z_turn)(odd[2]);
    odd[3] = NAME(z_scale)((Z){b.im - b.re, -b.re - b.im}, h);
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        x[k] = NAME(z_add)(even[k], odd[k]);
        x[k + 4] = NAME(z_sub)(even[k], odd[k]);
    }
}

/* e^(-2 pi i k / 16), as 4 times 4. */
static ALWAYS_INLINE void NAME(radix16)(Z *x) {
    static const T w[10][2] = {{1, 0},
                               {(T)0.92387953251128675613, (T)-0.38268343236508977173},
                               {(T)0.70710678118654752440, (T)-0.70710678118654752440},
                               {(T)0.38268343236508977173, (T)-0.92387953251128675613},
                               {0, -1},
                               {(T)-0.38268343236508977173, (T)-0.92387953251128675613},
                               {(T)-0.70710678118654752440, (T)-0.70710678118654752440},
                               {(T)-0.92387953251128675613, (T)-0.38268343236508977173},
                               {-1, 0},
                               {(T)-0.92387953251128675613, (T)0.38268343236508977173}};
    Z y[16];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        Z c[4] = {x[j], x[j + 4], x[j + 8], x[j + 12]};
        NAME(radix4)(c);
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            y[4 * k + j] = j * k != 0 ? NAME(z_twiddle)(c[k], w[j * k]) : c[k];
        }
    }
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        NAME(radix4)(y + 4 * k);
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            x[k + 4 * j] = y[4 * k + j];
        }
    }
}

/* Any radix; roots are pairs e^(-2 pi i k / r). Elements j and r - j share their products. */
static void NAME(radix_any)(int r, const T *roots, Z *x) {
    Z sum[FFT_MOST_RADIX], across[FFT_MOST_RADIX], first = x[0];
    int pairs = (r - 1) / 2;
    bool even = r % 2 == 0;
    for (int j = 1; j <= pairs; j++) {
        sum[j] = NAME(z_add)(x[j], x[r - j]);
        across[j] = NAME(z_sub)(x[j], x[r - j]);
        x[0] = NAME(z_add)(x[0], sum[j]);
    }
    Z middle = even ? x[r / 2] : (Z){{0}, {0}};
    x[0] = NAME(z_add)(x[0], middle);
    for (int k = 1; k <= r / 2; k++) {
        Z p = k % 2 ? NAME(z_sub)(first, middle) : NAME(z_add)(first, middle), q = {{0}, {0}};
        for (int j = 1, at = k; j <= pairs; j++, at = (at + k) % r) {
            const T *w = roots + 2 * at;
            p = NAME(z_add)(p, NAME(z_scale)(sum[j], w[0]));
            q = NAME(z_add)(q, (Z){across[j].im * -w[1], across[j].re * w[1]});
        }
        x[k] = NAME(z_add)(p, q);
        x[r - k] = NAME(z_sub)(p, q);
    }
}

/* A transform of r elements in registers; roots for those that have no code of their own. */
static ALWAYS_INLINE void NAME(radix)(int r, const T *roots, Z *x) {
    switch (r) {
    case 1: return;
    case 2: NAME(radix2)(x); return;
    case 3: NAME(radix3)(x); return;
    case 4: NAME(radix4)(x); return;
    case 5: NAME(radix5)(x); return;
    case 8: NAME(radix8)(x); return;
    case 16: NAME(radix16)(x); return;
    default: NAME(radix_any)(r, roots, x);
    }
}
