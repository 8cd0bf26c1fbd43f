/* The checks of one integer type T; NAME(x) gives x_<type>, LABEL is that ending as a string. */

#define F_PASTE(x) f_##x
#define FORMULA(x) F_PASTE(x)

static T NAME(element)(int i) { return (T)(sizeof(T) == 1 ? i : value(i)); }

static void NAME(check_binary)(const char *name, T (*formula)(T, T), Wide (*exact)(Wide, Wide),
                               int64_t largest_b) {
    bool good = true;
    T a = 0, b = 0, got = 0;
    for (int i = 0; i < N_VALUES && good; i++) {
        for (int j = 0; j < N_VALUES && good; j++) {
            a = NAME(element)(i), b = NAME(element)(j);
            if ((int64_t)b > largest_b) continue;
            got = formula(a, b);
            good = got == (T)exact(a, b);
        }
    }
    report(name, LABEL, good, a, b, got);
}

static void NAME(check_unary)(const char *name, T (*formula)(T), Wide (*exact)(Wide, Wide)) {
    bool good = true;
    T a = 0, got = 0;
    for (int i = 0; i < N_VALUES && good; i++) {
        a = NAME(element)(i);
        got = formula(a);
        good = got == (T)exact(a, 0);
    }
    report(name, LABEL, good, a, 0, got);
}

static void NAME(check_all)(void) {
    NAME(check_binary)("add", FORMULA(NAME(add)), wide_add, INT64_MAX);
    NAME(check_binary)("sub", FORMULA(NAME(sub)), wide_sub, INT64_MAX);
    NAME(check_binary)("mul", FORMULA(NAME(mul)), wide_mul, INT64_MAX);
    NAME(check_binary)("truncdiv", FORMULA(NAME(truncdiv)), wide_truncdiv, INT64_MAX);
    NAME(check_binary)("truncmod", FORMULA(NAME(truncmod)), wide_truncmod, INT64_MAX);
    NAME(check_binary)("floordiv", FORMULA(NAME(floordiv)), wide_floordiv, INT64_MAX);
    NAME(check_binary)("floormod", FORMULA(NAME(floormod)), wide_floormod, INT64_MAX);
    NAME(check_binary)("pow", FORMULA(NAME(pow)), wide_pow, 300);
    NAME(check_unary)("neg", FORMULA(NAME(neg)), wide_neg);
    NAME(check_unary)("abs", FORMULA(NAME(abs)), wide_abs);
    NAME(check_unary)("sign", FORMULA(NAME(sign)), wide_sign);
}

#undef F_PASTE
#undef FORMULA
