/* Output shapes of the cumulative ops. */
#include "tensor/op.h"

/* Integers add and multiply up as int64, unless a dtype was asked for: input has it then. */
static bool infer_sums(Call *c) {
    bool asked = c->arg[2].kind != ARG_NONE;
    int dtype = asked || dtype_is_inexact(c->dtype) ? c->dtype : DT_INT64;
    spec_set(&c->spec[0], dtype, tensor_shape(c->in[0]));
    return true;
}

bool infer_cumsum(Call *c) { return infer_sums(c); }
bool infer_cumprod(Call *c) { return infer_sums(c); }

static bool infer_picks(Call *c) {
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    spec_set(&c->spec[1], DT_INT64, tensor_shape(c->in[0]));
    return true;
}

bool infer_cummax(Call *c) { return infer_picks(c); }
bool infer_cummin(Call *c) { return infer_picks(c); }

bool infer_logcumsumexp(Call *c) {
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    return true;
}
