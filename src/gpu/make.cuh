#ifndef TOCHA_GPU_MAKE_CUH
#define TOCHA_GPU_MAKE_CUH
/* Filling new tensors without gaps, whose memory order is the order of the elements. */
#include "base/philox.h"
#include "gpu/convert.cuh"
#include "tensor/formulas/random.h"

/* A new tensor as its numbers in a row, of complex ones both parts. */
static inline View numbers_of(const View *out) {
    View numbers = *out;
    numbers.dtype = dtype_real_of(out->dtype);
    numbers.numel *= dtype_is_complex(out->dtype) ? 2 : 1;
    return numbers;
}

/* out[i] = f(i), a double or an int64. */
template <class F> __global__ void make_kernel(void *out, int dtype, int64_t n, F f) {
    for (int64_t i = first_of(); i < n; i += step_of()) {
        put_number(out, i, dtype, f(i));
    }
}

template <class F> bool make_elements(const KernelCall *c, F f) {
    View out = numbers_of(&c->out[0]);
    if (out.numel > 0) {
        launch(launch_over(c, out.numel), make_kernel<F>, out.data, (int)out.dtype, out.numel, f);
    }
    return true;
}

/* F::EACH elements from the four words of one Philox counter: f(words, y). */
template <class F>
__global__ void random_kernel(void *out, int dtype, int64_t n, Counters from, F f) {
    for (int64_t i = first_of(); i * F::EACH < n; i += step_of()) {
        uint32_t words[4];
        typename F::Number y[F::EACH];
        philox4x32(from.key(), from.at((uint64_t)i), 0, words);
        f(words, y);
        for (int j = 0; j < F::EACH; j++) {
            if (i * F::EACH + j < n) {
                put_number(out, i * F::EACH + j, dtype, y[j]);
            }
        }
    }
}

template <class F> bool draw(const KernelCall *c, F f) {
    View out = numbers_of(&c->out[0]);
    if (out.numel > 0) {
        launch(launch_over(c, divide_up(out.numel, F::EACH)), random_kernel<F>, out.data,
               (int)out.dtype, out.numel, counters_of(c), f);
    }
    return true;
}

/* Elements of one long word each, of which f makes a number. */
template <class F> struct OfLongWord {
    typedef decltype(F()(uint64_t())) Number;
    enum { EACH = 2 };
    F f;
    __device__ void operator()(const uint32_t *w, Number *y) const {
        for (int j = 0; j < EACH; j++) {
            y[j] = f(f_long_word(w, j));
        }
    }
};

template <class F> bool draw_of_long_words(const KernelCall *c, F f) {
    return draw(c, OfLongWord<F>{f});
}

#endif
