/* The body of activation.h, included once per type: T, NUMBERS, NAME(x), which gives f_x_<type>,
 * and FLAT. Each act_name has its act_name_backward; the numbers a, b and c are told with the names
 * in tensor/activation.h. */

#define ACT(name)  TOCHA_HD T NAME(act_##name)(T x, NUMBERS p)
#define BACK(name) TOCHA_HD T NAME(act_##name##_backward)(T g, T x, NUMBERS p)

ACT(elu) { return x <= 0 ? p.a * NAME(expm1)(x * p.c) : x * p.b; }
BACK(elu) { return g * (x <= 0 ? p.a * p.c * NAME(exp)(x * p.c) : p.b); }

ACT(leaky_relu) { return x > 0 ? x : x * p.a; }
BACK(leaky_relu) { return x > 0 ? g : g * p.a; }

ACT(hardtanh) {
    T low = x < p.a ? p.a : x;
    return low > p.b ? p.b : low;
}
BACK(hardtanh) { return (x <= p.a) | (x >= p.b) ? (T)0 : g; }

TOCHA_HD T NAME(ramp)(T x) {
    T up = x + 3;
    T low = up < 0 ? (T)0 : up;
    return low > 6 ? (T)6 : low;
}

ACT(hardsigmoid) {
    (void)p;
    return NAME(ramp)(x) * (T)(1.0 / 6);
}
BACK(hardsigmoid) {
    (void)p;
    return (x > -3) & (x < 3) ? g * (T)(1.0 / 6) : (T)0;
}

ACT(hardswish) {
    (void)p;
    return (x < -3 ? (T)-3 : x) * (NAME(ramp)(x) * (T)(1.0 / 6));
}
BACK(hardswish) {
    (void)p;
    T inside = g * (x * (T)(1.0 / 3) + (T)0.5);
    return x <= -3 ? (T)0 : x < 3 ? inside : g;
}

ACT(gelu) {
    (void)p;
    return NAME(gelu)(x);
}
BACK(gelu) {
    (void)p;
    return g * NAME(gelu_slope)(x);
}

/* 2 u with u = sqrt(2 / pi) (x + 0.044715 x^3), since (1 + tanh u) / 2 is sigmoid(2 u). Beyond 40
 * the function is flat. */
TOCHA_HD T NAME(gelu_tanh_twice)(T x) {
    return (T)1.5957691216057307 * x * NAME(fma)((T)0.044715 * x, x, (T)1);
}
TOCHA_HD T NAME(within_40)(T x) {
    T low = x < -40 ? (T)-40 : x;
    return low > 40 ? (T)40 : low;
}

ACT(gelu_tanh) {
    (void)p;
    T s = NAME(sigmoid)(NAME(gelu_tanh_twice)(NAME(within_40)(x)));
    return (x < -40 ? (T)-40 : x) * s;
}
BACK(gelu_tanh) {
    (void)p;
    T y = NAME(within_40)(x);
    T u = NAME(gelu_tanh_twice)(y);
    T s = NAME(sigmoid)(u);
    T du = (T)1.5957691216057307 * NAME(fma)((T)0.134145 * y, y, (T)1);
    return g * NAME(fma)(y * du, s * (1 - s), s);
}

/* Below 0 e^x scales only at the end, so that the tail keeps its precision. */
ACT(silu) {
    (void)p;
    T a = NAME(abs)(x);
    a = a > FLAT ? FLAT : a;
    PARTS e = NAME(exp_parts)(-a, 0);
    T over = 1 / (1 + NAME(scale)(e.p, e.t));
    T below = NAME(scale)(e.p * (a * over), e.t);
    return x < 0 ? -below : x * over;
}
BACK(silu) {
    (void)p;
    T s = NAME(sigmoid)(x), other = NAME(sigmoid)(-x);
    T y = x < -FLAT ? -FLAT : x;
    y = y > FLAT ? FLAT : y;
    return g * (s * NAME(fma)(y, other, (T)1));
}

/* tanh(log(1 + e)) = n / (n + 2) with n = e (e + 2) for e = e^x; 1 to the last bit beyond 40. */
ACT(mish) {
    (void)p;
    T y = x > 40 ? (T)40 : x;
    y = y < -FLAT ? -FLAT : y;
    PARTS parts = NAME(exp_parts)(y, 0);
    T e = NAME(scale)(parts.p, parts.t);
    T up = e + 2;
    T factor = (x < -FLAT ? -FLAT : x) * (up / (e * up + 2));
    return NAME(scale)(parts.p * factor, parts.t);
}
BACK(mish) {
    (void)p;
    T y = x > 40 ? (T)40 : x;
    T e = NAME(exp_below)(y);
    T n = e * (e + 2);
    T over = 1 / (n + 2);
    y = y < -FLAT ? -FLAT : y;
    return g * (over * (n + 4 * y * (e * (e + 1)) * over));
}

ACT(softplus) {
    T z = x * p.a;
    return z > p.b ? x : NAME(softplus)(z) / p.a;
}
BACK(softplus) {
    T z = x * p.a;
    return z > p.b ? g : g * NAME(sigmoid)(z);
}

ACT(logsigmoid) {
    (void)p;
    return NAME(logsigmoid)(x);
}
BACK(logsigmoid) {
    (void)p;
    return g * NAME(sigmoid)(-x);
}

ACT(softshrink) {
    T inside = x * 0;
    return x > p.a ? x - p.a : x < -p.a ? x + p.a : inside;
}
BACK(softshrink) { return (x >= -p.a) & (x <= p.a) ? (T)0 : g; }

ACT(hardshrink) { return (x >= -p.a) & (x <= p.a) ? (T)0 : x; }
BACK(hardshrink) { return (x >= -p.a) & (x <= p.a) ? (T)0 : g; }

ACT(threshold) { return x <= p.a ? p.b : x; }
BACK(threshold) { return x <= p.a ? (T)0 : g; }

ACT(tanhshrink) {
    (void)p;
    return x - NAME(tanh)(x);
}
BACK(tanhshrink) {
    (void)p;
    T y = NAME(tanh)(x);
    return g * (y * y);
}

ACT(softsign) {
    (void)p;
    return x / (1 + NAME(abs)(x));
}
BACK(softsign) {
    (void)p;
    T d = 1 + NAME(abs)(x);
    return g / (d * d);
}

#undef ACT
#undef BACK
