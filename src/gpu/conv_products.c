/* Convolution as matrix products of the weight with columns, one image after another: every
 * column has what one output position meets. */
#include <string.h>

#include "gpu/blas.h"
#include "gpu/conv.h"

/* In bytes; columns of more are made in parts. */
static const int64_t most_columns = INT64_C(256) << 20;

typedef struct Products {
    const ConvCall *p;
    int dtype;       /* what is computed in */
    void *x, *w, *y; /* of that dtype, without gaps */
    void *owned[4];  /* what of them, and of the columns, is ours */
    size_t bytes[4];
    ConvColumns columns; /* of one part */
    void *column;
    int64_t in_plane, out_plane, window;
} Products;

enum { OWN_X, OWN_W, OWN_Y, OWN_COLUMNS };

static void *own(Products *t, int which, int64_t elements) {
    t->bytes[which] = (size_t)elements * dtype_size(t->dtype);
    return t->owned[which] = gpu_alloc(t->p->call->device, t->bytes[which]);
}

static bool is_dense(const ConvVolume *v) {
    int64_t stride[CONV_DIMS];
    conv_strides(v->shape, false, stride);
    for (int d = 0; d < CONV_DIMS; d++) {
        if (v->shape[d] != 1 && v->stride[d] != stride[d]) {
            return false;
        }
    }
    return true;
}

static bool copy(const Products *t, const ConvVolume *v, void *data, bool to_tensor) {
    int64_t stride[CONV_DIMS];
    conv_strides(v->shape, false, stride);
    View ours = conv_view_at(v, data, t->dtype, stride);
    return to_tensor ? gpu_copy_view(t->p->call, &v->view, &ours)
                     : gpu_copy_view(t->p->call, &ours, &v->view);
}

static bool prepare(Products *t, int which, const ConvVolume *v, bool is_result, void **data) {
    if (v->view.dtype == t->dtype && is_dense(v)) {
        *data = v->view.data;
        return true;
    }
    *data = own(t, which, v->view.numel);
    return *data && (is_result || copy(t, v, *data, false));
}

static const void *at(const Products *t, const void *data, int64_t element) {
    return (const char *)data + element * (int64_t)dtype_size(t->dtype);
}

static GpuMatrix matrix(const Products *t, const void *data, int64_t offset, bool transposed,
                        int64_t row, int64_t batch) {
    return (GpuMatrix){
        .data = (void *)at(t, data, offset), .transposed = transposed, .row = row, .batch = batch};
}

/* One product a group, of the columns with what they belong to in sample n. */
static bool multiply(const Products *t, int64_t n, bool adds) {
    const ConvShape *s = &t->p->s;
    int64_t o = s->o / s->groups, k = s->c / s->groups * t->window, count = t->columns.count;
    int64_t y_at = n * s->o * t->out_plane + t->columns.from;
    GpuProduct product = {.dtype = t->dtype, .count = s->groups, .alpha = 1, .beta = adds};
    switch (t->p->kind) {
    case DNN_FORWARD:
        product.m = o, product.n = count, product.k = k;
        product.a = matrix(t, t->w, 0, false, k, o * k);
        product.b = matrix(t, t->column, 0, false, count, k * count);
        product.c = matrix(t, t->y, y_at, false, t->out_plane, o * t->out_plane);
        break;
    case DNN_INPUT_GRAD:
        product.m = k, product.n = count, product.k = o;
        product.a = matrix(t, t->w, 0, true, k, o * k);
        product.b = matrix(t, t->y, y_at, false, t->out_plane, o * t->out_plane);
        product.c = matrix(t, t->column, 0, false, count, k * count);
        break;
    case DNN_WEIGHT_GRAD:
        product.m = o, product.n = k, product.k = count;
        product.a = matrix(t, t->y, y_at, false, t->out_plane, o * t->out_plane);
        product.b = matrix(t, t->column, 0, true, count, k * count);
        product.c = matrix(t, t->w, 0, false, k, o * k);
        break;
    }
    return gpu_blas_product(t->p->call->device, &product);
}

/* Some output positions of sample n. */
static bool part(Products *t, int64_t n) {
    const KernelCall *c = t->p->call;
    void *image = (void *)at(t, t->x, n * t->p->s.c * t->in_plane);
    bool first = n == 0 && t->columns.from == 0, biased = t->p->bias != NULL;
    switch (t->p->kind) {
    case DNN_FORWARD:
        return gpu_conv_columns(c, t->dtype, &t->columns, t->column, image) &&
               multiply(t, n, biased);
    case DNN_INPUT_GRAD:
        return multiply(t, n, false) && gpu_conv_gather(c, t->dtype, &t->columns, t->column, image);
    default:
        return gpu_conv_columns(c, t->dtype, &t->columns, t->column, image) &&
               multiply(t, n, !first);
    }
}

static bool run(Products *t) {
    int64_t rows = t->p->s.c * t->window;
    int64_t step = most_columns / (rows * (int64_t)dtype_size(t->dtype));
    step = step < 1 ? 1 : step < t->out_plane ? step : t->out_plane;
    t->column = own(t, OWN_COLUMNS, rows * step);
    bool ok = t->column != NULL;
    for (int64_t n = 0; ok && n < t->p->s.n; n++) {
        for (int64_t from = 0; ok && from < t->out_plane; from += step) {
            t->columns.from = from;
            t->columns.count = step < t->out_plane - from ? step : t->out_plane - from;
            ok = part(t, n);
        }
    }
    return ok;
}

/* What is added to: the bias, or 0. */
static bool begin(const Products *t) {
    const ConvCall *p = t->p;
    int64_t stride[CONV_DIMS], bias_stride[CONV_DIMS];
    if (p->bias) {
        conv_strides(p->y.shape, false, stride);
        View y = conv_view_at(&p->y, t->y, t->dtype, stride);
        View bias = conv_bias_view(p, bias_stride);
        return gpu_copy_view(p->call, &y, &bias);
    }
    if (p->kind == DNN_INPUT_GRAD) {
        conv_strides(p->x.shape, false, stride);
        View x = conv_view_at(&p->x, t->x, t->dtype, stride);
        return gpu_fill_view(p->call, &x, (Arg){.kind = ARG_INT});
    }
    return true;
}

static void describe(Products *t, const ConvShape *s) {
    size_t bytes = sizeof t->columns.in;
    t->columns.channels = s->c;
    memcpy(t->columns.in, s->in, bytes);
    memcpy(t->columns.out, s->out, bytes);
    memcpy(t->columns.kernel, s->kernel, bytes);
    memcpy(t->columns.stride, s->stride, bytes);
    memcpy(t->columns.padding, s->padding, bytes);
    memcpy(t->columns.dilation, s->dilation, bytes);
    t->in_plane = s->in[0] * s->in[1] * s->in[2];
    t->out_plane = s->out[0] * s->out[1] * s->out[2];
    t->window = s->kernel[0] * s->kernel[1] * s->kernel[2];
}

bool conv_by_products(const ConvCall *p) {
    Products t = {.p = p, .dtype = p->x.view.dtype == DT_FLOAT64 ? DT_FLOAT64 : DT_FLOAT32};
    describe(&t, &p->s);
    bool ok = prepare(&t, OWN_X, &p->x, p->kind == DNN_INPUT_GRAD, &t.x) &&
              prepare(&t, OWN_W, &p->w, p->kind == DNN_WEIGHT_GRAD, &t.w) &&
              prepare(&t, OWN_Y, &p->y, p->kind == DNN_FORWARD, &t.y) && begin(&t) && run(&t);
    const ConvVolume *volumes[] = {&p->x, &p->w, &p->y};
    static const int result_of[] = {
        [DNN_FORWARD] = OWN_Y, [DNN_INPUT_GRAD] = OWN_X, [DNN_WEIGHT_GRAD] = OWN_W};
    int out = result_of[p->kind];
    ok = ok && (!t.owned[out] || copy(&t, volumes[out], t.owned[out], true));
    for (int i = 0; i <= OWN_COLUMNS; i++) {
        if (t.owned[i]) {
            gpu_release(p->call->device, t.owned[i], t.bytes[i]);
        }
    }
    return ok;
}
