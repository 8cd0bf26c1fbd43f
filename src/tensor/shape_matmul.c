/* Output shapes of matrix products. */
#include <string.h>

#include "tensor/op.h"

static bool want_dims(const Call *c, int k, const char *name, int dim, const char *what,
                      const char *fix) {
    const Tensor *t = c->in[k];
    return t->dim == dim || fail("%s: %s must be %s, got %s%s", c->op->public_name, name, what,
                                 shape_text(tensor_shape(t)), fix);
}

/* a (.., n, k) and b (.., k, m). */
static bool inner_fits(const char *op, const Tensor *a, const Tensor *b, const char *a_name,
                       const char *b_name) {
    int64_t k = a->shape[a->dim - 1], other = b->shape[b->dim - 2];
    return k == other ||
           fail("%s: sizes do not fit: %s and %s; the last dim of %s (%lld) must "
                "equal the %s of %s (%lld)",
                op, shape_text(tensor_shape(a)), shape_text(tensor_shape(b)), a_name, (long long)k,
                b->dim == 2 ? "first" : "second-last", b_name, (long long)other);
}

bool infer_mm(Call *c) {
    const char *fix = "; use matmul for batches and vectors";
    const Tensor *a = c->in[0], *b = c->in[1];
    if (!want_dims(c, 0, "input", 2, "a matrix", fix) ||
        !want_dims(c, 1, "mat2", 2, "a matrix", fix) ||
        !inner_fits(c->op->public_name, a, b, "input", "mat2")) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, INTS(a->shape[0], b->shape[1]));
    return true;
}

bool infer_bmm(Call *c) {
    const char *fix = "; use matmul, which broadcasts batches";
    const Tensor *a = c->in[0], *b = c->in[1];
    if (!want_dims(c, 0, "input", 3, "a batch of matrices (3 dims)", fix) ||
        !want_dims(c, 1, "mat2", 3, "a batch of matrices (3 dims)", fix)) {
        return false;
    }
    if (a->shape[0] != b->shape[0]) {
        return fail("%s: the batches have %lld and %lld matrices (%s and %s)%s", c->op->public_name,
                    (long long)a->shape[0], (long long)b->shape[0], shape_text(tensor_shape(a)),
                    shape_text(tensor_shape(b)), fix);
    }
    if (!inner_fits(c->op->public_name, a, b, "input", "mat2")) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, INTS(a->shape[0], a->shape[1], b->shape[2]));
    return true;
}

bool infer_matmul_batched(Call *c) {
    const Tensor *a = c->in[0], *b = c->in[1];
    if (a->dim < 2 || b->dim < 2) {
        return fail("%s: both tensors must have 2 dims or more, got %s and %s", c->op->public_name,
                    shape_text(tensor_shape(a)), shape_text(tensor_shape(b)));
    }
    if (!inner_fits(c->op->public_name, a, b, "input", "mat2")) {
        return false;
    }
    int64_t shape[MAX_DIMS];
    int dim = shape_broadcast((Ints){a->shape, a->dim - 2}, (Ints){b->shape, b->dim - 2}, shape);
    if (dim < 0) {
        return fail("%s: the batch dims of %s and %s do not broadcast: counted from the last, "
                    "sizes must be equal or 1",
                    c->op->public_name, shape_text(tensor_shape(a)), shape_text(tensor_shape(b)));
    }
    shape[dim] = a->shape[a->dim - 2];
    shape[dim + 1] = b->shape[b->dim - 1];
    spec_set(&c->spec[0], c->dtype, (Ints){shape, dim + 2});
    return true;
}

bool infer_mv(Call *c) {
    const Tensor *a = c->in[0], *x = c->in[1];
    if (!want_dims(c, 0, "input", 2, "a matrix", "; use matmul for batches") ||
        !want_dims(c, 1, "vec", 1, "a vector", "; use mm for a matrix")) {
        return false;
    }
    if (a->shape[1] != x->shape[0]) {
        return fail("%s: sizes do not fit: %s and %s; input must have as many columns as vec "
                    "elements",
                    c->op->public_name, shape_text(tensor_shape(a)), shape_text(tensor_shape(x)));
    }
    spec_set(&c->spec[0], c->dtype, INTS(a->shape[0]));
    return true;
}

bool infer_dot(Call *c) {
    const Tensor *a = c->in[0], *b = c->in[1];
    if (!want_dims(c, 0, "input", 1, "a vector", "; use matmul for matrices") ||
        !want_dims(c, 1, "other", 1, "a vector", "; use matmul for matrices")) {
        return false;
    }
    if (a->shape[0] != b->shape[0]) {
        return fail("%s: the vectors must be of one size, got %lld and %lld", c->op->public_name,
                    (long long)a->shape[0], (long long)b->shape[0]);
    }
    spec_set(&c->spec[0], c->dtype, (Ints){a->shape, 0});
    return true;
}

/* Integers are scaled by integers only, so that nothing is rounded unseen. */
static bool factor_fits(const Call *c, int arg) {
    const Arg *a = &c->arg[arg];
    return dtype_is_inexact(c->dtype) || a->kind == ARG_INT ||
           fail("%s: %s must be an integer for %s tensors, got %g", c->op->public_name,
                c->op->params[arg].name, dtype_name(c->dtype), a->f);
}

bool infer_addmm(Call *c) {
    const Tensor *bias = c->in[0], *a = c->in[1], *b = c->in[2];
    if (!want_dims(c, 1, "mat1", 2, "a matrix", "") ||
        !want_dims(c, 2, "mat2", 2, "a matrix", "") ||
        !inner_fits(c->op->public_name, a, b, "mat1", "mat2") || !factor_fits(c, 3) ||
        !factor_fits(c, 4)) {
        return false;
    }
    int64_t shape[MAX_DIMS] = {0};
    Ints result = INTS(a->shape[0], b->shape[1]);
    int dim = shape_broadcast(tensor_shape(bias), result, shape);
    if (dim != 2 || memcmp(shape, result.v, 2 * sizeof *shape) != 0) {
        return fail("%s: input of shape %s does not broadcast to the product's %s",
                    c->op->public_name, shape_text(tensor_shape(bias)), shape_text(result));
    }
    spec_set(&c->spec[0], c->dtype, result);
    return true;
}

bool infer_linear(Call *c) {
    const Tensor *x = c->in[0], *w = c->in[1], *bias = c->in[2];
    if (!want_dims(c, 1, "weight", 2, "a matrix (out, in)", "")) {
        return false;
    }
    if (x->dim == 0 || x->shape[x->dim - 1] != w->shape[1]) {
        return fail("%s: sizes do not fit: input %s and weight %s (out, in); the last dim of "
                    "input must be %lld",
                    c->op->public_name, shape_text(tensor_shape(x)), shape_text(tensor_shape(w)),
                    (long long)w->shape[1]);
    }
    if (bias && (bias->dim != 1 || bias->shape[0] != w->shape[0])) {
        return fail("%s: bias must have %lld elements, as many as weight has rows, got %s",
                    c->op->public_name, (long long)w->shape[0], shape_text(tensor_shape(bias)));
    }
    int64_t shape[MAX_DIMS];
    memcpy(shape, x->shape, x->dim * sizeof *shape);
    shape[x->dim - 1] = w->shape[0];
    for (int k = 0; k < c->op->n_outs; k++) {
        spec_set(&c->spec[k], c->dtype, (Ints){shape, x->dim});
    }
    return true;
}

bool infer_linear_gelu_with_preactivation(Call *c) { return infer_linear(c); }
