#include "gpu/attention_dnn.h"

#include "gpu/attention_graph.h"
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

/* A plan for a new shape takes long, so that short calls, whose shapes change the most, do without.
 * What a bias hides from a query altogether is 0 here and nan there. */
static bool suits(const KernelCall *c) {
    enum { LEAST = 64, WIDEST = 256 };
    const View *query = &c->in[0], *key = &c->in[1], *value = &c->in[2];
    bool half = query->dtype == DT_FLOAT16 || query->dtype == DT_BFLOAT16;
    return half && c->in[3].dtype == DT_NONE && query->shape[2] >= LEAST && key->shape[2] > 0 &&
           c->out[0].numel > 0 && query->shape[3] > 0 && query->shape[3] <= WIDEST &&
           value->shape[3] <= WIDEST && has_rows(query) && has_rows(key) && has_rows(value);
}

bool attention_by_dnn(const KernelCall *c, bool *done) {
    *done = false;
    if (!suits(c) || dnn_modes() & DNN_OFF || !dnn_is_there()) {
        return true;
    }
    DnnGraph g;
    attention_graph(&g, c);
    DnnResult result = dnn_run(c, &g);
    *done = result == DNN_DONE;
    return result != DNN_FAILED;
}
