/* Sizes of patches of images. */
#include "tensor/patches_shape.h"

#include "tensor/op.h"

bool patches_shape(const Op *op, const Arg *arg, int at, Ints input, ConvShape *s) {
    if (!image_shape(op, input, 2, s) || !image_ints(op, arg, at, 2, 1, s->kernel) ||
        !image_ints(op, arg, at + 1, 2, 1, s->dilation) ||
        !image_ints(op, arg, at + 2, 2, 0, s->padding) ||
        !image_ints(op, arg, at + 3, 2, 1, s->stride)) {
        return false;
    }
    int64_t columns;
    if (!conv_shape_out(op, s, false) || !image_volume(op, s->kernel)) {
        return false;
    }
    return !__builtin_mul_overflow(s->out[1] * s->out[2], s->kernel[1] * s->kernel[2], &columns) ||
           fail("%s: the patches are too large", op->public_name);
}

bool col2im_shape(const Op *op, const Arg *arg, Ints columns, ConvShape *s) {
    int64_t size[IMAGE_DIMS] = {1, 1, 1}, kernel[IMAGE_DIMS] = {1, 1, 1};
    if (columns.n != 2 && columns.n != 3) {
        return fail(
            "%s: input must be (n, c * kh * kw, positions) or (c * kh * kw, positions), got "
            "%s",
            op->public_name, shape_text(columns));
    }
    if (!image_ints(op, arg, 1, 2, 1, size) || !image_ints(op, arg, 2, 2, 1, kernel) ||
        !image_volume(op, kernel)) {
        return false;
    }
    int lead = columns.n - 2;
    int64_t rows = columns.v[lead], window = kernel[1] * kernel[2];
    if (rows % window != 0) {
        return fail("%s: dim %d of input %s must be divisible by the %lld elements of the kernel",
                    op->public_name, lead + 1, shape_text(columns), (long long)window);
    }
    const int64_t image[] = {lead ? columns.v[0] : 1, rows / window, size[1], size[2]};
    if (!patches_shape(op, arg, 2, lead ? (Ints){image, 4} : (Ints){image + 1, 3}, s)) {
        return false;
    }
    return columns.v[lead + 1] == s->out[1] * s->out[2] ||
           fail("%s: an image of %lldx%lld has %lldx%lld positions, but input %s has %lld",
                op->public_name, (long long)size[1], (long long)size[2], (long long)s->out[1],
                (long long)s->out[2], shape_text(columns), (long long)columns.v[lead + 1]);
}
