/* Output shapes of what embeddings are made of. */
#include "tensor/op.h"

bool infer_scale_grad(Call *c) {
    const Tensor *x = c->in[0], *scale = c->in[1];
    spec_set(&c->spec[0], c->dtype, tensor_shape(x));
    return tensor_same_shape(x, scale) ||
           fail("%s: scale must have input's shape %s, got %s", c->op->public_name,
                shape_text(tensor_shape(x)), shape_text(tensor_shape(scale)));
}
