/* Geometry of views. */
#include <string.h>

#include "tensor/op.h"
#include "tensor/transfer.h"

static void spec_view(Call *c, Ints shape, const int64_t *stride, int64_t offset) {
    OutSpec *s = &c->spec[0];
    spec_set(s, c->in[0]->dtype, shape);
    s->strided = true;
    s->offset = offset;
    memcpy(s->stride, stride, (size_t)shape.n * sizeof *stride);
}

/* Starts a view with the input's own geometry. */
static OutSpec *spec_same(Call *c) {
    const Tensor *t = c->in[0];
    spec_view(c, tensor_shape(t), t->stride, t->offset);
    return &c->spec[0];
}

/* The sizes asked for with a -1 worked out. */
static bool resolve_sizes(const Call *c, int arg, int64_t *out) {
    const Tensor *t = c->in[0];
    Ints size = arg_as_ints(c->arg[arg]);
    int64_t known = 1;
    int unknown = -1;
    for (int i = 0; i < size.n; i++) {
        out[i] = size.v[i];
        if (size.v[i] == -1 && unknown < 0) {
            unknown = i;
        } else if (size.v[i] < 0) {
            return fail("%s: sizes must not be negative (one may be -1), got %s",
                        c->op->public_name, shape_text(size));
        } else if (__builtin_mul_overflow(known, size.v[i], &known)) {
            return fail("%s: shape %s has too many elements", c->op->public_name, shape_text(size));
        }
    }
    if (unknown >= 0 && known > 0 && t->numel % known == 0) {
        out[unknown] = t->numel / known;
        known = t->numel;
    } else if (unknown >= 0) {
        known = -1;
    }
    if (known != t->numel || shape_numel((Ints){out, size.n}) < 0) {
        return fail("%s: shape %s does not hold the %lld elements of input (%s)",
                    c->op->public_name, shape_text(size), (long long)t->numel,
                    shape_text(tensor_shape(t)));
    }
    return true;
}

/* Strides under which the input's memory reads as shape; false where there are none. Input dims
 * are taken in runs that are contiguous among themselves, and new dims must fill each run. */
static bool view_strides(const Tensor *t, Ints shape, int64_t *stride) {
    if (t->numel == 0 || tensor_is_contiguous(t)) {
        shape_contiguous_strides(shape, stride);
        return true;
    }
    int to = shape.n - 1;
    for (int from = t->dim - 1; from >= 0;) {
        int64_t run = t->shape[from], step = t->stride[from];
        for (from--;
             from >= 0 && (t->shape[from] == 1 || run == 1 || t->stride[from] == run * step);
             from--) {
            if (run == 1) {
                step = t->stride[from];
            }
            run *= t->shape[from];
        }
        int64_t filled = 1;
        while (to >= 0 && (filled < run || shape.v[to] == 1)) {
            stride[to] = filled * step;
            filled *= shape.v[to--];
        }
        if (filled != run) {
            return false;
        }
    }
    while (to >= 0) {
        stride[to--] = 1;
    }
    return true;
}

bool infer_view(Call *c) {
    int64_t shape[MAX_DIMS], stride[MAX_DIMS];
    if (!resolve_sizes(c, 1, shape)) {
        return false;
    }
    const Tensor *t = c->in[0];
    Ints wanted = {shape, c->arg[1].count};
    if (!view_strides(t, wanted, stride)) {
        return fail("view: the strides of input (%s) do not allow shape %s without a copy; use "
                    "reshape",
                    shape_text(tensor_shape(t)), shape_text(wanted));
    }
    spec_view(c, wanted, stride, t->offset);
    return true;
}

static Tensor *reshape(Tensor *t, Ints size) {
    /* The sizes are checked by view; only its refusal for strides calls for a copy. */
    int64_t stride[MAX_DIMS];
    int64_t known = 1, shape[MAX_DIMS];
    int unknown = -1;
    for (int i = 0; i < size.n; i++) {
        shape[i] = size.v[i];
        if (size.v[i] < 0) {
            unknown = i;
        } else if (__builtin_mul_overflow(known, size.v[i], &known)) {
            return t_view(t, size);
        }
    }
    if (unknown >= 0) {
        shape[unknown] = known ? t->numel / known : 0;
    }
    bool fits = shape_numel((Ints){shape, size.n}) == t->numel;
    if (fits && !view_strides(t, (Ints){shape, size.n}, stride)) {
        t = t_contiguous(t);
    }
    return t ? t_view(t, size) : NULL;
}

Tensor *compose_reshape(const Arg *a, Tensor **out) {
    (void)out;
    return reshape(a[0].t, arg_as_ints(a[1]));
}

Tensor *compose_flatten(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    int64_t first = a[1].i, last = a[2].i;
    if (first > last) {
        return fail_null("flatten: start_dim (%lld) must not come after end_dim (%lld)",
                         (long long)first + 1, (long long)last + 1);
    }
    int64_t shape[MAX_DIMS], n = 0, run = 1;
    for (int i = 0; i < t->dim; i++) {
        if (i < first || i > last) {
            shape[n++] = t->shape[i];
            continue;
        }
        run *= t->shape[i];
        if (i == last) {
            shape[n++] = run;
        }
    }
    if (t->dim == 0) {
        shape[n++] = 1;
    }
    return reshape(t, (Ints){shape, (int)n});
}

Tensor *compose_contiguous(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    if (tensor_is_contiguous(t)) {
        return t;
    }
    int64_t stride[MAX_DIMS];
    shape_contiguous_strides(tensor_shape(t), stride);
    return t_as_strided_like(t, tensor_shape(t), (Ints){stride, t->dim});
}

Tensor *compose_to(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    bool cast = a[1].kind != ARG_NONE && a[1].i != t->dtype;
    bool move = a[2].kind != ARG_NONE && !device_equal(device_of_arg(a[2]), t->device);
    if (!cast && !move) {
        return a[3].b ? t_clone(t) : t;
    }
    if (cast) {
        t = t_cast(t, (int)a[1].i);
    }
    if (!move) {
        return t;
    }
    transfer_may_return_early = a[4].b;
    Tensor *moved = t_move(t, device_of_arg(a[2]));
    transfer_may_return_early = false;
    return moved;
}

Tensor *compose_stack(const Arg *a, Tensor **out) {
    (void)out;
    if (a[0].count == 0) {
        return fail_null("stack: tensors must not be empty");
    }
    Tensor *few[16];
    Tensor *first = a[0].ts[0];
    Tensor *joined = NULL;
    /* Joined in groups, so that any number of tensors needs no memory of its own here. */
    for (int i = 0; i < a[0].count;) {
        int n = 0;
        if (joined) {
            few[n++] = joined;
        }
        for (; i < a[0].count && n < 16; i++) {
            Tensor *t = a[0].ts[i];
            if (!tensor_same_shape(t, first)) {
                return fail_null("stack: all tensors must have one shape; the first has %s, number "
                                 "%d has %s",
                                 shape_text(tensor_shape(first)), i + 1,
                                 shape_text(tensor_shape(t)));
            }
            few[n] = t_unsqueeze(t, a[1].i);
            if (!few[n++]) {
                return NULL;
            }
        }
        joined = t_cat((TensorList){few, n}, a[1].i);
        if (!joined) {
            return NULL;
        }
    }
    return joined;
}

static void swap(int64_t *v, int64_t i, int64_t j) {
    int64_t t = v[i];
    v[i] = v[j];
    v[j] = t;
}

bool infer_transpose(Call *c) {
    OutSpec *s = spec_same(c);
    if (s->dim) {
        swap(s->shape, c->arg[1].i, c->arg[2].i);
        swap(s->stride, c->arg[1].i, c->arg[2].i);
    }
    return true;
}

bool infer_t(Call *c) {
    OutSpec *s = spec_same(c);
    if (s->dim > 2) {
        return fail("t: input must have at most 2 dims, got %s; use transpose or permute",
                    shape_text(tensor_shape(c->in[0])));
    }
    if (s->dim == 2) {
        swap(s->shape, 0, 1);
        swap(s->stride, 0, 1);
    }
    return true;
}

bool infer_permute(Call *c) {
    const Tensor *t = c->in[0];
    Ints dims = arg_as_ints(c->arg[1]);
    if (dims.n != t->dim) {
        return fail("permute: dims must name each of the %d dims once, got %d", t->dim, dims.n);
    }
    OutSpec *s = spec_same(c);
    for (int i = 0; i < dims.n; i++) {
        s->shape[i] = t->shape[dims.v[i]];
        s->stride[i] = t->stride[dims.v[i]];
    }
    return true;
}

static bool needs_dim(const Call *c) {
    return c->in[0]->dim > 0
               ? true
               : fail("%s: a 0-dim tensor has no dim to take from", c->op->public_name);
}

bool infer_narrow(Call *c) {
    const Tensor *t = c->in[0];
    if (!needs_dim(c)) {
        return false;
    }
    OutSpec *s = spec_same(c);
    int64_t dim = c->arg[1].i, size = t->shape[dim], length = c->arg[3].i;
    int64_t start = c->arg[2].i;
    /* An empty range may start right behind the last entry. */
    if (!(length == 0 && start == size) && !op_position(c, 2, size, &start)) {
        return false;
    }
    if (length < 0 || length > size - start) {
        return fail("narrow: start %lld and length %lld do not fit into dim %lld of size %lld",
                    (long long)start + 1, (long long)length, (long long)dim + 1, (long long)size);
    }
    s->shape[dim] = length;
    s->offset += t->numel && length ? start * t->stride[dim] : 0;
    return true;
}

/* First and last (0-based, both included) of a range along a dim, and its step. */
typedef struct Range {
    int64_t first, count, step;
} Range;

static bool resolve_range(const Call *c, int at, int64_t size, Range *r) {
    int64_t first = c->arg[at].i, last = c->arg[at + 1].i, step = c->arg[at + 2].i;
    const char *name = c->op->public_name;
    if (step < 1) {
        return fail("%s: step must be positive, got %lld; use flip to go backwards", name,
                    (long long)step);
    }
    int64_t f = first < 0 ? first + size : first;
    int64_t l = last == POSITION_ZERO ? -1 : last < 0 ? last + size : last;
    bool empty = l == f - 1;
    if (first == POSITION_ZERO || f < 0 || f > size || (!empty && (l < f || l >= size))) {
        return fail("%s: range %lld to %lld does not fit into a dim of size %lld", name,
                    (long long)(first == POSITION_ZERO ? 0
                                : first < 0            ? first
                                                       : first + 1),
                    (long long)(last == POSITION_ZERO ? 0
                                : last < 0            ? last
                                                      : last + 1),
                    (long long)size);
    }
    *r = (Range){f, empty ? 0 : (l - f) / step + 1, step};
    return true;
}

bool infer_slice(Call *c) {
    const Tensor *t = c->in[0];
    Range r;
    if (!needs_dim(c) || !resolve_range(c, 2, t->shape[c->arg[1].i], &r)) {
        return false;
    }
    OutSpec *s = spec_same(c);
    int64_t dim = c->arg[1].i;
    s->shape[dim] = r.count;
    s->offset += t->numel && r.count ? r.first * t->stride[dim] : 0;
    s->stride[dim] = stride_times(s->stride[dim], r.step);
    return true;
}

bool infer_slice_scatter(Call *c) {
    const Tensor *t = c->in[0], *src = c->in[1];
    int64_t dim = c->arg[2].i;
    Range r;
    if (!needs_dim(c) || !resolve_range(c, 3, t->shape[dim], &r)) {
        return false;
    }
    int64_t shape[MAX_DIMS];
    memcpy(shape, t->shape, sizeof shape);
    shape[dim] = r.count;
    Ints wanted = {shape, t->dim};
    if (src->dim != t->dim || memcmp(shape, src->shape, t->dim * sizeof *shape) != 0) {
        return fail("slice_scatter: src must have shape %s, got %s", shape_text(wanted),
                    shape_text(tensor_shape(src)));
    }
    spec_set(&c->spec[0], t->dtype, tensor_shape(t));
    return true;
}

bool infer_select(Call *c) {
    const Tensor *t = c->in[0];
    int64_t dim = c->arg[1].i, at;
    if (!needs_dim(c) || !op_position(c, 2, t->shape[dim], &at)) {
        return false;
    }
    OutSpec *s = spec_same(c);
    s->offset += t->numel ? at * t->stride[dim] : 0;
    s->dim--;
    for (int64_t i = dim; i < s->dim; i++) {
        s->shape[i] = s->shape[i + 1];
        s->stride[i] = s->stride[i + 1];
    }
    return true;
}

bool infer_expand(Call *c) {
    const Tensor *t = c->in[0];
    Ints size = arg_as_ints(c->arg[1]);
    int64_t shape[MAX_DIMS], stride[MAX_DIMS];
    int shift = size.n - t->dim;
    bool ok = shift >= 0;
    for (int i = 0; ok && i < size.n; i++) {
        int64_t own = i < shift ? 1 : t->shape[i - shift];
        bool keep = size.v[i] == -1 && i >= shift;
        shape[i] = keep ? own : size.v[i];
        stride[i] = i < shift || (own == 1 && shape[i] != 1) ? 0 : t->stride[i - shift];
        ok = shape[i] >= 0 && (own == shape[i] || own == 1);
    }
    if (!ok) {
        return fail(
            "expand: shape %s does not expand to %s: counted from the last dim, a size must "
            "be 1 or stay",
            shape_text(tensor_shape(t)), shape_text(size));
    }
    if (shape_numel((Ints){shape, size.n}) < 0) {
        return fail("expand: shape %s has too many elements", shape_text(size));
    }
    spec_view(c, (Ints){shape, size.n}, stride, t->offset);
    return true;
}

bool infer_squeeze(Call *c) {
    const Tensor *t = c->in[0];
    Ints dims = arg_as_ints(c->arg[1]);
    uint32_t chosen = dims.n < 0 ? ~0u : 0;
    for (int i = 0; i < dims.n; i++) {
        chosen |= 1u << dims.v[i];
    }
    OutSpec *s = spec_same(c);
    s->dim = 0;
    for (int i = 0; i < t->dim; i++) {
        if (t->shape[i] != 1 || !(chosen & 1u << i)) {
            s->shape[s->dim] = t->shape[i];
            s->stride[s->dim++] = t->stride[i];
        }
    }
    return true;
}

bool infer_unsqueeze(Call *c) {
    const Tensor *t = c->in[0];
    if (t->dim == MAX_DIMS) {
        return fail("unsqueeze: input has %d dims already, more are not supported", MAX_DIMS);
    }
    OutSpec *s = spec_same(c);
    int at = (int)c->arg[1].i;
    for (int i = s->dim; i > at; i--) {
        s->shape[i] = s->shape[i - 1];
        s->stride[i] = s->stride[i - 1];
    }
    s->stride[at] = at < t->dim && t->numel ? t->stride[at] * t->shape[at] : 1;
    s->shape[at] = 1;
    s->dim++;
    return true;
}

/* Checks a window (sizes and strides at arguments at, at + 1) on memory of have elements. */
static bool check_window(const Call *c, int at, int64_t offset, int64_t have) {
    const char *name = c->op->public_name;
    Ints size = arg_as_ints(c->arg[at]), stride = arg_as_ints(c->arg[at + 1]);
    if (size.n != stride.n) {
        return fail("%s: size has %d numbers and stride %d", name, size.n, stride.n);
    }
    int64_t last = offset, reach;
    bool ok = offset >= 0 && shape_numel(size) >= 0, empty = false;
    for (int i = 0; ok && i < size.n; i++) {
        empty |= size.v[i] == 0;
        ok = size.v[i] >= 0 && stride.v[i] >= 0 &&
             (size.v[i] == 0 || (!__builtin_mul_overflow(size.v[i] - 1, stride.v[i], &reach) &&
                                 !__builtin_add_overflow(last, reach, &last)));
    }
    if (!ok || (empty ? offset > have : last >= have)) {
        return fail("%s: size %s, stride %s, offset %lld leave the memory of %lld elements", name,
                    shape_text(size), shape_text(stride), (long long)offset, (long long)have);
    }
    return true;
}

bool infer_as_strided(Call *c) {
    const Tensor *t = c->in[0];
    int64_t offset = c->arg[3].kind == ARG_NONE ? t->offset : c->arg[3].i;
    int64_t have = (int64_t)(t->storage->bytes / dtype_size(t->dtype));
    if (!check_window(c, 1, offset, have)) {
        return false;
    }
    spec_view(c, arg_as_ints(c->arg[1]), c->arg[2].ints, offset);
    /* Strides that no element follows, of dims of size 1 or in empty tensors, may be anything; they
     * are bounded, so that no product of them overflows. */
    for (int i = 0; i < c->spec[0].dim; i++) {
        int64_t *stride = &c->spec[0].stride[i];
        *stride = *stride < have ? *stride : have;
    }
    return true;
}

bool infer_as_strided_scatter(Call *c) {
    const Tensor *t = c->in[0], *src = c->in[1];
    Ints size = arg_as_ints(c->arg[2]);
    if (!check_window(c, 2, c->arg[4].i, t->numel)) {
        return false;
    }
    if (src->dim != size.n || memcmp(src->shape, size.v, (size_t)size.n * sizeof *size.v) != 0) {
        return fail("as_strided_scatter: src must have shape %s, got %s", shape_text(size),
                    shape_text(tensor_shape(src)));
    }
    Tensor window = {.dim = (uint8_t)size.n, .numel = shape_numel(size)};
    memcpy(window.shape, size.v, (size_t)size.n * sizeof *size.v);
    memcpy(window.stride, c->arg[3].ints, (size_t)size.n * sizeof *size.v);
    if (!tensor_is_nonoverlapping(&window)) {
        return fail("as_strided_scatter: elements of the window share memory");
    }
    if (!tensor_is_dense(t)) {
        return fail("as_strided_scatter: input must fill its memory without gaps");
    }
    spec_set(&c->spec[0], t->dtype, tensor_shape(t));
    c->spec[0].strided = true;
    memcpy(c->spec[0].stride, t->stride, t->dim * sizeof *t->stride);
    return true;
}

bool infer_as_strided_like(Call *c) {
    const Tensor *t = c->in[0];
    Tensor like = {.dim = t->dim, .numel = t->numel};
    if (c->arg[1].count != t->dim || c->arg[2].count != t->dim) {
        return fail("as_strided_like: size and stride must have %d numbers", t->dim);
    }
    memcpy(like.shape, c->arg[1].ints, t->dim * sizeof *t->shape);
    memcpy(like.stride, c->arg[2].ints, t->dim * sizeof *t->stride);
    if (memcmp(like.shape, t->shape, t->dim * sizeof *t->shape) != 0 || !tensor_is_dense(&like)) {
        return fail("as_strided_like: size must be input's and stride must fill memory without "
                    "gaps, got %s and %s",
                    shape_text(arg_as_ints(c->arg[1])), shape_text(arg_as_ints(c->arg[2])));
    }
    spec_set(&c->spec[0], t->dtype, tensor_shape(t));
    c->spec[0].strided = true;
    shape_contiguous_strides(tensor_shape(t), c->spec[0].stride);
    for (int i = 0; t->numel && i < t->dim; i++) {
        if (t->shape[i] != 1) {
            c->spec[0].stride[i] = like.stride[i];
        }
    }
    return true;
}
