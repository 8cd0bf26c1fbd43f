/* Views of complex numbers as their parts and back, and what the complex family composes. */
#include "tensor/op.h"

static bool infer_parts(Call *c, int dtype, int dim) {
    const Tensor *t = c->in[0];
    spec_set(&c->spec[0], dtype, (Ints){t->shape, dim});
    c->spec[0].strided = true;
    return true;
}

bool infer_view_as_real(Call *c) {
    const Tensor *t = c->in[0];
    OutSpec *s = &c->spec[0];
    if (!dtype_is_complex(t->dtype)) {
        return fail("view_as_real: input must be complex64 or complex128, got %s",
                    dtype_name(t->dtype));
    }
    if (t->dim == MAX_DIMS) {
        return fail("view_as_real: the parts of a tensor of %d dims would need one more, and %d "
                    "are supported",
                    t->dim, MAX_DIMS);
    }
    infer_parts(c, dtype_real_of(t->dtype), t->dim);
    s->dim = t->dim + 1;
    s->shape[t->dim] = 2;
    s->stride[t->dim] = 1;
    for (int d = 0; d < t->dim; d++) {
        s->stride[d] = stride_times(t->stride[d], 2);
    }
    s->offset = 2 * t->offset;
    return true;
}

/* Whether all steps between pairs are even, so that they are elements of a complex tensor. */
static bool are_pairs(const Tensor *t) {
    bool even = t->offset % 2 == 0 && (t->stride[t->dim - 1] == 1 || t->numel == 0);
    for (int d = 0; d < t->dim - 1; d++) {
        even &= t->stride[d] % 2 == 0 || t->shape[d] == 1 || t->numel == 0;
    }
    return even;
}

bool infer_view_as_complex(Call *c) {
    const Tensor *t = c->in[0];
    OutSpec *s = &c->spec[0];
    if (t->dtype != DT_FLOAT32 && t->dtype != DT_FLOAT64) {
        return fail("view_as_complex: input must be float32, float64, got %s",
                    dtype_name(t->dtype));
    }
    if (t->dim == 0 || t->shape[t->dim - 1] != 2) {
        return fail("view_as_complex: the last dim of input must be 2, got shape %s",
                    shape_text(tensor_shape(t)));
    }
    if (!are_pairs(t)) {
        return fail("view_as_complex: pairs along the last dim of input (%s) do not stand side by "
                    "side in memory; use contiguous() first",
                    shape_text(tensor_shape(t)));
    }
    infer_parts(c, dtype_complex_of(t->dtype), t->dim - 1);
    for (int d = 0; d < t->dim - 1; d++) {
        s->stride[d] = t->stride[d] / 2;
    }
    s->offset = t->offset / 2;
    return true;
}

static bool infer_real_result(Call *c) {
    bool ok = infer_unary(c);
    c->spec[0].dtype = dtype_real_of(c->dtype);
    return ok;
}

bool infer_abs(Call *c) { return infer_real_result(c); }
bool infer_angle(Call *c) { return infer_real_result(c); }

static Tensor *one_part(Tensor *t, int64_t part) {
    if (t->dim < MAX_DIMS) {
        return t_select(t_view_as_real(t), -1, part);
    }
    /* The last two dims of a tensor of most dims are one for a moment. */
    Tensor *flat = t_select(t_view_as_real(t_flatten(t, t->dim - 2, t->dim - 1)), -1, part);
    return t_reshape(flat, tensor_shape(t));
}

Tensor *compose_real(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    return dtype_is_complex(t->dtype) ? one_part(t, 0) : t;
}

Tensor *compose_imag(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    if (!dtype_is_complex(t->dtype)) {
        return fail_null("imag: input must be complex64 or complex128, got %s",
                         dtype_name(t->dtype));
    }
    return one_part(t, 1);
}

/* The float32 or float64 that both parts are made; DT_NONE with an error for complex ones. */
static int parts_dtype(const char *name, const Arg *a, const char *const *names) {
    int dtype = DT_NONE;
    for (int i = 0; i < 2; i++) {
        const Tensor *t = a[i].t;
        if (dtype_is_complex(t->dtype)) {
            fail("%s: %s must be real, got %s", name, names[i], dtype_name(t->dtype));
            return DT_NONE;
        }
        int own = dtype_is_float(t->dtype) && !tensor_is_number(t) ? t->dtype : DT_NONE;
        dtype = own == DT_NONE ? dtype : dtype == DT_NONE ? own : dtype_promote(dtype, own);
    }
    dtype = dtype == DT_NONE ? dtype_default() : dtype;
    return dtype_real_of(dtype_complex_of(dtype));
}

/* A number as an element of that dtype: on its own it would count as one of the default dtype. */
static Tensor *as_part(Tensor *t, int dtype) {
    return tensor_is_number(t) ? t_mul(t_ones((Ints){NULL, 0}, dtype, t->device, false), t)
                               : t_to(t, dtype, t->device, false, false);
}

/* A part without dims on the CPU, such as a number, goes along with the other's device. */
static Tensor *beside(Tensor *part, const Tensor *other) {
    bool goes = part && other && part->dim == 0 && part->device.kind == DEVICE_CPU &&
                !device_equal(part->device, other->device);
    return goes ? t_move(part, other->device) : part;
}

static Tensor *join_parts(Tensor *real, Tensor *imag) {
    int64_t shape[MAX_DIMS];
    real = beside(real, imag);
    imag = beside(imag, real);
    if (!real || !imag) {
        return NULL;
    }
    int dim = shape_broadcast(tensor_shape(real), tensor_shape(imag), shape);
    if (dim < 0) {
        return fail_null("complex: shapes %s and %s do not broadcast: counted from the last dim, "
                         "sizes must be equal or 1",
                         shape_text(tensor_shape(real)), shape_text(tensor_shape(imag)));
    }
    if (dim == MAX_DIMS) {
        return fail_null("complex: parts may have at most %d dims", MAX_DIMS - 1);
    }
    Ints size = {shape, dim};
    Tensor *pair[] = {t_expand(real, size), t_expand(imag, size)};
    return t_view_as_complex(t_stack((TensorList){pair, 2}, dim));
}

Tensor *compose_complex(const Arg *a, Tensor **out) {
    static const char *const names[] = {"real", "imag"};
    (void)out;
    int dtype = parts_dtype("complex", a, names);
    if (dtype == DT_NONE) {
        return NULL;
    }
    return join_parts(as_part(a[0].t, dtype), as_part(a[1].t, dtype));
}

Tensor *compose_polar(const Arg *a, Tensor **out) {
    static const char *const names[] = {"abs", "angle"};
    (void)out;
    int dtype = parts_dtype("polar", a, names);
    if (dtype == DT_NONE) {
        return NULL;
    }
    Tensor *length = as_part(a[0].t, dtype), *angle = as_part(a[1].t, dtype);
    return join_parts(t_mul(length, t_cos(angle)), t_mul(length, t_sin(angle)));
}

Tensor *compose_conj(const Arg *a, Tensor **out) {
    (void)out;
    return dtype_is_complex(a[0].t->dtype) ? t_conj_physical(a[0].t) : a[0].t;
}

Tensor *compose_resolve_conj(const Arg *a, Tensor **out) {
    (void)out;
    return a[0].t;
}

Tensor *compose_resolve_neg(const Arg *a, Tensor **out) {
    (void)out;
    return a[0].t;
}

Tensor *compose_isreal(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    return dtype_is_complex(t->dtype) ? t_eq(t_imag(t), tensor_number_int(0))
                                      : t_ones(tensor_shape(t), DT_BOOL, t->device, false);
}
