/* The norms of networks, on standardize, and what else scales to a length. */
#include <float.h>
#include <string.h>

#include "autograd/tape.h"
#include "tensor/widen.h"

static Tensor *given(const Arg *a) { return a->kind == ARG_TENSOR ? a->t : NULL; }

/* A norm as a call of standardize: input seen as (N, G, K, S). */
typedef struct Norm {
    const char *name;
    Tensor *input, *weight, *bias;
    int64_t shape[4];
    double eps;
    bool over_batch, center;
    Tensor *out[3];
} Norm;

/* weight or bias must have that shape; false with an error. */
static bool check_scale(const char *name, const char *what, const Tensor *t, Ints shape,
                        int dtype) {
    if (!t) {
        return true;
    }
    bool same = t->dim == shape.n;
    for (int d = 0; same && d < shape.n; d++) {
        same = t->shape[d] == shape.v[d];
    }
    if (!same) {
        return fail("%s: %s must have shape %s, got %s", name, what, shape_text(shape),
                    shape_text(tensor_shape(t)));
    }
    return t->dtype == dtype ||
           fail("%s: input is %s and %s is %s; convert one with :to(\"%s\")", name,
                dtype_name(dtype), what, dtype_name(t->dtype), dtype_name(dtype));
}

static bool check_float(const char *name, const Tensor *input) {
    return dtype_is_float(input->dtype) ||
           fail("%s: input must be float16, bfloat16, float32, float64, got %s; convert it with "
                ":to(\"float32\")",
                name, dtype_name(input->dtype));
}

static Tensor *flat(Tensor *t) { return t ? t_reshape(t, INTS(t->numel)) : NULL; }

static Tensor *run(Norm *n) {
    Tensor *x = t_reshape(n->input, (Ints){n->shape, 4}), *w = flat(n->weight), *b = flat(n->bias);
    if (!x || !w != !n->weight || !b != !n->bias) {
        return NULL;
    }
    bool ok = t_standardize(x, w, b, n->eps, n->over_batch, n->center, n->out);
    return ok ? t_reshape(n->out[0], tensor_shape(n->input)) : NULL;
}

/* A norm over the last dims, which shape lists. */
static Tensor *over_last(Norm *n, Ints shape) {
    const Tensor *x = n->input;
    int lead = x->dim - shape.n;
    bool fits = shape.n > 0 && lead >= 0;
    for (int d = 0; fits && d < shape.n; d++) {
        fits = x->shape[lead + d] == shape.v[d];
    }
    if (!fits) {
        return fail_null("%s: normalized_shape must be the sizes of input's last dims; input has "
                         "shape %s, normalized_shape is %s",
                         n->name, shape_text(tensor_shape(x)), shape_text(shape));
    }
    if (!check_float(n->name, x) || !check_scale(n->name, "weight", n->weight, shape, x->dtype) ||
        !check_scale(n->name, "bias", n->bias, shape, x->dtype)) {
        return NULL;
    }
    int64_t rows = shape_numel((Ints){x->shape, lead}), own = shape_numel(shape);
    memcpy(n->shape, (int64_t[]){rows, 1, own, 1}, sizeof n->shape);
    return run(n);
}

Tensor *compose_layer_norm(const Arg *a, Tensor **out) {
    (void)out;
    Norm n = {.name = "layer_norm",
              .input = a[0].t,
              .weight = given(&a[2]),
              .bias = given(&a[3]),
              .eps = a[4].f,
              .center = true};
    return over_last(&n, arg_as_ints(a[1]));
}

static double next_to_one(int dtype) {
    switch (dtype) {
    case DT_FLOAT16: return 0x1p-10;
    case DT_BFLOAT16: return 0x1p-7;
    case DT_FLOAT64: return DBL_EPSILON;
    default: return (double)FLT_EPSILON;
    }
}

Tensor *compose_rms_norm(const Arg *a, Tensor **out) {
    (void)out;
    Norm n = {.name = "rms_norm",
              .input = a[0].t,
              .weight = given(&a[2]),
              .eps = a[3].kind == ARG_NONE ? next_to_one(a[0].t->dtype) : a[3].f};
    return over_last(&n, arg_as_ints(a[1]));
}

/* Elements behind the channels: input is (N, C, *), with at least dims dims. -1 with an error. */
static int64_t behind_channels(const Norm *n, int dims) {
    const Tensor *x = n->input;
    if (x->dim < dims) {
        fail("%s: input must be (N, C, *) with at least %d dims, got shape %s", n->name, dims,
             shape_text(tensor_shape(x)));
        return -1;
    }
    Ints channels = INTS(x->shape[1]);
    if (!check_float(n->name, x) ||
        !check_scale(n->name, "weight", n->weight, channels, x->dtype) ||
        !check_scale(n->name, "bias", n->bias, channels, x->dtype)) {
        return -1;
    }
    return shape_numel((Ints){x->shape + 2, x->dim - 2});
}

Tensor *compose_group_norm(const Arg *a, Tensor **out) {
    (void)out;
    Norm n = {.name = "group_norm",
              .input = a[0].t,
              .weight = given(&a[2]),
              .bias = given(&a[3]),
              .eps = a[4].f,
              .center = true};
    int64_t groups = a[1].i, behind = behind_channels(&n, 2);
    if (behind < 0) {
        return NULL;
    }
    int64_t channels = n.input->shape[1];
    if (groups < 1 || channels % groups != 0) {
        return fail_null("group_norm: num_groups must divide the %lld channels, got %lld",
                         (long long)channels, (long long)groups);
    }
    memcpy(n.shape, (int64_t[]){n.input->shape[0], groups, channels / groups, behind},
           sizeof n.shape);
    return run(&n);
}

/* The running statistics of batch_norm and instance_norm, both given or both not. */
typedef struct Running {
    Tensor *mean, *var;
} Running;

static bool read_running(const Norm *n, const Arg *a, Running *r) {
    *r = (Running){given(&a[1]), given(&a[2])};
    if (!r->mean != !r->var) {
        return fail("%s: running_mean and running_var must be given together", n->name);
    }
    Ints channels = INTS(n->input->shape[1]);
    return check_scale(n->name, "running_mean", r->mean, channels,
                       r->mean ? r->mean->dtype : DT_NONE) &&
           check_scale(n->name, "running_var", r->var, channels, r->var ? r->var->dtype : DT_NONE);
}

/* Moves a statistic towards now by share, in place. */
static bool move_towards(Tensor *statistic, Tensor *now, double share) {
    Tensor *kept = t_mul(widened(statistic), tensor_number(1 - share));
    return t_copy_(statistic, t_add(kept, t_mul(now, tensor_number(share))), false) != NULL;
}

/* Moves the running statistics towards those of a batch, whose variance is made unbiased: count
 * elements were in each set. */
static bool track(const Norm *n, const Running *r, double share, int64_t count) {
    if (!r->mean) {
        return true;
    }
    bool was = modes.recording;
    modes.recording = false;
    Tensor *mean = n->out[1], *rstd = n->out[2], *eps = tensor_number(n->eps);
    Tensor *var = t_sub(t_reciprocal(t_square(rstd)), eps);
    var = t_mul(t_clamp(var, arg_int(0), arg_none()),
                tensor_number((double)count / (double)(count - 1)));
    if (mean->dim == 2) {
        mean = t_mean(mean, INTS(0), false, DT_NONE);
        var = t_mean(var, INTS(0), false, DT_NONE);
    }
    bool ok = move_towards(r->mean, mean, share) && move_towards(r->var, var, share);
    modes.recording = was;
    return ok;
}

/* t (C) as a tensor that broadcasts over (N, C, *). */
static Tensor *by_channel(const Norm *n, Tensor *t) {
    int64_t shape[MAX_DIMS];
    for (int d = 0; d < n->input->dim; d++) {
        shape[d] = d == 1 ? -1 : 1;
    }
    return t_reshape(widened(t), (Ints){shape, n->input->dim});
}

/* With the running statistics, which are constants. */
static Tensor *by_running(Norm *n, const Running *r) {
    if (!r->mean) {
        return fail_null("%s: running_mean and running_var are needed where the statistics are not "
                         "the input's own",
                         n->name);
    }
    Tensor *mean = tensor_detach(r->mean), *var = tensor_detach(r->var);
    Tensor *scale = t_reciprocal(t_sqrt(t_add(widened(var), tensor_number(n->eps))));
    if (n->weight) {
        scale = t_mul(scale, widened(n->weight));
    }
    Tensor *shift = t_neg(t_mul(widened(mean), scale));
    if (n->bias) {
        shift = t_add(shift, widened(n->bias));
    }
    Tensor *x = t_mul(widened(n->input), by_channel(n, scale));
    return rounded(t_add(x, by_channel(n, shift)), n->input->dtype);
}

static Norm channel_norm(const char *name, const Arg *a) {
    return (Norm){.name = name,
                  .input = a[0].t,
                  .weight = given(&a[3]),
                  .bias = given(&a[4]),
                  .eps = a[7].f,
                  .center = true};
}

Tensor *compose_batch_norm(const Arg *a, Tensor **out) {
    (void)out;
    Norm n = channel_norm("batch_norm", a);
    Running r;
    int64_t behind = behind_channels(&n, 2);
    if (behind < 0 || !read_running(&n, a, &r)) {
        return NULL;
    }
    if (!a[5].b) {
        return by_running(&n, &r);
    }
    int64_t batch = n.input->shape[0], channels = n.input->shape[1];
    if (n.input->numel <= channels) {
        return fail_null("batch_norm: in training every channel must have more than one element, "
                         "got shape %s",
                         shape_text(tensor_shape(n.input)));
    }
    n.over_batch = true;
    memcpy(n.shape, (int64_t[]){batch, channels, 1, behind}, sizeof n.shape);
    Tensor *result = run(&n);
    return result && track(&n, &r, a[6].f, batch * behind) ? result : NULL;
}

Tensor *compose_instance_norm(const Arg *a, Tensor **out) {
    (void)out;
    Norm n = channel_norm("instance_norm", a);
    Running r;
    int64_t behind = behind_channels(&n, 3);
    if (behind < 0 || !read_running(&n, a, &r)) {
        return NULL;
    }
    if (!a[5].b) {
        return by_running(&n, &r);
    }
    if (behind == 1) {
        return fail_null("instance_norm: every channel must have more than one element, got shape "
                         "%s",
                         shape_text(tensor_shape(n.input)));
    }
    memcpy(n.shape, (int64_t[]){n.input->shape[0], n.input->shape[1], 1, behind}, sizeof n.shape);
    Tensor *result = run(&n);
    return result && track(&n, &r, a[6].f, behind) ? result : NULL;
}

Tensor *compose_local_response_norm(const Arg *a, Tensor **out) {
    (void)out;
    Norm n = {.name = "local_response_norm", .input = a[0].t};
    int64_t size = a[1].i, behind = behind_channels(&n, 3);
    if (behind < 0) {
        return NULL;
    }
    if (size < 1) {
        return fail_null("local_response_norm: size must be at least 1, got %lld", (long long)size);
    }
    const Tensor *input = n.input;
    if (input->numel == 0) {
        return n.input;
    }
    int64_t channels = input->shape[1], most = 2 * channels - 1;
    /* Neighbours farther away than the outermost channels are all 0. */
    int64_t reach = size < most ? size : most;
    Tensor *x = widened(n.input),
           *planes = t_reshape(t_square(x), INTS(input->shape[0], 1, channels, behind));
    Tensor *mean = t_avg_pool2d(planes, INTS(reach, 1), INTS(1), INTS(reach / 2, 0), false, true,
                                arg_int(size));
    mean = t_reshape(t_narrow(mean, 2, 0, channels), tensor_shape(input));
    Tensor *sum = t_add(t_mul(mean, tensor_number(a[2].f)), tensor_number(a[4].f));
    return rounded(t_div(x, t_pow(sum, tensor_number(a[3].f))), input->dtype);
}

/* The p-norm along dim, kept, and at least eps. */
static Tensor *length(Tensor *x, double p, int64_t dim, double eps) {
    Ints dims = x && x->dim == 0 ? NO_INTS : ints_one(&dim);
    return t_clamp(t_norm(x, arg_float(p), dims, true, DT_NONE), arg_float(eps), arg_none());
}

Tensor *compose_normalize(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = widened(a[0].t);
    if (!dtype_is_complex(a[0].t->dtype) && !check_float("normalize", a[0].t)) {
        return NULL;
    }
    return rounded(t_div(x, length(x, a[1].f, a[2].i, a[3].f)), a[0].t->dtype);
}

/* The dtype that a composition of two tensors has. */
static int common_dtype(const char *name, const Tensor *a, const Tensor *b) {
    return check_float(name, a) && check_float(name, b) ? dtype_promote(a->dtype, b->dtype)
                                                        : DT_NONE;
}

Tensor *compose_cosine_similarity(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t, *y = a[1].t;
    int dtype = common_dtype("cosine_similarity", x, y);
    int64_t shape[MAX_DIMS], dim = a[2].i;
    if (dtype == DT_NONE) {
        return NULL;
    }
    int dims = shape_broadcast(tensor_shape(x), tensor_shape(y), shape);
    if (dims < 0) {
        return fail_null("cosine_similarity: x1 and x2 must broadcast, got shapes %s and %s",
                         shape_text(tensor_shape(x)), shape_text(tensor_shape(y)));
    }
    dim = x->dim == dims ? dim : dim + dims - x->dim;
    x = t_expand(widened(x), (Ints){shape, dims});
    y = t_expand(widened(y), (Ints){shape, dims});
    Tensor *unit_x = t_div(x, length(x, 2, dim, a[3].f)),
           *unit_y = t_div(y, length(y, 2, dim, a[3].f));
    Ints over = dims ? ints_one(&dim) : NO_INTS;
    return rounded(t_sum(t_mul(unit_x, unit_y), over, false, DT_NONE), dtype);
}

Tensor *compose_pairwise_distance(const Arg *a, Tensor **out) {
    (void)out;
    static const char name[] = "pairwise_distance";
    int dtype = dtype_promote(a[0].t->dtype, a[1].t->dtype);
    if (!dtype_is_complex(dtype) && common_dtype(name, a[0].t, a[1].t) == DT_NONE) {
        return NULL;
    }
    Tensor *gap = t_add(t_sub(widened(a[0].t), widened(a[1].t)), tensor_number(a[3].f));
    if (!gap || gap->dim == 0) {
        return gap ? fail_null("pairwise_distance: x1 and x2 must not both be scalars") : NULL;
    }
    Tensor *size = t_norm(gap, arg_float(a[2].f), INTS(gap->dim - 1), a[4].b, DT_NONE);
    return rounded(size, dtype_real_of(dtype));
}

Tensor *compose_pdist(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t;
    if (x->dim != 2) {
        return fail_null("pdist: input must be a matrix, one row a point, got shape %s",
                         shape_text(tensor_shape(x)));
    }
    if (!check_float("pdist", x) || !(a[1].f >= 0)) {
        return fail_null("pdist: p must not be negative, got %g", a[1].f);
    }
    int64_t n = x->shape[0];
    Tensor *pairs = t_nonzero(t_triu(t_ones(INTS(n, n), DT_BOOL, x->device, false), 1));
    Tensor *first = t_index_select(widened(x), 0, t_select(pairs, 1, 0));
    Tensor *second = t_index_select(widened(x), 0, t_select(pairs, 1, 1));
    Tensor *gap = t_sub(first, second);
    return rounded(t_norm(gap, arg_float(a[1].f), INTS(1), false, DT_NONE), x->dtype);
}
