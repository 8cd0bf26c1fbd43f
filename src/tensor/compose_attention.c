/* scaled_dot_product_attention on attend: broadcasts, masks and dropout. */
#include <math.h>

#include "tensor/widen.h"

static const char name[] = "scaled_dot_product_attention";

typedef struct Request {
    Tensor *query, *key, *value, *mask; /* mask may be NULL */
    double dropout, scale;
    bool causal, grouped;
    int64_t lead[MAX_DIMS]; /* the dims before (L, E), broadcast */
    int n_lead;
} Request;

static bool check_operands(const Request *r) {
    const Tensor *q = r->query, *k = r->key, *v = r->value;
    int least = r->grouped ? 3 : 2;
    if (q->dim < least || k->dim < least || v->dim < least) {
        return fail("%s: query, key and value must have %d dims or more, got shapes %s, %s and %s",
                    name, least, shape_text(tensor_shape(q)), shape_text(tensor_shape(k)),
                    shape_text(tensor_shape(v)));
    }
    if (!dtype_is_float(q->dtype) || q->dtype != k->dtype || q->dtype != v->dtype) {
        return fail("%s: query, key and value must be of one float dtype, got %s, %s and %s", name,
                    dtype_name(q->dtype), dtype_name(k->dtype), dtype_name(v->dtype));
    }
    if (q->shape[q->dim - 1] != k->shape[k->dim - 1] ||
        k->shape[k->dim - 2] != v->shape[v->dim - 2]) {
        return fail("%s: query (*, L, E), key (*, S, E) and value (*, S, V) do not fit: got shapes "
                    "%s, %s and %s",
                    name, shape_text(tensor_shape(q)), shape_text(tensor_shape(k)),
                    shape_text(tensor_shape(v)));
    }
    if (r->mask && r->causal) {
        return fail("%s: attn_mask and is_causal cannot both be given; put the causal part into "
                    "attn_mask, as with tocha.ones(L, S):tril():to(\"bool\")",
                    name);
    }
    if (r->mask && r->mask->dtype != DT_BOOL && r->mask->dtype != q->dtype) {
        return fail("%s: attn_mask must be bool or %s, like query, got %s", name,
                    dtype_name(q->dtype), dtype_name(r->mask->dtype));
    }
    return (r->dropout >= 0 && r->dropout <= 1) ||
           fail("%s: dropout_p must be in [0, 1], got %g", name, r->dropout);
}

/* The dims of t before its last drop ones. */
static Ints lead_of(const Tensor *t, int drop) { return (Ints){t->shape, t->dim - drop}; }

/* Broadcasts the dims before the matrices; grouped: all but the heads'. */
static bool find_lead(Request *r) {
    int drop = r->grouped ? 3 : 2;
    int64_t both[MAX_DIMS];
    int n = shape_broadcast(lead_of(r->query, drop), lead_of(r->key, drop), both);
    n = n < 0 ? n : shape_broadcast((Ints){both, n}, lead_of(r->value, drop), r->lead);
    bool ok = n >= 0;
    if (ok && r->grouped) {
        int64_t heads = r->query->shape[r->query->dim - 3], of_key = r->key->shape[r->key->dim - 3];
        ok = of_key == r->value->shape[r->value->dim - 3] && of_key > 0 && heads % of_key == 0;
        r->lead[n++] = heads;
    }
    r->n_lead = n;
    return ok ||
           fail("%s: the dims before the last two do not %s: query has shape %s, key %s and "
                "value %s",
                name,
                r->grouped ? "broadcast, or query's heads are no multiple of key's" : "broadcast",
                shape_text(tensor_shape(r->query)), shape_text(tensor_shape(r->key)),
                shape_text(tensor_shape(r->value)));
}

/* lead as (batch, heads). */
static void split_lead(const Request *r, int64_t *split) {
    split[1] = r->n_lead > 0 ? r->lead[r->n_lead - 1] : 1;
    split[0] = r->n_lead > 1 ? shape_numel((Ints){r->lead, r->n_lead - 1}) : 1;
}

/* t as (B, H, rows, columns). */
static Tensor *as_heads(const Request *r, Tensor *t) {
    int64_t shape[MAX_DIMS], split[2];
    split_lead(r, split);
    for (int d = 0; d < r->n_lead; d++) {
        shape[d] = r->lead[d];
    }
    if (r->grouped) {
        split[1] = shape[r->n_lead - 1] = t->shape[t->dim - 3];
    }
    shape[r->n_lead] = t->shape[t->dim - 2];
    shape[r->n_lead + 1] = t->shape[t->dim - 1];
    Tensor *whole = t_expand(t, (Ints){shape, r->n_lead + 2});
    return t_reshape(whole, INTS(split[0], split[1], shape[r->n_lead], shape[r->n_lead + 1]));
}

/* The mask as numbers to add, (B, H, L, S) or 1 in any of these. */
static Tensor *as_bias(const Request *r) {
    Tensor *m = r->mask;
    if (!m) {
        return NULL;
    }
    int64_t full[MAX_DIMS], shape[MAX_DIMS];
    for (int d = 0; d < r->n_lead; d++) {
        full[d] = r->lead[d];
    }
    full[r->n_lead] = r->query->shape[r->query->dim - 2];
    full[r->n_lead + 1] = r->key->shape[r->key->dim - 2];
    Ints whole = {full, r->n_lead + 2};
    int n = shape_broadcast(tensor_shape(m), whole, shape);
    bool fits = n == whole.n;
    for (int d = 0; fits && d < n; d++) {
        fits = shape[d] == full[d];
    }
    if (!fits) {
        return fail_null("%s: attn_mask must broadcast to shape %s, got %s", name,
                         shape_text(whole), shape_text(tensor_shape(m)));
    }
    if (m->dtype == DT_BOOL) {
        Tensor *none = t_zeros((Ints){full, 0}, r->query->dtype, m->device, false);
        Tensor *never =
            t_full((Ints){full, 0}, arg_float(-INFINITY), r->query->dtype, m->device, false);
        m = t_where(m, none, never);
    }
    if (m && (r->n_lead > 2 || m->dim > 4)) {
        int64_t split[2];
        split_lead(r, split);
        return t_reshape(t_expand(m, whole), INTS(split[0], split[1], full[n - 2], full[n - 1]));
    }
    for (int d = 0; m && d < 4; d++) {
        int own = m->dim - 4 + d;
        shape[d] = own < 0 ? 1 : m->shape[own];
    }
    return m ? t_reshape(m, (Ints){shape, 4}) : NULL;
}

/* With dropout: over the whole matrix of weights. */
static Tensor *with_dropout(const Request *r, Tensor *q, Tensor *k, Tensor *v, Tensor *bias) {
    int dtype = q->dtype;
    int64_t group = k && k->shape[1] ? q->shape[1] / k->shape[1] : 1;
    if (group > 1) {
        k = t_repeat_interleave(k, group, arg_int(1), arg_none());
        v = t_repeat_interleave(v, group, arg_int(1), arg_none());
    }
    Tensor *scores =
        t_matmul(t_mul(widened(q), tensor_number(r->scale)), t_transpose(widened(k), -2, -1));
    if (bias) {
        scores = t_add(scores, widened(bias));
    }
    if (r->causal && scores) {
        Ints square = INTS(scores->shape[2], scores->shape[3]);
        Tensor *seen = t_tril(t_ones(square, DT_BOOL, scores->device, false), 0);
        scores = t_where(seen, scores, tensor_number(-INFINITY));
    }
    if (!scores) {
        return NULL;
    }
    Tensor *weights = t_softmax(scores, 3);
    if (scores->shape[3] > 0) {
        /* A query that sees nothing gets zeros. */
        Tensor *blind = t_eq(t_amax(scores, INTS(3), true), tensor_number(-INFINITY));
        weights = t_where(blind, tensor_number(0), weights);
    }
    return rounded(t_matmul(t_dropout(weights, r->dropout, true), widened(v)), dtype);
}

Tensor *compose_scaled_dot_product_attention(const Arg *a, Tensor **out) {
    (void)out;
    Request r = {.query = a[0].t,
                 .key = a[1].t,
                 .value = a[2].t,
                 .mask = a[3].kind == ARG_TENSOR ? a[3].t : NULL,
                 .dropout = a[4].f,
                 .causal = a[5].b,
                 .grouped = a[7].b};
    if (!check_operands(&r) || !find_lead(&r)) {
        return NULL;
    }
    int64_t e = r.query->shape[r.query->dim - 1];
    r.scale = a[6].kind == ARG_FLOAT ? a[6].f : e ? 1 / sqrt((double)e) : 1;
    Tensor *q = as_heads(&r, r.query), *k = as_heads(&r, r.key), *v = as_heads(&r, r.value);
    Tensor *bias = as_bias(&r), *both[2] = {NULL, NULL};
    if (!q || !k || !v || (r.mask && !bias)) {
        return NULL;
    }
    if (r.dropout > 0) {
        both[0] = with_dropout(&r, q, k, v, bias);
    } else if (!t_attend(q, k, v, bias, r.scale, r.causal, both)) {
        return NULL;
    }
    int64_t shape[MAX_DIMS];
    for (int d = 0; d < r.n_lead; d++) {
        shape[d] = r.lead[d];
    }
    shape[r.n_lead] = r.query->shape[r.query->dim - 2];
    shape[r.n_lead + 1] = r.value->shape[r.value->dim - 1];
    return t_reshape(both[0], (Ints){shape, r.n_lead + 2});
}
