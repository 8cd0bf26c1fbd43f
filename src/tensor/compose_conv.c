/* Convolutions with padding by name, and transposed ones. */
#include <string.h>

#include "tensor/conv_shape.h"

/* What "same" adds in all along each axis; the larger half goes behind. */
static bool same_padding(const Op *op, const Arg *a, int dims, int64_t *all) {
    const Tensor *weight = a[1].t;
    int64_t stride[IMAGE_DIMS] = {1, 1, 1}, dilation[IMAGE_DIMS] = {1, 1, 1};
    if (!image_ints(op, a, 3, dims, 1, stride) || !image_ints(op, a, 5, dims, 1, dilation)) {
        return false;
    }
    for (int i = 0; i < dims; i++) {
        int axis = IMAGE_DIMS - dims + i;
        if (stride[axis] != 1) {
            return fail("%s: padding \"same\" needs a stride of 1, got %lld; give the padding as "
                        "numbers",
                        op->public_name, (long long)stride[axis]);
        }
        if (__builtin_mul_overflow(dilation[axis], weight->shape[2 + i] - 1, &all[i])) {
            return fail("%s: the kernel is too large: %s with a dilation of %lld", op->public_name,
                        shape_text(tensor_shape(weight)), (long long)dilation[axis]);
        }
    }
    return true;
}

static Tensor *conv(const Arg *a, int dims, Tensor *input, Ints padding) {
    Ints stride = arg_as_ints(a[3]), dilation = arg_as_ints(a[5]);
    Tensor *bias = a[2].kind == ARG_NONE ? NULL : a[2].t;
    switch (dims) {
    case 1: return t_conv1d(input, a[1].t, bias, stride, padding, dilation, a[6].i);
    case 2: return t_conv2d(input, a[1].t, bias, stride, padding, dilation, a[6].i);
    default: return t_conv3d(input, a[1].t, bias, stride, padding, dilation, a[6].i);
    }
}

static Tensor *conv_named(const Op *op, const Arg *a, int dims) {
    Tensor *input = a[0].t;
    const Tensor *weight = a[1].t;
    bool same = strcmp(a[4].s, "same") == 0;
    if (!same && strcmp(a[4].s, "valid") != 0) {
        return fail_null("%s: padding must be numbers, \"same\" or \"valid\", got \"%s\"",
                         op->public_name, a[4].s);
    }
    /* Where the dims are wrong, the convolution says so. */
    if (!same || weight->dim != dims + 2 || input->dim < dims + 1) {
        return conv(a, dims, input, INTS(0));
    }
    int64_t all[IMAGE_DIMS], before[IMAGE_DIMS], behind[2 * IMAGE_DIMS] = {0};
    bool even = true;
    if (!same_padding(op, a, dims, all)) {
        return NULL;
    }
    for (int i = 0; i < dims; i++) {
        before[i] = all[i] < 0 ? 0 : all[i] / 2;
        behind[2 * (dims - 1 - i) + 1] = all[i] < 0 ? 0 : all[i] % 2;
        even = even && all[i] % 2 == 0;
    }
    if (!even) {
        input = t_pad(input, (Ints){behind, 2 * dims}, "constant", arg_none());
    }
    return conv(a, dims, input, (Ints){before, dims});
}

Tensor *compose_conv1d__named(const Arg *a, Tensor **out) {
    (void)out;
    return conv_named(&op_table[OP_conv1d], a, 1);
}

Tensor *compose_conv2d__named(const Arg *a, Tensor **out) {
    (void)out;
    return conv_named(&op_table[OP_conv2d], a, 2);
}

Tensor *compose_conv3d__named(const Arg *a, Tensor **out) {
    (void)out;
    return conv_named(&op_table[OP_conv3d], a, 3);
}

/* Arguments of the transposed convolutions. */
enum { INPUT, WEIGHT, BIAS, STRIDE, PADDING, OUTPUT_PADDING, GROUPS, DILATION };

static bool tensors_fit(const Op *op, const Arg *a, const ConvShape *s) {
    const Tensor *input = a[INPUT].t, *weight = a[WEIGHT].t;
    const Tensor *bias = a[BIAS].kind == ARG_NONE ? NULL : a[BIAS].t;
    int64_t groups = a[GROUPS].i;
    if (!dtype_is_inexact(input->dtype)) {
        return fail("%s: input must be of a floating or complex dtype, got %s", op->public_name,
                    dtype_name(input->dtype));
    }
    if (weight->dtype != input->dtype || (bias && bias->dtype != input->dtype)) {
        return fail("%s: input is %s and %s is %s; convert one with :to(\"%s\")", op->public_name,
                    dtype_name(input->dtype), weight->dtype != input->dtype ? "weight" : "bias",
                    dtype_name(weight->dtype != input->dtype ? weight->dtype : bias->dtype),
                    dtype_name(input->dtype));
    }
    if (weight->dim != s->dims + 2 || weight->shape[0] != s->c) {
        return fail("%s: weight must be (c, o / groups) and the sizes of the kernel, c being the "
                    "%lld channels of the input; got %s",
                    op->public_name, (long long)s->c, shape_text(tensor_shape(weight)));
    }
    if (groups < 1 || s->c % groups != 0 || groups > INT32_MAX) {
        return fail("%s: groups must divide the %lld channels of the input, got %lld",
                    op->public_name, (long long)s->c, (long long)groups);
    }
    if (bias && (bias->dim != 1 || bias->shape[0] != weight->shape[1] * groups)) {
        return fail("%s: bias must have %lld elements, one for each output channel, got %s",
                    op->public_name, (long long)(weight->shape[1] * groups),
                    shape_text(tensor_shape(bias)));
    }
    return true;
}

/* s->out: the sizes of the result. extra: positions that the input must have behind, because the
 * convolution from there would give so many more. */
static bool transposed_sizes(const Op *op, const Arg *a, ConvShape *s, int64_t *extra) {
    const Tensor *weight = a[WEIGHT].t;
    int64_t more[IMAGE_DIMS] = {0};
    int dims = s->dims;
    if (!image_ints(op, a, STRIDE, dims, 1, s->stride) ||
        !image_ints(op, a, PADDING, dims, 0, s->padding) ||
        !image_ints(op, a, OUTPUT_PADDING, dims, 0, more) ||
        !image_ints(op, a, DILATION, dims, 1, s->dilation)) {
        return false;
    }
    for (int i = IMAGE_DIMS - dims; i < IMAGE_DIMS; i++) {
        int64_t kernel = weight->shape[weight->dim - IMAGE_DIMS + i];
        if (kernel < 1 || kernel > INT32_MAX) {
            return fail("%s: weight must have a kernel of one element at least, got %s",
                        op->public_name, shape_text(tensor_shape(weight)));
        }
        if (more[i] >= s->stride[i] && more[i] >= s->dilation[i]) {
            return fail("%s: output_padding must be below stride or dilation, got %lld for a "
                        "stride of %lld and a dilation of %lld",
                        op->public_name, (long long)more[i], (long long)s->stride[i],
                        (long long)s->dilation[i]);
        }
        s->out[i] = (s->in[i] - 1) * s->stride[i] - 2 * s->padding[i] +
                    s->dilation[i] * (kernel - 1) + more[i] + 1;
        if (s->out[i] < 1) {
            return fail("%s: the %s of the result would be %lld: padding (%lld) is too large",
                        op->public_name, image_axis(dims, i), (long long)s->out[i],
                        (long long)s->padding[i]);
        }
        extra[i] = more[i] / s->stride[i];
    }
    return image_volume(op, s->out);
}

static Tensor *with_bias(Tensor *result, Tensor *bias, int dims) {
    const int64_t shape[] = {-1, 1, 1, 1};
    return bias ? t_add_(result, t_reshape(bias, (Ints){shape, dims + 1})) : result;
}

static Tensor *conv_transpose(const Op *op, const Arg *a, int dims) {
    ConvShape s;
    int64_t extra[IMAGE_DIMS] = {0}, all[MAX_DIMS], behind[2 * IMAGE_DIMS] = {0};
    Tensor *input = a[INPUT].t, *weight = a[WEIGHT].t;
    if (!image_shape(op, tensor_shape(input), dims, &s) || !tensors_fit(op, a, &s) ||
        !transposed_sizes(op, a, &s, extra)) {
        return NULL;
    }
    bool more = false;
    for (int i = 0; i < dims; i++) {
        behind[2 * i + 1] = extra[IMAGE_DIMS - 1 - i];
        more = more || behind[2 * i + 1] > 0;
    }
    if (more) {
        input = t_pad(input, (Ints){behind, 2 * dims}, "constant", arg_none());
    }
    Ints size = image_sizes(&s, weight->shape[1] * a[GROUPS].i, s.out, all);
    Tensor *bias = a[BIAS].kind == ARG_NONE ? NULL : a[BIAS].t;
    int dtype = a[INPUT].t->dtype;
    /* Sums of half types with the bias are rounded once. */
    if (bias && dtype_size(dtype) < sizeof(float)) {
        input = t_cast(input, DT_FLOAT32);
        weight = t_cast(weight, DT_FLOAT32);
        bias = t_cast(bias, DT_FLOAT32);
    }
    Tensor *result =
        t_conv_input_grad(input, weight, size, arg_as_ints(a[STRIDE]), arg_as_ints(a[PADDING]),
                          arg_as_ints(a[DILATION]), a[GROUPS].i);
    result = with_bias(result, bias, dims);
    return result && result->dtype != dtype ? t_cast(result, dtype) : result;
}

Tensor *compose_conv_transpose1d(const Arg *a, Tensor **out) {
    (void)out;
    return conv_transpose(&op_table[OP_conv_transpose1d], a, 1);
}

Tensor *compose_conv_transpose2d(const Arg *a, Tensor **out) {
    (void)out;
    return conv_transpose(&op_table[OP_conv_transpose2d], a, 2);
}

Tensor *compose_conv_transpose3d(const Arg *a, Tensor **out) {
    (void)out;
    return conv_transpose(&op_table[OP_conv_transpose3d], a, 3);
}

Tensor *compose_conv_tbc(const Arg *a, Tensor **out) {
    (void)out;
    const Tensor *input = a[0].t, *weight = a[1].t;
    if (input->dim != 3 || weight->dim != 3 || input->shape[2] != weight->shape[1]) {
        return fail_null("conv_tbc: input must be (t, n, c) and weight (k, c, o), got %s and %s",
                         shape_text(tensor_shape(input)), shape_text(tensor_shape(weight)));
    }
    Tensor *y = t_conv1d(t_permute(a[0].t, INTS(1, 2, 0)), t_permute(a[1].t, INTS(2, 1, 0)), a[2].t,
                         INTS(1), ints_one(&a[3].i), INTS(1), 1);
    return t_contiguous(t_permute(y, INTS(2, 0, 1)));
}
