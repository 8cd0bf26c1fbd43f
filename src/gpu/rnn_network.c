/* rnn_network and its gradients, by cuDNN: the params are copied into the one block of memory that
 * it wants them in, and their gradients out of such a block. */
#include "gpu/rnn_network.h"

#include "gpu/dense.h"
#include "gpu/dnn_library.h"
#include "gpu/dnn_rnn.h"
#include "tensor/rnn.h"

bool rnn_network_takes(Device d, const RnnNetwork *n, int64_t *kept) {
    DnnRnn r;
    if (!gpu_enter(d) || dnn_rnn_begin(&r, d, n) != DNN_DONE) {
        return false;
    }
    *kept = (int64_t)r.reserve;
    dnn_rnn_end(&r);
    return true;
}

/* The operands of a call; mode and what follows it are the arguments behind params. */
typedef struct Network {
    const KernelCall *call;
    RnnNetwork n;
    const View *params; /* the first of them */
    bool has_biases;
    Dense memory;
    DnnRnn r;
} Network;

/* False: with an error, and nothing is to be ended. */
static bool start(Network *w, const KernelCall *c, int input, int h0, int params,
                  const View *reserve, bool back) {
    const View *x = &c->in[input];
    const Arg *a = c->arg + params + 1;
    *w = (Network){.call = c,
                   .n = {.steps = x->shape[0],
                         .batch = x->shape[1],
                         .input = x->shape[2],
                         .hidden = c->in[h0].shape[2],
                         .layers = a[2].i,
                         .dtype = x->dtype,
                         .mode = rnn_mode(c->name, a[0].s),
                         .bidirectional = a[3].b,
                         .train = back || a[4].b,
                         .back = back},
                   .params = &c->in[params],
                   .has_biases = a[1].b,
                   .memory = {.call = c}};
    DnnResult result = dnn_rnn_begin(&w->r, c->device, &w->n);
    if (result != DNN_DONE) {
        return result == DNN_FAILED ? false : fail("%s: cuDNN does not take this network", c->name);
    }
    if ((int64_t)w->r.reserve != reserve->numel) {
        dnn_rnn_end(&w->r);
        return fail("%s: another thread has changed the settings of cuDNN meanwhile", c->name);
    }
    return true;
}

static bool finish(Network *w, bool ok) {
    dnn_rnn_end(&w->r);
    return dense_end(&w->memory, ok);
}

/* The number of a part's tensor among the params; -1: a bias that the network does not have. */
static int param_of(const Network *w, const DnnWeights *part) {
    int kind = part->param % 4;
    return w->has_biases ? part->param : kind < 2 ? part->param / 2 + kind : -1;
}

static bool clear(const Network *w, void *block, size_t bytes) {
    return gpu_ok(cudaMemsetAsync(block, 0, bytes, gpu_stream(w->call->device)), w->call->name);
}

/* Rows of a weight or a bias, of which v is the whole, beginning at data. */
static View rows_of(const View *v, void *data, int64_t rows, int64_t *shape) {
    View some = *v;
    shape[0] = rows;
    shape[1] = v->dim == 2 ? v->shape[1] : 1;
    some.data = data;
    some.shape = shape;
    some.numel = shape[0] * shape[1];
    return some;
}

static char *row_at(const View *v, int64_t row) {
    return (char *)v->data + row * v->stride[0] * (int64_t)dtype_size(v->dtype);
}

/* The params in one block, as cuDNN has them there; NULL with an error. */
static void *pack(Network *w) {
    const DnnWeights *parts;
    bool gaps;
    char *block = dense_room(&w->memory, w->r.weights);
    int n = block ? dnn_rnn_weights(&w->r, block, &parts, &gaps) : 0;
    if (!n || ((gaps || !w->has_biases) && !clear(w, block, w->r.weights))) {
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        int k = param_of(w, &parts[i]);
        if (k < 0) {
            continue;
        }
        const View *v = &w->params[k];
        int64_t shape[2], stride[] = {v->dim == 2 ? v->shape[1] : 1, 1};
        View from = rows_of(v, row_at(v, parts[i].row), parts[i].rows, shape), to = from;
        to.data = block + parts[i].at;
        to.stride = stride;
        if (!gpu_copy_view(w->call, &to, &from)) {
            return NULL;
        }
    }
    return block;
}

/* The reverse, of gradients: to all params one element after another. */
static bool unpack(Network *w, char *block, const View *all) {
    const DnnWeights *parts;
    bool gaps;
    int n = dnn_rnn_weights(&w->r, block, &parts, &gaps);
    size_t size = dtype_size(all->dtype);
    bool ok = n > 0;
    for (int i = 0; ok && i < n; i++) {
        int k = param_of(w, &parts[i]);
        int64_t before = 0, shape[1], stride[] = {1};
        for (int j = 0; j < k; j++) {
            before += w->params[j].numel;
        }
        if (k >= 0) {
            const View *v = &w->params[k];
            int64_t row = v->dim == 2 ? v->shape[1] : 1;
            shape[0] = parts[i].rows * row;
            View to = {.data = (char *)all->data + (size_t)(before + parts[i].row * row) * size,
                       .shape = shape,
                       .stride = stride,
                       .numel = shape[0],
                       .dim = 1,
                       .dtype = all->dtype};
            View from = to;
            from.data = block + parts[i].at;
            ok = gpu_copy_view(w->call, &to, &from);
        }
    }
    return ok;
}

/* True where no bytes are wanted. */
static bool room(Network *w, size_t bytes, void **p) {
    *p = bytes ? dense_room(&w->memory, bytes) : NULL;
    return !bytes || *p;
}

static cudnnTensorDescriptor_t cell_of(const Network *w) {
    return w->n.mode == RNN_LSTM ? w->r.state : NULL;
}

static bool forward(Network *w, const KernelCall *c) {
    const DnnRnn *r = &w->r;
    bool lstm = w->n.mode == RNN_LSTM;
    const void *x = dense_in(&w->memory, &c->in[0]), *h0 = dense_in(&w->memory, &c->in[1]);
    const void *c0 = dense_in(&w->memory, &c->in[2]);
    void *weights = w->memory.failed ? NULL : pack(w), *workspace;
    if (!weights || !room(w, r->workspace, &workspace)) {
        return false;
    }
    return dnn_ok(DNN_RNN(cudnnRNNForward)(
                      r->handle, r->rnn,
                      w->n.train ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE, NULL, r->x,
                      x, r->y, c->out[0].data, r->state, h0, c->out[1].data, cell_of(w), c0,
                      lstm ? c->out[2].data : NULL, r->weights, weights, r->workspace, workspace,
                      r->reserve, w->n.train ? c->out[3].data : NULL),
                  c->name);
}

static bool rnn_network(const KernelCall *c) {
    Network w;
    return start(&w, c, 0, 1, 3, &c->out[3], false) && finish(&w, forward(&w, c));
}

/* The way back. What is kept is changed on the way, so that a copy has to serve. */
typedef struct Back {
    const void *grad, *h_grad, *c_grad, *x, *h0, *c0, *y;
    void *reserve, *weights, *workspace;
} Back;

static bool read_back(Network *w, const KernelCall *c, Back *b) {
    const void **dense[] = {&b->grad, &b->h_grad, &b->c_grad, &b->x, &b->h0, &b->c0, &b->y};
    for (int i = 0; i < 7; i++) {
        *dense[i] = dense_in(&w->memory, &c->in[i]);
    }
    View kept = c->in[7];
    if (w->memory.failed || !room(w, w->r.reserve, &b->reserve)) {
        return false;
    }
    View copy = kept;
    copy.data = b->reserve;
    copy.stride = (const int64_t[]){1};
    return (kept.numel == 0 || gpu_copy_view(c, &copy, &kept)) && (b->weights = pack(w)) &&
           room(w, w->r.workspace, &b->workspace);
}

static bool of_data(const Network *w, const KernelCall *c, const Back *b) {
    const DnnRnn *r = &w->r;
    bool lstm = w->n.mode == RNN_LSTM;
    return dnn_ok(DNN_RNN(cudnnRNNBackwardData_v8)(
                      r->handle, r->rnn, NULL, r->y, b->y, b->grad, r->x, c->out[0].data, r->state,
                      b->h0, b->h_grad, c->out[1].data, cell_of(w), b->c0, lstm ? b->c_grad : NULL,
                      lstm ? c->out[2].data : NULL, r->weights, b->weights, r->workspace,
                      b->workspace, r->reserve, b->reserve),
                  c->name);
}

/* cuDNN adds to what is there. It follows of_data, on what that has left. */
static bool of_weights(Network *w, const KernelCall *c, const Back *b) {
    const DnnRnn *r = &w->r;
    void *block = dense_room(&w->memory, r->weights);
    return block && clear(w, block, r->weights) &&
           dnn_ok(DNN_RNN(cudnnRNNBackwardWeights_v8)(r->handle, r->rnn, CUDNN_WGRAD_MODE_ADD, NULL,
                                                      r->x, b->x, r->state, b->h0, r->y, b->y,
                                                      r->weights, block, r->workspace, b->workspace,
                                                      r->reserve, b->reserve),
                  c->name) &&
           unpack(w, block, &c->out[3]);
}

static bool backward(Network *w, const KernelCall *c) {
    Back b;
    return read_back(w, c, &b) && of_data(w, c, &b) && (!c->arg[13].b || of_weights(w, c, &b));
}

static bool rnn_network_backward(const KernelCall *c) {
    Network w;
    return start(&w, c, 3, 4, 8, &c->in[7], true) && finish(&w, backward(&w, c));
}

const KernelRow gpu_rnn_network_rows[] = {
    {"rnn_network", rnn_network}, {"rnn_network_backward", rnn_network_backward}, {NULL, NULL}};
