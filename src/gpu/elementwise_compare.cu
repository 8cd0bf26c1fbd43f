/* Comparisons, whose result is bool. */
#include "gpu/elements.cuh"
#include "gpu/walk.cuh"

OVERLOAD2_TESTS(eq_of)
OVERLOAD2_TESTS(ne_of)
OVERLOAD2_TESTS(lt_of)
OVERLOAD2_TESTS(le_of)
OVERLOAD2_TESTS(logical_and_of)
OVERLOAD2_TESTS(logical_or_of)

FUNCTION2(Eq, eq_of)
FUNCTION2(Ne, ne_of)
FUNCTION2(Lt, lt_of)
FUNCTION2(Le, le_of)
FUNCTION2(LogicalAnd, logical_and_of)
FUNCTION2(LogicalOr, logical_or_of)

template <class F> static bool order(const KernelCall *c, const View *a, const View *b) {
    return for_real(a->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map2<uint8_t, T, T>(c, &c->out[0], a, b, F());
    });
}

/* Signed and unsigned bytes are alike. */
template <class F> static bool equality(const KernelCall *c) {
    int dtype = c->in[0].dtype;
    return for_real(dtype == DT_INT8 ? (int)DT_UINT8 : dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map2<uint8_t, T, T>(c, &c->out[0], &c->in[0], &c->in[1], F());
    });
}

template <class F> static bool ordered(const KernelCall *c) {
    return order<F>(c, &c->in[0], &c->in[1]);
}

template <class F> static bool swapped(const KernelCall *c) {
    return order<F>(c, &c->in[1], &c->in[0]);
}

const KernelRow gpu_compare_rows[] = {{"eq", equality<Eq>},
                                      {"ne", equality<Ne>},
                                      {"lt", ordered<Lt>},
                                      {"le", ordered<Le>},
                                      {"gt", swapped<Lt>},
                                      {"ge", swapped<Le>},
                                      {"logical_and", equality<LogicalAnd>},
                                      {"logical_or", equality<LogicalOr>},
                                      {NULL, NULL}};
