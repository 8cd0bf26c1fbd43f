/* Kernels of the mathematical functions: each picks a dense loop. The lists in kernels/maths.h name
 * them. */
#include "cpu/kernels/maths.h"

#include <math.h>

#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "tensor/number.h"

enum { CHEAP = 10, DIVIDE = 30 };

static const MathsTable *tables(void) { return ISA_PICK(maths_table); }

static bool one(const KernelCall *c, const EwRow *row, const EwNumbers3 *numbers, int64_t cost) {
    const View *out = &c->out[0], *in = &c->in[0];
    if (dense_run_small((*row)[in->dtype], numbers, cost, out, in, in)) {
        return true;
    }
    DenseOp op = {
        .loop = (*row)[ew_compute_dtype(in->dtype)], .ctx = numbers, .cost = cost, .widen = true};
    const View *const operand[] = {out, in};
    dense_run(&op, operand, 1, 2);
    return true;
}

static bool two(const KernelCall *c, const EwRow *row, int64_t cost) {
    const View *out = &c->out[0], *a = &c->in[0], *b = &c->in[1];
    if (a->dtype == b->dtype && dense_run_small((*row)[a->dtype], NULL, cost, out, a, b)) {
        return true;
    }
    DenseOp op = {.loop = (*row)[ew_compute_dtype(a->dtype)],
                  .cost = cost,
                  .scalars = 1u << 1 | 1u << 2,
                  .widen = true};
    const View *const operand[] = {out, a, b};
    dense_run(&op, operand, 1, 3);
    return true;
}

static bool three(const KernelCall *c, const EwRow *row, const EwNumbers3 *numbers, int64_t cost) {
    const View *out = &c->out[0];
    DenseOp op = {
        .loop = (*row)[ew_compute_dtype(out->dtype)], .ctx = numbers, .cost = cost, .widen = true};
    const View *const operand[] = {out, &c->in[0], &c->in[1], &c->in[2]};
    dense_run(&op, operand, 1, 4);
    return true;
}

#define UNARY(name, cost)                                          \
    static bool cpu_##name(const KernelCall *c) {                  \
        return one(c, &tables()->unary[MATHS_##name], NULL, cost); \
    }
MATHS_COMPLEX(UNARY)
MATHS_UNARY(UNARY)

#define BINARY(name, cost)                                    \
    static bool cpu_##name(const KernelCall *c) {             \
        return two(c, &tables()->binary[MATHS_##name], cost); \
    }
MATHS_BINARY(BINARY)
BINARY(gcd, 3000)
BINARY(lcm, 3000)
BINARY(bitwise_left_shift, CHEAP)
BINARY(bitwise_right_shift, CHEAP)

static bool cpu_logit(const KernelCall *c) {
    Arg eps = c->arg[1];
    EwNumbers3 numbers = {.a = eps.kind == ARG_NONE ? -1 : eps.f};
    return one(c, &tables()->unary[MATHS_logit], &numbers, 120);
}

static bool cpu_nan_to_num(const KernelCall *c) {
    const View *in = &c->in[0];
    if (!dtype_is_inexact(in->dtype)) {
        dense_copy(&c->out[0], in);
        return true;
    }
    double most = dtype_largest(dtype_real_of(in->dtype));
    EwNumbers3 numbers = {.a = c->arg[1].kind == ARG_NONE ? 0 : c->arg[1].f,
                          .b = c->arg[2].kind == ARG_NONE ? most : c->arg[2].f,
                          .c = c->arg[3].kind == ARG_NONE ? -most : c->arg[3].f};
    return one(c, &tables()->unary[MATHS_nan_to_num], &numbers, CHEAP);
}

static bool cpu_round__decimals(const KernelCall *c) {
    double unit = pow(10, fabs((double)c->arg[1].i));
    EwNumbers3 numbers = {.a = unit, .b = c->arg[1].i < 0 ? unit : 0};
    return one(c, &tables()->unary[MATHS_round__decimals], &numbers, DIVIDE);
}

/* (-1)^(n + 1) n! zeta(n + 1, x), or digamma for n = 0. */
static bool cpu_polygamma(const KernelCall *c) {
    int64_t n = c->arg[1].i;
    if (n == 0) {
        return cpu_digamma(c);
    }
    double factor = n % 2 ? 1 : -1;
    for (int64_t k = 2; k <= n && isfinite(factor); k++) {
        factor *= (double)k;
    }
    EwNumbers3 numbers = {.a = factor, .b = (double)n + 1};
    return one(c, &tables()->unary[MATHS_polygamma], &numbers, 10000);
}

/* Integers are never infinite. */
static bool infinite_test(const KernelCall *c, MathsUnary k) {
    if (dtype_is_float(c->in[0].dtype)) {
        return one(c, &tables()->unary[k], NULL, CHEAP);
    }
    dense_fill(&c->out[0], arg_int(0));
    return true;
}

static bool cpu_isposinf(const KernelCall *c) { return infinite_test(c, MATHS_isposinf); }
static bool cpu_isneginf(const KernelCall *c) { return infinite_test(c, MATHS_isneginf); }

/* Integers have their sign bit set where they are below 0. */
static bool cpu_signbit(const KernelCall *c) {
    const View *in = &c->in[0];
    if (dtype_is_float(in->dtype)) {
        return one(c, &tables()->unary[MATHS_signbit], NULL, CHEAP);
    }
    int64_t zero = 0;
    const View nothing = {.data = &zero, .numel = 1, .dtype = in->dtype};
    DenseOp op = {.loop = ew_tables()->binary[EW_LT][in->dtype], .cost = CHEAP, .scalars = 1u << 2};
    const View *const operand[] = {&c->out[0], in, &nothing};
    dense_run(&op, operand, 1, 3);
    return true;
}

static bool cpu_addcdiv(const KernelCall *c) {
    Complex128 value = number_complex(c->arg[3]);
    EwNumbers3 numbers = {.a = value.re, .b = value.im};
    return three(c, &tables()->ternary[MATHS_addcdiv], &numbers, DIVIDE);
}

static bool cpu_addcmul(const KernelCall *c) {
    Arg value = c->arg[3];
    if (value.kind == ARG_FLOAT && !dtype_is_inexact(c->out[0].dtype)) {
        return fail("%s: value must be an integer for %s tensors, got %g", c->name,
                    dtype_name(c->out[0].dtype), value.f);
    }
    Complex128 factor = number_complex(value);
    EwNumbers3 numbers = {
        .a = factor.re, .b = factor.im, .ia = value.kind == ARG_INT ? value.i : 0};
    return three(c, &tables()->ternary[MATHS_addcmul], &numbers, CHEAP);
}

static bool cpu_lerp(const KernelCall *c) {
    EwNumbers3 numbers = {0};
    return three(c, &tables()->ternary[MATHS_lerp], &numbers, CHEAP);
}

/* With one bound the larger or the smaller of the two. */
static bool cpu_clamp__tensor(const KernelCall *c) {
    const View *min = &c->in[1], *max = &c->in[2];
    if (min->dtype != DT_NONE && max->dtype != DT_NONE) {
        EwNumbers3 numbers = {0};
        return three(c, &tables()->ternary[MATHS_clamp__tensor], &numbers, CHEAP);
    }
    View in[2] = {c->in[0], min->dtype != DT_NONE ? *min : *max};
    KernelCall pair = *c;
    pair.in = in;
    pair.n_in = 2;
    EwBinary k = min->dtype != DT_NONE ? EW_MAXIMUM : EW_MINIMUM;
    return two(&pair, &ew_tables()->binary[k], CHEAP);
}

static bool cpu_frexp(const KernelCall *c) {
    int dtype = ew_compute_dtype(c->in[0].dtype);
    DenseOp op = {.loop = tables()->frexp[dtype], .cost = CHEAP, .widen = true};
    const View *const operand[] = {&c->out[0], &c->out[1], &c->in[0]};
    dense_run(&op, operand, 2, 3);
    return true;
}

#define ROW(name, ...) {#name, cpu_##name},
const KernelRow cpu_maths_rows[] = {
    MATHS_COMPLEX(ROW) MATHS_UNARY(ROW) MATHS_PARTS(ROW) MATHS_NUMBERS(ROW) MATHS_TESTS(ROW)
        MATHS_BINARY(ROW) ROW(gcd) ROW(lcm) ROW(bitwise_left_shift) ROW(bitwise_right_shift)
            MATHS_TERNARY(ROW) MATHS_TERNARY_FLOAT(ROW) ROW(frexp){NULL, NULL}};
