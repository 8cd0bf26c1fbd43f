/* cat: each tensor is copied into its part of the result. */
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/index.h"

static bool is_contiguous(const View *v) {
    int64_t step = 1;
    for (int d = v->dim - 1; d >= 0; d--) {
        if (v->shape[d] != 1 && v->stride[d] != step) {
            return false;
        }
        step *= v->shape[d];
    }
    return true;
}

enum { PLAIN_BYTES = 1 << 18 };

/* Rows of bytes, for tensors that are not worth several threads. */
static void copy_rows(const View *src, char *to, int64_t dim, int64_t to_row) {
    int64_t rows = 1;
    for (int64_t d = 0; d < dim; d++) {
        rows *= src->shape[d];
    }
    size_t bytes = (size_t)(src->numel / rows) * dtype_size(src->dtype);
    const char *from = src->data;
    for (int64_t r = 0; r < rows; r++, to += to_row, from += bytes) {
        memcpy(to, from, bytes);
    }
}

static bool copy_part(const KernelCall *c, const View *src, char *to) {
    View part = *src;
    part.data = to;
    part.stride = c->out[0].stride;
    KernelCall copy = {.op = &op_table[OP_clone],
                       .name = c->name,
                       .id = OP_clone,
                       .n_in = 1,
                       .n_out = 1,
                       .in = src,
                       .out = &part};
    return cpu_clone(&copy);
}

bool cpu_cat(const KernelCall *c) {
    const View *out = &c->out[0];
    int64_t dim = c->arg[1].i;
    int64_t entry = out->stride[dim] * (int64_t)dtype_size(out->dtype);
    char *to = out->data;
    for (int k = 0; k < c->n_in; k++) {
        const View *src = &c->in[k];
        if (src->numel == 0) {
            continue;
        }
        bool plain = src->numel * (int64_t)dtype_size(src->dtype) <= PLAIN_BYTES;
        if (plain && is_contiguous(src)) {
            copy_rows(src, to, dim, out->shape[dim] * entry);
        } else if (!copy_part(c, src, to)) {
            return false;
        }
        to += src->shape[dim] * entry;
    }
    return true;
}
