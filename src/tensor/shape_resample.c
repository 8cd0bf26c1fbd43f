/* Output shapes of resampling. */
#include "tensor/op.h"
#include "tensor/resample_shape.h"

bool infer_resample(Call *c) {
    ResampleShape r;
    int64_t all[MAX_DIMS];
    if (!resample_shape(c->op, c->arg, 2, tensor_shape(c->in[0]), arg_as_ints(c->arg[1]), &r)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, image_sizes(&r.s, r.s.c, r.s.out, all));
    return true;
}

bool infer_resample_backward(Call *c) {
    ResampleShape r;
    Ints size, grad = tensor_shape(c->in[0]);
    Ints output = {grad.v + 2, grad.n - 2};
    if (!size_argument(c, 1, &size)) {
        return false;
    }
    if (grad.n < 3) {
        return fail("%s: grad must be (n, c, l), (n, c, h, w) or (n, c, d, h, w), got %s",
                    c->op->public_name, shape_text(grad));
    }
    if (!resample_shape(c->op, c->arg, 2, size, output, &r) || !grad_fits(c, &r.s, r.s.c)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, size);
    return true;
}
