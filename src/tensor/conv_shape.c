/* Sizes of images of one to three dims, and what convolutions and poolings make of them. */
#include "tensor/conv_shape.h"

#include "tensor/op.h"

/* Beyond this, offsets inside an image could overflow. */
static const int64_t largest = INT32_MAX;
static const int64_t largest_volume = INT64_C(1) << 46;

static const char *const layouts[IMAGE_DIMS + 1][2] = {{"", ""},
                                                       {"(c, l)", "(n, c, l)"},
                                                       {"(c, h, w)", "(n, c, h, w)"},
                                                       {"(c, d, h, w)", "(n, c, d, h, w)"}};

const char *image_layout(int dims, bool batched) { return layouts[dims][batched]; }

const char *image_axis(int dims, int axis) {
    static const char *const names[IMAGE_DIMS] = {"depth", "height", "width"};
    return dims == 1 ? "length" : names[axis];
}

static const char *numbers_wanted(int dims) {
    return dims == 1   ? "a number"
           : dims == 2 ? "a number or {vertical, horizontal}"
                       : "a number or {depth, vertical, horizontal}";
}

bool image_ints(const Op *op, const Arg *arg, int at, int dims, int64_t least, int64_t *out) {
    const Arg *a = &arg[at];
    const char *name = op->params[at].name;
    if (a->count != 1 && a->count != dims) {
        return fail("%s: %s must be %s, got %d numbers", op->public_name, name,
                    numbers_wanted(dims), a->count);
    }
    for (int i = 0; i < dims; i++) {
        int64_t value = a->ints[a->count == 1 ? 0 : i];
        if (value < least || value > largest) {
            return fail("%s: %s must be between %lld and %lld, got %lld", op->public_name, name,
                        (long long)least, (long long)largest, (long long)value);
        }
        out[IMAGE_DIMS - dims + i] = value;
    }
    return true;
}

bool image_volume(const Op *op, const int64_t *size) {
    int64_t volume = 1;
    for (int i = 0; i < IMAGE_DIMS; i++) {
        if (__builtin_mul_overflow(volume, size[i], &volume) || volume > largest_volume) {
            return fail("%s: an image of %s is too large", op->public_name,
                        shape_text((Ints){size, IMAGE_DIMS}));
        }
    }
    return true;
}

bool image_shape(const Op *op, Ints input, int dims, ConvShape *s) {
    if (input.n != dims + 1 && input.n != dims + 2) {
        return fail("%s: input must be %s or %s, got %s%s", op->public_name, layouts[dims][1],
                    layouts[dims][0], shape_text(input),
                    input.n == dims ? "; add dims with unsqueeze" : "");
    }
    int lead = input.n - dims - 1;
    *s = (ConvShape){.dims = dims,
                     .batched = lead == 1,
                     .n = lead ? input.v[0] : 1,
                     .c = input.v[lead],
                     .in = {1, 1, 1},
                     .out = {1, 1, 1},
                     .kernel = {1, 1, 1},
                     .stride = {1, 1, 1},
                     .dilation = {1, 1, 1}};
    for (int i = 0; i < dims; i++) {
        int64_t size = s->in[IMAGE_DIMS - dims + i] = input.v[lead + 1 + i];
        if (size < 1 || size > largest) {
            return fail("%s: the %s of the input must be between 1 and %lld, got %s",
                        op->public_name, image_axis(dims, IMAGE_DIMS - dims + i),
                        (long long)largest, shape_text(input));
        }
    }
    return image_volume(op, s->in);
}

Ints image_sizes(const ConvShape *s, int64_t channels, const int64_t *size, int64_t *all) {
    int n = 0;
    if (s->batched) {
        all[n++] = s->n;
    }
    all[n++] = channels;
    for (int i = IMAGE_DIMS - s->dims; i < IMAGE_DIMS; i++) {
        all[n++] = size[i];
    }
    return (Ints){all, n};
}

static const char *const kernel_layouts[IMAGE_DIMS + 1] = {"", "k", "kh, kw", "kd, kh, kw"};

const char *kernel_layout(int dims) { return kernel_layouts[dims]; }

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
                    s->groups > 1 ? " / groups" : "", kernel_layout(s->dims),
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
                op->public_name, kernel_layout(s->dims), shape_text(weight));
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

PoolArgs max_pool_args(void) { return (PoolArgs){1, 2, 3, 4, 5}; }

PoolArgs avg_pool_args(bool backward) {
    return backward ? (PoolArgs){2, 3, 4, -1, 5} : (PoolArgs){1, 2, 3, -1, 4};
}

bool pool_shape(const Op *op, const Arg *arg, PoolArgs at, Ints input, ConvShape *s) {
    int dims = arg[at.kernel].count;
    if (dims < 1 || dims > IMAGE_DIMS) {
        return fail("%s: kernel_size must have a number for each dim of the image, got %d",
                    op->public_name, dims);
    }
    if (!image_shape(op, input, dims, s) || !image_ints(op, arg, at.kernel, dims, 1, s->kernel) ||
        !image_ints(op, arg, at.padding, dims, 0, s->padding)) {
        return false;
    }
    s->o = s->groups = s->c;
    int stride =
        arg[at.stride].kind == ARG_NONE || arg[at.stride].count == 0 ? at.kernel : at.stride;
    if (!image_ints(op, arg, stride, dims, 1, s->stride) ||
        (at.dilation >= 0 && !image_ints(op, arg, at.dilation, dims, 1, s->dilation))) {
        return false;
    }
    for (int i = 0; i < IMAGE_DIMS; i++) {
        if (s->padding[i] > s->kernel[i] / 2) {
            return fail(
                "%s: padding may be at most half the kernel: %lld for a %s of %lld, got %lld",
                op->public_name, (long long)(s->kernel[i] / 2), image_axis(dims, i),
                (long long)s->kernel[i], (long long)s->padding[i]);
        }
    }
    return conv_shape_out(op, s, arg[at.ceil_mode].b);
}
