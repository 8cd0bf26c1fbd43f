/* interpolate and what only arranges pixels and channels anew. */
#include <math.h>
#include <string.h>

#include "tensor/conv_shape.h"
#include "tensor/op.h"

/* Arguments of interpolate. */
enum { SIZE = 1, SCALE, MODE, ALIGN, RECOMPUTE, ANTIALIAS };

typedef struct Method {
    const char *mode;     /* as the user names it */
    const char *resample; /* as resample does */
    int dims;             /* of the images; 0: any */
} Method;

static const Method methods[] = {{"nearest", "nearest", 0}, {"nearest-exact", "nearest-exact", 0},
                                 {"area", "area", 0},       {"linear", "linear", 1},
                                 {"bilinear", "linear", 2}, {"trilinear", "linear", 3},
                                 {"bicubic", "cubic", 2}};

static const Method *method_of(const Op *op, const char *mode, int dims) {
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const Method *m = &methods[i];
        if (strcmp(m->mode, mode) == 0) {
            if (m->dims == 0 || m->dims == dims) {
                return m;
            }
            return fail_null("%s: mode \"%s\" is for images %s, got %s", op->public_name, mode,
                             image_layout(m->dims, true), image_layout(dims, true));
        }
    }
    return fail_null("%s: mode must be \"nearest\", \"nearest-exact\", \"area\", \"linear\", "
                     "\"bilinear\", \"bicubic\" or \"trilinear\", got \"%s\"",
                     op->public_name, mode);
}

/* The sizes of the result, and the scales where they were given. */
typedef struct Target {
    int64_t size[IMAGE_DIMS];
    double scale[IMAGE_DIMS];
    bool scaled;
} Target;

static bool scaled_sizes(const Op *op, const ConvShape *s, Floats scale, Target *t) {
    for (int i = 0; i < s->dims; i++) {
        double factor = t->scale[i] = scale.v[scale.n == 1 ? 0 : i];
        double size = floor((double)s->in[IMAGE_DIMS - s->dims + i] * factor);
        if (!(factor > 0) || !(size >= 1 && size <= INT32_MAX)) {
            return fail(
                "%s: scale_factor makes a %s of %g from %lld, which must be between 1 and %d",
                op->public_name, image_axis(s->dims, IMAGE_DIMS - s->dims + i), size,
                (long long)s->in[IMAGE_DIMS - s->dims + i], INT32_MAX);
        }
        t->size[i] = (int64_t)size;
    }
    t->scaled = true;
    return true;
}

static bool read_target(const Op *op, const Arg *a, const ConvShape *s, Target *t) {
    Ints size = arg_as_ints(a[SIZE]);
    Floats scale = arg_as_floats(a[SCALE]);
    *t = (Target){0};
    if ((size.n < 0) == (scale.n < 0)) {
        return fail("%s: either size or scale_factor must be given", op->public_name);
    }
    int count = size.n >= 0 ? size.n : scale.n;
    if (count != 1 && count != s->dims) {
        return fail("%s: %s must have 1 or %d numbers for images %s, got %d", op->public_name,
                    size.n >= 0 ? "size" : "scale_factor", s->dims, image_layout(s->dims, true),
                    count);
    }
    if (size.n < 0) {
        return scaled_sizes(op, s, scale, t);
    }
    for (int i = 0; i < s->dims; i++) {
        t->size[i] = size.v[count == 1 ? 0 : i];
    }
    return true;
}

static Tensor *interpolate(const Op *op, const Arg *a, Arg recompute, bool antialias) {
    Tensor *input = a[0].t;
    int dims = input->dim - 2;
    ConvShape s;
    Target t;
    if (dims < 1 || dims > IMAGE_DIMS) {
        return fail_null("%s: input must be (n, c, l), (n, c, h, w) or (n, c, d, h, w), got %s",
                         op->public_name, shape_text(tensor_shape(input)));
    }
    const Method *m = method_of(op, a[MODE].s, dims);
    if (!m || !image_shape(op, tensor_shape(input), dims, &s) || !read_target(op, a, &s, &t)) {
        return NULL;
    }
    if (m->dims == 0 && a[ALIGN].kind != ARG_NONE) {
        return fail_null(
            "%s: align_corners goes with the modes \"linear\", \"bilinear\", \"bicubic\" "
            "and \"trilinear\", got \"%s\"",
            op->public_name, m->mode);
    }
    if (antialias && m->dims != 2) {
        return fail_null(
            "%s: antialias goes with the modes \"bilinear\" and \"bicubic\", got \"%s\"",
            op->public_name, m->mode);
    }
    bool scales =
        t.scaled && !(recompute.kind != ARG_NONE && recompute.b) && strcmp(m->mode, "area") != 0;
    if (recompute.kind != ARG_NONE && recompute.b && !t.scaled) {
        return fail_null("%s: recompute_scale_factor goes with scale_factor", op->public_name);
    }
    return t_resample(input, (Ints){t.size, dims}, m->resample,
                      a[ALIGN].kind != ARG_NONE && a[ALIGN].b, antialias,
                      scales ? (Floats){t.scale, dims} : NO_FLOATS);
}

Tensor *compose_interpolate(const Arg *a, Tensor **out) {
    (void)out;
    return interpolate(&op_table[OP_interpolate], a, a[RECOMPUTE], a[ANTIALIAS].b);
}

Tensor *compose_upsample(const Arg *a, Tensor **out) {
    (void)out;
    return interpolate(&op_table[OP_upsample], a, arg_none(), false);
}

/* input (..., c, h, w) with a number of elements to be counted along the last three dims. */
static bool has_pixels(const char *name, const Tensor *t, int64_t factor) {
    if (t->dim < 3) {
        return fail("%s: input must be (..., c, h, w), got %s", name, shape_text(tensor_shape(t)));
    }
    return (factor >= 1 && factor <= INT32_MAX) ||
           fail("%s: the factor must be between 1 and %d, got %lld", name, INT32_MAX,
                (long long)factor);
}

/* The shape of t with other last three sizes. */
static Tensor *with_pixels(Tensor *t, const Tensor *like, int64_t c, int64_t h, int64_t w) {
    int64_t shape[MAX_DIMS];
    const int64_t last[] = {c, h, w};
    memcpy(shape, like->shape, sizeof shape);
    memcpy(shape + like->dim - 3, last, sizeof last);
    return t_reshape(t, (Ints){shape, like->dim});
}

static int64_t leading(const Tensor *t) {
    int64_t n = 1;
    for (int d = 0; d < t->dim - 3; d++) {
        n *= t->shape[d];
    }
    return n;
}

Tensor *compose_pixel_shuffle(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t;
    int64_t r = a[1].i;
    if (!has_pixels("pixel_shuffle", x, r)) {
        return NULL;
    }
    const int64_t *size = x->shape + x->dim - 3;
    int64_t c = size[0] / r / r;
    if (c * r * r != size[0]) {
        return fail_null("pixel_shuffle: the %lld channels of input %s must be divisible by the "
                         "square of upscale_factor, %lld",
                         (long long)size[0], shape_text(tensor_shape(x)), (long long)(r * r));
    }
    Tensor *parts = t_reshape(x, INTS(leading(x), c, r, r, size[1], size[2]));
    return with_pixels(t_permute(parts, INTS(0, 1, 4, 2, 5, 3)), x, c, size[1] * r, size[2] * r);
}

Tensor *compose_pixel_unshuffle(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t;
    int64_t r = a[1].i;
    if (!has_pixels("pixel_unshuffle", x, r)) {
        return NULL;
    }
    const int64_t *size = x->shape + x->dim - 3;
    int64_t h = size[1] / r, w = size[2] / r;
    if (h * r != size[1] || w * r != size[2]) {
        return fail_null("pixel_unshuffle: height and width of input %s must be divisible by "
                         "downscale_factor, %lld",
                         shape_text(tensor_shape(x)), (long long)r);
    }
    Tensor *parts = t_reshape(x, INTS(leading(x), size[0], h, r, w, r));
    return with_pixels(t_permute(parts, INTS(0, 1, 3, 5, 2, 4)), x, size[0] * r * r, h, w);
}

Tensor *compose_channel_shuffle(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t;
    int64_t groups = a[1].i;
    if (x->dim < 3) {
        return fail_null("channel_shuffle: input must be (n, c, ...) with 3 dims at least, got %s",
                         shape_text(tensor_shape(x)));
    }
    if (groups < 1 || x->shape[1] % groups != 0) {
        return fail_null("channel_shuffle: groups must divide the %lld channels of the input, got "
                         "%lld",
                         (long long)x->shape[1], (long long)groups);
    }
    int64_t inner = 1;
    for (int d = 2; d < x->dim; d++) {
        inner *= x->shape[d];
    }
    Tensor *parts = t_reshape(x, INTS(x->shape[0], groups, x->shape[1] / groups, inner));
    return t_reshape(t_permute(parts, INTS(0, 2, 1, 3)), tensor_shape(x));
}
