#include "tensor/anomaly.h"

#include <math.h>

#include "tensor/batch.h"

/* How many elements mask marks; -1: error recorded. */
static int64_t count_marked(Tensor *mask) {
    Tensor *count = mask ? t_sum(mask, NO_INTS, false, DT_NONE) : NULL;
    count = count ? t_move(count, (Device){DEVICE_CPU, 0}) : NULL;
    return count ? element_get_int(tensor_data(count), count->dtype) : -1;
}

/* How many elements are nan and how many infinite. */
static bool count_bad(Tensor *t, int64_t *nans, int64_t *infs) {
    t = batch_root(t);
    Modes before = modes;
    modes = (Modes){.recording = false};
    int mark = scope_open();
    *nans = count_marked(t_isnan(t));
    *infs = *nans < 0 ? -1 : count_marked(t_isinf(t));
    scope_close(mark, NULL);
    modes = before;
    return *infs >= 0;
}

bool anomaly_find(Tensor *t, const char **what) {
    int64_t nans = 0, infs = 0;
    *what = NULL;
    if (!dtype_is_inexact(t->dtype)) {
        return true;
    }
    if (!count_bad(t, &nans, &infs)) {
        return false;
    }
    *what = nans ? "nan" : infs ? "inf" : NULL;
    return true;
}

bool anomaly_check(const char *who, Tensor *t) {
    int64_t nans = 0, infs = 0;
    if (!dtype_is_inexact(t->dtype)) {
        return true;
    }
    if (!count_bad(t, &nans, &infs)) {
        return false;
    }
    if (nans + infs == 0) {
        return true;
    }
    return fail("%s: anomaly: %lld nan and %lld inf in the result (%s %s), made of finite numbers",
                who, (long long)nans, (long long)infs, dtype_name(t->dtype),
                shape_text(tensor_shape(t)));
}

bool anomaly_inputs_finite(const Call *c) {
    for (int i = 0; i < c->op->n_params; i++) {
        if (c->arg[i].kind == ARG_FLOAT && !isfinite(c->arg[i].f)) {
            return false;
        }
    }
    const char *what = NULL;
    for (int i = 0; i < c->n_in && !what; i++) {
        if (c->in[i] && !anomaly_find(c->in[i], &what)) {
            return true;
        }
    }
    return !what;
}

bool anomaly_check_call(const Call *c, Tensor *const *out) {
    if (!c->n_in || c->op->op_class == CLASS_VIEW || !anomaly_inputs_finite(c)) {
        return true;
    }
    if (error_message() != NULL) {
        return false;
    }
    for (int k = 0; k < c->op->n_outs; k++) {
        if (!anomaly_check(c->op->public_name, out[k])) {
            return false;
        }
    }
    return true;
}
