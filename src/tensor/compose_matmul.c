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
