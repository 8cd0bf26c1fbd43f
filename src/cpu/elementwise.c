/* Kernels of the elementwise operators: each picks a dense loop and what it costs. */
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "tensor/number.h"
#include "tensor/op.h"

/* What an element costs in hundredths of a nanosecond. */
enum { CHEAP = 10, DIVIDE = 30, FORMULA = 60, POWER = 300, INT_DIVIDE = 200 };

static bool unary(const KernelCall *c, EwUnary k, int64_t cost) {
    const View *out = &c->out[0], *in = &c->in[0];
    const EwRow *row = &ew_tables()->unary[k];
    if (dense_run_small((*row)[in->dtype], NULL, cost, out, in, in)) {
        return true;
    }
    DenseOp op = {.loop = (*row)[ew_compute_dtype(in->dtype)], .cost = cost, .widen = true};
    const View *const operand[] = {out, in};
    dense_run(&op, operand, 1, 2);
    return true;
}

static void pair(const KernelCall *c, EwBinary k, const View *a, const View *b, int64_t cost,
                 const EwNumbers *numbers) {
    const View *out = &c->out[0];
    const EwRow *row = &ew_tables()->binary[k];
    if (a->dtype == b->dtype && dense_run_small((*row)[a->dtype], numbers, cost, out, a, b)) {
        return;
    }
    DenseOp op = {.loop = (*row)[ew_compute_dtype(a->dtype)],
                  .ctx = numbers,
                  .cost = cost,
                  .scalars = 1u << 1 | 1u << 2,
                  .widen = true};
    const View *const operand[] = {out, a, b};
    dense_run(&op, operand, 1, 3);
}

static bool binary(const KernelCall *c, EwBinary k, int64_t cost) {
    pair(c, k, &c->in[0], &c->in[1], cost, NULL);
    return true;
}

static bool swapped(const KernelCall *c, EwBinary k) {
    pair(c, k, &c->in[1], &c->in[0], CHEAP, NULL);
    return true;
}

#define UNARY(name, k, cost) \
    static bool cpu_##name(const KernelCall *c) { return unary(c, k, cost); }
#define BINARY(name, k, cost) \
    static bool cpu_##name(const KernelCall *c) { return binary(c, k, cost); }
#define SWAPPED(name, k) \
    static bool cpu_##name(const KernelCall *c) { return swapped(c, k); }

static bool cpu_conj_physical(const KernelCall *c) {
    if (dtype_is_complex(c->in[0].dtype)) {
        return unary(c, EW_CONJ, CHEAP);
    }
    dense_copy(&c->out[0], &c->in[0]);
    return true;
}

static bool cpu_sgn(const KernelCall *c) {
    return unary(c, dtype_is_complex(c->in[0].dtype) ? EW_SGN : EW_SIGN, CHEAP);
}

UNARY(angle, EW_ANGLE, CHEAP)
UNARY(neg, EW_NEG, CHEAP)
UNARY(abs, EW_ABS, CHEAP)
UNARY(sign, EW_SIGN, CHEAP)
UNARY(exp, EW_EXP, FORMULA)
UNARY(log, EW_LOG, FORMULA)
UNARY(sqrt, EW_SQRT, DIVIDE)
UNARY(tanh, EW_TANH, FORMULA)
UNARY(sigmoid, EW_SIGMOID, FORMULA)
UNARY(relu, EW_RELU, CHEAP)
UNARY(sin, EW_SIN, FORMULA)
UNARY(cos, EW_COS, FORMULA)
UNARY(square, EW_SQUARE, CHEAP)
UNARY(reciprocal, EW_RECIPROCAL, DIVIDE)
UNARY(floor, EW_FLOOR, CHEAP)
UNARY(ceil, EW_CEIL, CHEAP)
UNARY(round, EW_ROUND, CHEAP)
UNARY(trunc, EW_TRUNC, CHEAP)
UNARY(bitwise_not, EW_BITWISE_NOT, CHEAP)
UNARY(isnan, EW_ISNAN, CHEAP)
UNARY(isinf, EW_ISINF, CHEAP)
UNARY(isfinite, EW_ISFINITE, CHEAP)
UNARY(logical_not, EW_LOGICAL_NOT, CHEAP)
BINARY(mul, EW_MUL, CHEAP)
BINARY(div, EW_DIV, DIVIDE)
BINARY(maximum, EW_MAXIMUM, CHEAP)
BINARY(minimum, EW_MINIMUM, CHEAP)
BINARY(bitwise_and, EW_BITWISE_AND, CHEAP)
BINARY(bitwise_or, EW_BITWISE_OR, CHEAP)
BINARY(bitwise_xor, EW_BITWISE_XOR, CHEAP)
BINARY(tanh_backward, EW_TANH_BACKWARD, CHEAP)
BINARY(sigmoid_backward, EW_SIGMOID_BACKWARD, CHEAP)
BINARY(relu_backward, EW_RELU_BACKWARD, CHEAP)
BINARY(eq, EW_EQ, CHEAP)
BINARY(ne, EW_NE, CHEAP)
BINARY(lt, EW_LT, CHEAP)
BINARY(le, EW_LE, CHEAP)
SWAPPED(gt, EW_LT)
SWAPPED(ge, EW_LE)
BINARY(logical_and, EW_LOGICAL_AND, CHEAP)
BINARY(logical_or, EW_LOGICAL_OR, CHEAP)
BINARY(logical_xor, EW_LOGICAL_XOR, CHEAP)

/* input + sign * alpha * other; alpha is argument 2. */
static bool add_alpha(const KernelCall *c, EwBinary plain, int sign) {
    Arg alpha = c->arg[2];
    int dtype = c->in[0].dtype;
    if (alpha.kind != ARG_FLOAT && alpha.i == 1) {
        return binary(c, plain, CHEAP);
    }
    if (alpha.kind == ARG_FLOAT && !dtype_is_inexact(dtype)) {
        return fail("%s: alpha must be an integer for %s tensors, got %g", c->name,
                    dtype_name(dtype), alpha.f);
    }
    if (dtype == DT_BOOL) {
        if (alpha.i != 0) {
            return binary(c, plain, CHEAP);
        }
        dense_copy(&c->out[0], &c->in[0]);
        return true;
    }
    Complex128 factor = number_complex(alpha);
    EwNumbers numbers = {.a = sign * factor.re,
                         .b = sign * factor.im,
                         .ia = sign < 0 ? (int64_t)(0 - (uint64_t)alpha.i) : alpha.i};
    pair(c, EW_ADD_SCALED, &c->in[0], &c->in[1], CHEAP, &numbers);
    return true;
}

static bool cpu_add(const KernelCall *c) { return add_alpha(c, EW_ADD, 1); }
static bool cpu_sub(const KernelCall *c) { return add_alpha(c, EW_SUB, -1); }

/* What a scan looks for among integers, and where it says so; threads share it. */
typedef struct Scan {
    bool negative; /* look for negative elements, else for 0 */
    atomic_bool *found;
} Scan;

#define SCAN(T)                                                                                 \
    static void scan_##T(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) { \
        const Scan *s = ctx;                                                                    \
        int hits = 0;                                                                           \
        for (int64_t i = 0; i < n; i++) {                                                       \
            T v = *(const T *)(ptr[0] + i * stride[0]);                                         \
            hits |= s->negative ? v < 0 : v == 0;                                               \
        }                                                                                       \
        if (hits) {                                                                             \
            atomic_store_explicit(s->found, true, memory_order_relaxed);                        \
        }                                                                                       \
    }
SCAN(int8_t)
SCAN(int16_t)
SCAN(int32_t)
SCAN(int64_t)

/* Whether integers v hold a 0, or a negative number. */
static bool holds(const View *v, bool negative) {
    static IterLoop *const loops[EW_WIDTHS] = {scan_int8_t, scan_int16_t, scan_int32_t,
                                               scan_int64_t};
    if (negative && v->dtype == DT_UINT8) {
        return false;
    }
    atomic_bool found = false;
    Scan scan = {.negative = negative, .found = &found};
    Iter it;
    iter_init(&it, v->shape, v->dim, &v, 1);
    iter_run(&it, loops[ew_width(dtype_size(v->dtype))], &scan, CHEAP);
    return atomic_load(&found);
}

static bool divide_whole(const KernelCall *c, EwBinary k) {
    const View *other = &c->in[1];
    if (dtype_is_float(other->dtype)) {
        return binary(c, k, DIVIDE);
    }
    if (c->out[0].numel != 0 && holds(other, false)) {
        return fail("%s: other has a 0, and integers cannot be divided by it; convert to float",
                    c->name);
    }
    return binary(c, k, INT_DIVIDE);
}

static bool cpu_floor_divide(const KernelCall *c) { return divide_whole(c, EW_FLOOR_DIVIDE); }
static bool cpu_remainder(const KernelCall *c) { return divide_whole(c, EW_REMAINDER); }
static bool cpu_fmod(const KernelCall *c) { return divide_whole(c, EW_FMOD); }

static bool cpu_div__rounding(const KernelCall *c) {
    bool down = strcmp(c->arg[2].s, "floor") == 0;
    return divide_whole(c, down ? EW_FLOOR_DIVIDE : EW_TRUNC_DIVIDE);
}

/* Powers that have a loop of their own; false: exponent is none of them. */
static bool simple_power(const KernelCall *c, Complex128 power) {
    double exponent = power.re;
    if (power.im != 0) {
        return false;
    }
    if (exponent == 2) {
        return unary(c, EW_SQUARE, CHEAP);
    }
    if (exponent == 3 && dtype_is_float(c->in[0].dtype)) {
        return unary(c, EW_CUBE, CHEAP);
    }
    if (exponent == 0.5) {
        return unary(c, EW_SQRT, DIVIDE);
    }
    if (exponent == -1) {
        return unary(c, EW_RECIPROCAL, DIVIDE);
    }
    if (exponent == 1) {
        dense_copy(&c->out[0], &c->in[0]);
        return true;
    }
    return false;
}

static bool cpu_pow(const KernelCall *c) {
    const View *input = &c->in[0], *other = &c->in[1];
    bool inexact = dtype_is_inexact(input->dtype);
    if (c->out[0].numel == 0) {
        return true;
    }
    if (!inexact && holds(other, true)) {
        return fail("%s: integers cannot have negative powers; convert input to float", c->name);
    }
    if (inexact && input->dtype == c->out[0].dtype && other->numel == 1 &&
        input->numel == c->out[0].numel &&
        simple_power(c, element_get_complex(other->data, other->dtype))) {
        return true;
    }
    if (!dtype_is_float(input->dtype)) {
        return binary(c, EW_POW, POWER);
    }
    /* A number is laid out as a run of itself: with one exponent for all the compiler takes the
     * tests of it out of the loop, which then no longer vectorises. */
    DenseOp op = {.loop = ew_tables()->binary[EW_POW][ew_compute_dtype(input->dtype)],
                  .cost = POWER,
                  .widen = true};
    const View *const operand[] = {&c->out[0], input, other};
    dense_run(&op, operand, 1, 3);
    return true;
}

static bool cpu_where(const KernelCall *c) {
    const View *out = &c->out[0];
    DenseOp op = {.loop = ew_tables()->where[ew_width(dtype_size(out->dtype))],
                  .cost = CHEAP,
                  .scalars = 1u << 2 | 1u << 3};
    const View *const operand[] = {out, &c->in[0], &c->in[1], &c->in[2]};
    dense_run(&op, operand, 1, 4);
    return true;
}

static bool cpu_fill(const KernelCall *c) {
    dense_fill(&c->out[0], c->arg[1]);
    return true;
}

static int64_t between(int64_t x, int64_t least, int64_t most) {
    return x < least ? least : x > most ? most : x;
}

static bool is_nan(Arg a) { return a.kind == ARG_FLOAT && isnan(a.f); }

static bool cpu_clamp(const KernelCall *c) {
    const View *out = &c->out[0], *in = &c->in[0];
    Arg min = c->arg[1], max = c->arg[2];
    if (is_nan(min) || is_nan(max)) {
        dense_fill(out, arg_float(NAN));
        return true;
    }
    int64_t least = INT64_MIN, most = INT64_MAX;
    if (!dtype_is_float(out->dtype)) {
        dtype_int_range(out->dtype, &least, &most);
    }
    EwNumbers bounds = {.a = min.kind == ARG_NONE ? -INFINITY : arg_number(min),
                        .b = max.kind == ARG_NONE ? INFINITY : arg_number(max),
                        .ia = min.kind == ARG_INT ? between(min.i, least, most) : least,
                        .ib = max.kind == ARG_INT ? between(max.i, least, most) : most};
    if (in->dtype != out->dtype) {
        dense_copy(out, in);
        in = out;
    }
    DenseOp op = {.loop = ew_tables()->unary[EW_CLAMP][ew_compute_dtype(out->dtype)],
                  .ctx = &bounds,
                  .cost = CHEAP,
                  .widen = true};
    const View *const operand[] = {out, in};
    dense_run(&op, operand, 1, 2);
    return true;
}

static bool cpu_copy(const KernelCall *c) {
    dense_copy(&c->out[0], &c->in[1]);
    return true;
}

bool cpu_clone(const KernelCall *c) {
    dense_copy(&c->out[0], &c->in[0]);
    return true;
}

#define ROW(name) \
    { #name, cpu_##name }
const KernelRow cpu_elementwise_rows[] = {ROW(conj_physical),
                                          ROW(sgn),
                                          ROW(angle),
                                          ROW(neg),
                                          ROW(abs),
                                          ROW(sign),
                                          ROW(exp),
                                          ROW(log),
                                          ROW(sqrt),
                                          ROW(tanh),
                                          ROW(sigmoid),
                                          ROW(relu),
                                          ROW(sin),
                                          ROW(cos),
                                          ROW(square),
                                          ROW(reciprocal),
                                          ROW(floor),
                                          ROW(ceil),
                                          ROW(round),
                                          ROW(trunc),
                                          ROW(bitwise_not),
                                          ROW(isnan),
                                          ROW(isinf),
                                          ROW(isfinite),
                                          ROW(logical_not),
                                          ROW(add),
                                          ROW(sub),
                                          ROW(mul),
                                          ROW(div),
                                          ROW(pow),
                                          ROW(maximum),
                                          ROW(minimum),
                                          ROW(floor_divide),
                                          ROW(remainder),
                                          ROW(fmod),
                                          ROW(div__rounding),
                                          ROW(bitwise_and),
                                          ROW(bitwise_or),
                                          ROW(bitwise_xor),
                                          ROW(tanh_backward),
                                          ROW(sigmoid_backward),
                                          ROW(relu_backward),
                                          ROW(eq),
                                          ROW(ne),
                                          ROW(lt),
                                          ROW(le),
                                          ROW(gt),
                                          ROW(ge),
                                          ROW(logical_and),
                                          ROW(logical_or),
                                          ROW(logical_xor),
                                          ROW(where),
                                          ROW(fill),
                                          ROW(clamp),
                                          ROW(copy),
                                          ROW(clone),
                                          {"cast", cpu_clone},
                                          {"move", cpu_clone},
                                          {NULL, NULL}};
