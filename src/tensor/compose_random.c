/* Random tensors made of others. */
#include "autograd/tape.h"
#include "tensor/number.h"

Tensor *compose_bernoulli__tensor(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t, *p = tensor_detach(a[1].t);
    if (p && !dtype_is_float(p->dtype)) {
        return fail_null("bernoulli: p must be a float tensor, got %s", dtype_name(p->dtype));
    }
    Tensor *drawn = t_bernoulli(t_expand(p, tensor_shape(input)), generator_of_arg(a[2]));
    return drawn ? t_to(drawn, input->dtype, drawn->device, false, false) : NULL;
}

/* mean + std * z in a dtype that rounds once. */
static Tensor *shifted(Tensor *mean, Tensor *std, Ints shape, int dtype, Generator *generator) {
    bool half = dtype == DT_FLOAT16 || dtype == DT_BFLOAT16;
    int wide = half ? DT_FLOAT32 : dtype;
    Tensor *z = t_randn(shape, wide, mean->device, generator, false);
    z = t_mul(z, t_to(std, wide, std->device, false, false));
    return t_to(t_add(z, t_to(mean, wide, mean->device, false, false)), dtype, mean->device, false,
                false);
}

static bool check_deviations(Tensor *std) {
    Tensor *bad = t_any(t_logical_not(t_ge(std, tensor_number_int(0))), NO_INTS, false);
    if (bad && bad->device.kind != DEVICE_CPU) {
        bad = t_move(bad, (Device){DEVICE_CPU, 0});
    }
    return bad && (!element_get_int(tensor_data(bad), bad->dtype) ||
                   fail("normal: std must not be negative or nan"));
}

Tensor *compose_normal__tensors(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *mean = tensor_detach(a[0].t);
    Tensor *std = a[1].kind == ARG_NONE ? tensor_number_int(1) : tensor_detach(a[1].t);
    Tensor *sum = t_add(mean, std); /* of the shape and dtype that both make */
    if (!sum || !check_deviations(std)) {
        return NULL;
    }
    int dtype = dtype_is_inexact(sum->dtype) ? sum->dtype : dtype_default();
    return shifted(mean, std, tensor_shape(sum), dtype, generator_of_arg(a[2]));
}

Tensor *compose_normal__size(const Arg *a, Tensor **out) {
    (void)out;
    int dtype = a[3].kind == ARG_NONE ? dtype_default() : (int)a[3].i;
    Tensor *like = t_empty(arg_as_ints(a[2]), dtype, device_of_arg(a[4]), false);
    Tensor *t = t_normal(like, a[0].f, a[1].f, generator_of_arg(a[5]));
    return t && (!a[6].b || tensor_set_requires_grad(t, true)) ? t : NULL;
}
