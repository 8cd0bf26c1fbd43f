/* Sizes of poolings. */
#include <string.h>

#include "tensor/conv_shape.h"
#include "tensor/op.h"

/* With dilation, the taps of a window may all lie in the padding. */
static bool windows_meet_input(const Op *op, const ConvShape *s) {
    for (int i = 0; i < IMAGE_DIMS; i++) {
        int64_t step = s->dilation[i];
        for (int64_t o = 0; o < s->out[i] && o * s->stride[i] < s->padding[i]; o++) {
            int64_t before = s->padding[i] - o * s->stride[i];
            int64_t tap = (before + step - 1) / step;
            if (tap >= s->kernel[i] || tap * step - before >= s->in[i]) {
                return fail("%s: a window would see nothing but padding: the dilation of the %s "
                            "(%lld) is too large for an input of %lld",
                            op->public_name, image_axis(s->dims, i), (long long)step,
                            (long long)s->in[i]);
            }
        }
    }
    return true;
}

/* Positions inside an image are kept in 32 bits on the way. */
static bool positions_fit(const Call *c, const ConvShape *s) {
    return s->in[0] * s->in[1] * s->in[2] <= INT32_MAX ||
           fail("%s: planes may have at most %d elements, got %s", c->op->public_name, INT32_MAX,
                shape_text(tensor_shape(c->in[0])));
}

static void set_images(Call *c, int k, int dtype, const ConvShape *s) {
    int64_t all[MAX_DIMS];
    spec_set(&c->spec[k], dtype, image_sizes(s, s->c, s->out, all));
}

bool infer_max_pool(Call *c) {
    ConvShape s;
    if (!pool_shape(c->op, c->arg, max_pool_args(), tensor_shape(c->in[0]), &s) ||
        !windows_meet_input(c->op, &s) || !positions_fit(c, &s)) {
        return false;
    }
    set_images(c, 0, c->dtype, &s);
    set_images(c, 1, DT_INT64, &s);
    return true;
}

static bool divisor_fits(const Call *c, int at) {
    const Arg *divisor = &c->arg[at];
    return divisor->kind == ARG_NONE || divisor->i != 0 ||
           fail("%s: divisor_override must not be 0", c->op->public_name);
}

bool infer_avg_pool(Call *c) {
    ConvShape s;
    if (!pool_shape(c->op, c->arg, avg_pool_args(false), tensor_shape(c->in[0]), &s) ||
        !divisor_fits(c, 6)) {
        return false;
    }
    set_images(c, 0, c->dtype, &s);
    return true;
}

bool infer_avg_pool_backward(Call *c) {
    ConvShape s;
    Ints size;
    if (!size_argument(c, 1, &size) || !pool_shape(c->op, c->arg, avg_pool_args(true), size, &s) ||
        !grad_fits(c, &s, s.c) || !divisor_fits(c, 7)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, size);
    return true;
}

/* grad and indices may be windows of any kind: only the images must agree. */
bool infer_max_pool_backward(Call *c) {
    const Tensor *grad = c->in[0], *indices = c->in[1];
    int dims = (int)c->arg[3].i;
    Ints size;
    if (c->arg[3].i < 1 || c->arg[3].i > IMAGE_DIMS) {
        return fail("%s: dims must be between 1 and %d, got %lld", c->op->public_name, IMAGE_DIMS,
                    (long long)c->arg[3].i);
    }
    if (!size_argument(c, 2, &size)) {
        return false;
    }
    if (!tensor_same_shape(grad, indices)) {
        return fail("%s: grad and indices must have one shape, got %s and %s", c->op->public_name,
                    shape_text(tensor_shape(grad)), shape_text(tensor_shape(indices)));
    }
    if ((size.n != dims + 1 && size.n != dims + 2) || size.n != grad->dim ||
        memcmp(size.v, grad->shape, (size_t)(size.n - dims) * sizeof *size.v) != 0) {
        return fail("%s: input_size must be %s or %s with grad's n and c, got %s for a grad of %s",
                    c->op->public_name, image_layout(dims, true), image_layout(dims, false),
                    shape_text(size), shape_text(tensor_shape(grad)));
    }
    spec_set(&c->spec[0], c->dtype, size);
    return true;
}

/* Sizes along the dims of the image, given as argument at: between 1 and largest. */
static bool read_output_size(Call *c, int at, ConvShape *s) {
    int dims = c->arg[at].count;
    if (dims < 1 || dims > IMAGE_DIMS) {
        return fail("%s: output_size must have a number for each dim of the image, got %d",
                    c->op->public_name, dims);
    }
    return image_shape(c->op, tensor_shape(c->in[0]), dims, s) && positions_fit(c, s) &&
           image_ints(c->op, c->arg, at, dims, 1, s->out) && image_volume(c->op, s->out);
}

bool infer_adaptive_max_pool(Call *c) {
    ConvShape s;
    if (!read_output_size(c, 1, &s)) {
        return false;
    }
    set_images(c, 0, c->dtype, &s);
    set_images(c, 1, DT_INT64, &s);
    return true;
}

bool infer_fractional_max_pool(Call *c) {
    ConvShape s;
    const Tensor *samples = c->in[1];
    if (!read_output_size(c, 2, &s) || !image_ints(c->op, c->arg, 1, s.dims, 1, s.kernel)) {
        return false;
    }
    for (int i = 0; i < IMAGE_DIMS; i++) {
        if (s.out[i] + s.kernel[i] - 1 > s.in[i]) {
            return fail("%s: %lld windows of %lld do not fit into a %s of %lld", c->op->public_name,
                        (long long)s.out[i], (long long)s.kernel[i], image_axis(s.dims, i),
                        (long long)s.in[i]);
        }
    }
    if (!dtype_is_float(samples->dtype) || samples->dim != 3 || samples->shape[0] != s.n ||
        samples->shape[1] != s.c || samples->shape[2] != s.dims) {
        return fail("%s: samples must be numbers of the shape %s, one for each dim of each image; "
                    "got %s of %s",
                    c->op->public_name, shape_text(INTS(s.n, s.c, s.dims)),
                    shape_text(tensor_shape(samples)), dtype_name(samples->dtype));
    }
    set_images(c, 0, c->dtype, &s);
    set_images(c, 1, DT_INT64, &s);
    return true;
}
