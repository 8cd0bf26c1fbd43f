#include "gpu/attention_graph.h"

#include <math.h>

enum { RANK = 4, QUERY_DIM = 2, KEY_DIM = 3 };

/* A view of (B, H, rows, columns) or (B, H, rows), or the former with its last dims turned. */
static int operand(DnnGraph *g, const View *v, bool turned) {
    int64_t shape[RANK], stride[RANK];
    for (int d = 0; d < RANK; d++) {
        int from = turned && d >= 2 ? 5 - d : d;
        shape[d] = from < v->dim ? v->shape[from] : 1;
        stride[d] = from < v->dim ? v->stride[from] : 1;
    }
    return dnn_tensor(g, v->dtype, RANK, shape, stride, v->data);
}

/* Of the scores, and of what there is one of for each query. */
typedef struct Shapes {
    int64_t whole[RANK], row[RANK];
} Shapes;

static int between(DnnGraph *g, const int64_t *shape, cudnnDataType_t type) {
    return dnn_between(g, type, RANK, shape, NULL);
}

/* mode(x, b); b is -1 where mode is a function of one. */
static int made(DnnGraph *g, cudnnPointwiseMode_t mode, const int64_t *shape, int x, int b) {
    int y = between(g, shape, CUDNN_DATA_FLOAT);
    dnn_pointwise(g, mode, CUDNN_DATA_FLOAT, x, b, -1, y);
    return y;
}

static int reduced(DnnGraph *g, cudnnReduceTensorOp_t op, const Shapes *s, int x) {
    int y = between(g, s->row, CUDNN_DATA_FLOAT);
    dnn_reduce(g, op, x, y);
    return y;
}

/* x, but -infinity where the key comes behind the query. */
static int without_later(DnnGraph *g, const Shapes *s, int x) {
    int query = between(g, s->whole, CUDNN_DATA_INT32),
        key = between(g, s->whole, CUDNN_DATA_INT32);
    int seen = between(g, s->whole, CUDNN_DATA_BOOLEAN), y = between(g, s->whole, CUDNN_DATA_FLOAT);
    int never = dnn_number(g, -INFINITY, RANK);
    dnn_places(g, x, QUERY_DIM, query);
    dnn_places(g, x, KEY_DIM, key);
    dnn_pointwise(g, CUDNN_POINTWISE_CMP_GE, CUDNN_DATA_BOOLEAN, query, key, -1, seen);
    dnn_pointwise(g, CUDNN_POINTWISE_BINARY_SELECT, CUDNN_DATA_FLOAT, x, never, seen, y);
    return y;
}

/* cuDNN knows attention by this pattern of operations, and fuses all of it. */
void attention_graph(DnnGraph *g, const KernelCall *c) {
    const View *query = &c->in[0], *key = &c->in[1], *value = &c->in[2];
    Shapes s = {{query->shape[0], query->shape[1], query->shape[2], key->shape[2]},
                {query->shape[0], query->shape[1], query->shape[2], 1}};
    dnn_begin(g);
    int x = between(g, s.whole, CUDNN_DATA_FLOAT);
    dnn_matmul(g, operand(g, query, false), operand(g, key, true), x);
    x = made(g, CUDNN_POINTWISE_MUL, s.whole, x, dnn_number(g, (float)c->arg[4].f, RANK));
    x = c->arg[5].b ? without_later(g, &s, x) : x;
    int most = reduced(g, CUDNN_REDUCE_TENSOR_MAX, &s, x);
    int e =
        made(g, CUDNN_POINTWISE_EXP, s.whole, made(g, CUDNN_POINTWISE_SUB, s.whole, x, most), -1);
    int sum = reduced(g, CUDNN_REDUCE_TENSOR_ADD, &s, e);
    int log_sum = made(g, CUDNN_POINTWISE_LOG, s.row, sum, -1);
    dnn_pointwise(g, CUDNN_POINTWISE_ADD, CUDNN_DATA_FLOAT, most, log_sum, -1,
                  operand(g, &c->out[1], false));
    int weights = between(g, s.whole, dnn_type(query->dtype));
    dnn_pointwise(g, CUDNN_POINTWISE_DIV, CUDNN_DATA_FLOAT, e, sum, -1, weights);
    dnn_matmul(g, weights, operand(g, value, false), operand(g, &c->out[0], false));
}
