/* Output shapes of sorting, ranks and searching. */
#include <string.h>

#include "tensor/shape_order.h"
#include "tensor/shape_reduce.h"

static const char *name_of(const Call *c) { return c->op->public_name; }

static int64_t size_along(const Tensor *t, int64_t dim) { return t->dim ? t->shape[dim] : 1; }

/* Values and positions of input's shape, with size along dim. */
static void set_pair(Call *c, int64_t dim, int64_t size) {
    int dtypes[] = {c->dtype, DT_INT64};
    for (int k = 0; k < 2; k++) {
        spec_set(&c->spec[k], dtypes[k], tensor_shape(c->in[0]));
        if (c->in[0]->dim) {
            c->spec[k].shape[dim] = size;
        }
    }
}

/* Values and positions of input's shape without dim, or with keepdim of size 1 there. */
static void set_pair_without(Call *c, int64_t dim, bool keepdim) {
    set_pair(c, dim, 1);
    for (int k = 0; k < 2 && c->in[0]->dim && !keepdim; k++) {
        OutSpec *s = &c->spec[k];
        s->dim--;
        memmove(s->shape + dim, s->shape + dim + 1, (size_t)(s->dim - dim) * sizeof *s->shape);
    }
}

bool infer_sort(Call *c) {
    set_pair(c, c->arg[1].i, size_along(c->in[0], c->arg[1].i));
    return true;
}

static bool check_rank(const Call *c, int64_t least, int64_t dim) {
    int64_t k = c->arg[1].i, size = size_along(c->in[0], dim);
    return (k >= least && k <= size) ||
           fail("%s: k must be in [%lld, %lld], as dim %d has size %lld; got %lld", name_of(c),
                (long long)least, (long long)size, (int)dim + 1, (long long)size, (long long)k);
}

bool infer_topk(Call *c) {
    int64_t dim = c->arg[2].i, k = c->arg[1].i;
    set_pair(c, dim, k);
    if (c->in[0]->dim == 0 && k == 0) {
        return fail("topk: from a scalar exactly 1 element can be taken, got k = 0");
    }
    return check_rank(c, 0, dim);
}

bool infer_kthvalue(Call *c) {
    int64_t dim = c->arg[2].i;
    set_pair_without(c, dim, c->arg[3].b);
    return check_rank(c, 1, dim);
}

static bool infer_choice(Call *c) {
    int64_t dim = c->arg[1].i;
    set_pair_without(c, dim, c->arg[2].b);
    return reduce_has_choice(c, 1u << dim);
}

bool infer_median__dim(Call *c) { return infer_choice(c); }
bool infer_nanmedian__dim(Call *c) { return infer_choice(c); }
bool infer_mode(Call *c) { return infer_choice(c); }

static bool infer_choice_of_all(Call *c) {
    spec_set(&c->spec[0], c->dtype, (Ints){c->in[0]->shape, 0});
    return reduce_has_choice(c, ~0u);
}

bool infer_median(Call *c) { return infer_choice_of_all(c); }
bool infer_nanmedian(Call *c) { return infer_choice_of_all(c); }

static bool check_side(const Call *c) {
    const Arg *side = &c->arg[4];
    if (side->kind == ARG_NONE) {
        return true;
    }
    if (strcmp(side->s, "left") != 0 && strcmp(side->s, "right") != 0) {
        return fail("%s: side must be \"left\" or \"right\", got \"%s\"", name_of(c), side->s);
    }
    return !c->arg[3].b || *side->s == 'r' ||
           fail("%s: right and side = \"left\" contradict each other", name_of(c));
}

bool infer_searchsorted(Call *c) {
    const Tensor *sequence = c->in[0], *input = c->in[1], *sorter = c->in[2];
    bool int32 = c->arg[5].b, fits = sequence->dim == 1 || sequence->dim == input->dim;
    for (int d = 0; fits && sequence->dim > 1 && d < input->dim - 1; d++) {
        fits = sequence->shape[d] == input->shape[d];
    }
    if (!fits || sequence->dim == 0) {
        return fail("%s: sorted_sequence must be a vector or have, but in the last dim, input's "
                    "sizes; got shapes %s and %s",
                    name_of(c), shape_text(tensor_shape(sequence)),
                    shape_text(tensor_shape(input)));
    }
    if (sorter && !tensor_same_shape(sorter, sequence)) {
        return fail("%s: sorter must have sorted_sequence's shape %s, got %s", name_of(c),
                    shape_text(tensor_shape(sequence)), shape_text(tensor_shape(sorter)));
    }
    if (int32 && sequence->shape[sequence->dim - 1] >= INT32_MAX) {
        return fail("%s: positions up to %lld do not fit into int32; leave out_int32 out",
                    name_of(c), (long long)sequence->shape[sequence->dim - 1] + 1);
    }
    spec_set(&c->spec[0], int32 ? DT_INT32 : DT_INT64, tensor_shape(input));
    return check_side(c);
}

bool infer_histc(Call *c) {
    int64_t bins = c->arg[1].i;
    spec_set(&c->spec[0], c->dtype, ints_one(&bins));
    if (bins < 1 || bins > INT32_MAX) {
        return fail("%s: bins must be in [1, %d], got %lld", name_of(c), INT32_MAX,
                    (long long)bins);
    }
    double min = c->arg[2].f, max = c->arg[3].f;
    return min <= max || fail("%s: min must not be above max, got %g and %g", name_of(c), min, max);
}

bool infer_flip(Call *c) {
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    spec_keep_order(&c->spec[0], c->in[0]);
    return true;
}
