#include "gpu/attention_dnn.h"

#include <string.h>

#include "gpu/attention_graph.h"
#include "gpu/dense.h"
#include "gpu/dnn_library.h"

/* Rows whose elements lie side by side and begin at multiples of 16 bytes. */
static bool has_rows(const View *v) {
    enum { EIGHT = 8 }; /* halves in 16 bytes */
    bool fits = v->shape[3] % EIGHT == 0 && (v->stride[3] == 1 || v->shape[3] == 1) &&
                (uintptr_t)v->data % 16 == 0;
    for (int d = 0; d < 3; d++) {
        fits = fits && v->stride[d] % EIGHT == 0 && (v->stride[d] > 0 || v->shape[d] == 1);
    }
    return fits;
}

/* Whether a call whose query is argument k is one for cuDNN. A plan for a new shape takes long, so
 * that short calls, whose shapes change the most, do without. What a bias hides from a query
 * altogether is 0 here and nan there. */
static bool suits(const KernelCall *c, int k) {
    enum { LEAST = 64, WIDEST = 256 };
    const View *query = &c->in[k], *key = &c->in[k + 1], *value = &c->in[k + 2];
    bool half = query->dtype == DT_FLOAT16 || query->dtype == DT_BFLOAT16;
    return half && c->in[k + 3].dtype == DT_NONE && query->shape[2] >= LEAST && key->shape[2] > 0 &&
           query->numel > 0 && query->shape[3] <= WIDEST && value->shape[3] > 0 &&
           value->shape[3] <= WIDEST && has_rows(query) && has_rows(key) && has_rows(value) &&
           !(dnn_modes() & DNN_OFF) && dnn_is_there();
}

bool attention_by_dnn(const KernelCall *c, bool *done) {
    *done = false;
    if (!suits(c, 0)) {
        return true;
    }
    DnnGraph g;
    attention_graph(&g, c);
    DnnResult result = dnn_run(c, &g);
    *done = result == DNN_DONE;
    return result != DNN_FAILED;
}

/* cuDNN makes no note of engines that sum the gradient of query up in any order. Which one it is,
 * is said by the graph, and from compute capability 10 on by an engine's knobs too, which are not
 * set here. */
static bool keeps_order(const KernelCall *c) { return gpu_generation(c->device) < 10; }

/* Versions with mistakes: 9.10.0 and 9.10.1 in all gradients, those before 9.16 where the last
 * block of keys is not full; those before 9.6 want what is summed up in any order to be 0 first. */
static bool is_right(size_t version, int64_t keys) {
    enum { BLOCK = 128 };
    return version >= 91600 ||
           (version >= 90600 && version != 91000 && version != 91001 && keys % BLOCK == 0);
}

/* What is not in rows is copied. */
static View in_rows(Dense *d, const View *v, int64_t *stride) {
    View rows = *v;
    if (has_rows(v)) {
        return rows;
    }
    int64_t step = 1;
    for (int k = v->dim - 1; k >= 0; k--) {
        stride[k] = step;
        step *= v->shape[k];
    }
    rows.stride = stride;
    rows.data = (void *)dense_in(d, v);
    return rows;
}

/* With the gradient of the output, its output and lse as cuDNN wants them. */
static DnnResult run_backward(const KernelCall *c, Dense *d, AttentionScratch *scratch) {
    enum { GRAD = 0, OUTPUT = 5, LSE = 6, N_IN = 8 };
    View in[N_IN];
    int64_t stride[2][4];
    memcpy(in, c->in, sizeof in);
    in[GRAD] = in_rows(d, &c->in[GRAD], stride[0]);
    in[OUTPUT] = in_rows(d, &c->in[OUTPUT], stride[1]);
    in[LSE].data = (void *)dense_in(d, &c->in[LSE]);
    const int64_t *rows = c->in[LSE].shape, packed[] = {rows[1] * rows[2], rows[2], 1};
    in[LSE].stride = packed;
    if (d->failed) {
        return DNN_FAILED;
    }
    KernelCall call = *c;
    call.in = in;
    DnnGraph g;
    attention_backward_graph(&g, &call, scratch);
    return dnn_run(&call, &g);
}

bool attention_backward_by_dnn(const KernelCall *c, float *delta, bool *done) {
    enum { LSE_GRAD = 7 };
    bool any_order = dnn_modes() & DNN_NONDETERMINISTIC;
    *done = false;
    if (c->in[LSE_GRAD].dtype != DT_NONE || !suits(c, 1) || !(any_order || keeps_order(c))) {
        return true;
    }
    size_t version = dnn_version();
    if (!version || !is_right(version, c->in[2].shape[2])) {
        return version != 0;
    }
    Dense d = {.call = c};
    AttentionScratch scratch = {.delta = delta};
    if (any_order) {
        scratch.sums = dense_room(&d, (size_t)c->out[0].numel * sizeof *scratch.sums);
    }
    DnnResult result = d.failed ? DNN_FAILED : run_backward(c, &d, &scratch);
    *done = result == DNN_DONE;
    return dense_end(&d, result != DNN_FAILED);
}
