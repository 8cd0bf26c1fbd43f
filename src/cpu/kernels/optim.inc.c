/* The optimiser steps, included once per type: T, NAME(x) which gives x_<type>, SQRT. */

static void NAME(sgd)(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) {
    (void)stride;
    const SgdNumbers *s = ctx;
    T *param = (T *)ptr[0];
    const T *grad = (const T *)ptr[1];
    const T lr = (T)s->lr, decay = (T)s->weight_decay, sign = (T)s->sign;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
        T p = param[i];
        param[i] = p - lr * (sign * grad[i] + decay * p);
    }
}

static void NAME(sgd_momentum)(char *const *ptr, const int64_t *stride, int64_t n,
                               const void *ctx) {
    (void)stride;
    const SgdNumbers *s = ctx;
    T *param = (T *)ptr[0], *buffer = (T *)ptr[1];
    const T *grad = (const T *)ptr[2];
    const T lr = (T)s->lr, decay = (T)s->weight_decay, sign = (T)s->sign;
    const T momentum = (T)s->momentum, fresh = (T)s->fresh;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
        T p = param[i];
        T v = momentum * buffer[i] + fresh * (sign * grad[i] + decay * p);
        buffer[i] = v;
        param[i] = p - lr * v;
    }
}

static void NAME(sgd_nesterov)(char *const *ptr, const int64_t *stride, int64_t n,
                               const void *ctx) {
    (void)stride;
    const SgdNumbers *s = ctx;
    T *param = (T *)ptr[0], *buffer = (T *)ptr[1];
    const T *grad = (const T *)ptr[2];
    const T lr = (T)s->lr, decay = (T)s->weight_decay, sign = (T)s->sign;
    const T momentum = (T)s->momentum, fresh = (T)s->fresh;
    const T ahead = (T)s->ahead;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
        T p = param[i];
        T g = sign * grad[i] + decay * p;
        T v = momentum * buffer[i] + fresh * g;
        buffer[i] = v;
        param[i] = p - lr * (g + ahead * v);
    }
}

static void NAME(adam)(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) {
    (void)stride;
    const AdamNumbers *a = ctx;
    T *param = (T *)ptr[0], *mean = (T *)ptr[1], *square = (T *)ptr[2];
    const T *grad = (const T *)ptr[3];
    const T toward = (T)(1 - a->beta1), beta2 = (T)a->beta2, fresh = (T)(1 - a->beta2);
    const T decay = (T)a->weight_decay, sign = (T)a->sign, keep = (T)a->keep;
    const T step = (T)a->step_size, root = (T)a->root_scale, eps = (T)a->eps;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
        T p = param[i] * keep;
        T g = sign * grad[i] + decay * p;
        T m = mean[i] + toward * (g - mean[i]);
        T v = beta2 * square[i] + fresh * (g * g);
        mean[i] = m;
        square[i] = v;
        param[i] = p - step * (m / (SQRT(v) * root + eps));
    }
}

static void NAME(amsgrad)(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) {
    (void)stride;
    const AdamNumbers *a = ctx;
    T *param = (T *)ptr[0], *mean = (T *)ptr[1], *square = (T *)ptr[2], *largest = (T *)ptr[3];
    const T *grad = (const T *)ptr[4];
    const T toward = (T)(1 - a->beta1), beta2 = (T)a->beta2, fresh = (T)(1 - a->beta2);
    const T decay = (T)a->weight_decay, sign = (T)a->sign, keep = (T)a->keep;
    const T step = (T)a->step_size, root = (T)a->root_scale, eps = (T)a->eps;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
        T p = param[i] * keep;
        T g = sign * grad[i] + decay * p;
        T m = mean[i] + toward * (g - mean[i]);
        T v = beta2 * square[i] + fresh * (g * g);
        T most = largest[i] > v ? largest[i] : v;
        mean[i] = m;
        square[i] = v;
        largest[i] = most;
        param[i] = p - step * (m / (SQRT(most) * root + eps));
    }
}

static void NAME(unscale)(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) {
    (void)stride;
    const UnscaleNumbers *s = ctx;
    T *grad = (T *)ptr[0];
    const T inv_scale = (T)s->inv_scale;
    int odd = 0;
    for (int64_t i = 0; i < n; i++) {
        T g = grad[i];
        odd |= !(g - g == 0); /* inf and nan give nan */
        grad[i] = g * inv_scale;
    }
    if (odd) {
        atomic_store_explicit(s->found, true, memory_order_relaxed);
    }
}
