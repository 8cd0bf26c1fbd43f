/* Poolings that adapt to a size, of norms, in reverse and at random. */
#include "tensor/conv_shape.h"

/* output_size with a number for each dim; -1: the size of the input. s is filled but for it. */
static bool adapted_sizes(const Op *op, const Arg *a, int dims, ConvShape *s, int64_t *size) {
    const Arg *given = &a[1];
    int64_t all[IMAGE_DIMS];
    if (!image_shape(op, tensor_shape(a[0].t), dims, s)) {
        return false;
    }
    if (given->count != 1 && given->count != dims) {
        return image_ints(op, a, 1, dims, 1, all);
    }
    for (int i = 0; i < dims; i++) {
        int64_t wanted = given->ints[given->count == 1 ? 0 : i];
        size[i] = wanted == -1 ? s->in[IMAGE_DIMS - dims + i] : wanted;
        if (size[i] < 0 || size[i] > INT32_MAX) {
            return fail(
                "%s: output_size must be between 0 and %d, or -1 for the size of the input; "
                "got %lld",
                op->public_name, INT32_MAX, (long long)wanted);
        }
    }
    return true;
}

/* Sizes of 0 are computed as 1 ... */
static void without_zeros(const int64_t *size, int64_t *positive, int dims) {
    for (int i = 0; i < dims; i++) {
        positive[i] = size[i] > 0 ? size[i] : 1;
    }
}

/* ... and cut off. */
static Tensor *cut_to(Tensor *t, const int64_t *size, int dims) {
    for (int i = 0; i < dims; i++) {
        t = size[i] == 0 ? t_narrow(t, i - dims, 0, 0) : t;
    }
    return t;
}

static Tensor *adaptive_avg_pool(const Op *op, const Arg *a, int dims) {
    ConvShape s;
    int64_t wanted[IMAGE_DIMS], size[IMAGE_DIMS], dim[IMAGE_DIMS];
    Tensor *input = a[0].t;
    if (!adapted_sizes(op, a, dims, &s, wanted)) {
        return NULL;
    }
    without_zeros(wanted, size, dims);
    bool all = true;
    for (int i = 0; i < dims; i++) {
        all = all && size[i] == 1;
        dim[i] = i - dims;
    }
    if (all && dtype_is_inexact(input->dtype)) {
        return cut_to(t_mean(input, (Ints){dim, dims}, true, DT_NONE), wanted, dims);
    }
    Tensor *images = s.batched ? input : t_unsqueeze(input, 0);
    Tensor *y = t_resample(images, (Ints){size, dims}, "area", false, false, NO_FLOATS);
    return cut_to(s.batched ? y : t_squeeze(y, INTS(0)), wanted, dims);
}

static Tensor *adaptive_max_pool(const Op *op, const Arg *a, int dims, Tensor **out) {
    ConvShape s;
    int64_t wanted[IMAGE_DIMS], size[IMAGE_DIMS];
    if (!adapted_sizes(op, a, dims, &s, wanted)) {
        return NULL;
    }
    without_zeros(wanted, size, dims);
    if (!t_adaptive_max_pool(a[0].t, (Ints){size, dims}, out)) {
        return NULL;
    }
    out[1] = cut_to(out[1], wanted, dims);
    return out[1] ? cut_to(out[0], wanted, dims) : NULL;
}

/* The arguments of avg_pool, read as its own. */
static Tensor *lp_pool(const Op *op, const Arg *a, int dims) {
    ConvShape s;
    int64_t kernel[IMAGE_DIMS];
    double p = a[1].f, elements = 1;
    Tensor *x = a[0].t;
    if (!image_shape(op, tensor_shape(x), dims, &s) || !image_ints(op, a, 2, dims, 1, s.kernel)) {
        return NULL;
    }
    if (p == 0) {
        return fail_null("%s: norm_type must not be 0", op->public_name);
    }
    for (int i = 0; i < dims; i++) {
        kernel[i] = s.kernel[IMAGE_DIMS - dims + i];
        elements *= (double)kernel[i];
    }
    int dtype = x->dtype;
    bool half = dtype_is_float(dtype) && dtype_size(dtype) < sizeof(float);
    x = half ? t_cast(x, DT_FLOAT32) : x;
    Tensor *mean = t_avg_pool(t_pow(x, tensor_number(p)), (Ints){kernel, dims}, arg_as_ints(a[3]),
                              INTS(0), a[4].b, true, arg_none());
    Tensor *sum = t_mul(t_mul(t_sign(mean), t_relu(t_abs(mean))), tensor_number(elements));
    Tensor *y = t_pow(sum, tensor_number(1 / p));
    return half ? t_cast(y, dtype) : y;
}

/* Arguments of max_unpool. */
enum { UNPOOL_KERNEL = 2, UNPOOL_STRIDE, UNPOOL_PADDING, UNPOOL_SIZE };

/* s->out: what output_size says, if it may. */
static bool size_wanted(const Op *op, const Arg *a, ConvShape *s) {
    Ints size = arg_as_ints(a[UNPOOL_SIZE]);
    int lead = size.n - s->dims, first = IMAGE_DIMS - s->dims;
    if (size.n < 0) {
        return true;
    }
    if (lead != 0 && lead != 2 && lead != 1) {
        return fail("%s: output_size must have %d numbers, one for each dim of the images, got %d",
                    op->public_name, s->dims, size.n);
    }
    for (int i = first; i < IMAGE_DIMS; i++) {
        int64_t wanted = size.v[lead + i - first], usual = s->out[i], stride = s->stride[i];
        if (wanted <= usual - stride || wanted >= usual + stride) {
            return fail("%s: output_size must give a %s between %lld and %lld, got %lld",
                        op->public_name, image_axis(s->dims, i), (long long)(usual - stride + 1),
                        (long long)(usual + stride - 1), (long long)wanted);
        }
        s->out[i] = wanted;
    }
    return true;
}

static bool unpooled_shape(const Op *op, const Arg *a, int dims, ConvShape *s) {
    const Tensor *input = a[0].t, *indices = a[1].t;
    int stride = a[UNPOOL_STRIDE].kind == ARG_NONE || a[UNPOOL_STRIDE].count == 0 ? UNPOOL_KERNEL
                                                                                  : UNPOOL_STRIDE;
    if (!image_shape(op, tensor_shape(input), dims, s) ||
        !image_ints(op, a, UNPOOL_KERNEL, dims, 1, s->kernel) ||
        !image_ints(op, a, stride, dims, 1, s->stride) ||
        !image_ints(op, a, UNPOOL_PADDING, dims, 0, s->padding)) {
        return false;
    }
    if (!tensor_same_shape(input, indices)) {
        return fail("%s: input and indices must have one shape, got %s and %s", op->public_name,
                    shape_text(tensor_shape(input)), shape_text(tensor_shape(indices)));
    }
    for (int i = IMAGE_DIMS - dims; i < IMAGE_DIMS; i++) {
        s->out[i] = (s->in[i] - 1) * s->stride[i] - 2 * s->padding[i] + s->kernel[i];
    }
    if (!size_wanted(op, a, s)) {
        return false;
    }
    for (int i = IMAGE_DIMS - dims; i < IMAGE_DIMS; i++) {
        if (s->out[i] < 1) {
            return fail("%s: the %s of the result would be %lld", op->public_name,
                        image_axis(dims, i), (long long)s->out[i]);
        }
    }
    return image_volume(op, s->out);
}

static Tensor *max_unpool(const Op *op, const Arg *a, int dims) {
    ConvShape s;
    int64_t all[MAX_DIMS], flat[MAX_DIMS];
    Tensor *input = a[0].t, *indices = a[1].t;
    if (!unpooled_shape(op, a, dims, &s)) {
        return NULL;
    }
    Ints size = image_sizes(&s, s.c, s.out, all);
    int lead = size.n - dims;
    for (int i = 0; i < lead; i++) {
        flat[i] = all[i];
    }
    flat[lead] = s.out[0] * s.out[1] * s.out[2];
    Tensor *zeros = t_zeros((Ints){flat, lead + 1}, input->dtype, input->device, false);
    Tensor *images =
        t_scatter(zeros, lead, t_flatten(indices, lead, -1), t_flatten(input, lead, -1));
    return t_reshape(images, size);
}

/* Arguments of fractional_max_pool. */
enum { FRACTION_KERNEL = 1, FRACTION_SIZE, FRACTION_RATIO, FRACTION_INDICES, FRACTION_SAMPLES };

static bool fraction_sizes(const Op *op, const Arg *a, const ConvShape *s, int64_t *size) {
    Ints given = arg_as_ints(a[FRACTION_SIZE]);
    Floats ratio = arg_as_floats(a[FRACTION_RATIO]);
    int dims = s->dims, count = given.n >= 0 ? given.n : ratio.n;
    if ((given.n < 0) == (ratio.n < 0)) {
        return fail("%s: either output_size or output_ratio must be given", op->public_name);
    }
    if (count != 1 && count != dims) {
        return fail("%s: %s must have 1 or %d numbers, got %d", op->public_name,
                    given.n >= 0 ? "output_size" : "output_ratio", dims, count);
    }
    for (int i = 0; i < dims; i++) {
        int at = count == 1 ? 0 : i;
        if (given.n >= 0) {
            size[i] = given.v[at];
        } else if (ratio.v[at] > 0 && ratio.v[at] < 1) {
            size[i] = (int64_t)((double)s->in[IMAGE_DIMS - dims + i] * ratio.v[at]);
        } else {
            return fail("%s: output_ratio must be between 0 and 1, got %g", op->public_name,
                        ratio.v[at]);
        }
    }
    return true;
}

static Tensor *fractional_max_pool(const Op *op, const Arg *a, int dims, Tensor **out) {
    ConvShape s;
    int64_t size[IMAGE_DIMS];
    Tensor *input = a[0].t;
    Tensor *samples = a[FRACTION_SAMPLES].kind == ARG_NONE ? NULL : a[FRACTION_SAMPLES].t;
    if (!image_shape(op, tensor_shape(input), dims, &s) || !fraction_sizes(op, a, &s, size)) {
        return NULL;
    }
    if (a[FRACTION_SAMPLES].kind == ARG_NONE) {
        samples = t_rand(INTS(s.n, s.c, dims), DT_FLOAT32, input->device, NULL, false);
    }
    int64_t kernel[IMAGE_DIMS];
    if (!image_ints(op, a, FRACTION_KERNEL, dims, 1, s.kernel)) {
        return NULL;
    }
    for (int i = 0; i < dims; i++) {
        kernel[i] = s.kernel[IMAGE_DIMS - dims + i];
    }
    bool ok = t_fractional_max_pool(input, (Ints){kernel, dims}, (Ints){size, dims}, samples, out);
    return ok ? out[0] : NULL;
}

#define POOLS(n)                                                                       \
    Tensor *compose_adaptive_avg_pool##n##d(const Arg *a, Tensor **out) {              \
        (void)out;                                                                     \
        return adaptive_avg_pool(&op_table[OP_adaptive_avg_pool##n##d], a, n);         \
    }                                                                                  \
    Tensor *compose_adaptive_max_pool##n##d(const Arg *a, Tensor **out) {              \
        return adaptive_max_pool(&op_table[OP_adaptive_max_pool##n##d], a, n, out);    \
    }                                                                                  \
    Tensor *compose_adaptive_max_pool##n##d_with_indices(const Arg *a, Tensor **out) { \
        const Op *op = &op_table[OP_adaptive_max_pool##n##d_with_indices];             \
        return adaptive_max_pool(op, a, n, out);                                       \
    }                                                                                  \
    Tensor *compose_lp_pool##n##d(const Arg *a, Tensor **out) {                        \
        (void)out;                                                                     \
        return lp_pool(&op_table[OP_lp_pool##n##d], a, n);                             \
    }                                                                                  \
    Tensor *compose_max_unpool##n##d(const Arg *a, Tensor **out) {                     \
        (void)out;                                                                     \
        return max_unpool(&op_table[OP_max_unpool##n##d], a, n);                       \
    }
POOLS(1)
POOLS(2)
POOLS(3)

#define FRACTIONS(n)                                                                     \
    Tensor *compose_fractional_max_pool##n##d(const Arg *a, Tensor **out) {              \
        return fractional_max_pool(&op_table[OP_fractional_max_pool##n##d], a, n, out);  \
    }                                                                                    \
    Tensor *compose_fractional_max_pool##n##d_with_indices(const Arg *a, Tensor **out) { \
        const Op *op = &op_table[OP_fractional_max_pool##n##d_with_indices];             \
        return fractional_max_pool(op, a, n, out);                                       \
    }
FRACTIONS(2)
FRACTIONS(3)
