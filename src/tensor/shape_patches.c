/* Output shapes of taking images apart into patches, and back. */
#include "tensor/op.h"
#include "tensor/patches_shape.h"

bool infer_im2col(Call *c) {
    ConvShape s;
    int64_t rows;
    if (!patches_shape(c->op, c->arg, 1, tensor_shape(c->in[0]), &s)) {
        return false;
    }
    if (__builtin_mul_overflow(s.c, s.kernel[1] * s.kernel[2], &rows)) {
        return fail("%s: the patches are too large", c->op->public_name);
    }
    const int64_t all[] = {s.n, rows, s.out[1] * s.out[2]};
    spec_set(&c->spec[0], c->dtype, s.batched ? (Ints){all, 3} : (Ints){all + 1, 2});
    return true;
}

bool infer_col2im(Call *c) {
    ConvShape s;
    int64_t all[MAX_DIMS];
    if (!col2im_shape(c->op, c->arg, tensor_shape(c->in[0]), &s)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, image_sizes(&s, s.c, s.in, all));
    return true;
}
