/* Output shapes of the operator classes. */
#include <string.h>

#include "tensor/op.h"
#include "tensor/shape_reduce.h"

static int result_dtype(const Op *op, int dtype) {
    switch (op->result) {
    case RESULT_BOOL: return DT_BOOL;
    case RESULT_INDEX: return DT_INT64;
    case RESULT_SUM: return dtype_is_inexact(dtype) ? dtype : DT_INT64;
    default: return dtype;
    }
}

/* Elementwise results keep the memory order of an operand that has the full shape. */
static void keep_layout(OutSpec *s, const Tensor *t) {
    if (t->dim != s->dim || tensor_is_contiguous(t) || !tensor_is_dense(t) ||
        memcmp(t->shape, s->shape, t->dim * sizeof *t->shape) != 0) {
        return;
    }
    s->strided = true;
    memcpy(s->stride, t->stride, t->dim * sizeof *t->stride);
}

bool infer_unary(Call *c) {
    spec_set(&c->spec[0], result_dtype(c->op, c->dtype), tensor_shape(c->in[0]));
    keep_layout(&c->spec[0], c->in[0]);
    return true;
}

bool infer_binary(Call *c) {
    const Tensor *a = c->in[0], *b = c->in[1];
    OutSpec *s = &c->spec[0];
    if (tensor_same_shape(a, b)) {
        spec_set(s, result_dtype(c->op, c->dtype), tensor_shape(a));
        keep_layout(s, a);
        return true;
    }
    int64_t shape[MAX_DIMS];
    int dim = shape_broadcast(tensor_shape(a), tensor_shape(b), shape);
    if (dim < 0) {
        return fail("%s: shapes %s and %s do not broadcast: counted from the last dim, sizes must "
                    "be equal or 1",
                    c->op->public_name, shape_text(tensor_shape(a)), shape_text(tensor_shape(b)));
    }
    spec_set(s, result_dtype(c->op, c->dtype), (Ints){shape, dim});
    keep_layout(s, a);
    if (!s->strided &&
        !(a->dim == dim && memcmp(a->shape, shape, (size_t)dim * sizeof *shape) == 0)) {
        keep_layout(s, b);
    }
    return true;
}

/* A dtype that was asked for is that of the (already cast) argument, and of the result. */
static int reduced_dtype(const Call *c) {
    int last = c->op->n_params - 1;
    bool asked = c->op->params[last].type == PARAM_DTYPE && c->arg[last].kind != ARG_NONE;
    return asked ? c->dtype : result_dtype(c->op, c->dtype);
}

bool infer_reduce(Call *c) {
    const Tensor *t = c->in[0];
    Ints dims = arg_as_ints(c->arg[1]);
    bool keepdim = c->arg[2].b;
    uint32_t reduced = dims.n <= 0 ? ~0u : 0;
    for (int i = 0; i < dims.n; i++) {
        reduced |= 1u << dims.v[i];
    }
    int64_t shape[MAX_DIMS];
    int n = 0;
    for (int i = 0; i < t->dim; i++) {
        bool gone = reduced & 1u << i;
        if (!gone || keepdim) {
            shape[n++] = gone ? 1 : t->shape[i];
        }
    }
    spec_set(&c->spec[0], reduced_dtype(c), (Ints){shape, n});
    bool picks = c->op->id == OP_amax || c->op->id == OP_amin;
    return !picks || reduce_has_choice(c, reduced);
}
