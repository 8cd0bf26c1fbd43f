/* Embeddings with bounded rows, bags of rows, and the kinds of dropout. */
#include <math.h>
#include <string.h>

#include "autograd/tape.h"
#include "tensor/widen.h"

static Tensor *given(const Arg *a) { return a->kind == ARG_TENSOR ? a->t : NULL; }
static Tensor *num(double x) { return tensor_number(x); }

/* How a table is read. */
typedef struct Table {
    const char *name;
    Tensor *weight;
    Arg padding, max_norm;
    double norm_type;
    bool by_frequency;
} Table;

/* Scales the rows that index reads down to max_norm, in place and outside the graph. */
static bool bound_rows(const Table *t, Tensor *index) {
    bool was = modes.recording;
    modes.recording = false;
    Tensor *weight = tensor_detach(t->weight), *unique[3];
    bool ok = weight && t_unique(index, true, false, false, arg_none(), unique);
    if (ok) {
        Tensor *rows = t_index_select(weight, 0, unique[0]);
        Tensor *size = t_norm(widened(rows), arg_float(t->norm_type), INTS(1), true, DT_NONE);
        Tensor *scale = t_div(num(t->max_norm.f), t_add(size, num(1e-7)));
        Tensor *large = t_gt(size, num(t->max_norm.f));
        Tensor *bounded = t_where(large, t_mul(widened(rows), scale), widened(rows));
        bounded = rounded(bounded, t->weight->dtype);
        ok = bounded && t_index_put_(weight, (TensorList){unique, 1}, bounded, false);
    }
    modes.recording = was;
    return ok;
}

/* 1 / how often each entry of index stands in it, in index's shape. */
static Tensor *frequency_share(const Table *t, Tensor *index) {
    int dtype = t->weight->dtype;
    Tensor *flat = t_reshape(index, INTS(index->numel));
    Tensor *none = t_zeros(INTS(t->weight->shape[0]), DT_FLOAT32, index->device, false);
    Tensor *one = t_ones(INTS(index->numel), DT_FLOAT32, index->device, false);
    Tensor *counts = t_index_select(t_index_add(none, 0, flat, one), 0, flat);
    return rounded(t_reshape(t_reciprocal(counts), tensor_shape(index)), dtype);
}

static Tensor *read_rows(const Table *t, Tensor *index) {
    if (t->weight->dim == 2 && t->max_norm.kind == ARG_FLOAT && index->numel > 0) {
        if (!dtype_is_float(t->weight->dtype)) {
            return fail_null("%s: max_norm needs a float weight, got %s", t->name,
                             dtype_name(t->weight->dtype));
        }
        if (!bound_rows(t, index)) {
            return NULL;
        }
    }
    Tensor *rows = t_embedding(index, t->weight, t->padding);
    if (!rows || !t->by_frequency || !dtype_is_float(rows->dtype)) {
        return rows;
    }
    Tensor *share = t_unsqueeze(frequency_share(t, index), -1);
    return t_scale_grad(rows, t_expand(share, tensor_shape(rows)));
}

/* Positions as int64, as kernels take them. */
static Tensor *as_index(const char *name, const char *what, Tensor *t) {
    if (t && (dtype_is_float(t->dtype) || t->dtype == DT_BOOL)) {
        return fail_null("%s: %s must be an integer tensor, got %s", name, what,
                         dtype_name(t->dtype));
    }
    return rounded(t, DT_INT64);
}

Tensor *compose_embedding__scaled(const Arg *a, Tensor **out) {
    (void)out;
    Table t = {.name = "embedding",
               .weight = a[1].t,
               .padding = a[2],
               .max_norm = a[3],
               .norm_type = a[4].f,
               .by_frequency = a[5].b};
    Tensor *index = as_index("embedding", "input", a[0].t);
    return index ? read_rows(&t, index) : NULL;
}

/* Which rows each bag holds: flat positions, and for each the number of its bag, counted from 1. */
typedef struct Bags {
    Tensor *index, *bag;
    int64_t count;
} Bags;

static const char bag_name[] = "embedding_bag";

/* Bag numbers from the positions where bags begin: how many do not begin behind an entry. */
static Tensor *bags_from_offsets(Bags *b, Tensor *offsets, bool with_last) {
    int64_t entries = b->index->numel;
    if (offsets->dim != 1 || (with_last && offsets->shape[0] < 1)) {
        return fail_null("%s: offsets must be a vector%s, got shape %s", bag_name,
                         with_last ? " of one entry more than there are bags" : "",
                         shape_text(tensor_shape(offsets)));
    }
    b->count = offsets->shape[0] - with_last;
    Tensor *starts = t_narrow(offsets, 0, 0, b->count);
    Tensor *none = t_zeros(INTS(entries + 1), DT_INT64, offsets->device, false);
    Tensor *one = t_ones(INTS(b->count), DT_INT64, offsets->device, false);
    Tensor *begun = t_cumsum(t_index_add(none, 0, starts, one), 0, DT_NONE);
    return t_narrow(begun, 0, 0, entries);
}

/* Offsets must begin with 1 and not fall; with_last: and end behind the entries. */
static bool check_offsets(const Bags *b, Tensor *offsets, bool with_last) {
    int64_t n = offsets->numel;
    Tensor *host = offsets->device.kind == DEVICE_CPU
                       ? t_contiguous(offsets)
                       : t_contiguous(t_move(offsets, (Device){DEVICE_CPU, 0}));
    if (!host) {
        return false;
    }
    const int64_t *at = tensor_data(host);
    for (int64_t i = 0; i < n; i++) {
        int64_t least = i ? at[i - 1] : INDEX_BASE;
        bool first = i || at[0] == INDEX_BASE;
        if (!first || at[i] < least || at[i] > b->index->numel + INDEX_BASE) {
            return fail("%s: offsets must begin with 1, not fall and be at most %lld, got %lld at "
                        "position %lld",
                        bag_name, (long long)(b->index->numel + INDEX_BASE), (long long)at[i],
                        (long long)(i + 1));
        }
    }
    bool all = n > 0 || b->index->numel == 0;
    all = all && (!with_last || at[n - 1] == b->index->numel + INDEX_BASE);
    return all || fail("%s: offsets must cover all %lld entries of input", bag_name,
                       (long long)b->index->numel);
}

static bool read_bags(Bags *b, Tensor *input, Tensor *offsets, bool with_last) {
    if (!input) {
        return false;
    }
    if (input->dim == 2 && !offsets) {
        b->count = input->shape[0];
        Tensor *numbers = t_arange__range(arg_int(INDEX_BASE), arg_int(b->count), arg_int(1),
                                          DT_INT64, input->device, false);
        b->index = t_reshape(input, INTS(input->numel));
        numbers = b->count ? t_unsqueeze(numbers, 1) : numbers;
        b->bag = b->count ? t_reshape(t_expand(numbers, tensor_shape(input)), INTS(input->numel))
                          : b->index;
        return b->index && b->bag;
    }
    if (input->dim != 1 || !offsets) {
        return fail("%s: input must be (B, L) without offsets or (K) with offsets, got shape %s%s",
                    bag_name, shape_text(tensor_shape(input)), offsets ? " and offsets" : "");
    }
    b->index = input;
    if (offsets->dim == 1 && !check_offsets(b, offsets, with_last)) {
        return false;
    }
    b->bag = bags_from_offsets(b, offsets, with_last);
    return b->bag != NULL;
}

/* 1 for each entry that counts, 0 for the padding: (K, 1) in dtype; NULL where all count. */
static Tensor *counting(const Table *t, const Bags *b, int dtype) {
    if (t->padding.kind == ARG_NONE) {
        return NULL;
    }
    int64_t row = t->padding.i < 0 ? t->padding.i + t->weight->shape[0] + INDEX_BASE : t->padding.i;
    return t_unsqueeze(t_cast(t_ne(b->index, tensor_number_int(row)), dtype), 1);
}

static Tensor *add_up(const Bags *b, Tensor *rows) {
    Tensor *none =
        rows ? t_zeros(INTS(b->count, rows->shape[1]), rows->dtype, rows->device, false) : NULL;
    return t_index_add(none, 0, b->bag, rows);
}

/* The largest of each bag, by column; 0 where there is none. */
static Tensor *largest(const Bags *b, Tensor *rows, Tensor *counts) {
    if (!rows) {
        return NULL;
    }
    Tensor *least = num(-INFINITY);
    if (counts) {
        rows = t_where(t_gt(counts, num(0)), rows, least);
    }
    Ints shape = INTS(b->count, rows ? rows->shape[1] : 0);
    Tensor *none = t_full(shape, arg_float(-INFINITY), DT_FLOAT64, b->bag->device, false);
    none = rows ? rounded(none, rows->dtype) : NULL;
    Tensor *bag = rows ? t_expand(t_unsqueeze(b->bag, 1), tensor_shape(rows)) : NULL;
    Tensor *most = t_scatter_reduce(none, 0, bag, rows, "amax", true);
    return t_where(t_eq(most, least), num(0), most);
}

Tensor *compose_embedding_bag(const Arg *a, Tensor **out) {
    (void)out;
    Table t = {.name = bag_name,
               .weight = a[1].t,
               .max_norm = a[3],
               .norm_type = a[4].f,
               .by_frequency = a[5].b,
               .padding = a[9]};
    const char *mode = a[6].s;
    bool sum = strcmp(mode, "sum") == 0, mean = strcmp(mode, "mean") == 0;
    Tensor *shares = given(&a[7]);
    int dtype = t.weight->dtype;
    if (!sum && !mean && strcmp(mode, "max") != 0) {
        return fail_null("%s: mode must be \"sum\", \"mean\" or \"max\", got \"%s\"", bag_name,
                         mode);
    }
    if (!dtype_is_float(dtype)) {
        return fail_null("%s: weight must be float16, bfloat16, float32, float64, got %s", bag_name,
                         dtype_name(dtype));
    }
    if (shares && (!sum || !tensor_same_shape(shares, a[0].t) || shares->dtype != dtype)) {
        return fail_null("%s: per_sample_weights need mode \"sum\", input's shape %s and weight's "
                         "dtype %s, got \"%s\", %s and %s",
                         bag_name, shape_text(tensor_shape(a[0].t)), dtype_name(dtype), mode,
                         shape_text(tensor_shape(shares)), dtype_name(shares->dtype));
    }
    Bags b = {0};
    Tensor *offsets = as_index(bag_name, "offsets", given(&a[2]));
    if (error_message() || !read_bags(&b, as_index(bag_name, "input", a[0].t), offsets, a[8].b)) {
        return NULL;
    }
    Tensor *rows = widened(read_rows(&t, b.index));
    Tensor *counts = rows ? counting(&t, &b, rows->dtype) : NULL;
    if (error_message()) {
        return NULL;
    }
    if (!sum && !mean) {
        return rounded(largest(&b, rows, counts), dtype);
    }
    rows = counts ? t_mul(rows, counts) : rows;
    if (shares) {
        rows = t_mul(rows, t_reshape(widened(shares), INTS(b.index->numel, 1)));
    }
    Tensor *total = add_up(&b, rows);
    if (mean && rows) {
        Tensor *one =
            counts ? counts : t_ones(INTS(b.index->numel, 1), rows->dtype, rows->device, false);
        total = t_div(total, t_clamp(add_up(&b, one), arg_float(1), arg_none()));
    }
    return rounded(total, dtype);
}

/* 0 or 1 / (1 - p) for each of the first lead dims of input, to broadcast over it. */
static Tensor *mask_of(const Tensor *input, int lead, double p) {
    int64_t shape[MAX_DIMS];
    for (int d = 0; d < input->dim; d++) {
        shape[d] = d < lead ? input->shape[d] : 1;
    }
    int dtype = is_half(input->dtype) ? DT_FLOAT32 : dtype_real_of(input->dtype);
    return t_dropout_mask(t_empty((Ints){shape, input->dim}, dtype, input->device, false), p);
}

static bool check_dropout(const char *name, const Tensor *input, double p, uint32_t dtypes) {
    if (!(p >= 0 && p <= 1)) {
        return fail("%s: p must be in [0, 1], got %g", name, p);
    }
    return dtypes & 1u << input->dtype || fail("%s: input must be %s, got %s", name,
                                               dtype_set_text(dtypes), dtype_name(input->dtype));
}

/* dropout of channels; input has dims dims with a batch and, single, one less without. */
static Tensor *drop_channels(const char *name, const Arg *a, int least, int most, int single) {
    Tensor *input = a[0].t;
    double p = a[1].f;
    if (!check_dropout(name, input, p, DTSET_FIELD)) {
        return NULL;
    }
    if (input->dim < least || input->dim > most) {
        return fail_null("%s: input must have %d or %d dims, got shape %s", name, least, most,
                         shape_text(tensor_shape(input)));
    }
    if (!a[2].b || p == 0) {
        return input;
    }
    Tensor *mask = mask_of(input, input->dim == single ? 1 : 2, p);
    return rounded(t_mul(widened(input), mask), input->dtype);
}

Tensor *compose_dropout1d(const Arg *a, Tensor **out) {
    (void)out;
    return drop_channels("dropout1d", a, 2, 3, 2);
}

Tensor *compose_dropout2d(const Arg *a, Tensor **out) {
    (void)out;
    return drop_channels("dropout2d", a, 3, 4, 0);
}

Tensor *compose_dropout3d(const Arg *a, Tensor **out) {
    (void)out;
    return drop_channels("dropout3d", a, 4, 5, 4);
}

static Tensor *alpha_dropout(const char *name, const Arg *a, bool channels) {
    Tensor *input = a[0].t;
    double p = a[1].f;
    if (!check_dropout(name, input, p, DTSET_FLOAT)) {
        return NULL;
    }
    if (channels && input->dim < 2) {
        return fail_null("%s: input must be (N, C, *), got shape %s", name,
                         shape_text(tensor_shape(input)));
    }
    if (!a[2].b || p == 0) {
        return input;
    }
    if (p == 1) {
        return t_mul(input, num(0));
    }
    /* Where selu goes for very negative numbers. */
    const double low = -1.0507009873554805 * 1.6732632423543772;
    double scale = 1 / sqrt((low * low * p + 1) * (1 - p));
    Tensor *kept = t_gt(mask_of(input, channels ? 2 : input->dim, p), num(0));
    Tensor *moved = t_add(t_mul(widened(input), num(scale)), num(-low * scale * p));
    return rounded(t_where(kept, moved, num(low * scale * (1 - p))), input->dtype);
}

Tensor *compose_alpha_dropout(const Arg *a, Tensor **out) {
    (void)out;
    return alpha_dropout("alpha_dropout", a, false);
}

Tensor *compose_feature_alpha_dropout(const Arg *a, Tensor **out) {
    (void)out;
    return alpha_dropout("feature_alpha_dropout", a, true);
}
