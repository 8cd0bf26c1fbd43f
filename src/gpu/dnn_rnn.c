#include "gpu/dnn_rnn.h"

#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "gpu/dnn_library.h"
#include "gpu/dnn_plan.h"
#include "tensor/rnn.h"

/* What decides on the descriptors; compared as bytes. */
typedef struct Key {
    int64_t input, hidden, layers;
    int32_t device, dtype, mode, bidirectional, tf32;
    int32_t none; /* no byte is left to chance */
} Key;

struct DnnNetwork {
    Key key;
    uint64_t used; /* 0: the place is free */
    cudnnDropoutDescriptor_t dropout;
    cudnnRNNDescriptor_t rnn;
    size_t weights; /* bytes */
    DnnWeights *parts;
    int n_parts, room;
    bool gaps;
};

/* All that is below is used under the lock of dnn_enter(). */
enum { MOST_NETWORKS = 64 };
static DnnNetwork networks[MOST_NETWORKS];
static uint64_t uses;

static int64_t directions_of(const Key *k) { return k->bidirectional ? 2 : 1; }

static void forget(DnnNetwork *w) {
    if (w->rnn) {
        DNN_RNN(cudnnDestroyRNNDescriptor)(w->rnn);
    }
    if (w->dropout) {
        DNN_RNN(cudnnDestroyDropoutDescriptor)(w->dropout);
    }
    mem_free(w->parts, (size_t)w->room * sizeof *w->parts);
    *w = (DnnNetwork){.used = 0};
}

static cudnnRNNMode_t mode_of(const Key *k) {
    static const cudnnRNNMode_t modes[] = {[RNN_TANH] = CUDNN_RNN_TANH,
                                           [RNN_RELU] = CUDNN_RNN_RELU,
                                           [RNN_LSTM] = CUDNN_LSTM,
                                           [RNN_GRU] = CUDNN_GRU};
    return modes[k->mode];
}

/* Halves are multiplied on tensor cores and summed as float. */
static cudnnMathType_t math_of(const Key *k) {
    bool half = k->dtype == DT_FLOAT16 || k->dtype == DT_BFLOAT16;
    return half                                 ? CUDNN_TENSOR_OP_MATH
           : k->dtype == DT_FLOAT32 && !k->tf32 ? CUDNN_FMA_MATH
                                                : CUDNN_DEFAULT_MATH;
}

/* Networks without biases have some of 0. */
static cudnnStatus_t describe(DnnNetwork *w, cudnnHandle_t handle) {
    const Key *k = &w->key;
    cudnnDataType_t type = dnn_type(k->dtype);
    cudnnStatus_t status = DNN_RNN(cudnnCreateDropoutDescriptor)(&w->dropout);
    if (status == CUDNN_STATUS_SUCCESS) {
        status = DNN_RNN(cudnnSetDropoutDescriptor)(w->dropout, handle, 0, NULL, 0, 0);
    }
    if (status == CUDNN_STATUS_SUCCESS) {
        status = DNN_RNN(cudnnCreateRNNDescriptor)(&w->rnn);
    }
    if (status == CUDNN_STATUS_SUCCESS) {
        status = DNN_RNN(cudnnSetRNNDescriptor_v8)(
            w->rnn, CUDNN_RNN_ALGO_STANDARD, mode_of(k), CUDNN_RNN_DOUBLE_BIAS,
            k->bidirectional ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT, type,
            type == CUDNN_DATA_DOUBLE ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT, math_of(k),
            (int32_t)k->input, (int32_t)k->hidden, (int32_t)k->hidden, (int32_t)k->layers,
            w->dropout, CUDNN_RNN_PADDED_IO_ENABLED);
    }
    if (status == CUDNN_STATUS_SUCCESS) {
        status = DNN_RNN(cudnnGetRNNWeightSpaceSize)(handle, w->rnn, &w->weights);
    }
    return status;
}

/* The place of a network that is known, or one for a new one. */
static DnnNetwork *place_for(const Key *key) {
    DnnNetwork *oldest = &networks[0];
    for (int i = 0; i < MOST_NETWORKS; i++) {
        DnnNetwork *w = &networks[i];
        if (w->used && memcmp(&w->key, key, sizeof *key) == 0) {
            return w;
        }
        oldest = w->used < oldest->used ? w : oldest;
    }
    return oldest;
}

static cudnnStatus_t find(const Key *key, cudnnHandle_t handle, DnnNetwork **network) {
    DnnNetwork *w = place_for(key);
    cudnnStatus_t status = CUDNN_STATUS_SUCCESS;
    if (!w->used || memcmp(&w->key, key, sizeof *key) != 0) {
        forget(w);
        w->key = *key;
        status = describe(w, handle);
        if (status != CUDNN_STATUS_SUCCESS) {
            forget(w);
            return status;
        }
    }
    w->used = ++uses;
    *network = w;
    return status;
}

/* Sequences of one length, one step after another. */
static cudnnStatus_t describe_data(cudnnRNNDataDescriptor_t *to, const RnnNetwork *n, int64_t size,
                                   const int *lengths) {
    cudnnStatus_t status = DNN_RNN(cudnnCreateRNNDataDescriptor)(to);
    return status != CUDNN_STATUS_SUCCESS
               ? status
               : DNN_RNN(cudnnSetRNNDataDescriptor)(
                     *to, dnn_type(n->dtype), CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED,
                     (int)n->steps, (int)n->batch, (int)size, lengths, NULL);
}

static cudnnStatus_t describe_state(DnnRnn *r, const RnnNetwork *n, int64_t stacks) {
    int shape[] = {(int)stacks, (int)n->batch, (int)n->hidden};
    int stride[] = {shape[1] * shape[2], shape[2], 1};
    cudnnStatus_t status = DNN_RNN(cudnnCreateTensorDescriptor)(&r->state);
    return status != CUDNN_STATUS_SUCCESS ? status
                                          : DNN_RNN(cudnnSetTensorNdDescriptor)(
                                                r->state, dnn_type(n->dtype), 3, shape, stride);
}

static cudnnStatus_t prepare(DnnRnn *r, const Key *key, const RnnNetwork *n, const int *lengths) {
    int64_t directions = directions_of(key);
    cudnnStatus_t status = find(key, r->handle, &r->network);
    if (status == CUDNN_STATUS_SUCCESS) {
        r->rnn = r->network->rnn;
        r->weights = r->network->weights;
        status = describe_data(&r->x, n, n->input, lengths);
    }
    if (status == CUDNN_STATUS_SUCCESS) {
        status = describe_data(&r->y, n, directions * n->hidden, lengths);
    }
    if (status == CUDNN_STATUS_SUCCESS) {
        status = describe_state(r, n, directions * n->layers);
    }
    if (status == CUDNN_STATUS_SUCCESS) {
        status = DNN_RNN(cudnnGetRNNTempSpaceSizes)(
            r->handle, r->rnn, n->train ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE, r->x,
            &r->workspace, &r->reserve);
        r->reserve = n->train ? r->reserve : 0;
    }
    return status;
}

/* cuDNN counts in 32 bits, and has no empty tensors. */
static bool fits(const RnnNetwork *n) {
    int64_t stacks = n->layers * 2; /* at most, as the layers are some tensors of a list each */
    int64_t sizes[] = {n->steps, n->batch, n->input, n->hidden * 4, stacks};
    for (int i = 0; i < 5; i++) {
        if (sizes[i] < 1 || sizes[i] > INT_MAX) {
            return false;
        }
    }
    int64_t widest = n->input > 2 * n->hidden ? n->input : 2 * n->hidden;
    return n->batch * n->hidden <= INT_MAX / stacks && n->steps * n->batch <= INT_MAX / widest;
}

static DnnResult begin(DnnRnn *r, Device d, const RnnNetwork *n, int *lengths) {
    Key key = {.input = n->input,
               .hidden = n->hidden,
               .layers = n->layers,
               .device = d.index,
               .dtype = n->dtype,
               .mode = n->mode,
               .bidirectional = n->bidirectional,
               .tf32 = dnn_modes() & DNN_TF32};
    for (int64_t i = 0; i < n->batch; i++) {
        lengths[i] = (int)n->steps;
    }
    *r = (DnnRnn){.handle = dnn_enter(d)};
    if (!r->handle) {
        return DNN_FAILED;
    }
    DnnResult result = DNN_UNSUPPORTED;
    if (dnn_library_has_rnn()) {
        cudnnStatus_t status = prepare(r, &key, n, lengths);
        if (status == CUDNN_STATUS_SUCCESS) {
            return DNN_DONE;
        }
        if (!dnn_unsupported(status)) {
            dnn_fail(status, "a recurrent network");
            result = DNN_FAILED;
        }
    }
    dnn_rnn_end(r);
    return result;
}

DnnResult dnn_rnn_begin(DnnRnn *r, Device d, const RnnNetwork *n) {
    bool off = !n->back && dnn_modes() & DNN_OFF;
    if (off || !fits(n) || !dnn_is_there()) {
        return DNN_UNSUPPORTED;
    }
    size_t bytes = (size_t)n->batch * sizeof(int);
    int *lengths = mem_alloc(bytes);
    DnnResult result = lengths ? begin(r, d, n, lengths) : DNN_FAILED;
    mem_free(lengths, bytes);
    return result;
}

void dnn_rnn_end(DnnRnn *r) {
    if (r->x) {
        DNN_RNN(cudnnDestroyRNNDataDescriptor)(r->x);
    }
    if (r->y) {
        DNN_RNN(cudnnDestroyRNNDataDescriptor)(r->y);
    }
    if (r->state) {
        DNN_RNN(cudnnDestroyTensorDescriptor)(r->state);
    }
    dnn_leave();
}

/* How many elements a weight or bias has of which cuDNN gives this descriptor; -1: error. */
static int64_t elements_of(cudnnTensorDescriptor_t d) {
    enum { MOST = 3 };
    cudnnDataType_t type;
    int dims, shape[MOST], stride[MOST];
    int64_t n = 1;
    if (!dnn_ok(DNN_RNN(cudnnGetTensorNdDescriptor)(d, MOST, &type, &dims, shape, stride),
                "a weight of a recurrent network")) {
        return -1;
    }
    for (int i = 0; i < dims && i < MOST; i++) {
        n *= shape[i];
    }
    return n;
}

/* Adds the rows of one gate, or lets the part that they continue have them too. */
static bool add_part(DnnNetwork *w, int32_t param, int64_t row, size_t at, size_t bytes) {
    if (at > w->weights || bytes > w->weights - at) {
        return fail("cuDNN: a weight of a recurrent network stands outside of the others' memory");
    }
    for (int i = w->n_parts - 1; i >= 0 && w->parts[i].param / 4 == param / 4; i--) {
        DnnWeights *part = &w->parts[i];
        if (part->param == param && part->row + part->rows == row && part->at + part->bytes == at) {
            part->rows += w->key.hidden;
            part->bytes += bytes;
            return true;
        }
    }
    w->parts[w->n_parts++] = (DnnWeights){param, row, w->key.hidden, at, bytes};
    return true;
}

/* One gate's weight and bias; number: of the weights of the state, behind those of the input. */
static bool add_gate(DnnRnn *r, const char *block, int stack, int number,
                     cudnnTensorDescriptor_t weight, cudnnTensorDescriptor_t bias) {
    DnnNetwork *w = r->network;
    const Key *k = &w->key;
    int64_t directions = directions_of(k), gates = rnn_gates((RnnMode)k->mode);
    bool of_state = number >= gates;
    int64_t columns = of_state ? k->hidden : stack < directions ? k->input : directions * k->hidden;
    int64_t row = number % gates * k->hidden;
    size_t size = dtype_size(k->dtype);
    void *at[2] = {NULL, NULL};
    if (!dnn_ok(DNN_RNN(cudnnGetRNNWeightParams)(r->handle, w->rnn, stack, w->weights, block,
                                                 number, weight, &at[0], bias, &at[1]),
                "the weights of a recurrent network")) {
        return false;
    }
    if (!at[0] || !at[1] || elements_of(weight) != k->hidden * columns ||
        elements_of(bias) != k->hidden) {
        return fail("cuDNN: the weights of a recurrent network are not of the size expected");
    }
    int32_t param = stack * 4 + of_state;
    return add_part(w, param, row, (size_t)((char *)at[0] - block),
                    (size_t)(k->hidden * columns) * size) &&
           add_part(w, param + 2, row, (size_t)((char *)at[1] - block), (size_t)k->hidden * size);
}

static bool find_parts(DnnRnn *r, const char *block) {
    DnnNetwork *w = r->network;
    int gates = 2 * (int)rnn_gates((RnnMode)w->key.mode);
    int stacks = (int)(w->key.layers * directions_of(&w->key));
    cudnnTensorDescriptor_t weight = NULL, bias = NULL;
    bool ok = dnn_ok(DNN_RNN(cudnnCreateTensorDescriptor)(&weight), "a descriptor") &&
              dnn_ok(DNN_RNN(cudnnCreateTensorDescriptor)(&bias), "a descriptor");
    for (int i = 0; ok && i < stacks * gates; i++) {
        ok = add_gate(r, block, i / gates, i % gates, weight, bias);
    }
    if (weight) {
        DNN_RNN(cudnnDestroyTensorDescriptor)(weight);
    }
    if (bias) {
        DNN_RNN(cudnnDestroyTensorDescriptor)(bias);
    }
    return ok;
}

int dnn_rnn_weights(DnnRnn *r, const void *block, const DnnWeights **parts, bool *gaps) {
    DnnNetwork *w = r->network;
    if (!w->n_parts) {
        size_t covered = 0;
        w->room =
            4 * (int)(rnn_gates((RnnMode)w->key.mode) * w->key.layers * directions_of(&w->key));
        w->parts = mem_alloc((size_t)w->room * sizeof *w->parts);
        if (!w->parts || !find_parts(r, block)) {
            mem_free(w->parts, (size_t)w->room * sizeof *w->parts);
            w->parts = NULL;
            w->n_parts = w->room = 0;
            return 0;
        }
        for (int i = 0; i < w->n_parts; i++) {
            covered += w->parts[i].bytes;
        }
        w->gaps = covered < w->weights;
    }
    *parts = w->parts;
    *gaps = w->gaps;
    return w->n_parts;
}
