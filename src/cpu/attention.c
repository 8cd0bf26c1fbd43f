/* attend and its gradients, in tiles: a few panels of queries against blocks of keys. Scores are
 * computed turned, keys by queries, so that a tile is a packed operand of the next product as it
 * stands, and the softmax along the keys goes down its columns. */
#include "cpu/kernels/attention.h"

#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/gemm.h"
#include "cpu/kernels/isa_name.h"
#include "cpu/stage.h"
#include "cpu/workspace.h"

ISA_DECLARE(const AttentionTable, attention_table);

/* Keys of a block and panels of queries that meet it while it is in the first-level cache. A task
 * has that many groups of panels at least. */
enum { KEYS = 128, PANELS = 2, TASK_GROUPS = 2 };

typedef struct Attention {
    const GemmKernels *gemm;
    const AttentionKernels *kernels;
    const char *q, *k, *v, *bias, *grad;
    char *out, *lse;
    const char *lse_grad; /* backward alone; may be NULL */
    char *q_grad, *k_grad, *v_grad;
    int64_t batch, heads, key_heads, l, s, e, value; /* value: elements of a value */
    int64_t bias_step[4];                            /* of (B, H, L, S), 0 where it is broadcast */
    double scale;
    bool causal;
    int64_t size; /* of an element */
    int64_t cuts; /* forward: tasks a head */
    Workspace work;
} Attention;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static size_t aligned(int64_t bytes) {
    return ((size_t)bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN;
}

static Matrix rows_of(const void *data, int64_t columns) { return (Matrix){data, columns, 1}; }
static Matrix turned(const void *data, int64_t columns) { return (Matrix){data, 1, columns}; }

/* Blocks of a packed operand that is cut along the keys. */
typedef struct Packed {
    char *data;
    size_t block;
} Packed;

static char *block_of(const Packed *p, int64_t key) {
    return p->data + (size_t)(key / KEYS) * p->block;
}

/* Takes bytes from a workspace slot. */
static char *carve(char **at, size_t bytes) {
    char *p = *at;
    *at += bytes;
    return p;
}

static int64_t panel(const Attention *a) { return a->gemm->nr; }
static int64_t key_blocks(const Attention *a) { return ceil_div(a->s, KEYS); }
static size_t tile_bytes(const Attention *a, int64_t rows) {
    return aligned(rows * panel(a) * a->size);
}

/* keys (S, n) as blocks of left operands; across: (n, S) cut along S. */
static void pack_keys(const Attention *a, const char *keys, int64_t n, bool across, Packed *p) {
    for (int64_t key = 0; key < a->s; key += KEYS) {
        int64_t count = least(KEYS, a->s - key);
        const char *from = keys + key * n * a->size;
        if (across) {
            a->gemm->pack_a(n, count, turned(from, n), block_of(p, key));
        } else {
            a->gemm->pack_a(count, n, rows_of(from, n), block_of(p, key));
        }
    }
}

static size_t packed_block(const Attention *a, int64_t n, bool across) {
    int64_t keys = least(KEYS, a->s);
    return across ? gemm_bytes_a(a->gemm, n, keys) : gemm_bytes_a(a->gemm, keys, n);
}

/* How far behind the query the causal mask hides keys, as blocks go. */
static int64_t keys_seen(const Attention *a, int64_t queries_end) {
    return a->causal ? least(a->s, queries_end) : a->s;
}

typedef struct Head {
    int64_t b, h, index; /* index: of (b, h) */
    int64_t key_index;   /* of (b, head of the keys) */
} Head;

static Head head_of(const Attention *a, int64_t index) {
    int64_t b = index / a->heads, h = index % a->heads, group = a->heads / a->key_heads;
    return (Head){b, h, index, b * a->key_heads + h / group};
}

/* Scores of count keys and queries queries into tile: scale * k q^T, masked. */
static void score(const Attention *a, const Head *head, int64_t key, int64_t count, int64_t query,
                  int64_t queries, const void *keys, const void *packed_q, void *tile) {
    GemmOut out = {.c = tile, .rs = panel(a), .cs = 1, .alpha = a->scale};
    a->gemm->block(count, queries, a->e, keys, packed_q, &out);
    bool hides = a->causal && key + count - 1 > query;
    if (!a->bias && !hides) {
        return;
    }
    AttentionMask m = {.causal = hides, .ahead = query - key};
    if (a->bias) {
        const int64_t *step = a->bias_step;
        m.bias =
            a->bias +
            (head->b * step[0] + head->h * step[1] + query * step[2] + key * step[3]) * a->size;
        m.query_step = step[2];
        m.key_step = step[3];
    }
    a->kernels->mask(tile, count, queries, &m);
}

/* One panel of queries on its way over the keys. */
typedef struct Panel {
    int64_t query, queries;
    char *packed_q, *tile, *result;
    AttentionState state;
    /* backward: */
    char *packed_grad, *grad_tile, *delta;
} Panel;

static size_t state_bytes(const Attention *a) { return aligned(panel(a) * a->size); }

static size_t forward_bytes(const Attention *a) {
    size_t one = gemm_bytes_b(a->gemm, a->e, panel(a)) + tile_bytes(a, KEYS) +
                 tile_bytes(a, a->value) + 3 * state_bytes(a);
    size_t keys = packed_block(a, a->e, false) + packed_block(a, a->value, true);
    return (size_t)key_blocks(a) * keys + PANELS * one;
}

static void meet_block(const Attention *a, const Head *head, Panel *p, int64_t key, int64_t count,
                       const Packed *keys, const Packed *values) {
    score(a, head, key, count, p->query, p->queries, block_of(keys, key), p->packed_q, p->tile);
    a->kernels->weigh(p->tile, count, &p->state);
    if (key > 0) {
        a->kernels->shrink(p->result, a->value, &p->state);
    }
    GemmOut out = {.c = p->result, .rs = panel(a), .cs = 1, .alpha = 1, .beta = key > 0};
    if (key > 0) {
        out.add = (Matrix){p->result, panel(a), 1};
    }
    a->gemm->block(a->value, p->queries, count, block_of(values, key), p->tile, &out);
}

/* The queries of a group of panels. */
static void attend_group(const Attention *a, const Head *head, Panel *panels, int64_t query,
                         const Packed *keys, const Packed *values) {
    int n = 0;
    for (; n < PANELS && query + n * panel(a) < a->l; n++) {
        Panel *p = &panels[n];
        p->query = query + n * panel(a);
        p->queries = least(panel(a), a->l - p->query);
        const char *q = a->q + (head->index * a->l + p->query) * a->e * a->size;
        a->gemm->pack_b(a->e, p->queries, turned(q, a->e), p->packed_q);
        a->kernels->start(&p->state);
        memset(p->result, 0, tile_bytes(a, a->value));
    }
    int64_t end = keys_seen(a, panels[n - 1].query + panels[n - 1].queries);
    for (int64_t key = 0; key < end; key += KEYS) {
        for (int i = 0; i < n; i++) {
            meet_block(a, head, &panels[i], key, least(KEYS, a->s - key), keys, values);
        }
    }
    for (int i = 0; i < n; i++) {
        int64_t row = head->index * a->l + panels[i].query;
        a->kernels->finish(panels[i].result, a->value, panels[i].queries, &panels[i].state,
                           a->out + row * a->value * a->size, a->lse + row * a->size);
    }
}

static void attend_task(void *ctx, int64_t task) {
    Attention *a = ctx;
    Head head = head_of(a, task / a->cuts);
    char *slot = workspace_take(&a->work), *at = slot;
    Packed keys = {.block = packed_block(a, a->e, false)};
    Packed values = {.block = packed_block(a, a->value, true)};
    keys.data = carve(&at, (size_t)key_blocks(a) * keys.block);
    values.data = carve(&at, (size_t)key_blocks(a) * values.block);
    Panel panels[PANELS];
    for (int i = 0; i < PANELS; i++) {
        panels[i] = (Panel){.packed_q = carve(&at, gemm_bytes_b(a->gemm, a->e, panel(a))),
                            .tile = carve(&at, tile_bytes(a, KEYS)),
                            .result = carve(&at, tile_bytes(a, a->value)),
                            .state = {carve(&at, state_bytes(a)), carve(&at, state_bytes(a)),
                                      carve(&at, state_bytes(a))}};
        /* Columns behind the last query are multiplied too. */
        memset(panels[i].tile, 0, tile_bytes(a, KEYS));
    }
    pack_keys(a, a->k + head.key_index * a->s * a->e * a->size, a->e, false, &keys);
    pack_keys(a, a->v + head.key_index * a->s * a->value * a->size, a->value, true, &values);
    int64_t step = PANELS * panel(a), groups = ceil_div(a->l, step);
    int64_t first = task % a->cuts * groups / a->cuts,
            last = (task % a->cuts + 1) * groups / a->cuts;
    for (int64_t g = first; g < last; g++) {
        attend_group(a, &head, panels, g * step, &keys, &values);
    }
    workspace_give(&a->work, slot);
}

/* Sizes, operands and bias of a call whose query is argument k. */
static void read_operands(Attention *a, Stage *s, const KernelCall *c, int k, double scale,
                          bool causal) {
    const View *q = &c->in[k], *key = &c->in[k + 1], *v = &c->in[k + 2], *bias = &c->in[k + 3];
    a->size = (int64_t)stage_size(q);
    a->gemm = gemm_kernels((size_t)a->size);
    a->kernels = &ISA_PICK(attention_table)->of[a->size == sizeof(double)];
    a->batch = q->shape[0];
    a->heads = q->shape[1];
    a->key_heads = key->shape[1];
    a->l = q->shape[2];
    a->s = key->shape[2];
    a->e = q->shape[3];
    a->value = v->shape[3];
    a->scale = scale;
    a->causal = causal;
    a->q = stage_in(s, q);
    a->k = stage_in(s, key);
    a->v = stage_in(s, v);
    a->bias = stage_in(s, bias);
    int64_t step = 1;
    for (int d = 3; bias->dtype != DT_NONE && d >= 0; d--) {
        a->bias_step[d] = bias->shape[d] == 1 ? 0 : step;
        step *= bias->shape[d];
    }
}

static bool cpu_attend(const KernelCall *c) {
    Attention a = {0};
    Stage s = {0};
    read_operands(&a, &s, c, 0, c->arg[4].f, c->arg[5].b);
    a.out = stage_out(&s, &c->out[0]);
    a.lse = stage_out(&s, &c->out[1]);
    int64_t heads = a.batch * a.heads, threads = threads_get();
    if (s.failed || c->out[1].numel == 0) {
        return stage_end(&s, true);
    }
    int64_t groups = ceil_div(a.l, PANELS * panel(&a));
    a.cuts = least(ceil_div(2 * threads, heads), ceil_div(groups, TASK_GROUPS));
    if (!workspace_open(&a.work, heads * a.cuts, forward_bytes(&a))) {
        return stage_end(&s, false);
    }
    parallel_tasks(heads * a.cuts, attend_task, &a);
    workspace_close(&a.work);
    return stage_end(&s, true);
}

/* Operands of the backward pass of one head of the keys. */
typedef struct Backward {
    Packed keys, keys_across, values;
    char *left; /* a tile as a left operand */
    char *rows; /* a panel's queries or gradients as a right operand */
    Panel panel[PANELS];
} Backward;

static size_t rows_bytes(const Attention *a) {
    size_t q = gemm_bytes_b(a->gemm, panel(a), a->e), v = gemm_bytes_b(a->gemm, panel(a), a->value);
    return q > v ? q : v;
}

static size_t backward_bytes(const Attention *a) {
    size_t keys = packed_block(a, a->e, false) + packed_block(a, a->e, true) +
                  packed_block(a, a->value, false);
    size_t one = gemm_bytes_b(a->gemm, a->e, panel(a)) + gemm_bytes_b(a->gemm, a->value, panel(a)) +
                 2 * tile_bytes(a, KEYS) + tile_bytes(a, a->e) + state_bytes(a);
    return (size_t)key_blocks(a) * keys + PANELS * one + gemm_bytes_a(a->gemm, KEYS, panel(a)) +
           rows_bytes(a);
}

static Backward carve_backward(const Attention *a, char *at) {
    Backward b = {.keys.block = packed_block(a, a->e, false),
                  .keys_across.block = packed_block(a, a->e, true),
                  .values.block = packed_block(a, a->value, false)};
    b.keys.data = carve(&at, (size_t)key_blocks(a) * b.keys.block);
    b.keys_across.data = carve(&at, (size_t)key_blocks(a) * b.keys_across.block);
    b.values.data = carve(&at, (size_t)key_blocks(a) * b.values.block);
    b.left = carve(&at, gemm_bytes_a(a->gemm, KEYS, panel(a)));
    b.rows = carve(&at, rows_bytes(a));
    for (int i = 0; i < PANELS; i++) {
        b.panel[i] = (Panel){.packed_q = carve(&at, gemm_bytes_b(a->gemm, a->e, panel(a))),
                             .packed_grad = carve(&at, gemm_bytes_b(a->gemm, a->value, panel(a))),
                             .tile = carve(&at, tile_bytes(a, KEYS)),
                             .grad_tile = carve(&at, tile_bytes(a, KEYS)),
                             .result = carve(&at, tile_bytes(a, a->e)),
                             .delta = carve(&at, state_bytes(a))};
        memset(b.panel[i].tile, 0, tile_bytes(a, KEYS));
        memset(b.panel[i].grad_tile, 0, tile_bytes(a, KEYS));
    }
    return b;
}

/* out (count, n) += alpha * tile (count, queries) times rows (queries, n). */
static void add_product(const Attention *a, const Backward *b, const char *tile, int64_t count,
                        const char *rows, int64_t queries, int64_t n, double alpha, char *out) {
    GemmOut to = {.c = out, .rs = n, .cs = 1, .add = {out, n, 1}, .alpha = alpha, .beta = 1};
    a->gemm->pack_a(count, queries, rows_of(tile, panel(a)), b->left);
    a->gemm->pack_b(queries, n, rows_of(rows, n), b->rows);
    a->gemm->block(count, n, queries, b->left, b->rows, &to);
}

static void back_block(const Attention *a, const Head *head, const Backward *b, Panel *p,
                       int64_t key, int64_t count) {
    int64_t row = head->index * a->l + p->query, key_row = head->key_index * a->s + key;
    score(a, head, key, count, p->query, p->queries, block_of(&b->keys, key), p->packed_q, p->tile);
    GemmOut out = {.c = p->grad_tile, .rs = panel(a), .cs = 1, .alpha = 1};
    a->gemm->block(count, p->queries, a->value, block_of(&b->values, key), p->packed_grad, &out);
    a->kernels->back(p->tile, p->grad_tile, count, p->queries, a->lse + row * a->size, p->delta);
    add_product(a, b, p->tile, count, a->grad + row * a->value * a->size, p->queries, a->value, 1,
                a->v_grad + key_row * a->value * a->size);
    add_product(a, b, p->grad_tile, count, a->q + row * a->e * a->size, p->queries, a->e, a->scale,
                a->k_grad + key_row * a->e * a->size);
    out = (GemmOut){.c = p->result,
                    .rs = panel(a),
                    .cs = 1,
                    .add = {p->result, panel(a), 1},
                    .alpha = a->scale,
                    .beta = 1};
    a->gemm->block(a->e, p->queries, count, block_of(&b->keys_across, key), p->grad_tile, &out);
}

static void back_group(const Attention *a, const Head *head, Backward *b, int64_t query) {
    int n = 0;
    for (; n < PANELS && query + n * panel(a) < a->l; n++) {
        Panel *p = &b->panel[n];
        p->query = query + n * panel(a);
        p->queries = least(panel(a), a->l - p->query);
        int64_t row = head->index * a->l + p->query;
        a->gemm->pack_b(a->e, p->queries, turned(a->q + row * a->e * a->size, a->e), p->packed_q);
        a->gemm->pack_b(a->value, p->queries, turned(a->grad + row * a->value * a->size, a->value),
                        p->packed_grad);
        int64_t at = row * a->value * a->size;
        a->kernels->subtrahend(a->grad + at, a->out + at,
                               a->lse_grad ? a->lse_grad + row * a->size : NULL, a->value,
                               p->queries, p->delta);
        memset(p->result, 0, tile_bytes(a, a->e));
    }
    int64_t end = keys_seen(a, b->panel[n - 1].query + b->panel[n - 1].queries);
    for (int64_t key = 0; key < end; key += KEYS) {
        for (int i = 0; i < n; i++) {
            back_block(a, head, b, &b->panel[i], key, least(KEYS, a->s - key));
        }
    }
    for (int i = 0; i < n; i++) {
        int64_t row = head->index * a->l + b->panel[i].query;
        a->kernels->add_turned(b->panel[i].result, a->e, b->panel[i].queries,
                               a->q_grad + row * a->e * a->size);
    }
}

/* A task is one head of the keys with all heads of queries that share it. */
static void back_task(void *ctx, int64_t task) {
    Attention *a = ctx;
    int64_t group = a->heads / a->key_heads,
            first = task / a->key_heads * a->heads + task % a->key_heads * group;
    char *slot = workspace_take(&a->work);
    Backward b = carve_backward(a, slot);
    const char *keys = a->k + task * a->s * a->e * a->size;
    pack_keys(a, keys, a->e, false, &b.keys);
    pack_keys(a, keys, a->e, true, &b.keys_across);
    pack_keys(a, a->v + task * a->s * a->value * a->size, a->value, false, &b.values);
    for (int64_t h = first; h < first + group; h++) {
        Head head = head_of(a, h);
        for (int64_t q = 0; q < a->l; q += PANELS * panel(a)) {
            back_group(a, &head, &b, q);
        }
    }
    workspace_give(&a->work, slot);
}

static char *zeroed(Stage *s, const View *v) {
    char *p = stage_out(s, v);
    if (p) {
        memset(p, 0, (size_t)v->numel * stage_size(v));
    }
    return p;
}

static bool cpu_attend_backward(const KernelCall *c) {
    Attention a = {0};
    Stage s = {0};
    read_operands(&a, &s, c, 1, c->arg[8].f, c->arg[9].b);
    a.grad = stage_in(&s, &c->in[0]);
    a.out = (char *)stage_in(&s, &c->in[5]);
    a.lse = (char *)stage_in(&s, &c->in[6]);
    a.lse_grad = stage_in(&s, &c->in[7]);
    a.q_grad = zeroed(&s, &c->out[0]);
    a.k_grad = zeroed(&s, &c->out[1]);
    a.v_grad = zeroed(&s, &c->out[2]);
    int64_t tasks = a.batch * a.key_heads;
    if (s.failed || tasks == 0 || a.l == 0 || a.s == 0) {
        return stage_end(&s, true);
    }
    if (!workspace_open(&a.work, tasks, backward_bytes(&a))) {
        return stage_end(&s, false);
    }
    parallel_tasks(tasks, back_task, &a);
    workspace_close(&a.work);
    return stage_end(&s, true);
}

const KernelRow cpu_attention_rows[] = {
    {"attend", cpu_attend}, {"attend_backward", cpu_attend_backward}, {NULL, NULL}};
