/* Output shapes of the ops that read and write at positions, and of cat. */
#include <string.h>

#include "tensor/index_plan.h"
#include "tensor/op.h"

static const char *name_of(const Call *c) { return c->op->public_name; }

/* Same dims as input, and in all but dim at most its sizes. */
static bool check_index_shape(const Call *c, int64_t dim) {
    const Tensor *input = c->in[0], *index = c->in[1];
    bool ok = index->dim == input->dim;
    for (int d = 0; ok && d < index->dim; d++) {
        ok = d == dim || index->shape[d] <= input->shape[d];
    }
    return ok || index->numel == 0 ||
           fail("%s: index must have the dims of input and, but in dim %d, at most its sizes; got "
                "shapes %s and %s",
                name_of(c), (int)dim + 1, shape_text(tensor_shape(index)),
                shape_text(tensor_shape(input)));
}

bool infer_gather(Call *c) {
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[1]));
    return check_index_shape(c, c->arg[1].i);
}

static bool infer_into_positions(Call *c) {
    const Tensor *index = c->in[1], *src = c->in[2];
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    if (!check_index_shape(c, c->arg[1].i)) {
        return false;
    }
    bool ok = src->dim == index->dim || src->dim == 0;
    for (int d = 0; ok && d < src->dim; d++) {
        ok = index->shape[d] <= src->shape[d];
    }
    return ok || index->numel == 0 ||
           fail("%s: src must be a number or have the dims of index and at least its sizes; got "
                "shapes %s and %s",
                name_of(c), shape_text(tensor_shape(src)), shape_text(tensor_shape(index)));
}

bool infer_scatter_join(Call *c) {
    const char *reduce = c->arg[4].s;
    if (strcmp(reduce, "prod") != 0 && strcmp(reduce, "amax") != 0 && strcmp(reduce, "amin") != 0) {
        return fail("%s: reduce must be \"prod\", \"amax\" or \"amin\", got \"%s\"", name_of(c),
                    reduce);
    }
    return infer_into_positions(c);
}

bool infer_scatter(Call *c) { return infer_into_positions(c); }
bool infer_scatter_add(Call *c) { return infer_into_positions(c); }

static bool check_vector(const Call *c) {
    const Tensor *index = c->in[1];
    return index->dim <= 1 ||
           fail("%s: index must be a vector, got shape %s; flatten it with index:flatten()",
                name_of(c), shape_text(tensor_shape(index)));
}

bool infer_index_select(Call *c) {
    const Tensor *input = c->in[0], *index = c->in[1];
    OutSpec *s = &c->spec[0];
    spec_set(s, c->dtype, tensor_shape(input));
    if (input->dim) {
        s->shape[c->arg[1].i] = index->numel;
    } else if (index->numel != 1) {
        return fail("%s: from a scalar exactly one position can be taken, got %lld", name_of(c),
                    (long long)index->numel);
    }
    return check_vector(c);
}

bool infer_index_add(Call *c) {
    const Tensor *input = c->in[0], *index = c->in[1], *source = c->in[2];
    int64_t dim = c->arg[1].i, shape[MAX_DIMS];
    spec_set(&c->spec[0], c->dtype, tensor_shape(input));
    memcpy(shape, input->shape, sizeof shape);
    if (input->dim) {
        shape[dim] = index->numel;
    }
    Ints wanted = {shape, input->dim};
    bool same = source->dim == input->dim &&
                memcmp(shape, source->shape, (size_t)input->dim * sizeof *shape) == 0 &&
                (input->dim || index->numel == 1);
    return check_vector(c) &&
           (same || fail("%s: for %lld position%s along dim %d source must have shape %s, got %s",
                         name_of(c), (long long)index->numel, index->numel == 1 ? "" : "s",
                         (int)dim + 1, shape_text(wanted), shape_text(tensor_shape(source))));
}

bool infer_index_copy(Call *c) { return infer_index_add(c); }

bool infer_index_fill(Call *c) {
    const Tensor *value = c->in[2];
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    return check_vector(c) &&
           (value->dim == 0 || fail("%s: value must be a number or a 0-dim tensor, got shape %s",
                                    name_of(c), shape_text(tensor_shape(value))));
}

bool infer_nonzero_static(Call *c) {
    int64_t size = c->arg[1].i;
    spec_set(&c->spec[0], DT_INT64, INTS(size, c->in[0]->dim));
    return size >= 0 ||
           fail("%s: size must not be negative, got %lld", name_of(c), (long long)size);
}

/* Deals c's indices (arguments 1 to n of the flattened ones) out to the dims of its input. */
static bool deal(const Call *c, View *per_dim, bool *masks) {
    View indices[MAX_DIMS];
    int n = c->arg[1].count;
    if (n > MAX_DIMS) {
        return fail("%s: got %d indices, at most %d dims exist", name_of(c), n, MAX_DIMS);
    }
    for (int i = 0; i < n; i++) {
        const Tensor *t = c->in[1 + i];
        indices[i] = t ? tensor_view(t) : (View){.dtype = DT_NONE};
        if (!t && i >= c->in[0]->dim) {
            return fail("%s: too many indices for a tensor of shape %s", name_of(c),
                        shape_text(tensor_shape(c->in[0])));
        }
    }
    return index_deal(name_of(c), tensor_shape(c->in[0]), indices, n, per_dim, masks);
}

bool infer_index_take(Call *c) {
    View per_dim[MAX_DIMS];
    IndexPlan p;
    bool masks;
    if (!deal(c, per_dim, &masks)) {
        return false;
    }
    if (masks) {
        return fail("%s: indices must be integer tensors; use index, which takes masks too",
                    name_of(c));
    }
    if (!index_plan(name_of(c), tensor_shape(c->in[0]), per_dim, &p)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, (Ints){p.shape, p.dim});
    return true;
}

/* With masks, how many elements values must give is known to the kernel alone. */
bool infer_index_put(Call *c) {
    View per_dim[MAX_DIMS];
    IndexPlan p;
    bool masks;
    const Tensor *values = c->in[c->n_in - 1];
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    if (!deal(c, per_dim, &masks)) {
        return false;
    }
    return masks || (index_plan(name_of(c), tensor_shape(c->in[0]), per_dim, &p) &&
                     index_values_fit(name_of(c), tensor_shape(values), &p));
}

bool infer_embedding(Call *c) {
    const Tensor *input = c->in[0], *weight = c->in[1];
    OutSpec *s = &c->spec[0];
    spec_set(s, c->dtype, tensor_shape(input));
    if (weight->dim != 2) {
        return fail("%s: weight must be a matrix, got shape %s", name_of(c),
                    shape_text(tensor_shape(weight)));
    }
    if (input->dim == MAX_DIMS) {
        return fail("%s: input must have at most %d dims, got %d", name_of(c), MAX_DIMS - 1,
                    input->dim);
    }
    s->shape[s->dim++] = weight->shape[1];
    const Arg *padding = &c->arg[2];
    int64_t rows = weight->shape[0];
    return padding->kind == ARG_NONE ||
           (padding->i != 0 && padding->i <= rows && padding->i >= -rows) ||
           fail("%s: padding_idx must be in [1, %lld] or [-%lld, -1], got %lld", name_of(c),
                (long long)rows, (long long)rows, (long long)padding->i);
}

bool infer_embedding_backward(Call *c) {
    const Tensor *grad = c->in[0], *input = c->in[1];
    bool ok = grad->dim == input->dim + 1 &&
              memcmp(grad->shape, input->shape, input->dim * sizeof *input->shape) == 0;
    if (!ok || c->arg[2].i < 0) {
        return fail("%s: grad must have input's shape %s and one dim more, got %s", name_of(c),
                    shape_text(tensor_shape(input)), shape_text(tensor_shape(grad)));
    }
    spec_set(&c->spec[0], c->dtype, INTS(c->arg[2].i, grad->shape[input->dim]));
    return true;
}

/* Empty vectors join anything, as in PyTorch. */
static bool joins_anything(const Tensor *t) { return t->dim == 1 && t->shape[0] == 0; }

static bool add_joined(const Call *c, OutSpec *s, const Tensor *t, const Tensor *first, int64_t dim,
                       int k) {
    for (int d = 0; d < t->dim || d < s->dim; d++) {
        if (t->dim != s->dim || (d != dim && t->shape[d] != s->shape[d])) {
            return fail("%s: sizes must agree except in dim %d; tensor 1 is %s and tensor %d is %s",
                        name_of(c), (int)dim + 1, shape_text(tensor_shape(first)), k + 1,
                        shape_text(tensor_shape(t)));
        }
    }
    return !__builtin_add_overflow(s->shape[dim], t->shape[dim], &s->shape[dim]) ||
           fail("%s: the result would be too large", name_of(c));
}

bool infer_cat(Call *c) {
    int64_t dim = c->arg[1].i;
    OutSpec *s = &c->spec[0];
    const Tensor *first = NULL;
    if (c->n_in == 0) {
        return fail("%s: tensors must hold at least one tensor", name_of(c));
    }
    for (int k = 0; k < c->n_in; k++) {
        const Tensor *t = c->in[k];
        if (!t) {
            return fail("%s: tensor %d is missing", name_of(c), k + 1);
        }
        if (t->dim == 0) {
            return fail("%s: tensor %d is a scalar, which has no dim to join along; use stack",
                        name_of(c), k + 1);
        }
        if (joins_anything(t) && !(first == NULL && k == c->n_in - 1)) {
            continue;
        }
        if (!first) {
            first = t;
            spec_set(s, c->dtype, tensor_shape(t));
            if (dim >= t->dim) {
                return fail("%s: dim must be an integer in [-%d, %d] (%d dim%s), got %d",
                            name_of(c), t->dim, t->dim, t->dim, t->dim == 1 ? "" : "s",
                            (int)dim + 1);
            }
        } else if (!add_joined(c, s, t, first, dim, k)) {
            return false;
        }
    }
    return true;
}

bool infer_bincount_static(Call *c) {
    const Tensor *input = c->in[0];
    if (input->dim != 1 || c->arg[1].i < 0) {
        return fail("%s: input must be a vector and bins not negative, got shape %s and %lld",
                    name_of(c), shape_text(tensor_shape(input)), (long long)c->arg[1].i);
    }
    spec_set(&c->spec[0], DT_INT64, INTS(c->arg[1].i));
    return true;
}
