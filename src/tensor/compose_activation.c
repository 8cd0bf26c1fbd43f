/* Activation functions made of other operators. */
#include "autograd/tape.h"
#include "tensor/op.h"

static Tensor *number(double value) { return tensor_number(value); }

/* weight holds one number, or one for each channel, input's second dim. */
Tensor *compose_prelu(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t, *weight = a[1].t;
    int64_t channels = input->dim > 1 ? input->shape[1] : 1;
    if (weight->dim > 1 || (weight->numel != 1 && weight->numel != channels)) {
        return fail_null("prelu: weight must hold 1 number or one for each of the %lld channels, "
                         "got shape %s",
                         (long long)channels, shape_text(tensor_shape(weight)));
    }
    if (weight->numel == 1 && input->numel != 1) {
        return t_prelu_kernel(input, t_reshape(weight, (Ints){NULL, 0}));
    }
    int64_t shape[MAX_DIMS] = {0};
    for (int i = 0; i < input->dim; i++) {
        shape[i] = i == 1 ? channels : 1;
    }
    return t_prelu_kernel(input, t_reshape(weight, (Ints){shape, input->dim}));
}

/* Slopes are drawn between lower and upper in training; their mean serves otherwise. */
Tensor *compose_rrelu(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t;
    double lower = a[1].f, upper = a[2].f;
    if (!(lower <= upper)) {
        return fail_null("rrelu: lower must not be above upper, got %g and %g", lower, upper);
    }
    if (!a[3].b) {
        return t_leaky_relu(x, (lower + upper) / 2);
    }
    Tensor *drawn = t_rand(tensor_shape(x), x->dtype, x->device, NULL, false);
    Tensor *slope = t_add(t_mul(drawn, number(upper - lower)), number(lower));
    return t_where(t_lt(x, number(0)), t_mul(x, slope), x);
}

Tensor *compose_glu(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t;
    int64_t dim = a[1].i;
    if (x->dim == 0) {
        return fail_null("glu: input must have at least one dim, got a scalar");
    }
    if (x->shape[dim] % 2 != 0) {
        return fail_null("glu: input's size along dim %lld must be even, got %lld",
                         (long long)dim + 1, (long long)x->shape[dim]);
    }
    int64_t half = x->shape[dim] / 2;
    return t_mul(t_narrow(x, dim, 0, half), t_sigmoid(t_narrow(x, dim, half, half)));
}

Tensor *compose_softmin(const Arg *a, Tensor **out) {
    (void)out;
    return t_softmax(t_neg(a[0].t), a[1].i);
}

/* With hard the samples are one-hot, and their gradients those of the soft ones. */
Tensor *compose_gumbel_softmax(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *logits = a[0].t;
    double tau = a[1].f;
    int64_t dim = a[4].i;
    if (!(tau > 0)) {
        return fail_null("gumbel_softmax: tau must be positive, got %g", tau);
    }
    if (!dtype_is_float(logits->dtype)) {
        return fail_null("gumbel_softmax: logits must be of a float dtype, got %s",
                         dtype_name(logits->dtype));
    }
    Tensor *drawn = t_rand(tensor_shape(logits), logits->dtype, logits->device, NULL, false);
    Tensor *noise = t_neg(t_log(t_neg(t_log(drawn))));
    Tensor *soft = t_softmax(t_mul(t_add(logits, noise), number(1 / tau)), dim);
    if (!a[2].b || !soft || soft->numel == 0) {
        return soft;
    }
    Tensor *plain = tensor_detach(soft);
    Tensor *place = t_argmax(plain, arg_int(dim), true);
    Tensor *empty = t_zeros(tensor_shape(soft), soft->dtype, soft->device, false);
    Tensor *one = t_ones(place ? tensor_shape(place) : NO_INTS, soft->dtype, soft->device, false);
    Tensor *hard = place ? t_scatter(empty, dim, place, one) : NULL;
    return t_add(t_sub(hard, plain), soft);
}
