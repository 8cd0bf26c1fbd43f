/* Broadcast, the order of dims, and which of them are one: the geometry of a walk. */
#include "tensor/iter.h"

static int64_t distance(int64_t stride) { return stride < 0 ? -stride : stride; }

/* Whether dim a should be more inward than dim b: the first operand that moves along both decides.
 */
static bool more_inward(const Iter *it, int a, int b) {
    for (int k = 0; k < it->n; k++) {
        int64_t sa = distance(it->stride[k][a]), sb = distance(it->stride[k][b]);
        if (sa != 0 && sb != 0 && sa != sb) {
            return sa < sb;
        }
    }
    return false;
}

void iter_swap_dims(Iter *it, int a, int b) {
    int64_t size = it->shape[a];
    it->shape[a] = it->shape[b];
    it->shape[b] = size;
    for (int k = 0; k < it->n; k++) {
        int64_t stride = it->stride[k][a];
        it->stride[k][a] = it->stride[k][b];
        it->stride[k][b] = stride;
    }
}

static void sort_dims(Iter *it) {
    for (int i = 1; i < it->dim; i++) {
        for (int at = i; at > 0 && more_inward(it, at, at - 1); at--) {
            iter_swap_dims(it, at, at - 1);
        }
    }
}

static bool can_merge(const Iter *it, int inner, int outer) {
    for (int k = 0; k < it->n; k++) {
        if (it->stride[k][outer] != it->shape[inner] * it->stride[k][inner]) {
            return false;
        }
    }
    return true;
}

static void coalesce(Iter *it) {
    int last = 0;
    for (int i = 1; i < it->dim; i++) {
        if (can_merge(it, last, i)) {
            it->shape[last] *= it->shape[i];
            continue;
        }
        last++;
        if (last != i) {
            iter_swap_dims(it, last, i);
        }
    }
    it->dim = last + 1;
}

/* An iterator without dims becomes one of a single element. */
static void init_single(Iter *it) {
    it->dim = 1;
    it->shape[0] = it->numel;
    for (int k = 0; k < it->n; k++) {
        it->stride[k][0] = 0;
    }
}

void iter_init(Iter *it, const int64_t *shape, int dim, const View *const *operands, int n) {
    it->n = it->n_out = n;
    it->dim = 0;
    it->numel = 1;
    for (int k = 0; k < n; k++) {
        it->data[k] = operands[k]->data;
        it->size[k] = (int64_t)dtype_size(operands[k]->dtype);
    }
    for (int i = dim - 1; i >= 0; i--) {
        it->numel *= shape[i];
        if (shape[i] == 1) {
            continue;
        }
        it->shape[it->dim] = shape[i];
        for (int k = 0; k < n; k++) {
            const View *v = operands[k];
            int own = i - (dim - v->dim);
            bool moves = own >= 0 && v->shape[own] != 1;
            it->stride[k][it->dim] = moves ? v->stride[own] * it->size[k] : 0;
        }
        it->dim++;
    }
    if (it->dim == 0 || it->numel == 0) {
        init_single(it);
        return;
    }
    sort_dims(it);
    coalesce(it);
}

void iter_elementwise(Iter *it, const View *out, const View *in, int n_in) {
    const View *operands[ITER_MAX] = {out};
    for (int i = 0; i < n_in; i++) {
        operands[i + 1] = &in[i];
    }
    iter_init(it, out->shape, out->dim, operands, n_in + 1);
    it->n_out = 1;
}
