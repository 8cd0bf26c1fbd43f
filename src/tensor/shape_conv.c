/* Sizes of convolutions. */
#include <string.h>

#include "tensor/conv_shape.h"

static const char *const weight_layouts[IMAGE_DIMS + 1] = {"", "k", "kh, kw", "kd, kh, kw"};

static bool kernel_too_large(const Op *op, const ConvShape *s, int i) {
    int64_t padded = s->in[i] + 2 * s->padding[i], reach = s->dilation[i] * (s->kernel[i] - 1) + 1;
    return fail("%s: the kernel does not fit: its %s is %lld%s, that of the padded input %lld",
                op->public_name, image_axis(s->dims, i), (long long)reach,
                s->dilation[i] > 1 ? " with dilation" : "", (long long)padded);
}

bool conv_shape_out(const Op *op, ConvShape *s, bool ceil_mode) {
    for (int i = 0; i < IMAGE_DIMS; i++) {
        int64_t reach = s->dilation[i] * (s->kernel[i] - 1) + 1, stride = s->stride[i];
        int64_t room = s->in[i] + 2 * s->padding[i] - reach + (ceil_mode ? stride - 1 : 0);
        if (room < 0) {
            return kernel_too_large(op, s, i);
        }
        s->out[i] = room / stride + 1;
        /* A last window must start inside the input or the padding before it. */
        if (ceil_mode && (s->out[i] - 1) * stride >= s->in[i] + s->padding[i]) {
            s->out[i]--;
        }
    }
    return image_volume(op, s->out);
}

static bool channels_fit(const Op *op, const ConvShape *s, Ints input, Ints weight) {
    if (s->groups < 1 || s->c % s->groups != 0 || s->o % s->groups != 0) {
        return fail("%s: groups must divide the %lld channels of the input and the %lld of the "
                    "output, got %lld",
                    op->public_name, (long long)s->c, (long long)s->o, (long long)s->groups);
    }
    if (weight.v[1] != s->c / s->groups) {
        return fail("%s: input %s has %lld channels%s, but weight %s (o, c%s, %s) expects %lld",
                    op->public_name, shape_text(input), (long long)(s->c / s->groups),
                    s->groups > 1 ? " per group" : "", shape_text(weight),
                    s->groups > 1 ? " / groups" : "", weight_layouts[s->dims],
                    (long long)weight.v[1]);
    }
    return true;
}

static bool read_kernel(const Op *op, Ints weight, ConvShape *s) {
    bool good = weight.n == s->dims + 2;
    for (int i = 0; good && i < s->dims; i++) {
        int64_t size = s->kernel[IMAGE_DIMS - s->dims + i] = weight.v[2 + i];
        good = size >= 1 && size <= INT32_MAX;
    }
    return (good && image_volume(op, s->kernel)) ||
           fail("%s: weight must be (o, c / groups, %s) with a kernel of one element at least, "
                "got %s",
                op->public_name, weight_layouts[s->dims], shape_text(weight));
}

bool conv_shape(const Op *op, const Arg *arg, Ints input, Ints weight, ConvShape *s) {
    int dims = weight.n - 2;
    if (dims < 1 || dims > IMAGE_DIMS) {
        return fail("%s: weight must be (o, c / groups) and the sizes of a kernel of 1 to 3 dims, "
                    "got %s",
                    op->public_name, shape_text(weight));
    }
    if (!image_shape(op, input, dims, s) || !read_kernel(op, weight, s)) {
        return false;
    }
    s->o = weight.v[0];
    s->groups = arg[6].i;
    return image_ints(op, arg, 3, dims, 1, s->stride) &&
           image_ints(op, arg, 4, dims, 0, s->padding) &&
           image_ints(op, arg, 5, dims, 1, s->dilation) && channels_fit(op, s, input, weight) &&
           conv_shape_out(op, s, false);
}

static bool infer_conv(Call *c, int dims) {
    const Tensor *weight = c->in[1], *bias = c->in[2];
    ConvShape s;
    int64_t all[MAX_DIMS];
    if (weight->dim != dims + 2) {
        ConvShape unused;
        return image_shape(c->op, tensor_shape(c->in[0]), dims, &unused) &&
               fail("%s: weight must be (o, c / groups, %s), got %s", c->op->public_name,
                    weight_layouts[dims], shape_text(tensor_shape(weight)));
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
