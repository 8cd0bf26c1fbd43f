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

static Shapes shapes_of(const View *query, const View *key) {
    return (Shapes){{query->shape[0], query->shape[1], query->shape[2], key->shape[2]},
                    {query->shape[0], query->shape[1], query->shape[2], 1}};
}

/* cuDNN knows attention by this pattern of operations, and fuses all of it. */
void attention_graph(DnnGraph *g, const KernelCall *c) {
    const View *query = &c->in[0], *key = &c->in[1], *value = &c->in[2];
    Shapes s = shapes_of(query, key);
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

/* x, scores or their like, with queries and keys changed around, as elements of that type. */
static int turned(DnnGraph *g, const Shapes *s, int x, cudnnDataType_t type) {
    int64_t heads = s->whole[1], queries = s->whole[2], keys = s->whole[3];
    const int64_t shape[] = {s->whole[0], heads, keys, queries};
    const int64_t stride[] = {heads * queries * keys, queries * keys, 1, keys};
    int y = dnn_between(g, type, RANK, shape, stride);
    dnn_reshape(g, x, y);
    return y;
}

/* out = x y; where the heads of queries share out's, the sums over these. */
static void product(DnnGraph *g, int x, int y, const View *out, int64_t heads) {
    const int64_t shape[] = {out->shape[0], heads, out->shape[2], out->shape[3]};
    int into = operand(g, out, false);
    if (heads == out->shape[1]) {
        dnn_matmul(g, x, y, into);
        return;
    }
    int each = between(g, shape, dnn_type(out->dtype));
    dnn_matmul(g, x, y, each);
    dnn_reduce(g, CUDNN_REDUCE_TENSOR_ADD, each, into);
}

/* A contiguous tensor of floats in memory. */
static int floats(DnnGraph *g, const int64_t *shape, const void *data) {
    const int64_t stride[] = {shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1};
    return dnn_tensor(g, DT_FLOAT32, RANK, shape, stride, data);
}

/* The sums of grad * output, in memory, which the pattern wants; it knows them by a factor too, the
 * one of dropout. */
static int deltas(DnnGraph *g, const KernelCall *c, const Shapes *s, int grad, const void *memory) {
    int sum =
        reduced(g, CUDNN_REDUCE_TENSOR_ADD, s,
                made(g, CUDNN_POINTWISE_MUL, c->in[0].shape, grad, operand(g, &c->in[5], false)));
    int delta = floats(g, s->row, memory);
    dnn_pointwise(g, CUDNN_POINTWISE_MUL, CUDNN_DATA_FLOAT, sum, dnn_number(g, 1, RANK), -1, delta);
    return delta;
}

/* The gradient of query, given that of the scores. */
static void of_query(DnnGraph *g, const KernelCall *c, const AttentionScratch *scratch,
                     int of_scores, int turned_key) {
    const View *key = &c->in[2], *out = &c->out[0];
    int k = dnn_between(g, dnn_type(key->dtype), RANK, key->shape, key->stride);
    int into = operand(g, out, false);
    dnn_reshape(g, turned_key, k);
    if (!scratch->sums) {
        dnn_matmul(g, of_scores, k, into);
        return;
    }
    int sums = floats(g, out->shape, scratch->sums);
    dnn_matmul(g, of_scores, k, sums);
    dnn_pointwise(g, CUDNN_POINTWISE_IDENTITY, CUDNN_DATA_FLOAT, sums, -1, -1, into);
}

void attention_backward_graph(DnnGraph *g, const KernelCall *c, const AttentionScratch *scratch) {
    const View *query = &c->in[1], *key = &c->in[2];
    Shapes s = shapes_of(query, key);
    cudnnDataType_t type = dnn_type(query->dtype);
    dnn_begin(g);
    int scale = dnn_number(g, (float)c->arg[8].f, RANK);
    int grad = operand(g, &c->in[0], false), q = operand(g, query, false),
        k = operand(g, key, true);
    int delta = deltas(g, c, &s, grad, scratch->delta);
    int x = between(g, s.whole, CUDNN_DATA_FLOAT);
    dnn_matmul(g, q, k, x);
    x = made(g, CUDNN_POINTWISE_MUL, s.whole, x, scale);
    x = made(g, CUDNN_POINTWISE_SUB, s.whole, x, operand(g, &c->in[6], false));
    x = c->arg[9].b ? without_later(g, &s, x) : x;
    int weights = made(g, CUDNN_POINTWISE_EXP, s.whole, x, -1);
    product(g, turned(g, &s, weights, type), grad, &c->out[2], query->shape[1]);
    x = between(g, s.whole, CUDNN_DATA_FLOAT);
    dnn_matmul(g, grad, operand(g, &c->in[3], true), x);
    x = made(g, CUDNN_POINTWISE_SUB, s.whole, x, delta);
    x = made(g, CUDNN_POINTWISE_MUL, s.whole, x, weights);
    int of_scores = between(g, s.whole, type);
    dnn_pointwise(g, CUDNN_POINTWISE_MUL, CUDNN_DATA_FLOAT, x, scale, -1, of_scores);
    product(g, turned(g, &s, of_scores, type), q, &c->out[1], query->shape[1]);
    of_query(g, c, scratch, of_scores, k);
}
