/* What a resampling is asked to compute. */
#include "tensor/resample_shape.h"

#include <math.h>
#include <string.h>

#include "tensor/op.h"

static bool read_mode(const Op *op, const char *text, ResampleMode *mode) {
    static const char *const names[] = {"nearest", "nearest-exact", "linear", "cubic", "area"};
    for (int i = 0; i < 5; i++) {
        if (strcmp(text, names[i]) == 0) {
            *mode = (ResampleMode)i;
            return true;
        }
    }
    return fail(
        "%s: mode must be \"nearest\", \"nearest-exact\", \"linear\", \"cubic\" or \"area\", "
        "got \"%s\"",
        op->public_name, text);
}

static bool read_sizes(const Op *op, Ints output, ConvShape *s) {
    if (output.n != s->dims) {
        return fail("%s: size must have %d numbers, one for each dim of the images, got %d",
                    op->public_name, s->dims, output.n);
    }
    for (int i = 0; i < s->dims; i++) {
        if (output.v[i] < 1 || output.v[i] > INT32_MAX) {
            return fail("%s: sizes must be between 1 and %d, got %lld", op->public_name, INT32_MAX,
                        (long long)output.v[i]);
        }
        s->out[IMAGE_DIMS - s->dims + i] = output.v[i];
    }
    return image_volume(op, s->out);
}

/* A scale must have led to the size. */
static bool read_scales(const Op *op, const Arg *scales, ResampleShape *r) {
    if (scales->kind == ARG_NONE) {
        return true;
    }
    const ConvShape *s = &r->s;
    if (scales->count != s->dims) {
        return fail("%s: scales must have %d numbers, one for each dim of the images, got %d",
                    op->public_name, s->dims, scales->count);
    }
    for (int i = IMAGE_DIMS - s->dims; i < IMAGE_DIMS; i++) {
        double scale = r->scale[i] = scales->floats[i - IMAGE_DIMS + s->dims];
        if (!(scale > 0) || floor((double)s->in[i] * scale) != (double)s->out[i]) {
            return fail("%s: a scale of %g does not make a size of %lld from %lld", op->public_name,
                        scale, (long long)s->out[i], (long long)s->in[i]);
        }
    }
    return true;
}

bool resample_shape(const Op *op, const Arg *arg, int at, Ints input, Ints output,
                    ResampleShape *r) {
    *r = (ResampleShape){.align_corners = arg[at + 1].b, .antialias = arg[at + 2].b};
    int dims = input.n - 2;
    if (dims < 1 || dims > IMAGE_DIMS) {
        return fail("%s: input must be (n, c, l), (n, c, h, w) or (n, c, d, h, w), got %s",
                    op->public_name, shape_text(input));
    }
    if (!read_mode(op, arg[at].s, &r->mode) || !image_shape(op, input, dims, &r->s) ||
        !read_sizes(op, output, &r->s) || !read_scales(op, &arg[at + 3], r)) {
        return false;
    }
    bool smooth = r->mode == RESAMPLE_LINEAR || r->mode == RESAMPLE_CUBIC;
    if (!smooth && (r->align_corners || r->antialias)) {
        return fail("%s: %s goes with the modes \"linear\" and \"cubic\", got mode \"%s\"",
                    op->public_name, r->align_corners ? "align_corners" : "antialias", arg[at].s);
    }
    return true;
}
