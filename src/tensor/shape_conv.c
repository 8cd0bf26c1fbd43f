/* Sizes of convolutions and poolings. */
#include <string.h>

#include "tensor/conv_shape.h"

static const char *const axis_names[2] = {"height", "width"};

/* Beyond this, offsets inside an image could overflow. */
static const int64_t largest = INT32_MAX;

static bool read_pair(const Op *op, const Arg *arg, int at, int64_t least, int64_t out[2]) {
    const Arg *a = &arg[at];
    const char *name = op->params[at].name;
    if (a->count != 1 && a->count != 2) {
        return fail("%s: %s must be a number or {vertical, horizontal}, got %d numbers",
                    op->public_name, name, a->count);
    }
    for (int i = 0; i < 2; i++) {
        out[i] = a->ints[a->count == 1 ? 0 : i];
        if (out[i] < least || out[i] > largest) {
            return fail("%s: %s must be between %lld and %lld, got %lld", op->public_name, name,
                        (long long)least, (long long)largest, (long long)out[i]);
        }
    }
    return true;
}

static bool read_image(const Op *op, Ints input, ConvShape *s) {
    if (input.n != 3 && input.n != 4) {
        return fail("%s: input must be (n, c, h, w) or (c, h, w), got %s%s", op->public_name,
                    shape_text(input), input.n == 2 ? "; add dims with unsqueeze" : "");
    }
    int lead = input.n - 3;
    s->batched = lead == 1;
    s->n = lead ? input.v[0] : 1;
    s->c = input.v[lead];
    for (int i = 0; i < 2; i++) {
        s->in[i] = input.v[lead + 1 + i];
        if (s->in[i] < 1 || s->in[i] > largest) {
            return fail("%s: the %s of the input must be between 1 and %lld, got %s",
                        op->public_name, axis_names[i], (long long)largest, shape_text(input));
        }
    }
    return true;
}

static bool kernel_too_large(const Op *op, const ConvShape *s, int i) {
    int64_t padded = s->in[i] + 2 * s->padding[i], reach = s->dilation[i] * (s->kernel[i] - 1) + 1;
    return fail("%s: the kernel does not fit: its %s is %lld%s, that of the padded input %lld",
                op->public_name, axis_names[i], (long long)reach,
                s->dilation[i] > 1 ? " with dilation" : "", (long long)padded);
}

static bool find_output(const Op *op, ConvShape *s, bool ceil_mode) {
    for (int i = 0; i < 2; i++) {
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
    return true;
}

static bool channels_fit(const Op *op, const ConvShape *s, Ints input, Ints weight) {
    if (s->groups < 1 || s->c % s->groups != 0 || s->o % s->groups != 0) {
        return fail("%s: groups must divide the %lld channels of the input and the %lld of the "
                    "output, got %lld",
                    op->public_name, (long long)s->c, (long long)s->o, (long long)s->groups);
    }
    if (weight.v[1] != s->c / s->groups) {
        return fail("%s: input %s has %lld channels%s, but weight %s (o, c%s, kh, kw) expects %lld",
                    op->public_name, shape_text(input), (long long)(s->c / s->groups),
                    s->groups > 1 ? " per group" : "", shape_text(weight),
                    s->groups > 1 ? " / groups" : "", (long long)weight.v[1]);
    }
    return true;
}

bool conv_shape(const Op *op, const Arg *arg, Ints input, Ints weight, ConvShape *s) {
    if (!read_image(op, input, s)) {
        return false;
    }
    if (weight.n != 4 || weight.v[2] < 1 || weight.v[3] < 1) {
        return fail("%s: weight must be (o, c / groups, kh, kw) with a kernel of 1x1 at least, "
                    "got %s",
                    op->public_name, shape_text(weight));
    }
    s->o = weight.v[0];
    s->groups = arg[6].i;
    s->kernel[0] = weight.v[2];
    s->kernel[1] = weight.v[3];
    if (s->kernel[0] > largest || s->kernel[1] > largest) {
        return fail("%s: the kernel is too large: %s", op->public_name, shape_text(weight));
    }
    return read_pair(op, arg, 3, 1, s->stride) && read_pair(op, arg, 4, 0, s->padding) &&
           read_pair(op, arg, 5, 1, s->dilation) && channels_fit(op, s, input, weight) &&
           find_output(op, s, false);
}

static void image_spec(Call *c, int k, int dtype, const ConvShape *s, int64_t channels,
                       const int64_t size[2]) {
    const int64_t all[4] = {s->n, channels, size[0], size[1]};
    spec_set(&c->spec[k], dtype, s->batched ? (Ints){all, 4} : (Ints){all + 1, 3});
}

bool infer_conv2d(Call *c) {
    const Tensor *bias = c->in[2];
    ConvShape s;
    if (!conv_shape(c->op, c->arg, tensor_shape(c->in[0]), tensor_shape(c->in[1]), &s)) {
        return false;
    }
    if (bias && (bias->dim != 1 || bias->shape[0] != s.o)) {
        return fail("%s: bias must have %lld elements, one for each output channel, got %s",
                    c->op->public_name, (long long)s.o, shape_text(tensor_shape(bias)));
    }
    image_spec(c, 0, c->dtype, &s, s.o, s.out);
    return true;
}

/* The sizes given as an argument, checked as those of a tensor. */
static bool size_argument(const Call *c, int at, Ints *size) {
    *size = arg_as_ints(c->arg[at]);
    bool good = size->n <= MAX_DIMS;
    for (int i = 0; good && i < size->n; i++) {
        good = size->v[i] >= 0;
    }
    return (good && shape_numel(*size) >= 0) ||
           fail("%s: %s must be the sizes of a tensor", c->op->public_name, c->op->params[at].name);
}

static bool grad_fits(const Call *c, const ConvShape *s, int64_t channels) {
    const int64_t all[4] = {s->n, channels, s->out[0], s->out[1]};
    Ints want = s->batched ? (Ints){all, 4} : (Ints){all + 1, 3};
    Ints got = tensor_shape(c->in[0]);
    if (got.n == want.n && memcmp(got.v, want.v, (size_t)got.n * sizeof *got.v) == 0) {
        return true;
    }
    return fail("%s: grad must have the result's shape %s, got %s", c->op->public_name,
                shape_text(want), shape_text(got));
}

bool infer_conv2d_input_grad(Call *c) {
    ConvShape s;
    Ints size;
    if (!size_argument(c, 2, &size) ||
        !conv_shape(c->op, c->arg, size, tensor_shape(c->in[1]), &s) || !grad_fits(c, &s, s.o)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, size);
    return true;
}

bool infer_conv2d_weight_grad(Call *c) {
    ConvShape s;
    Ints size;
    if (!size_argument(c, 2, &size) ||
        !conv_shape(c->op, c->arg, tensor_shape(c->in[1]), size, &s) || !grad_fits(c, &s, s.o)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, size);
    return true;
}

PoolArgs max_pool_args(void) { return (PoolArgs){1, 2, 3, 4, 5}; }

PoolArgs avg_pool_args(bool backward) {
    return backward ? (PoolArgs){2, 3, 4, -1, 5} : (PoolArgs){1, 2, 3, -1, 4};
}

bool pool_shape(const Op *op, const Arg *arg, PoolArgs at, Ints input, ConvShape *s) {
    if (!read_image(op, input, s) || !read_pair(op, arg, at.kernel, 1, s->kernel) ||
        !read_pair(op, arg, at.padding, 0, s->padding)) {
        return false;
    }
    s->o = s->groups = s->c;
    s->dilation[0] = s->dilation[1] = 1;
    int stride = arg[at.stride].kind == ARG_NONE ? at.kernel : at.stride;
    if (!read_pair(op, arg, stride, 1, s->stride) ||
        (at.dilation >= 0 && !read_pair(op, arg, at.dilation, 1, s->dilation))) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (s->padding[i] > s->kernel[i] / 2) {
            return fail(
                "%s: padding may be at most half the kernel: %lld for a %s of %lld, got %lld",
                op->public_name, (long long)(s->kernel[i] / 2), axis_names[i],
                (long long)s->kernel[i], (long long)s->padding[i]);
        }
    }
    return find_output(op, s, arg[at.ceil_mode].b);
}

/* With dilation, the taps of a window may all lie in the padding. */
static bool windows_meet_input(const Op *op, const ConvShape *s) {
    for (int i = 0; i < 2; i++) {
        int64_t step = s->dilation[i];
        for (int64_t o = 0; o < s->out[i] && o * s->stride[i] < s->padding[i]; o++) {
            int64_t before = s->padding[i] - o * s->stride[i];
            int64_t tap = (before + step - 1) / step;
            if (tap >= s->kernel[i] || tap * step - before >= s->in[i]) {
                return fail("%s: a window would see nothing but padding: the dilation of the %s "
                            "(%lld) is too large for an input of %lld",
                            op->public_name, axis_names[i], (long long)step, (long long)s->in[i]);
            }
        }
    }
    return true;
}

bool infer_max_pool2d_with_indices(Call *c) {
    ConvShape s;
    if (!pool_shape(c->op, c->arg, max_pool_args(), tensor_shape(c->in[0]), &s) ||
        !windows_meet_input(c->op, &s)) {
        return false;
    }
    if (s.in[0] * s.in[1] > largest) {
        return fail("%s: planes may have at most %lld elements, got %s", c->op->public_name,
                    (long long)largest, shape_text(tensor_shape(c->in[0])));
    }
    image_spec(c, 0, c->dtype, &s, s.c, s.out);
    image_spec(c, 1, DT_INT64, &s, s.c, s.out);
    return true;
}

static bool divisor_fits(const Call *c, int at) {
    const Arg *divisor = &c->arg[at];
    return divisor->kind == ARG_NONE || divisor->i != 0 ||
           fail("%s: divisor_override must not be 0", c->op->public_name);
}

bool infer_avg_pool2d(Call *c) {
    ConvShape s;
    if (!pool_shape(c->op, c->arg, avg_pool_args(false), tensor_shape(c->in[0]), &s) ||
        !divisor_fits(c, 6)) {
        return false;
    }
    image_spec(c, 0, c->dtype, &s, s.c, s.out);
    return true;
}

bool infer_avg_pool2d_backward(Call *c) {
    ConvShape s;
    Ints size;
    if (!size_argument(c, 1, &size) || !pool_shape(c->op, c->arg, avg_pool_args(true), size, &s) ||
        !grad_fits(c, &s, s.c) || !divisor_fits(c, 7)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, size);
    return true;
}

/* grad and indices may be windows of any kind: only the planes must agree. */
bool infer_max_pool2d_backward(Call *c) {
    const Tensor *grad = c->in[0], *indices = c->in[1];
    Ints size;
    if (!size_argument(c, 2, &size)) {
        return false;
    }
    if (!tensor_same_shape(grad, indices)) {
        return fail("%s: grad and indices must have one shape, got %s and %s", c->op->public_name,
                    shape_text(tensor_shape(grad)), shape_text(tensor_shape(indices)));
    }
    if ((size.n != 3 && size.n != 4) || size.n != grad->dim ||
        memcmp(size.v, grad->shape, (size_t)(size.n - 2) * sizeof *size.v) != 0) {
        return fail("%s: input_size must be (n, c, h, w) or (c, h, w) with grad's n and c, got %s "
                    "for a grad of %s",
                    c->op->public_name, shape_text(size), shape_text(tensor_shape(grad)));
    }
    spec_set(&c->spec[0], c->dtype, size);
    return true;
}
