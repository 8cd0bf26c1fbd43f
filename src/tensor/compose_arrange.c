/* Turning, repeating and joining, by way of views and copies. */
#include <string.h>

#include "base/memory.h"
#include "tensor/op.h"

static Tensor *flip_one(const char *name, Tensor *t, int64_t dim) {
    if (t->dim <= dim) {
        return fail_null("%s: input must have at least %d dim%s, got shape %s", name, (int)dim + 1,
                         dim ? "s" : "", shape_text(tensor_shape(t)));
    }
    return t_flip(t, ints_one(&dim));
}

Tensor *compose_fliplr(const Arg *a, Tensor **out) {
    (void)out;
    return flip_one("fliplr", a[0].t, 1);
}

Tensor *compose_flipud(const Arg *a, Tensor **out) {
    (void)out;
    return flip_one("flipud", a[0].t, 0);
}

static Tensor *roll_one(Tensor *t, int64_t shift, int64_t dim) {
    if (!t || t->numel == 0 || t->dim == 0) {
        return t;
    }
    int64_t size = t->shape[dim], last = shift % size;
    last = last < 0 ? last + size : last;
    if (last == 0) {
        return t;
    }
    Tensor *both[] = {t_narrow(t, dim, size - last, last), t_narrow(t, dim, 0, size - last)};
    return both[0] && both[1] ? t_cat((TensorList){both, 2}, dim) : NULL;
}

Tensor *compose_roll(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t, *t = input;
    Ints shifts = arg_as_ints(a[1]), dims = arg_as_ints(a[2]);
    bool flat = dims.n <= 0;
    if (shifts.n != (flat ? 1 : dims.n)) {
        return fail_null("roll: shifts must have one number for each of dims, got %d and %d",
                         shifts.n, flat ? 0 : dims.n);
    }
    if (flat) {
        t = t_reshape(t_contiguous(t), INTS(-1));
        t = t_reshape(roll_one(t, shifts.v[0], 0), tensor_shape(input));
    }
    for (int i = 0; !flat && i < dims.n; i++) {
        t = roll_one(t, shifts.v[i], dims.v[i]);
    }
    return t && t->storage == input->storage ? t_clone(t) : t;
}

Tensor *compose_rot90(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    Ints dims = arg_as_ints(a[2]), plane = dims.n < 0 ? INTS(0, 1) : dims;
    if (plane.n != 2 || t->dim < 2) {
        return fail_null("rot90: input must have at least 2 dims and dims name 2, got shape %s%s",
                         shape_text(tensor_shape(t)), plane.n == 2 ? "" : " and another number");
    }
    int64_t from = plane.v[0], to = plane.v[1];
    switch (a[1].i & 3) {
    case 0: return t_clone(t);
    case 1: return t_transpose(t_flip(t, ints_one(&to)), from, to);
    case 2: return t_flip(t, plane);
    default: return t_transpose(t_flip(t, ints_one(&from)), from, to);
    }
}

/* t, none of whose sizes are 0 and which may lack the first of times.n dims, repeated along one dim
 * after the other: a copy each, which is faster than one of twice the dims. */
static Tensor *repeated_by_dims(Tensor *t, Ints times, const int64_t *shape) {
    int64_t outer = 1;
    for (int d = 0; t && d < times.n; d++) {
        int64_t inner = t->numel / outer;
        if (times.v[d] != 1) {
            Tensor *apart =
                t_expand(t_reshape(t, INTS(outer, 1, inner)), INTS(outer, times.v[d], inner));
            t = t_clone(apart);
        }
        outer *= shape[d];
    }
    return t_reshape(t, (Ints){shape, times.n});
}

/* The sizes of the result; false with an error recorded. */
static bool repeated_shape(const char *name, const Tensor *t, Ints times, int64_t *shape) {
    int lead = times.n - t->dim;
    for (int d = 0; d < times.n; d++) {
        if (times.v[d] < 0) {
            return fail("%s: repeats must not be negative, got %s", name, shape_text(times));
        }
        if (__builtin_mul_overflow(d < lead ? 1 : t->shape[d - lead], times.v[d], &shape[d])) {
            return fail("%s: the result would be too large", name);
        }
    }
    return shape_numel((Ints){shape, times.n}) >= 0 ||
           fail("%s: the result would be too large", name);
}

/* Repeats t along each of times.n dims, of which it may lack the first ones. */
static Tensor *repeated(const char *name, Tensor *t, Ints times) {
    int64_t shape[MAX_DIMS];
    if (!repeated_shape(name, t, times, shape)) {
        return NULL;
    }
    if (shape_numel((Ints){shape, times.n}) == 0) {
        return t_zeros((Ints){shape, times.n}, t->dtype, t->device, false);
    }
    Tensor *copy = repeated_by_dims(t, times, shape);
    return copy && copy->storage == t->storage ? t_clone(copy) : copy;
}

Tensor *compose_repeat(const Arg *a, Tensor **out) {
    (void)out;
    Ints times = arg_as_ints(a[1]);
    if (times.n < a[0].t->dim) {
        return fail_null("repeat: repeats must have a number for each of input's %d dims, got %d; "
                         "tile takes fewer",
                         a[0].t->dim, times.n);
    }
    return repeated("repeat", a[0].t, times);
}

Tensor *compose_tile(const Arg *a, Tensor **out) {
    (void)out;
    Ints times = arg_as_ints(a[1]);
    int64_t all[MAX_DIMS];
    int n = times.n > a[0].t->dim ? times.n : a[0].t->dim, missing = n - times.n;
    for (int d = 0; d < n; d++) {
        all[d] = d < missing ? 1 : times.v[d - missing];
    }
    return repeated("tile", a[0].t, (Ints){all, n});
}

/* The one number that counts holds; false with an error recorded where it cannot be read. */
static bool read_count(Tensor *t, int64_t *n) {
    if (t && t->device.kind != DEVICE_CPU) {
        t = t_move(t, (Device){DEVICE_CPU, 0});
    }
    if (!t) {
        return false;
    }
    *n = element_get_int(tensor_data(t), t->dtype);
    return true;
}

static bool check_output_size(const Arg *output_size, int64_t total) {
    return output_size->kind == ARG_NONE || output_size->i == total ||
           fail("repeat_interleave: output_size must be the sum of repeats, %lld, got %lld",
                (long long)total, (long long)output_size->i);
}

/* The position of the entry that each place of the result repeats: counts is a vector of int64. */
static Tensor *repeat_positions(Tensor *counts, const Arg *output_size) {
    int64_t least = 0, total = 0;
    if (!counts || counts->numel == 0) {
        return counts;
    }
    if (!read_count(t_amin(counts, NO_INTS, false), &least) ||
        !read_count(t_sum(counts, NO_INTS, false, DT_NONE), &total)) {
        return NULL;
    }
    if (least < 0) {
        return fail_null("repeat_interleave: repeats must not be negative, got %lld",
                         (long long)least);
    }
    if (!check_output_size(output_size, total)) {
        return NULL;
    }
    Tensor *places = t_arange(arg_int(total), DT_INT64, counts->device, false);
    return t_searchsorted(t_cumsum(counts, 0, DT_NONE), places, NULL, false, NULL, false);
}

Tensor *compose_repeat_interleave(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    bool flat = a[2].kind == ARG_NONE || t->dim == 0;
    int64_t dim = flat ? 0 : a[2].i, times = a[1].i, shape[MAX_DIMS], inner = 1;
    t = flat ? t_reshape(t, INTS(-1)) : t;
    if (!t) {
        return NULL;
    }
    if (times < 0) {
        return fail_null("repeat_interleave: repeats must not be negative, got %lld",
                         (long long)times);
    }
    memcpy(shape, t->shape, sizeof shape);
    if (__builtin_mul_overflow(shape[dim], times, &shape[dim]) ||
        shape_numel((Ints){shape, t->dim}) < 0) {
        return fail_null("repeat_interleave: the result would be too large");
    }
    if (!check_output_size(&a[3], shape[dim])) {
        return NULL;
    }
    for (int64_t d = dim + 1; d < t->dim; d++) {
        inner *= t->shape[d];
    }
    int64_t outer = inner ? t->numel / inner : 0;
    Tensor *apart = t_reshape(t, INTS(outer, 1, inner));
    return t_reshape(t_clone(t_expand(apart, INTS(outer, times, inner))), (Ints){shape, t->dim});
}

Tensor *compose_repeat_interleave__each(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t, *counts = a[1].t;
    bool flat = a[2].kind == ARG_NONE || t->dim == 0;
    int64_t dim = flat ? 0 : a[2].i;
    t = flat ? t_reshape(t, INTS(-1)) : t;
    if (!t) {
        return NULL;
    }
    if (dtype_kinds[counts->dtype] != KIND_INT || counts->dim > 1 ||
        (counts->numel != 1 && counts->numel != t->shape[dim])) {
        return fail_null("repeat_interleave: repeats must be a whole number, or a vector of one "
                         "for each of the %lld entries; got %s of shape %s",
                         (long long)t->shape[dim], dtype_name(counts->dtype),
                         shape_text(tensor_shape(counts)));
    }
    counts = t_expand(t_reshape(t_cast(counts, DT_INT64), INTS(-1)), ints_one(&t->shape[dim]));
    return t_index_select(t, dim, repeat_positions(counts, &a[3]));
}

/* A tensor with as many dims as there must be at least, as hstack and its like see it. */
typedef Tensor *Raise(Tensor *t);

static Tensor *as_vector(Tensor *t) { return t->dim ? t : t_reshape(t, INTS(1)); }
static Tensor *as_row(Tensor *t) { return t->dim < 2 ? t_reshape(t, INTS(1, -1)) : t; }
static Tensor *as_column(Tensor *t) { return t->dim < 2 ? t_reshape(t, INTS(-1, 1)) : t; }
static Tensor *as_plane(Tensor *t) {
    t = as_row(t);
    return t && t->dim == 2 ? t_unsqueeze(t, 2) : t;
}

static Tensor *joined(const char *name, const Arg *tensors, Raise *raise, int64_t dim) {
    int n = tensors->count;
    size_t bytes = (size_t)n * sizeof(Tensor *);
    if (n == 0) {
        return fail_null("%s: tensors must hold at least one tensor", name);
    }
    Tensor **list = mem_alloc(bytes), *result = NULL;
    bool ok = list != NULL;
    for (int i = 0; ok && i < n; i++) {
        Tensor *t = tensors->ts[i];
        list[i] = t ? raise(t) : fail_null("%s: tensor %d is missing", name, i + 1);
        ok = list[i] != NULL;
    }
    if (ok) {
        int64_t own = dim < list[0]->dim ? dim : list[0]->dim - 1;
        result = t_cat((TensorList){list, n}, own);
    }
    mem_free(list, bytes);
    return result;
}

Tensor *compose_hstack(const Arg *a, Tensor **out) {
    (void)out;
    return joined("hstack", &a[0], as_vector, 1);
}
Tensor *compose_vstack(const Arg *a, Tensor **out) {
    (void)out;
    return joined("vstack", &a[0], as_row, 0);
}
Tensor *compose_dstack(const Arg *a, Tensor **out) {
    (void)out;
    return joined("dstack", &a[0], as_plane, 2);
}
Tensor *compose_column_stack(const Arg *a, Tensor **out) {
    (void)out;
    return joined("column_stack", &a[0], as_column, 1);
}

Tensor *compose_movedim(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    Ints from = arg_as_ints(a[1]), to = arg_as_ints(a[2]);
    int64_t order[MAX_DIMS];
    uint32_t moved = 0, taken = 0;
    if (from.n != to.n) {
        return fail_null("movedim: source and destination must name as many dims, got %d and %d",
                         from.n, to.n);
    }
    if (t->dim == 0) {
        return t_permute(t, (Ints){order, 0});
    }
    for (int i = 0; i < from.n; i++) {
        order[to.v[i]] = from.v[i];
        moved |= 1u << from.v[i];
        taken |= 1u << to.v[i];
    }
    for (int d = 0, at = 0; d < t->dim; d++) {
        if (taken >> d & 1) {
            continue;
        }
        while (moved >> at & 1) {
            at++;
        }
        order[d] = at++;
    }
    return t_permute(t, (Ints){order, t->dim});
}

Tensor *compose_swapdims(const Arg *a, Tensor **out) {
    (void)out;
    return t_transpose(a[0].t, a[1].i, a[2].i);
}

Tensor *compose_take_along_dim(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t, *index = a[1].t;
    bool flat = a[2].kind == ARG_NONE;
    int64_t dim = flat ? 0 : a[2].i, one[MAX_DIMS], other[MAX_DIMS], shape[MAX_DIMS];
    if (flat) {
        return t_gather(t_reshape(t, INTS(-1)), 0, t_reshape(index, INTS(-1)));
    }
    if (t->dim != index->dim) {
        return fail_null("take_along_dim: indices must have input's dims, got shapes %s and %s",
                         shape_text(tensor_shape(index)), shape_text(tensor_shape(t)));
    }
    if (t->dim == 0) {
        return t_gather(t, 0, index);
    }
    memcpy(one, t->shape, sizeof one);
    memcpy(other, index->shape, sizeof other);
    one[dim] = other[dim] = 1;
    if (shape_broadcast((Ints){one, t->dim}, (Ints){other, t->dim}, shape) < 0) {
        return fail_null("take_along_dim: shapes %s and %s do not broadcast apart from dim %d",
                         shape_text(tensor_shape(t)), shape_text(tensor_shape(index)),
                         (int)dim + 1);
    }
    shape[dim] = t->shape[dim];
    Tensor *wide = t_expand(t, (Ints){shape, t->dim});
    shape[dim] = index->shape[dim];
    return t_gather(wide, dim, t_expand(index, (Ints){shape, t->dim}));
}
