/* The Fourier transforms under PyTorch's names, made of the three that have kernels. */
#include <math.h>
#include <string.h>

#include "autograd/tape.h"
#include "tensor/op.h"

/* What one transform of n numbers is multiplied by; false with an error for an unknown norm. */
static bool norm_scale(const char *name, const char *norm, bool inverse, int64_t n, double *scale) {
    double all = n > 0 ? (double)n : 1;
    if (!norm || strcmp(norm, "backward") == 0) {
        *scale = inverse ? 1 / all : 1;
    } else if (strcmp(norm, "forward") == 0) {
        *scale = inverse ? 1 : 1 / all;
    } else if (strcmp(norm, "ortho") == 0) {
        *scale = 1 / sqrt(all);
    } else {
        return fail("%s: norm must be \"backward\", \"ortho\" or \"forward\", got \"%s\"", name,
                    norm);
    }
    return true;
}

/* input as float32, float64 or the complex dtypes; integers become the default float. */
static Tensor *as_inexact(const char *name, Tensor *t) {
    if (t->dtype == DT_FLOAT16 || t->dtype == DT_BFLOAT16) {
        return fail_null("%s: input must be float32, float64 or complex, got %s; convert it with "
                         ":float()",
                         name, dtype_name(t->dtype));
    }
    if (dtype_is_inexact(t->dtype)) {
        return t;
    }
    return t_cast(t, dtype_real_of(dtype_complex_of(dtype_default())));
}

static Tensor *as_complex(const char *name, Tensor *t) {
    t = as_inexact(name, t);
    return t && !dtype_is_complex(t->dtype) ? t_cast(t, dtype_complex_of(t->dtype)) : t;
}

static Tensor *as_real(const char *name, Tensor *t) {
    if (dtype_is_complex(t->dtype)) {
        return fail_null("%s: input must be real, got %s", name, dtype_name(t->dtype));
    }
    return as_inexact(name, t);
}

/* t with size n along dim: cut off, or filled up with zeros. */
static Tensor *resized(Tensor *t, int64_t dim, int64_t n) {
    if (!t || t->shape[dim] == n) {
        return t;
    }
    if (t->shape[dim] > n) {
        return t_narrow(t, dim, 0, n);
    }
    int64_t shape[MAX_DIMS];
    memcpy(shape, t->shape, sizeof shape);
    shape[dim] = n - t->shape[dim];
    Tensor *zeros = t_zeros((Ints){shape, t->dim}, t->dtype, t->device, false);
    Tensor *pair[] = {t, zeros};
    return zeros ? t_cat((TensorList){pair, 2}, dim) : NULL;
}

/* The dims of a transform, in order, and the size that each is to have. */
typedef struct Dims {
    int n;
    int64_t dim[MAX_DIMS], size[MAX_DIMS];
} Dims;

static bool check_size(const char *name, int64_t n) {
    return n >= 1 ||
           fail("%s: a transform must be of at least 1 number, got %lld", name, (long long)n);
}

/* Sizes of the last dim of what is real on the other side: from the half of it. */
static bool set_size(const char *name, const Tensor *t, Dims *d, int k, const Ints *s, bool half) {
    bool given = s->n > 0 && s->v[k] != -1;
    int64_t own = t->shape[d->dim[k]];
    d->size[k] = given ? s->v[k] : half ? 2 * (own - 1) : own;
    return check_size(name, d->size[k]) && (own > 0 || given || half || check_size(name, own));
}

/* One dim. */
static bool one_dim(const char *name, const Tensor *t, const Arg *n, int64_t dim, bool half,
                    Dims *d) {
    if (t->dim == 0) {
        return fail("%s: input must have at least one dim, got a scalar", name);
    }
    Ints s = {&n->i, n->kind == ARG_NONE ? 0 : 1};
    d->n = 1;
    d->dim[0] = dim;
    return (s.n == 0 || check_size(name, n->i)) && set_size(name, t, d, 0, &s, half);
}

/* The dims that s and dim name: two says that they are the last two unless named. */
static bool several_dims(const char *name, const Tensor *t, const Arg *sizes, const Arg *dims,
                         bool two, bool half, Dims *d) {
    Ints s = arg_as_ints(*sizes), dim = arg_as_ints(*dims);
    int count = dim.n >= 0 ? dim.n : two ? 2 : s.n >= 0 ? s.n : t->dim;
    if (s.n >= 0 && s.n != count) {
        return fail("%s: s and dim must be of one length, got %d and %d", name, s.n, count);
    }
    if (count > t->dim || count == 0) {
        return fail("%s: %d dims are to be transformed, but input has %d (%s)", name, count, t->dim,
                    shape_text(tensor_shape(t)));
    }
    d->n = count;
    for (int k = 0; k < count; k++) {
        d->dim[k] = dim.n >= 0 ? dim.v[k] : t->dim - count + k;
        if (!set_size(name, t, d, k, &s, half && k == count - 1)) {
            return false;
        }
    }
    return true;
}

static int64_t all_numbers(const Dims *d) {
    int64_t n = 1;
    for (int k = 0; k < d->n; k++) {
        if (__builtin_mul_overflow(n, d->size[k], &n)) {
            return INT64_MAX;
        }
    }
    return n;
}

/* Complex transforms along the first count dims, the last of them first; scale goes with one. */
static Tensor *transform(Tensor *t, const Dims *d, int count, bool inverse, double scale) {
    for (int k = count - 1; t && k >= 0; k--) {
        t = t_fourier(resized(t, d->dim[k], d->size[k]), d->dim[k], inverse, k ? 1 : scale);
    }
    return t;
}

static Tensor *complex_transform(const char *name, Tensor *t, const Dims *d, const char *norm,
                                 bool inverse) {
    double scale;
    if (!norm_scale(name, norm, inverse, all_numbers(d), &scale)) {
        return NULL;
    }
    return transform(as_complex(name, t), d, d->n, inverse, scale);
}

/* The first half of the transform of real numbers along one dim. */
static Tensor *real_half(Tensor *t, int64_t dim, int64_t n, double scale) {
    return t_fourier_real(resized(t, dim, n), dim, scale);
}

static Tensor *real_transform(const char *name, Tensor *t, const Dims *d, const char *norm) {
    double scale;
    int last = d->n - 1;
    t = as_real(name, t);
    if (!t || !norm_scale(name, norm, false, all_numbers(d), &scale)) {
        return NULL;
    }
    return transform(real_half(t, d->dim[last], d->size[last], scale), d, last, false, 1);
}

/* n real numbers of the first half of their transform along dim, by sums with the inverse's sign.
 */
static Tensor *real_whole(Tensor *t, int64_t dim, int64_t n, double scale) {
    return t_fourier_to_real(resized(t, dim, n / 2 + 1), n, dim, scale);
}

static Tensor *to_real_transform(const char *name, Tensor *t, const Dims *d, const char *norm) {
    double scale;
    int last = d->n - 1;
    if (!norm_scale(name, norm, true, all_numbers(d), &scale)) {
        return NULL;
    }
    t = transform(as_complex(name, t), d, last, true, 1);
    return real_whole(t, d->dim[last], d->size[last], scale);
}

/* hfft: the forward transform of what is conjugate to itself reversed is the inverse one of the
 * conjugate. */
static Tensor *hermitian_transform(const char *name, Tensor *t, const Dims *d, const char *norm) {
    double scale;
    int last = d->n - 1;
    if (!norm_scale(name, norm, false, all_numbers(d), &scale)) {
        return NULL;
    }
    t = transform(as_complex(name, t), d, last, false, 1);
    return real_whole(t_conj(t), d->dim[last], d->size[last], scale);
}

static Tensor *to_hermitian_transform(const char *name, Tensor *t, const Dims *d,
                                      const char *norm) {
    double scale;
    int last = d->n - 1;
    t = as_real(name, t);
    if (!t || !norm_scale(name, norm, true, all_numbers(d), &scale)) {
        return NULL;
    }
    t = t_conj(real_half(t, d->dim[last], d->size[last], scale));
    return transform(t, d, last, true, 1);
}

#define FORWARD(name, t, d, norm) complex_transform(name, t, d, norm, false)
#define INVERSE(name, t, d, norm) complex_transform(name, t, d, norm, true)

#define ONE_DIM(name, half, transform)                                                          \
    Tensor *compose_fft_##name(const Arg *a, Tensor **out) {                                    \
        Dims d;                                                                                 \
        (void)out;                                                                              \
        return one_dim("fft_" #name, a[0].t, &a[1], a[2].i, half, &d)                           \
                   ? transform("fft_" #name, a[0].t, &d, a[3].kind == ARG_NONE ? NULL : a[3].s) \
                   : NULL;                                                                      \
    }
#define SEVERAL_DIMS(name, two, half, transform)                                                \
    Tensor *compose_fft_##name(const Arg *a, Tensor **out) {                                    \
        Dims d;                                                                                 \
        (void)out;                                                                              \
        return several_dims("fft_" #name, a[0].t, &a[1], &a[2], two, half, &d)                  \
                   ? transform("fft_" #name, a[0].t, &d, a[3].kind == ARG_NONE ? NULL : a[3].s) \
                   : NULL;                                                                      \
    }
ONE_DIM(fft, false, FORWARD)
ONE_DIM(ifft, false, INVERSE)
ONE_DIM(rfft, false, real_transform)
ONE_DIM(irfft, true, to_real_transform)
ONE_DIM(hfft, true, hermitian_transform)
ONE_DIM(ihfft, false, to_hermitian_transform)
SEVERAL_DIMS(fft2, true, false, FORWARD)
SEVERAL_DIMS(ifft2, true, false, INVERSE)
SEVERAL_DIMS(rfft2, true, false, real_transform)
SEVERAL_DIMS(irfft2, true, true, to_real_transform)
SEVERAL_DIMS(hfft2, true, true, hermitian_transform)
SEVERAL_DIMS(ihfft2, true, false, to_hermitian_transform)
SEVERAL_DIMS(fftn, false, false, FORWARD)
SEVERAL_DIMS(ifftn, false, false, INVERSE)
SEVERAL_DIMS(rfftn, false, false, real_transform)
SEVERAL_DIMS(irfftn, false, true, to_real_transform)
SEVERAL_DIMS(hfftn, false, true, hermitian_transform)
SEVERAL_DIMS(ihfftn, false, false, to_hermitian_transform)

/* first, first + 1, ... as whole numbers of dtype, count of them. */
static Tensor *counted(int64_t first, int64_t count, int dtype, Device device) {
    if (count == 0) {
        return t_zeros(INTS(0), dtype, device, false);
    }
    return t_arange__range(arg_int(first), arg_int(first + count - 1), arg_int(1), dtype, device,
                           false);
}

typedef struct Frequencies {
    int64_t n;
    double unit;
    int dtype;
    Device device;
} Frequencies;

static bool read_frequencies(const char *name, const Arg *a, Frequencies *f) {
    f->n = a[0].i;
    f->unit = 1 / ((double)f->n * a[1].f);
    f->dtype = a[2].kind == ARG_NONE ? dtype_default() : (int)a[2].i;
    f->device = device_of_arg(a[3]);
    if (!dtype_is_float(f->dtype)) {
        return fail("%s: dtype must be %s, got %s", name, dtype_set_text(DTSET_FLOAT),
                    dtype_name(f->dtype));
    }
    return check_size(name, f->n) && (a[1].f != 0 || fail("%s: d must not be 0", name));
}

/* The numbers are made as float64, so that half types are rounded once. */
static Tensor *as_frequencies(Tensor *numbers, const Frequencies *f, bool requires_grad) {
    Tensor *t = t_mul(numbers, tensor_number(f->unit));
    t = t ? t_to(t, f->dtype, f->device, false, false) : NULL;
    return t && (!requires_grad || tensor_set_requires_grad(t, true)) ? t : NULL;
}

Tensor *compose_fft_fftfreq(const Arg *a, Tensor **out) {
    Frequencies f;
    (void)out;
    if (!read_frequencies("fft_fftfreq", a, &f)) {
        return NULL;
    }
    int64_t positive = f.n - f.n / 2;
    Tensor *both[] = {counted(0, positive, DT_FLOAT64, f.device),
                      counted(-(f.n / 2), f.n / 2, DT_FLOAT64, f.device)};
    return both[0] && both[1] ? as_frequencies(t_cat((TensorList){both, 2}, 0), &f, a[4].b) : NULL;
}

Tensor *compose_fft_rfftfreq(const Arg *a, Tensor **out) {
    Frequencies f;
    (void)out;
    return read_frequencies("fft_rfftfreq", a, &f)
               ? as_frequencies(counted(0, f.n / 2 + 1, DT_FLOAT64, f.device), &f, a[4].b)
               : NULL;
}

/* Rolls along each dim by half of its size, rounded down, or with back up. */
static Tensor *shifted(Tensor *t, Ints dim, bool back) {
    int64_t dims[MAX_DIMS], shifts[MAX_DIMS];
    int n = dim.n >= 0 ? dim.n : t->dim;
    for (int k = 0; k < n; k++) {
        dims[k] = dim.n >= 0 ? dim.v[k] : k;
        int64_t size = t->dim ? t->shape[dims[k]] : 1;
        shifts[k] = back ? size - size / 2 : size / 2;
    }
    return n && t->dim ? t_roll(t, (Ints){shifts, n}, (Ints){dims, n}) : t;
}

Tensor *compose_fft_fftshift(const Arg *a, Tensor **out) {
    (void)out;
    return shifted(a[0].t, arg_as_ints(a[1]), false);
}

Tensor *compose_fft_ifftshift(const Arg *a, Tensor **out) {
    (void)out;
    return shifted(a[0].t, arg_as_ints(a[1]), true);
}
