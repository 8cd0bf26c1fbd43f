/* Convolution and its gradients by cuDNN. Half types, and float32 where TF32 is allowed, run on
 * tensor cores, which want channels last; exact float32 and float64 have their engines for tensors
 * as they are. */
#include "gpu/conv.h"
#include "gpu/dnn_library.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

void conv_strides(const int64_t *shape, bool channels_last, int64_t *stride) {
    int64_t step = channels_last ? shape[1] : 1;
    for (int d = CONV_DIMS - 1; d >= 0; d--) {
        bool skip = channels_last && d == 1;
        stride[d] = skip ? 1 : step;
        step *= skip ? 1 : shape[d];
    }
}

View conv_view_at(const ConvVolume *v, void *data, int dtype, const int64_t *stride) {
    return (View){.data = data,
                  .shape = v->shape,
                  .stride = stride,
                  .numel = v->view.numel,
                  .dim = CONV_DIMS,
                  .dtype = dtype};
}

View conv_bias_view(const ConvCall *p, int64_t *stride) {
    for (int d = 0; d < CONV_DIMS; d++) {
        stride[d] = d == 1 ? p->bias->stride[0] : 0;
    }
    return conv_view_at(&p->y, p->bias->data, p->bias->dtype, stride);
}

/* dims: those of an image. */
static void volume(ConvVolume *x, const View *v, int dims) {
    for (int d = 0; d < CONV_DIMS; d++) {
        x->shape[d] = 1;
        x->stride[d] = 0;
    }
    int lead = v->dim - dims;
    for (int d = 0; d < v->dim; d++) {
        int to = d < lead ? d + 2 - lead : CONV_DIMS - v->dim + d;
        x->shape[to] = v->shape[d];
        x->stride[to] = v->stride[d];
    }
    x->view = conv_view_at(x, v->data, v->dtype, x->stride);
    x->view.numel = v->numel;
}

static bool lies_so(const ConvVolume *x, bool channels_last) {
    int64_t stride[CONV_DIMS];
    conv_strides(x->shape, channels_last, stride);
    for (int d = 0; d < CONV_DIMS; d++) {
        if (x->shape[d] != 1 && x->stride[d] != stride[d]) {
            return false;
        }
    }
    return true;
}

/* A tensor as cuDNN gets it: where it stands, or in memory of our own. */
typedef struct Placed {
    void *data, *own;
    size_t bytes;
} Placed;

static bool own(const ConvCall *p, const ConvVolume *x, Placed *to) {
    to->bytes = (size_t)x->view.numel * dtype_size(x->view.dtype);
    to->data = to->own = gpu_alloc(p->call->device, to->bytes);
    return to->own != NULL;
}

static void release(const ConvCall *p, Placed *x) {
    if (x->own) {
        gpu_release(p->call->device, x->own, x->bytes);
    }
}

static int64_t plane(const ConvVolume *x) { return x->shape[2] * x->shape[3] * x->shape[4]; }

static bool place_input(const ConvCall *p, const ConvVolume *x, bool channels_last, Placed *to) {
    if (lies_so(x, channels_last)) {
        to->data = x->view.data;
        return true;
    }
    if (!own(p, x, to)) {
        return false;
    }
    if (channels_last && lies_so(x, false)) {
        return gpu_conv_transpose(p->call, x->view.dtype, to->data, x->view.data, x->shape[0],
                                  x->shape[1], plane(x));
    }
    int64_t stride[CONV_DIMS];
    conv_strides(x->shape, channels_last, stride);
    View dst = conv_view_at(x, to->data, x->view.dtype, stride);
    return gpu_copy_view(p->call, &dst, &x->view);
}

static bool place_output(const ConvCall *p, const ConvVolume *x, bool channels_last, Placed *to) {
    to->data = x->view.data;
    return lies_so(x, channels_last) || own(p, x, to);
}

/* Moves a result from memory of our own to where it belongs. */
static bool deliver(const ConvCall *p, const ConvVolume *x, const Placed *from) {
    return !from->own || gpu_conv_transpose(p->call, x->view.dtype, x->view.data, from->own,
                                            x->shape[0], plane(x), x->shape[1]);
}

/* The bias as one row of memory. */
static bool place_bias(const ConvCall *p, Placed *to) {
    const View *bias = p->bias;
    if (!bias || bias->stride[0] == 1 || bias->numel == 1) {
        to->data = bias ? bias->data : NULL;
        return true;
    }
    to->bytes = (size_t)bias->numel * dtype_size(bias->dtype);
    to->data = to->own = gpu_alloc(p->call->device, to->bytes);
    View row = *bias;
    row.data = to->data;
    row.stride = (const int64_t[]){1};
    return to->own && gpu_copy_view(p->call, &row, bias);
}

/* Of images, how many elements engines can count. TOCHA_GPU_CONV_ELEMENTS, for tests, lessens it.
 */
static int64_t most_elements(void) {
    const char *text = getenv("TOCHA_GPU_CONV_ELEMENTS");
    int64_t n = text ? strtoll(text, NULL, 10) : INT_MAX;
    return n > 0 && n < INT_MAX ? n : INT_MAX;
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static const void *behind(const void *data, int64_t elements, int dtype) {
    return (const char *)data + elements * (int64_t)dtype_size(dtype);
}

/* The weight's gradient over more samples than before. */
static bool add_part(const ConvCall *p, const Placed *sum, const Placed *part) {
    int64_t stride[CONV_DIMS];
    conv_strides(p->w.shape, false, stride); /* of both: elements are added one by one */
    View dst = conv_view_at(&p->w, sum->data, p->w.view.dtype, stride);
    View src = conv_view_at(&p->w, part->data, p->w.view.dtype, stride);
    return gpu_conv_add(p->call, &dst, &src);
}

/* Samples [from, from + n) of x and y. */
static DnnResult run_some(const ConvCall *p, ConvGraph t, int64_t from, int64_t n) {
    DnnGraph g;
    int64_t x_sample = p->x.view.numel / p->s.n, y_sample = p->y.view.numel / p->s.n;
    t.x = behind(t.x, from * x_sample, t.dtype);
    t.y = behind(t.y, from * y_sample, t.dtype);
    conv_graph(&g, &t, &p->s, n);
    return dnn_run(p->call, &g);
}

/* part: of the weight's gradient, for all samples but the first ones. */
static DnnResult run_all(const ConvCall *p, ConvGraph t, const Placed *w, Placed *part) {
    int64_t sample = larger(p->x.view.numel, p->y.view.numel) / p->s.n;
    int64_t step = larger(1, most_elements() / sample);
    for (int64_t from = 0; from < p->s.n; from += step) {
        bool adds = from > 0 && p->kind == DNN_WEIGHT_GRAD;
        if (adds && !part->own && !own(p, &p->w, part)) {
            return DNN_FAILED;
        }
        t.w = adds ? part->data : w->data;
        DnnResult result = run_some(p, t, from, step < p->s.n - from ? step : p->s.n - from);
        if (result != DNN_DONE) {
            return result;
        }
        if (adds && !add_part(p, w, part)) {
            return DNN_FAILED;
        }
    }
    return DNN_DONE;
}

enum { X, W, Y, BIAS, PART, N_PLACED };

static bool place_all(const ConvCall *p, bool channels_last, int result, Placed *placed) {
    const ConvVolume *volumes[] = {&p->x, &p->w, &p->y};
    for (int i = X; i <= Y; i++) {
        bool ok = i == result ? place_output(p, volumes[i], channels_last, &placed[i])
                              : place_input(p, volumes[i], channels_last, &placed[i]);
        if (!ok) {
            return false;
        }
    }
    return place_bias(p, &placed[BIAS]);
}

static DnnResult by_cudnn(const ConvCall *p) {
    static const int results[] = {[DNN_FORWARD] = Y, [DNN_INPUT_GRAD] = X, [DNN_WEIGHT_GRAD] = W};
    int dtype = p->x.view.dtype, out = results[p->kind];
    bool last = conv_channels_last(dtype, dnn_modes());
    const ConvVolume *volumes[] = {&p->x, &p->w, &p->y};
    Placed placed[N_PLACED] = {{0}};
    DnnResult result = DNN_FAILED;
    if (place_all(p, last, out, placed)) {
        ConvGraph t = {.kind = p->kind,
                       .dtype = dtype,
                       .channels_last = last,
                       .biased = p->bias != NULL,
                       .relu = p->relu,
                       .x = placed[X].data,
                       .y = placed[Y].data,
                       .bias = placed[BIAS].data};
        result = run_all(p, t, &placed[W], &placed[PART]);
    }
    if (result == DNN_DONE && !deliver(p, volumes[out], &placed[out])) {
        result = DNN_FAILED;
    }
    for (int i = 0; i < N_PLACED; i++) {
        release(p, &placed[i]);
    }
    return result;
}

/* Nothing meets anything: the result is the bias, or 0. */
static bool nothing(const ConvCall *p) {
    const View *out = &p->call->out[0];
    if (!p->bias) {
        return gpu_fill_view(p->call, out, (Arg){.kind = ARG_INT});
    }
    int64_t stride[CONV_DIMS];
    View bias = conv_bias_view(p, stride);
    return gpu_copy_view(p->call, &p->y.view, &bias);
}

/* For what cuDNN has not done on the way. */
static bool rectify(const ConvCall *p) {
    return !p->relu || gpu_conv_relu(p->call, &p->call->out[0]);
}

static bool convolve(const ConvCall *p) {
    if (p->call->out[0].numel == 0) {
        return true;
    }
    if (p->x.view.numel == 0 || p->w.view.numel == 0 || p->y.view.numel == 0) {
        return nothing(p) && rectify(p);
    }
    if (dnn_modes() & DNN_OFF) {
        return conv_by_products(p) && rectify(p);
    }
    if (!dnn_is_there()) {
        return fail("cuDNN was not found: install it, add the folder of its libcudnn.so.9 to "
                    "LD_LIBRARY_PATH, or do without: tocha.backends.cudnn.enabled = false");
    }
    bool plain_only = p->relu && !conv_takes_relu(p->x.view.dtype, dnn_modes(), &p->s);
    DnnResult result = plain_only ? DNN_UNSUPPORTED : by_cudnn(p);
    if (result == DNN_UNSUPPORTED && p->relu) {
        ConvCall plain = *p;
        plain.relu = false;
        return convolve(&plain) && rectify(p);
    }
    return result == DNN_UNSUPPORTED ? conv_by_products(p) : result == DNN_DONE;
}

static Ints shape_of(const View *v) { return (Ints){v->shape, v->dim}; }

static bool start(ConvCall *p, const KernelCall *c, const View *x, const View *w, const View *y) {
    int dims = w->dim - 2;
    p->call = c;
    volume(&p->x, x, dims);
    volume(&p->w, w, dims);
    volume(&p->y, y, dims);
    return conv_shape(c->op, c->arg, shape_of(x), shape_of(w), &p->s) && convolve(p);
}

static bool conv(const KernelCall *c) {
    ConvCall p = {.kind = DNN_FORWARD, .bias = c->in[2].dtype == DT_NONE ? NULL : &c->in[2]};
    return start(&p, c, &c->in[0], &c->in[1], &c->out[0]);
}

static bool conv_relu(const KernelCall *c) {
    ConvCall p = {
        .kind = DNN_FORWARD, .bias = c->in[2].dtype == DT_NONE ? NULL : &c->in[2], .relu = true};
    return start(&p, c, &c->in[0], &c->in[1], &c->out[0]);
}

static bool conv_input_grad(const KernelCall *c) {
    ConvCall p = {.kind = DNN_INPUT_GRAD};
    return start(&p, c, &c->out[0], &c->in[1], &c->in[0]);
}

static bool conv_weight_grad(const KernelCall *c) {
    ConvCall p = {.kind = DNN_WEIGHT_GRAD};
    return start(&p, c, &c->in[1], &c->out[0], &c->in[0]);
}

const KernelRow gpu_conv_rows[] = {{"conv1d", conv},
                                   {"conv2d", conv},
                                   {"conv3d", conv},
                                   {"conv_relu", conv_relu},
                                   {"conv_input_grad", conv_input_grad},
                                   {"conv_weight_grad", conv_weight_grad},
                                   {NULL, NULL}};
