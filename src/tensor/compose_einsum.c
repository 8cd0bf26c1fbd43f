/* Einstein sums and other contractions, as products of batches of matrices. */
#include <ctype.h>
#include <string.h>

#include "tensor/op.h"

enum {
    LETTERS = 52,
    LABELS = LETTERS + MAX_DIMS, /* the dims of "..." count from the right: LETTERS is the last */
    TERMS_MAX = 32,
    ORDERED_MAX = 8 /* up to so many operands the best order is searched for */
};

/* A tensor with a label for each dim. */
typedef struct Term {
    Tensor *t;
    uint8_t label[MAX_DIMS];
} Term;

typedef struct Labels {
    uint8_t v[LABELS];
    int n;
} Labels;

typedef struct Einsum {
    const char *text;
    Term term[TERMS_MAX];
    int n;
    int64_t size[LABELS];
    Labels out;
} Einsum;

static uint64_t bit(int label) { return (uint64_t)1 << label; }

static uint64_t mask_of(const Term *x) {
    uint64_t mask = 0;
    for (int d = 0; d < x->t->dim; d++) {
        mask |= bit(x->label[d]);
    }
    return mask;
}

static int position_of(const Term *x, int label) {
    for (int d = 0; d < x->t->dim; d++) {
        if (x->label[d] == label) {
            return d;
        }
    }
    return -1;
}

/* A result without the dims whose labels are not in keep. */
static bool sum_out(Term *x, uint64_t keep) {
    int64_t dims[MAX_DIMS];
    Term left = {0};
    int n = 0, m = 0;
    for (int d = 0; d < x->t->dim; d++) {
        if (keep & bit(x->label[d])) {
            left.label[m++] = x->label[d];
        } else {
            dims[n++] = d;
        }
    }
    if (n == 0) {
        return true;
    }
    left.t = t_sum(x->t, (Ints){dims, n}, false, x->t->dtype);
    *x = left;
    return x->t != NULL;
}

/* x with its dims in the order of labels, of which it has every one. */
static Tensor *in_order(const Term *x, const uint8_t *labels, int n) {
    int64_t dims[MAX_DIMS];
    for (int d = 0; d < n; d++) {
        dims[d] = position_of(x, labels[d]);
    }
    return n ? t_permute(x->t, (Ints){dims, n}) : x->t;
}

static int append(uint8_t *list, int n, uint64_t mask) {
    for (int label = 0; label < LABELS; label++) {
        if (mask & bit(label)) {
            list[n++] = (uint8_t)label;
        }
    }
    return n;
}

/* Saturates, which no reshape then accepts: beside a dim of size 0 sizes may be any. */
static int64_t product_of(const int64_t *size, uint64_t mask) {
    int64_t product = 1;
    for (int label = 0; label < LABELS; label++) {
        if (mask & bit(label) && __builtin_mul_overflow(product, size[label], &product)) {
            return INT64_MAX;
        }
    }
    return product;
}

/* The product of two terms, summed over the labels that are not in keep. */
static bool contract(const int64_t *size, Term *x, Term *y, uint64_t keep, Term *out) {
    if (!sum_out(x, keep | mask_of(y)) || !sum_out(y, keep | mask_of(x))) {
        return false;
    }
    uint64_t a = mask_of(x), b = mask_of(y), batch = a & b & keep, inner = a & b & ~keep;
    uint8_t la[MAX_DIMS], lb[MAX_DIMS], result[2 * MAX_DIMS];
    append(la, append(la, append(la, 0, batch), a & ~b), inner);
    append(lb, append(lb, append(lb, 0, batch), inner), b & ~a);
    int n = append(result, append(result, append(result, 0, batch), a & ~b), b & ~a);
    if (n > MAX_DIMS) {
        return fail("einsum: a product of two operands has %d dims, at most %d are supported", n,
                    MAX_DIMS);
    }
    int64_t shape[MAX_DIMS], count = product_of(size, batch), k = product_of(size, inner);
    int64_t rows = product_of(size, a & ~b), columns = product_of(size, b & ~a);
    Tensor *left = t_reshape(in_order(x, la, x->t->dim), INTS(count, rows, k));
    Tensor *right = t_reshape(in_order(y, lb, y->t->dim), INTS(count, k, columns));
    Tensor *product = inner ? t_matmul_batched(left, right) : t_mul(left, right);
    for (int d = 0; d < n; d++) {
        shape[d] = size[result[d]];
        out->label[d] = result[d];
    }
    out->t = t_reshape(product, (Ints){shape, n});
    return out->t != NULL;
}

static int label_of(char c) {
    return islower((unsigned char)c) ? c - 'a' + 26 : isupper((unsigned char)c) ? c - 'A' : -1;
}

/* The labels of one operand's or the result's letters up to end; dots: how many dims "..." has. */
static bool read_labels(const char *text, const char *end, int dots, bool *had_dots, Labels *l) {
    l->n = 0;
    *had_dots = false;
    for (; text < end; text++) {
        int label = label_of(*text);
        if (label >= 0 && l->n < LABELS) {
            l->v[l->n++] = (uint8_t)label;
        } else if (end - text >= 3 && strncmp(text, "...", 3) == 0 && !*had_dots) {
            *had_dots = true;
            text += 2;
            for (int d = dots - 1; d >= 0 && l->n < LABELS; d--) {
                l->v[l->n++] = (uint8_t)(LETTERS + d);
            }
        } else if (*text != ' ') {
            return fail(
                "einsum: equation may have letters, \",\", one \"...\" for each operand and "
                "\"->\", got '%c'",
                *text);
        }
    }
    return true;
}

static int count_letters(const char *text, const char *end) {
    int n = 0;
    for (; text < end; text++) {
        n += label_of(*text) >= 0;
    }
    return n;
}

static bool note_sizes(Einsum *e, const Term *x, int k) {
    for (int d = 0; d < x->t->dim; d++) {
        int64_t *known = &e->size[x->label[d]], own = x->t->shape[d];
        if (*known != own && *known != -1 && *known != 1 && own != 1) {
            return fail("einsum: operand %d has size %lld where another has %lld for the same "
                        "letter",
                        k + 1, (long long)own, (long long)*known);
        }
        *known = *known == -1 || *known == 1 ? own : *known;
    }
    return true;
}

/* A letter that an operand has twice stands for its diagonal. */
static bool take_diagonals(Term *x) {
    for (int a = 0; a < x->t->dim; a++) {
        for (int b = a + 1; b < x->t->dim; b++) {
            if (x->label[a] != x->label[b]) {
                continue;
            }
            if (x->t->shape[a] != x->t->shape[b]) {
                return fail("einsum: sizes %lld and %lld of a repeated letter differ",
                            (long long)x->t->shape[a], (long long)x->t->shape[b]);
            }
            uint8_t label = x->label[a];
            int n = x->t->dim;
            x->t = t_diagonal(x->t, 0, a, b);
            if (!x->t) {
                return false;
            }
            memmove(x->label + b, x->label + b + 1, (size_t)(n - b - 1));
            memmove(x->label + a, x->label + a + 1, (size_t)(n - a - 2));
            x->label[n - 2] = label;
            a = -1;
            break;
        }
    }
    return true;
}

static bool read_operand(Einsum *e, const char *text, const char *end, Tensor *t, int k) {
    Labels l;
    bool had_dots;
    int dots = t->dim - count_letters(text, end);
    if (!read_labels(text, end, dots > 0 ? dots : 0, &had_dots, &l)) {
        return false;
    }
    if (dots < 0 || (dots > 0 && !had_dots)) {
        return fail("einsum: operand %d has %d dims (%s), but %d letter%s", k + 1, t->dim,
                    shape_text(tensor_shape(t)), t->dim - dots, t->dim - dots == 1 ? "" : "s");
    }
    Term *x = &e->term[k];
    x->t = t;
    memcpy(x->label, l.v, (size_t)t->dim);
    return take_diagonals(x) && note_sizes(e, x, k);
}

/* Letters that occur once, behind the dims of "...". */
static void implicit_result(Einsum *e, const char *text, const char *end) {
    int count[LETTERS] = {0};
    for (const char *c = text; c < end; c++) {
        if (label_of(*c) >= 0) {
            count[label_of(*c)]++;
        }
    }
    for (int label = LABELS - 1; label >= LETTERS; label--) {
        if (e->size[label] >= 0) {
            e->out.v[e->out.n++] = (uint8_t)label;
        }
    }
    for (int label = 0; label < LETTERS; label++) {
        if (count[label] == 1) {
            e->out.v[e->out.n++] = (uint8_t)label;
        }
    }
}

static bool explicit_result(Einsum *e, const char *text) {
    int dots = 0;
    bool had_dots;
    uint64_t seen = 0;
    for (int label = LETTERS; label < LABELS; label++) {
        dots += e->size[label] >= 0;
    }
    if (!read_labels(text, text + strlen(text), dots, &had_dots, &e->out)) {
        return false;
    }
    for (int i = 0; i < e->out.n; i++) {
        int label = e->out.v[i];
        if (e->size[label] < 0 || seen & bit(label)) {
            return fail("einsum: a letter behind \"->\" must occur once there and in an operand");
        }
        seen |= bit(label);
    }
    return e->out.n <= MAX_DIMS ||
           fail("einsum: the result has %d dims, at most %d are supported", e->out.n, MAX_DIMS);
}

static bool read_equation(Einsum *e, TensorList operands) {
    const char *arrow = strstr(e->text, "->");
    const char *end = arrow ? arrow : e->text + strlen(e->text), *from = e->text;
    if (operands.n < 1 || operands.n > TERMS_MAX) {
        return fail("einsum: expected 1 to %d operands, got %d", TERMS_MAX, operands.n);
    }
    for (int label = 0; label < LABELS; label++) {
        e->size[label] = -1;
    }
    for (int k = 0; k < operands.n; k++) {
        const char *comma = memchr(from, ',', (size_t)(end - from));
        const char *stop = comma ? comma : end;
        if ((comma == NULL) != (k == operands.n - 1)) {
            return fail("einsum: equation \"%.60s\" does not name %d operand%s", e->text,
                        operands.n, operands.n == 1 ? "" : "s");
        }
        if (!read_operand(e, from, stop, operands.v[k], k)) {
            return false;
        }
        from = comma ? comma + 1 : end;
    }
    e->n = operands.n;
    e->out.n = 0;
    if (!arrow) {
        implicit_result(e, e->text, end);
    }
    return arrow ? explicit_result(e, arrow + 2) : true;
}

/* A dim of size 1 that others have larger goes: the operand is the same along it. */
static bool drop_ones(Einsum *e) {
    for (int k = 0; k < e->n; k++) {
        Term *x = &e->term[k], left = {0};
        int64_t dims[MAX_DIMS];
        int n = 0, m = 0;
        for (int d = 0; d < x->t->dim; d++) {
            if (x->t->shape[d] == 1 && e->size[x->label[d]] != 1) {
                dims[n++] = d;
            } else {
                left.label[m++] = x->label[d];
            }
        }
        if (n) {
            left.t = t_squeeze(x->t, (Ints){dims, n});
            *x = left;
        }
        if (!x->t) {
            return false;
        }
    }
    return true;
}

static uint64_t result_mask(const Einsum *e) {
    uint64_t mask = 0;
    for (int i = 0; i < e->out.n; i++) {
        mask |= bit(e->out.v[i]);
    }
    return mask;
}

static double work_of(const Einsum *e, uint64_t labels) {
    double work = 1;
    for (int label = 0; label < LABELS; label++) {
        work *= labels & bit(label) ? (double)e->size[label] : 1;
    }
    return work;
}

/* For each set of operands (a bit each) the labels of their product, and the best way to split. */
typedef struct Plan {
    uint64_t labels[1 << ORDERED_MAX];
    double work[1 << ORDERED_MAX];
    uint16_t split[1 << ORDERED_MAX];
} Plan;

static uint64_t labels_of_set(const Einsum *e, unsigned set) {
    uint64_t inside = 0, outside = result_mask(e);
    for (int k = 0; k < e->n; k++) {
        *(set >> k & 1 ? &inside : &outside) |= mask_of(&e->term[k]);
    }
    return inside & outside;
}

static void make_plan(const Einsum *e, Plan *p) {
    for (unsigned set = 1; set < 1u << e->n; set++) {
        p->labels[set] = labels_of_set(e, set);
        p->split[set] = 0;
        p->work[set] = 0;
        bool fits = __builtin_popcountll(p->labels[set]) <= MAX_DIMS;
        for (unsigned part = (set - 1) & set; part > set / 2; part = (part - 1) & set) {
            unsigned rest = set ^ part;
            double work = p->work[part] + p->work[rest] +
                          work_of(e, p->labels[part] | p->labels[rest]) + (fits ? 0 : 1e300);
            if (!p->split[set] || work < p->work[set]) {
                p->work[set] = work;
                p->split[set] = (uint16_t)part;
            }
        }
    }
}

static bool follow_plan(Einsum *e, const Plan *p, unsigned set, Term *out) {
    if (!p->split[set]) {
        *out = e->term[__builtin_ctz(set)];
        return true;
    }
    Term a, b;
    return follow_plan(e, p, p->split[set], &a) && follow_plan(e, p, set ^ p->split[set], &b) &&
           contract(e->size, &a, &b, p->labels[set], out);
}

/* Many operands: always the pair with the least work next. */
static bool contract_greedily(Einsum *e, Term *out) {
    while (e->n > 1) {
        int first = 0, second = 1;
        double least = -1;
        for (int a = 0; a < e->n; a++) {
            for (int b = a + 1; b < e->n; b++) {
                double work = work_of(e, mask_of(&e->term[a]) | mask_of(&e->term[b]));
                if (least < 0 || work < least) {
                    least = work;
                    first = a;
                    second = b;
                }
            }
        }
        uint64_t keep = result_mask(e);
        for (int k = 0; k < e->n; k++) {
            keep |= k == first || k == second ? 0 : mask_of(&e->term[k]);
        }
        Term product;
        if (!contract(e->size, &e->term[first], &e->term[second], keep, &product)) {
            return false;
        }
        e->term[first] = product;
        e->term[second] = e->term[--e->n];
    }
    *out = e->term[0];
    return true;
}

Tensor *compose_einsum(const Arg *arg, Tensor **out) {
    (void)out;
    Einsum e = {.text = arg[0].s};
    Plan plan;
    Term result;
    if (!read_equation(&e, (TensorList){arg[1].ts, arg[1].count}) || !drop_ones(&e)) {
        return NULL;
    }
    bool ok;
    if (e.n <= ORDERED_MAX) {
        make_plan(&e, &plan);
        ok = follow_plan(&e, &plan, (1u << e.n) - 1, &result);
    } else {
        ok = contract_greedily(&e, &result);
    }
    if (!ok || !sum_out(&result, result_mask(&e))) {
        return NULL;
    }
    return in_order(&result, e.out.v, e.out.n);
}

/* Sums over dims pairs, 0-based; all others stay, first input's, then other's. */
static Tensor *dot_dims(Tensor *a, Tensor *b, const int64_t *da, const int64_t *db, int n) {
    int64_t size[LABELS] = {0};
    Term x = {.t = a}, y = {.t = b}, result;
    uint64_t keep = 0;
    uint8_t order[2 * MAX_DIMS];
    int label = 0, kept = 0;
    memset(y.label, UINT8_MAX, sizeof y.label);
    for (int d = 0; d < a->dim; d++) {
        x.label[d] = (uint8_t)label;
        size[label++] = a->shape[d];
    }
    for (int i = 0; i < n; i++) {
        y.label[db[i]] = x.label[da[i]];
    }
    for (int d = 0; d < b->dim; d++) {
        if (y.label[d] == UINT8_MAX) {
            y.label[d] = (uint8_t)label;
            size[label++] = b->shape[d];
        }
    }
    uint64_t shared = mask_of(&x) & mask_of(&y);
    keep = (mask_of(&x) | mask_of(&y)) & ~shared;
    if (__builtin_popcountll(keep) > MAX_DIMS) {
        return fail_null("tensordot: the result has %d dims, at most %d are supported",
                         __builtin_popcountll(keep), MAX_DIMS);
    }
    kept = append(order, kept, keep);
    return contract(size, &x, &y, keep, &result) ? in_order(&result, order, kept) : NULL;
}

static bool same_dtype(const char *name, const Tensor *a, const Tensor *b) {
    return a->dtype == b->dtype ||
           fail("%s: both tensors must have one dtype, got %s and %s; convert one with :to(\"%s\")",
                name, dtype_name(a->dtype), dtype_name(b->dtype),
                dtype_name(dtype_promote(a->dtype, b->dtype)));
}

static Tensor *checked_dot(const char *name, Tensor *a, Tensor *b, const int64_t *da,
                           const int64_t *db, int n) {
    for (int i = 0; i < n; i++) {
        if (a->shape[da[i]] != b->shape[db[i]]) {
            return fail_null("%s: sizes do not fit: %s and %s; dim %lld has size %lld, dim %lld of "
                             "the other %lld",
                             name, shape_text(tensor_shape(a)), shape_text(tensor_shape(b)),
                             (long long)da[i] + 1, (long long)a->shape[da[i]], (long long)db[i] + 1,
                             (long long)b->shape[db[i]]);
        }
    }
    return same_dtype(name, a, b) ? dot_dims(a, b, da, db, n) : NULL;
}

Tensor *compose_tensordot(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t, *b = arg[1].t;
    int64_t n = arg[2].i, da[MAX_DIMS], db[MAX_DIMS];
    if (n < 0 || n > a->dim || n > b->dim) {
        return fail_null("tensordot: dims must be from 0 to the number of dims of both tensors "
                         "(%d and %d), got %lld",
                         a->dim, b->dim, (long long)n);
    }
    for (int i = 0; i < n; i++) {
        da[i] = a->dim - n + i;
        db[i] = i;
    }
    return checked_dot("tensordot", a, b, da, db, (int)n);
}

/* Dims that count from 1, or from the end, as 0-based ones without repeats. */
static bool read_dims(const Tensor *t, const Arg *given, const char *name, int64_t *dims) {
    uint32_t seen = 0;
    for (int i = 0; i < given->count; i++) {
        int64_t d = given->ints[i];
        if (d == 0 || d > t->dim || d < -t->dim) {
            return fail("tensordot: %s must be integers in [-%d, %d] without 0, got %lld", name,
                        t->dim, t->dim, (long long)d);
        }
        dims[i] = d > 0 ? d - 1 : d + t->dim;
        if (seen & 1u << dims[i]) {
            return fail("tensordot: %s names dim %lld twice", name, (long long)dims[i] + 1);
        }
        seen |= 1u << dims[i];
    }
    return true;
}

Tensor *compose_tensordot__dims(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t, *b = arg[1].t;
    int64_t da[MAX_DIMS], db[MAX_DIMS];
    if (arg[2].count != arg[3].count || arg[2].count > MAX_DIMS) {
        return fail_null("tensordot: dims_self and dims_other must name as many dims, got %d and "
                         "%d",
                         arg[2].count, arg[3].count);
    }
    if (!read_dims(a, &arg[2], "dims_self", da) || !read_dims(b, &arg[3], "dims_other", db)) {
        return NULL;
    }
    return checked_dot("tensordot", a, b, da, db, arg[2].count);
}

Tensor *compose_inner(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t, *b = arg[1].t;
    if (a->dim == 0 || b->dim == 0) {
        return same_dtype("inner", a, b) ? t_mul(a, b) : NULL;
    }
    return checked_dot("inner", a, b, INTS(a->dim - 1).v, INTS(b->dim - 1).v, 1);
}

enum { CHAIN_MAX = 64 };

typedef struct Chain {
    Tensor *t[CHAIN_MAX];
    double work[CHAIN_MAX][CHAIN_MAX];
    uint8_t split[CHAIN_MAX][CHAIN_MAX];
} Chain;

static void order_chain(Chain *c, int n) {
    for (int length = 1; length < n; length++) {
        for (int i = 0; i + length < n; i++) {
            int j = i + length;
            for (int s = i; s < j; s++) {
                double own = (double)c->t[i]->shape[0] * (double)c->t[s]->shape[1];
                double work = c->work[i][s] + c->work[s + 1][j] + own * (double)c->t[j]->shape[1];
                if (s == i || work < c->work[i][j]) {
                    c->work[i][j] = work;
                    c->split[i][j] = (uint8_t)s;
                }
            }
        }
    }
}

static Tensor *multiply_chain(const Chain *c, int i, int j) {
    if (i == j) {
        return c->t[i];
    }
    int s = c->split[i][j];
    return t_mm(multiply_chain(c, i, s), multiply_chain(c, s + 1, j));
}

Tensor *compose_linalg_multi_dot(const Arg *arg, Tensor **out) {
    (void)out;
    Chain c = {0};
    int n = arg[0].count;
    if (n < 2 || n > CHAIN_MAX) {
        return fail_null("linalg_multi_dot: expected 2 to %d tensors, got %d", CHAIN_MAX, n);
    }
    Tensor *const *t = arg[0].ts;
    for (int i = 0; i < n; i++) {
        bool edge = i == 0 || i == n - 1;
        if (t[i]->dim != 2 && !(edge && t[i]->dim == 1)) {
            return fail_null("linalg_multi_dot: tensor %d must be a matrix%s, got %s", i + 1,
                             edge ? " or a vector" : "", shape_text(tensor_shape(t[i])));
        }
        c.t[i] = t[i]->dim == 2 ? t[i] : t_unsqueeze(t[i], i == 0 ? 0 : 1);
        if (!c.t[i]) {
            return NULL;
        }
        if (i > 0 && c.t[i - 1]->shape[1] != c.t[i]->shape[0]) {
            return fail_null("linalg_multi_dot: tensors %d and %d do not fit: %s and %s", i, i + 1,
                             shape_text(tensor_shape(t[i - 1])), shape_text(tensor_shape(t[i])));
        }
    }
    order_chain(&c, n);
    Tensor *product = multiply_chain(&c, 0, n - 1);
    if (product && t[0]->dim == 1) {
        product = t_squeeze(product, INTS(0));
    }
    return product && t[n - 1]->dim == 1 ? t_squeeze(product, INTS(-1)) : product;
}
