/* Sizes of images of one to three dims, as convolutions and poolings take them. */
#include "tensor/conv_shape.h"

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
