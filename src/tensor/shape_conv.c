/* Sizes of convolutions. */
#include <string.h>

#include "tensor/conv_shape.h"
#include "tensor/op.h"

static bool infer_conv(Call *c, int dims) {
    const Tensor *weight = c->in[1], *bias = c->in[2];
    ConvShape s;
    int64_t all[MAX_DIMS];
    if (weight->dim != dims + 2) {
        ConvShape unused;
        return image_shape(c->op, tensor_shape(c->in[0]), dims, &unused) &&
               fail("%s: weight must be (o, c / groups, %s), got %s", c->op->public_name,
                    kernel_layout(dims), shape_text(tensor_shape(weight)));
    }
    if (!conv_shape(c->op, c->arg, tensor_shape(c->in[0]), tensor_shape(weight), &s)) {
        return false;
    }
    if (bias && (bias->dim != 1 || bias->shape[0] != s.o)) {
        return fail("%s: bias must have %lld elements, one for each output channel, got %s",
                    c->op->public_name, (long long)s.o, shape_text(tensor_shape(bias)));
    }
    spec_set(&c->spec[0], c->dtype, image_sizes(&s, s.o, s.out, all));
    return true;
}

bool infer_conv1d(Call *c) { return infer_conv(c, 1); }
bool infer_conv2d(Call *c) { return infer_conv(c, 2); }
bool infer_conv3d(Call *c) { return infer_conv(c, 3); }

bool infer_conv_relu(Call *c) {
    int dims = c->in[1]->dim - 2;
    if (dims < 1 || dims > IMAGE_DIMS) {
        return fail("%s: weight must be (o, c / groups) and one to three sizes of a kernel, got %s",
                    c->op->public_name, shape_text(tensor_shape(c->in[1])));
    }
    return infer_conv(c, dims);
}

bool size_argument(const Call *c, int at, Ints *size) {
    *size = arg_as_ints(c->arg[at]);
    bool good = size->n <= MAX_DIMS;
    for (int i = 0; good && i < size->n; i++) {
        good = size->v[i] >= 0;
    }
    return (good && shape_numel(*size) >= 0) ||
           fail("%s: %s must be the sizes of a tensor", c->op->public_name, c->op->params[at].name);
}

bool grad_fits(const Call *c, const ConvShape *s, int64_t channels) {
    int64_t all[MAX_DIMS];
    Ints want = image_sizes(s, channels, s->out, all), got = tensor_shape(c->in[0]);
    if (got.n == want.n && memcmp(got.v, want.v, (size_t)got.n * sizeof *got.v) == 0) {
        return true;
    }
    return fail("%s: grad must have the result's shape %s, got %s", c->op->public_name,
                shape_text(want), shape_text(got));
}

bool infer_conv_input_grad(Call *c) {
    ConvShape s;
    Ints size;
    if (!size_argument(c, 2, &size) ||
        !conv_shape(c->op, c->arg, size, tensor_shape(c->in[1]), &s) || !grad_fits(c, &s, s.o)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, size);
    return true;
}

bool infer_conv_weight_grad(Call *c) {
    ConvShape s;
    Ints size;
    if (!size_argument(c, 2, &size) ||
        !conv_shape(c->op, c->arg, tensor_shape(c->in[1]), size, &s) || !grad_fits(c, &s, s.o)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, size);
    return true;
}
