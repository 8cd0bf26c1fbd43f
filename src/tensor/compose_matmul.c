/* Products of any rank, from those of matrices. */
#include <string.h>

#include "tensor/op.h"

static bool matmul_fits(const Tensor *a, const Tensor *b) {
    if (a->dim == 0 || b->dim == 0) {
        return fail("matmul: both tensors must have a dim at least, got %s and %s; use mul to "
                    "multiply by a number",
                    shape_text(tensor_shape(a)), shape_text(tensor_shape(b)));
    }
    int64_t k = a->shape[a->dim - 1], other = b->shape[b->dim - (b->dim > 1 ? 2 : 1)];
    if (k != other) {
        return fail("matmul: sizes do not fit: %s and %s; the last dim of input (%lld) must equal "
                    "the %s of other (%lld)",
                    shape_text(tensor_shape(a)), shape_text(tensor_shape(b)), (long long)k,
                    b->dim > 1 ? "second-last" : "size", (long long)other);
    }
    if (a->dtype != b->dtype) {
        return fail("matmul: both tensors must have one dtype, got %s and %s; convert one with "
                    ":to(\"%s\")",
                    dtype_name(a->dtype), dtype_name(b->dtype),
                    dtype_name(dtype_promote(a->dtype, b->dtype)));
    }
    int64_t shape[MAX_DIMS];
    if (a->dim > 2 && b->dim > 2 &&
        shape_broadcast((Ints){a->shape, a->dim - 2}, (Ints){b->shape, b->dim - 2}, shape) < 0) {
        return fail("matmul: the batch dims of %s and %s do not broadcast: counted from the last, "
                    "sizes must be equal or 1",
                    shape_text(tensor_shape(a)), shape_text(tensor_shape(b)));
    }
    return true;
}

/* a (.., n, k) times a vector or matrix b, as one product of all rows of a. */
static Tensor *fold_rows(Tensor *a, Tensor *b) {
    int64_t shape[MAX_DIMS], k = a->shape[a->dim - 1], rows = 1;
    memcpy(shape, a->shape, sizeof shape);
    for (int i = 0; i < a->dim - 1; i++) {
        rows *= a->shape[i];
    }
    Tensor *flat = t_reshape(a, INTS(rows, k));
    if (b->dim == 1) {
        return t_reshape(t_mv(flat, b), (Ints){shape, a->dim - 1});
    }
    shape[a->dim - 1] = b->shape[1];
    return t_reshape(t_mm(flat, b), (Ints){shape, a->dim});
}

Tensor *compose_matmul(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t, *b = arg[1].t;
    if (!matmul_fits(a, b)) {
        return NULL;
    }
    if (a->dim == 1) {
        if (b->dim == 1) {
            return t_dot(a, b);
        }
        return b->dim == 2 ? t_mv(t_t(b), a)
                           : t_squeeze(t_matmul_batched(t_unsqueeze(a, 0), b), INTS(b->dim - 2));
    }
    if (b->dim > 2) {
        return t_matmul_batched(a, b);
    }
    if (a->dim > 2) {
        return fold_rows(a, b);
    }
    return b->dim == 1 ? t_mv(a, b) : t_mm(a, b);
}

Tensor *compose_outer(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t, *b = arg[1].t;
    if (a->dim != 1 || b->dim != 1) {
        return fail_null("outer: both tensors must be vectors, got %s and %s",
                         shape_text(tensor_shape(a)), shape_text(tensor_shape(b)));
    }
    return t_mul(t_unsqueeze(a, 1), t_unsqueeze(b, 0));
}

/* Whether inputs (*, n) and (*, m) and weight (out, n, m) fit; and bias (out), where there is one.
 */
static bool bilinear_fits(const Tensor *a, const Tensor *b, const Tensor *w, const Tensor *bias) {
    bool same = a->dim > 0 && a->dim == b->dim;
    for (int d = 0; same && d < a->dim - 1; d++) {
        same = a->shape[d] == b->shape[d];
    }
    if (!same || w->dim != 3 || w->shape[1] != a->shape[a->dim - 1] ||
        w->shape[2] != b->shape[b->dim - 1]) {
        return fail("bilinear: sizes do not fit: inputs %s and %s, weight %s; expected (*, n), "
                    "(*, m) and (out, n, m)",
                    shape_text(tensor_shape(a)), shape_text(tensor_shape(b)),
                    shape_text(tensor_shape(w)));
    }
    return !bias || (bias->dim == 1 && bias->shape[0] == w->shape[0]) ||
           fail("bilinear: bias must be a vector of %lld, got %s", (long long)w->shape[0],
                shape_text(tensor_shape(bias)));
}

Tensor *compose_linear_gelu(const Arg *arg, Tensor **out) {
    Tensor *both[2] = {NULL};
    Tensor *bias = arg[2].kind == ARG_TENSOR ? arg[2].t : NULL;
    (void)out;
    return t_linear_gelu_with_preactivation(arg[0].t, arg[1].t, bias, both) ? both[0] : NULL;
}

/* The first input times weight as a matrix (n, out m) leaves a matrix (out, m) for each row, which
 * the second input's row is multiplied by. */
Tensor *compose_bilinear(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t, *b = arg[1].t, *w = arg[2].t;
    Tensor *bias = arg[3].kind == ARG_TENSOR ? arg[3].t : NULL;
    if (!bilinear_fits(a, b, w, bias)) {
        return NULL;
    }
    int64_t n = w->shape[1], m = w->shape[2], features = w->shape[0], rows = 1;
    int64_t shape[MAX_DIMS];
    for (int d = 0; d < a->dim - 1; d++) {
        shape[d] = a->shape[d];
        rows *= a->shape[d];
    }
    shape[a->dim - 1] = features;
    Tensor *flat = t_reshape(t_transpose(w, 0, 1), (Ints){(int64_t[]){n, features * m}, 2});
    Tensor *left = t_mm(t_reshape(a, (Ints){(int64_t[]){rows, n}, 2}), flat);
    left = t_reshape(left, (Ints){(int64_t[]){rows, features, m}, 3});
    Tensor *right = t_reshape(b, (Ints){(int64_t[]){rows, m, 1}, 3});
    Tensor *result = t_reshape(t_bmm(left, right), (Ints){shape, a->dim});
    return bias ? t_add(result, bias) : result;
}
