/* Comparisons, whose result is bool. */
#include "gpu/elements.cuh"
#include "gpu/walk.cuh"

OVERLOAD2_TESTS(eq_of)
OVERLOAD2_TESTS(ne_of)
OVERLOAD2_TESTS(lt_of)
OVERLOAD2_TESTS(le_of)
OVERLOAD2_TESTS(logical_and_of)
OVERLOAD2_TESTS(logical_or_of)
OVERLOAD2_TESTS(logical_xor_of)

FUNCTION2(Eq, eq_of)
FUNCTION2(Ne, ne_of)
FUNCTION2(Lt, lt_of)
FUNCTION2(Le, le_of)
FUNCTION2(LogicalAnd, logical_and_of)
FUNCTION2(LogicalOr, logical_or_of)
FUNCTION2(LogicalXor, logical_xor_of)

template <class F> static bool test(const KernelCall *c, const View *a, const View *b) {
    return for_any(a->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map2<uint8_t, T, T>(c, &c->out[0], a, b, F());
    });
}

template <class F> static bool compare(const KernelCall *c) {
    return test<F>(c, &c->in[0], &c->in[1]);
}

template <class F> static bool swapped(const KernelCall *c) {
    return test<F>(c, &c->in[1], &c->in[0]);
}

const KernelRow gpu_compare_rows[] = {{"eq", compare<Eq>},
                                      {"ne", compare<Ne>},
                                      {"lt", compare<Lt>},
                                      {"le", compare<Le>},
                                      {"gt", swapped<Lt>},
                                      {"ge", swapped<Le>},
                                      {"logical_and", compare<LogicalAnd>},
                                      {"logical_or", compare<LogicalOr>},
                                      {"logical_xor", compare<LogicalXor>},
                                      {NULL, NULL}};
