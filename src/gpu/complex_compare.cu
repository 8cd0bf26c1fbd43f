/* Tests of complex numbers, whose result is bool. */
#include "gpu/complex.cuh"

COMPLEX_FUNCTION1(IsNan, isnan)
COMPLEX_FUNCTION1(IsInf, isinf)
COMPLEX_FUNCTION1(IsFinite, isfinite)
COMPLEX_FUNCTION1(LogicalNot, logical_not)
COMPLEX_FUNCTION2(Eq, eq)
COMPLEX_FUNCTION2(Ne, ne)
COMPLEX_FUNCTION2(LogicalAnd, logical_and)
COMPLEX_FUNCTION2(LogicalOr, logical_or)
COMPLEX_FUNCTION2(LogicalXor, logical_xor)

template <class F> static bool test(const KernelCall *c) {
    return for_complex(c->in[0].dtype, [&](auto zero) {
        return map1<uint8_t, decltype(zero)>(c, &c->out[0], &c->in[0], F());
    });
}

template <class F> static bool compare(const KernelCall *c) {
    return for_complex(c->in[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map2<uint8_t, T, T>(c, &c->out[0], &c->in[0], &c->in[1], F());
    });
}

const KernelRow gpu_complex_compare_rows[] = {{"isnan", test<IsNan>},
                                              {"isinf", test<IsInf>},
                                              {"isfinite", test<IsFinite>},
                                              {"logical_not", test<LogicalNot>},
                                              {"eq", compare<Eq>},
                                              {"ne", compare<Ne>},
                                              {"logical_and", compare<LogicalAnd>},
                                              {"logical_or", compare<LogicalOr>},
                                              {"logical_xor", compare<LogicalXor>},
                                              {NULL, NULL}};
