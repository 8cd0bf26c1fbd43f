/* What rests on sorting: orders, quantiles, and elements without repeats. */
#include <string.h>

#include "tensor/op.h"

Tensor *compose_argsort(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *sorted[2];
    return t_sort(a[0].t, a[1].i, a[2].b, a[3].b, sorted) ? sorted[1] : NULL;
}

Tensor *compose_msort(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *sorted[2];
    return t_sort(a[0].t, 0, false, false, sorted) ? sorted[0] : NULL;
}

Tensor *compose_bucketize(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *boundaries = a[1].t;
    if (boundaries->dim != 1) {
        return fail_null("bucketize: boundaries must be a vector, got shape %s",
                         shape_text(tensor_shape(boundaries)));
    }
    return t_searchsorted(boundaries, a[0].t, NULL, a[3].b, NULL, a[2].b);
}

/* Which entries along the last dim of sorted a quantile lies between, and where between them. */
typedef struct Between {
    Tensor *below, *above, *share;
} Between;

static Between between(Tensor *rank, const char *interpolation) {
    Tensor *below = t_floor(rank), *above = t_ceil(rank);
    if (strcmp(interpolation, "lower") == 0) {
        return (Between){below, below, NULL};
    }
    if (strcmp(interpolation, "higher") == 0) {
        return (Between){above, above, NULL};
    }
    if (strcmp(interpolation, "nearest") == 0) {
        Tensor *nearest = t_round(rank);
        return (Between){nearest, nearest, NULL};
    }
    bool middle = strcmp(interpolation, "midpoint") == 0;
    return (Between){below, above, middle ? tensor_number(0.5) : t_sub(rank, below)};
}

static Tensor *picked(Tensor *sorted, Tensor *rank) {
    Tensor *position = t_cast(t_add(rank, tensor_number_int(INDEX_BASE)), DT_INT64);
    return t_gather(sorted, -1, position);
}

/* q is (n); the quantiles of x along its last dim, with n in its place. */
static Tensor *quantiles(Tensor *x, Tensor *q, const char *interpolation, bool skip_nan) {
    Tensor *sorted[2];
    if (!x || !q || !t_sort(x, -1, false, false, sorted)) {
        return NULL;
    }
    int64_t last = x->dim - 1, size = x->shape[last], shape[MAX_DIMS];
    Tensor *nan = t_isnan(x), *end = tensor_number((double)(size - 1)), *rank;
    q = t_cast(q, DT_FLOAT64);
    if (skip_nan) {
        Tensor *count = t_sum(t_logical_not(nan), ints_one(&last), true, DT_NONE);
        Tensor *top = t_clamp(t_sub(count, tensor_number_int(1)), arg_int(0), arg_none());
        rank = t_mul(q, t_cast(top, DT_FLOAT64));
    } else {
        rank = t_where(t_any(nan, ints_one(&last), true), end, t_mul(q, end));
    }
    memcpy(shape, x->shape, sizeof shape);
    shape[last] = q ? q->shape[0] : 0;
    Between b = between(t_expand(rank, (Ints){shape, x->dim}), interpolation);
    Tensor *low = picked(sorted[0], b.below);
    if (!b.share) {
        return low;
    }
    Tensor *gap = t_sub(picked(sorted[0], b.above), low);
    return t_add(low, t_mul(gap, t_cast(b.share, x->dtype)));
}

static bool is_interpolation(const char *name, const char *text) {
    static const char *const known[] = {"linear", "lower", "higher", "midpoint", "nearest"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(text, known[i]) == 0) {
            return true;
        }
    }
    return fail("%s: interpolation must be \"linear\", \"lower\", \"higher\", \"midpoint\" or "
                "\"nearest\", got \"%s\"",
                name, text);
}

static bool check_shares(const char *name, Tensor *q) {
    if (q->dim > 1 || !dtype_is_float(q->dtype)) {
        bool number = tensor_is_number(q);
        if (q->dim > 1 || !number) {
            return fail("%s: q must be a number or a float vector, got %s of shape %s", name,
                        dtype_name(q->dtype), shape_text(tensor_shape(q)));
        }
    }
    q = q->device.kind == DEVICE_CPU ? q : t_move(q, (Device){DEVICE_CPU, 0});
    for (int64_t i = 0; q && i < q->numel; i++) {
        int64_t at = q->dim ? i * q->stride[0] : 0;
        const char *p = (const char *)tensor_data(q) + at * (int64_t)dtype_size(q->dtype);
        double share = element_get_float(p, q->dtype);
        if (!(share >= 0 && share <= 1)) {
            return fail("%s: q must be in [0, 1], got %g", name, share);
        }
    }
    return q != NULL;
}

/* t with dim moved to the end. */
static Tensor *dim_last(Tensor *t, int64_t dim) {
    int64_t order[MAX_DIMS];
    int n = 0;
    for (int d = 0; d < t->dim; d++) {
        if (d != dim) {
            order[n++] = d;
        }
    }
    order[n++] = dim;
    return t_permute(t, (Ints){order, n});
}

static Tensor *last_first(Tensor *t) {
    int64_t order[MAX_DIMS];
    for (int d = 0; t && d < t->dim; d++) {
        order[d] = d == 0 ? t->dim - 1 : d - 1;
    }
    return t ? t_permute(t, (Ints){order, t->dim}) : NULL;
}

/* A number keeps all its digits, whatever float is the default. */
static Tensor *as_vector(Tensor *q, Device device) {
    if (!tensor_is_number(q)) {
        return t_reshape(q, INTS(1));
    }
    double share = element_get_float(tensor_data(q), q->dtype);
    return t_full(INTS(1), arg_float(share), DT_FLOAT64, device, false);
}

static Tensor *quantile(const char *name, const Arg *a, bool skip_nan) {
    Tensor *x = a[0].t, *q = a[1].t;
    bool all = a[2].kind == ARG_NONE || x->dim == 0, keepdim = a[3].b;
    int64_t dim = all ? 0 : a[2].i;
    if (x->dtype != DT_FLOAT32 && x->dtype != DT_FLOAT64) {
        return fail_null("%s: input must be float32, float64, got %s; convert it with "
                         ":to(\"float32\")",
                         name, dtype_name(x->dtype));
    }
    if (!is_interpolation(name, a[4].s) || !check_shares(name, q)) {
        return NULL;
    }
    if (x->numel == 0 && (all || x->shape[dim] == 0)) {
        return fail_null("%s: expected at least one element, got shape %s", name,
                         shape_text(tensor_shape(x)));
    }
    if (keepdim && q->dim + x->dim > MAX_DIMS) {
        return fail_null("%s: the result would have more than %d dims", name, MAX_DIMS);
    }
    Tensor *rows = all ? t_reshape(x, INTS(-1)) : dim_last(x, dim);
    Tensor *shares = q->dim ? q : as_vector(q, x->device);
    Tensor *found = quantiles(rows, shares, a[4].s, skip_nan);
    for (int d = 0; keepdim && found && d < (all ? x->dim : 1); d++) {
        found = t_unsqueeze(found, dim);
    }
    return q->dim ? last_first(found) : t_select(found, -1, 0);
}

Tensor *compose_quantile(const Arg *a, Tensor **out) {
    (void)out;
    return quantile("quantile", a, false);
}

Tensor *compose_nanquantile(const Arg *a, Tensor **out) {
    (void)out;
    return quantile("nanquantile", a, true);
}

/* Rows (n, m) in the order of their elements, the first counting most; order receives the
 * positions at which they stood. Sorts by one column after the other, the last first. */
static Tensor *sort_rows(Tensor *rows, Tensor **order) {
    Tensor *sorted[2] = {NULL, NULL};
    *order = t_arange(arg_int(rows->shape[0]), DT_INT64, rows->device, false);
    for (int64_t k = rows->shape[1] - 1; k >= 0; k--) {
        int mark = scope_open();
        Tensor *column = t_index_select(t_select(rows, 1, k), 0, *order);
        bool ok = t_sort(column, 0, false, true, sorted);
        *order = scope_close(mark, ok ? t_index_select(*order, 0, sorted[1]) : NULL);
        if (!*order) {
            return NULL;
        }
    }
    return t_index_select(rows, 0, *order);
}

/* A bool vector: which rows of (n, m), or elements of a vector, differ from the one before. */
static Tensor *differs(Tensor *t) {
    if (!t) {
        return NULL;
    }
    int64_t n = t->shape[0], last = 1;
    Tensor *first = t_ones(INTS(n > 0), DT_BOOL, t->device, false);
    if (n < 2) {
        return first;
    }
    Tensor *other = t_ne(t_narrow(t, 0, 1, n - 1), t_narrow(t, 0, 0, n - 1));
    Tensor *both[] = {first, t->dim > 1 ? t_any(other, ints_one(&last), false) : other};
    return both[1] ? t_cat((TensorList){both, 2}, 0) : NULL;
}

typedef struct Unique {
    bool sorted, inverse, counts;
    Tensor *entries; /* (n) or (n, m), in input's order */
    Tensor *order;   /* of the sorted entries; NULL where they stay as they are */
} Unique;

static Tensor *empty_positions(const Tensor *t) {
    return t_zeros(INTS(0), DT_INT64, t->device, false);
}

/* The different entries into out[0], each one's position there into out[1], how often they come
 * into out[2]; those not asked for are empty. */
static bool find_unique(Unique *u, Tensor **out) {
    Tensor *t = u->entries, *pair[2];
    int64_t n = t->shape[0];
    if (u->sorted && t->dim > 1) {
        t = sort_rows(t, &u->order);
    } else if (u->sorted) {
        t = t_sort(t, 0, false, true, pair) ? pair[0] : NULL;
        u->order = t ? pair[1] : NULL;
    }
    Tensor *starts = differs(t), *found = t_nonzero(starts);
    Tensor *places = found ? t_reshape(found, INTS(-1)) : NULL;
    out[0] = t_index_select(t, 0, places);
    out[1] = out[2] = out[0] ? empty_positions(out[0]) : NULL;
    if (out[0] && u->inverse) {
        Tensor *group = t_cumsum(starts, 0, DT_NONE);
        out[1] = u->order ? t_scatter(group, 0, u->order, group) : group;
    }
    if (out[0] && u->counts) {
        Tensor *end = t_full(INTS(1), arg_int(n + INDEX_BASE), DT_INT64, places->device, false);
        Tensor *ends[] = {places, end};
        Tensor *bounds = end ? t_cat((TensorList){ends, 2}, 0) : NULL;
        out[2] = t_diff(bounds, 1, 0, NULL, NULL);
    }
    return out[0] && out[1] && out[2];
}

/* Slices along dim as rows, and the rows that were found back as slices. */
static Tensor *slices_as_rows(const char *name, Tensor *t, int64_t dim) {
    if (t->dim == 0 || t->numel == 0) {
        return fail_null("%s: with dim, input must have elements and at least one dim, got shape "
                         "%s",
                         name, shape_text(tensor_shape(t)));
    }
    Tensor *front = t_transpose(t, 0, dim);
    return t_reshape(front, INTS(t->shape[dim], -1));
}

static Tensor *rows_as_slices(Tensor *rows, const Tensor *like, int64_t dim) {
    int64_t shape[MAX_DIMS];
    if (!rows) {
        return NULL;
    }
    memcpy(shape, like->shape, sizeof shape);
    shape[dim] = like->shape[0];
    shape[0] = rows->shape[0];
    return t_contiguous(t_transpose(t_reshape(rows, (Ints){shape, like->dim}), 0, dim));
}

static Tensor *unique(const char *name, Unique *u, Tensor *input, const Arg *dim, Tensor **out) {
    bool whole = dim->kind == ARG_NONE;
    u->entries = whole ? t_reshape(input, INTS(-1)) : slices_as_rows(name, input, dim->i);
    if (!u->entries || !find_unique(u, out)) {
        return NULL;
    }
    if (!whole) {
        out[0] = rows_as_slices(out[0], input, dim->i);
    } else if (u->inverse) {
        out[1] = t_reshape(out[1], tensor_shape(input));
    }
    return out[1] ? out[0] : NULL;
}

Tensor *compose_unique(const Arg *a, Tensor **out) {
    Unique u = {.sorted = true, .inverse = a[2].b, .counts = a[3].b};
    return unique("unique", &u, a[0].t, &a[4], out);
}

Tensor *compose_unique_consecutive(const Arg *a, Tensor **out) {
    Unique u = {.inverse = a[1].b, .counts = a[2].b};
    return unique("unique_consecutive", &u, a[0].t, &a[3], out);
}
