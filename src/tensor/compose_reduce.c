/* Reductions that are made of other ops. */
#include <string.h>

#include "tensor/op.h"

Tensor *compose_max__other(const Arg *a, Tensor **out) {
    (void)out;
    return t_maximum(a[0].t, a[1].t);
}

Tensor *compose_min__other(const Arg *a, Tensor **out) {
    (void)out;
    return t_minimum(a[0].t, a[1].t);
}

static Tensor *fail_no_broadcast(const Tensor *t, Ints size) {
    return fail_null("sum_to_size: size %s does not broadcast to input's shape %s",
                     shape_text(size), shape_text(tensor_shape(t)));
}

Tensor *compose_sum_to_size(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    Ints size = arg_as_ints(a[1]);
    int lead = t->dim - size.n, n = 0;
    if (lead == 0 && memcmp(t->shape, size.v, (size_t)size.n * sizeof *size.v) == 0) {
        return t;
    }
    if (lead < 0) {
        return fail_no_broadcast(t, size);
    }
    int64_t dims[MAX_DIMS];
    for (int d = 0; d < t->dim; d++) {
        bool same = d >= lead && t->shape[d] == size.v[d - lead];
        if (d >= lead && !same && size.v[d - lead] != 1) {
            return fail_no_broadcast(t, size);
        }
        if (!same) {
            dims[n++] = d;
        }
    }
    Tensor *sum = t_sum(t, (Ints){dims, n}, lead == 0, DT_NONE);
    return lead == 0 || !sum ? sum : t_view(sum, size);
}
