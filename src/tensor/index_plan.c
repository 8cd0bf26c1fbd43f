#include "tensor/index_plan.h"

#include <stdio.h>
#include <string.h>

static bool deal_mask(const char *name, Ints shape, const View *mask, int d) {
    Ints sizes = {mask->shape, mask->dim};
    if (mask->dim == 0) {
        return fail("%s: a mask must have at least one dim, got a scalar", name);
    }
    for (int k = 0; k < mask->dim; k++) {
        if (shape.v[d + k] != mask->shape[k]) {
            return fail("%s: a mask of shape %s does not fit onto shape %s, from dim %d on", name,
                        shape_text(sizes), shape_text(shape), d + 1);
        }
    }
    return true;
}

bool index_deal(const char *name, Ints shape, const View *indices, int n, View *per_dim,
                bool *masks) {
    int d = 0;
    *masks = false;
    for (int k = 0; k < shape.n; k++) {
        per_dim[k] = (View){.dtype = DT_NONE};
    }
    for (int i = 0; i < n; i++) {
        bool mask = indices[i].dtype == DT_BOOL;
        int takes = mask ? indices[i].dim : 1;
        if (d + takes > shape.n) {
            return fail("%s: too many indices for a tensor of shape %s", name, shape_text(shape));
        }
        if (mask && !deal_mask(name, shape, &indices[i], d)) {
            return false;
        }
        *masks |= mask;
        per_dim[d] = indices[i];
        d += takes;
    }
    return true;
}

/* The common shape of all index tensors into b; its dims, or -1 after an error. */
static int broadcast_indices(const char *name, Ints shape, const View *per_dim, int64_t *b) {
    int dim = 0;
    for (int d = 0; d < shape.n; d++) {
        if (per_dim[d].dtype == DT_NONE) {
            continue;
        }
        int64_t joined[MAX_DIMS];
        Ints one = {per_dim[d].shape, per_dim[d].dim}, so_far = {b, dim};
        int n = shape_broadcast(so_far, one, joined);
        if (n < 0) {
            fail("%s: index tensors of shapes %s and %s do not broadcast", name, shape_text(so_far),
                 shape_text(one));
            return -1;
        }
        dim = n;
        memcpy(b, joined, (size_t)dim * sizeof *b);
    }
    return dim;
}

bool index_plan(const char *name, Ints shape, const View *per_dim, IndexPlan *p) {
    int64_t b[MAX_DIMS];
    int first = -1, last = -1, picked = 0;
    *p = (IndexPlan){.picks_count = 1};
    p->picks_dim = broadcast_indices(name, shape, per_dim, b);
    if (p->picks_dim < 0) {
        return false;
    }
    for (int d = 0; d < shape.n; d++) {
        if (per_dim[d].dtype != DT_NONE) {
            p->picked |= 1u << d;
            first = first < 0 ? d : first;
            last = d;
            picked++;
        }
    }
    p->dim = shape.n - picked + p->picks_dim;
    if (p->dim > MAX_DIMS) {
        return fail("%s: the result would have %d dims, at most %d are supported", name, p->dim,
                    MAX_DIMS);
    }
    bool adjacent = last - first + 1 == picked;
    p->picks_at = picked && adjacent ? first : 0;
    int at = 0;
    for (int d = 0; d <= shape.n; d++) {
        if (at == p->picks_at && p->picks_dim) {
            memcpy(p->shape + at, b, (size_t)p->picks_dim * sizeof *b);
            at += p->picks_dim;
        }
        if (d < shape.n && !(p->picked >> d & 1)) {
            p->shape[at++] = shape.v[d];
        }
    }
    for (int k = 0; k < p->picks_dim; k++) {
        if (__builtin_mul_overflow(p->picks_count, b[k], &p->picks_count)) {
            return fail("%s: index tensors broadcast to a shape that is too large", name);
        }
    }
    return true;
}

bool index_values_fit(const char *name, Ints values, const IndexPlan *p) {
    int64_t joined[MAX_DIMS];
    Ints shape = {p->shape, p->dim};
    int n = shape_broadcast(values, shape, joined);
    if (n != p->dim || memcmp(joined, p->shape, (size_t)n * sizeof *joined) != 0) {
        return fail("%s: values of shape %s do not broadcast to the %s that is indexed", name,
                    shape_text(values), shape_text(shape));
    }
    return true;
}

void index_place(Ints shape, int64_t i, char text[INDEX_PLACE_MAX]) {
    int64_t at[MAX_DIMS];
    for (int d = shape.n - 1; d >= 0; d--) {
        at[d] = i % shape.v[d] + 1;
        i /= shape.v[d];
    }
    size_t n = 0;
    text[0] = '\0';
    for (int d = 0; d < shape.n; d++) {
        n += (size_t)snprintf(text + n, INDEX_PLACE_MAX - n, "%s%lld",
                              d             ? ", "
                              : shape.n > 1 ? "{"
                                            : "",
                              (long long)at[d]);
    }
    snprintf(text + n, INDEX_PLACE_MAX - n, "%s", shape.n > 1 ? "}" : shape.n ? "" : "1");
}

void index_text(char text[INDEX_TEXT_MAX], const char *name, const char *param, Ints shape,
                int64_t i, int64_t value, int64_t size, bool from_end) {
    char place[INDEX_PLACE_MAX], negative[40] = "";
    index_place(shape, i, place);
    if (from_end) {
        snprintf(negative, sizeof negative, " or [-%lld, -1]", (long long)size);
    }
    if (size == 0) {
        snprintf(text, INDEX_TEXT_MAX, "%s: %s is %lld at position %s, but the dim has size 0",
                 name, param, (long long)value, place);
    } else {
        snprintf(text, INDEX_TEXT_MAX, "%s: %s must be in [1, %lld]%s, got %lld at position %s",
                 name, param, (long long)size, negative, (long long)value, place);
    }
}

bool index_fail(const char *name, const char *param, Ints shape, int64_t i, int64_t value,
                int64_t size, bool from_end) {
    char text[INDEX_TEXT_MAX];
    index_text(text, name, param, shape, i, value, size, from_end);
    return fail("%s", text);
}

void element_text(char text[INDEX_TEXT_MAX], const char *name, const char *what, Ints shape,
                  int64_t i, double value) {
    char place[INDEX_PLACE_MAX];
    index_place(shape, i, place);
    snprintf(text, INDEX_TEXT_MAX, "%s: %s, got %g at position %s", name, what, value, place);
}

void weights_text(char text[INDEX_TEXT_MAX], const char *name, int64_t i, int64_t positive,
                  int64_t wanted) {
    snprintf(text, INDEX_TEXT_MAX,
             "%s: row %lld must have at least %lld weight%s above 0 and a finite sum, it has %lld",
             name, (long long)i + 1, (long long)wanted, wanted == 1 ? "" : "s",
             (long long)positive);
}

void label_text(char text[INDEX_TEXT_MAX], const char *name, Ints shape, int64_t i, int64_t label,
                int64_t classes) {
    char place[INDEX_PLACE_MAX];
    index_place(shape, i, place);
    snprintf(text, INDEX_TEXT_MAX,
             "%s: target must hold class labels from 1 to %lld%s, got %lld at position %s", name,
             (long long)classes, label == 0 ? " (they count from 1)" : "", (long long)label, place);
}
