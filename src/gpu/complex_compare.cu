/* Tests of complex numbers, whose result is bool. */
#include "gpu/complex.cuh"

COMPLEX_FUNCTION1(isnan)
COMPLEX_FUNCTION1(isinf)
COMPLEX_FUNCTION1(isfinite)
COMPLEX_FUNCTION1(logical_not)
COMPLEX_FUNCTION2(eq)
COMPLEX_FUNCTION2(ne)
COMPLEX_FUNCTION2(logical_and)
COMPLEX_FUNCTION2(logical_or)
COMPLEX_FUNCTION2(logical_xor)

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

const KernelRow gpu_complex_compare_rows[] = {{"isnan", test<Complex_isnan>},
                                              {"isinf", test<Complex_isinf>},
                                              {"isfinite", test<Complex_isfinite>},
                                              {"logical_not", test<Complex_logical_not>},
                                              {"eq", compare<Complex_eq>},
                                              {"ne", compare<Complex_ne>},
                                              {"logical_and", compare<Complex_logical_and>},
                                              {"logical_or", compare<Complex_logical_or>},
                                              {"logical_xor", compare<Complex_logical_xor>},
                                              {NULL, NULL}};
