#include "tensor/parts.h"

#include <string.h>

/* The call with these tensors in the places of its own, in order; NULL: not given. */
static Tensor *call_with(const Call *c, Tensor *const *tensors) {
    Arg arg[MAX_ARGS];
    Tensor *result;
    memcpy(arg, c->arg, c->op->n_params * sizeof *arg);
    for (int i = 0, k = 0; k < c->n_in; i++) {
        if (c->op->params[i].type == PARAM_TENSOR) {
            arg[i] = arg_tensor_opt(tensors[k++]);
        }
    }
    return op_call(c->op, arg, &result) ? result : NULL;
}

static Tensor *of_one(const Call *c) {
    Tensor *re = call_with(c, (Tensor *[]){t_real(c->in[0])});
    return re ? t_complex(re, call_with(c, (Tensor *[]){t_imag(c->in[0])})) : NULL;
}

/* (a + ib) (x + iy) + c + id = (ax + c) - by + i ((ay + d) + bx) */
static Tensor *of_two(const Call *c) {
    Tensor *added = c->n_in > 2 ? c->in[2] : NULL;
    Tensor *a = t_real(c->in[0]), *b = t_imag(c->in[0]);
    Tensor *x = t_real(c->in[1]), *y = t_imag(c->in[1]);
    Tensor *re = added ? t_real(added) : NULL, *im = added ? t_imag(added) : NULL;
    if (!a || !b || !x || !y || !re != !added || !im != !added) {
        return NULL;
    }
    Tensor *ax = call_with(c, (Tensor *[]){a, x, re}), *ay = call_with(c, (Tensor *[]){a, y, im});
    Tensor *by = call_with(c, (Tensor *[]){b, y, NULL}),
           *bx = call_with(c, (Tensor *[]){b, x, NULL});
    return t_complex(t_sub(ax, by), t_add(ay, bx));
}

bool parts_call(const Call *c, Tensor **out) {
    int mark = scope_open();
    /* A tensor of its own: what t_complex gives is a view, which may not be changed in place. */
    out[0] = t_clone(c->n_in > 1 ? of_two(c) : of_one(c));
    scope_close(mark, out[0]);
    return out[0] != NULL;
}
