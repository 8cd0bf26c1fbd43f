/* Packed sequences: to padded tensors and back, as rows taken by their positions. */
#include "tensor/compose_rnn.h"

/* Steps must get no larger, all be positive, and add up to the rows of the data. */
static bool check_sizes(const char *name, const Tensor *data, const Tensor *sizes) {
    const int64_t *size = tensor_data(sizes);
    int64_t sum = 0;
    for (int64_t t = 0; t < sizes->numel; t++) {
        if (size[t] < 1 || (t > 0 && size[t] > size[t - 1])) {
            return fail("%s: batch_sizes must be positive and not grow, got %lld at position %lld",
                        name, (long long)size[t], (long long)t + 1);
        }
        if (size[t] > data->shape[0] - sum) {
            return fail("%s: batch_sizes add up to more than the %lld rows of the data", name,
                        (long long)data->shape[0]);
        }
        sum += size[t];
    }
    return sum == data->shape[0] || fail("%s: batch_sizes add up to %lld, but the data has %lld "
                                         "rows",
                                         name, (long long)sum, (long long)data->shape[0]);
}

static Tensor *positions(int64_t n) {
    return tensor_new(DT_INT64, (Device){DEVICE_CPU, 0}, INTS(n), NULL);
}

static int64_t *ints_of(const Tensor *t) { return tensor_data(t); }

/* Positions count from INDEX_BASE. */
static void fill_positions(Packing *p, const int64_t *size, int64_t total) {
    int64_t *rows = ints_of(p->rows), *places = ints_of(p->places), at = 0;
    int64_t *turn = ints_of(p->turn), *ends = ints_of(p->ends);
    for (int64_t t = 0; t < p->steps; t++) {
        for (int64_t n = 0; n < p->batch; n++) {
            int64_t row = t * p->batch + n;
            bool inside = n < size[t];
            places[row] = INDEX_BASE + (inside ? at : total);
            turn[row] = INDEX_BASE + row;
            if (inside) {
                rows[at++] = INDEX_BASE + row;
                ends[n] = INDEX_BASE + row;
            }
        }
    }
    for (int64_t n = 0; n < p->batch; n++) {
        int64_t last = (ends[n] - INDEX_BASE) / p->batch;
        for (int64_t t = 0; t <= last; t++) {
            turn[t * p->batch + n] = INDEX_BASE + (last - t) * p->batch + n;
        }
    }
}

bool packing_read(Packing *p, const char *name, Tensor *data, Tensor *batch_sizes) {
    bool whole = dtype_kinds[batch_sizes->dtype] == KIND_INT;
    if (!whole || batch_sizes->dim != 1 || batch_sizes->numel == 0) {
        return fail("%s: batch_sizes must be a vector of integers, one for each step, got %s of "
                    "shape %s",
                    name, dtype_name(batch_sizes->dtype), shape_text(tensor_shape(batch_sizes)));
    }
    if (data->dim < 1) {
        return fail("%s: data must have one row for each step of each sequence, got a scalar",
                    name);
    }
    const Device cpu = {DEVICE_CPU, 0};
    Tensor *sizes = t_contiguous(t_to(batch_sizes, DT_INT64, cpu, false, false));
    if (!sizes || !check_sizes(name, data, sizes)) {
        return false;
    }
    const int64_t *size = ints_of(sizes);
    p->steps = sizes->numel;
    p->batch = size[0];
    int64_t total = data->shape[0], all;
    if (__builtin_mul_overflow(p->steps, p->batch, &all)) {
        return fail("%s: the padded sequences would have more rows than memory can address", name);
    }
    p->rows = positions(total);
    p->places = positions(all);
    p->turn = positions(all);
    p->ends = positions(p->batch);
    if (!p->rows || !p->places || !p->turn || !p->ends) {
        return false;
    }
    fill_positions(p, size, total);
    Tensor **each[] = {&p->rows, &p->places, &p->turn, &p->ends};
    for (int i = 0; i < 4; i++) {
        *each[i] = t_to(*each[i], DT_INT64, data->device, false, false);
    }
    return p->rows && p->places && p->turn && p->ends;
}

/* x with its first dim, of T * N rows, as (T, N), or the reverse. */
static Tensor *with_steps(const Packing *p, Tensor *x) {
    int64_t shape[MAX_DIMS];
    if (!x || x->dim == MAX_DIMS) {
        return x ? fail_null("pad_packed_sequence: data of %d dims needs one more, and %d are "
                             "supported",
                             x->dim, MAX_DIMS)
                 : NULL;
    }
    shape[0] = p->steps;
    shape[1] = p->batch;
    for (int d = 1; d < x->dim; d++) {
        shape[d + 1] = x->shape[d];
    }
    return t_reshape(x, (Ints){shape, x->dim + 1});
}

static Tensor *as_rows(Tensor *x) { return x ? t_flatten(x, 0, 1) : NULL; }

Tensor *packing_padded(const Packing *p, Tensor *data) {
    int64_t shape[MAX_DIMS];
    for (int d = 0; d < data->dim; d++) {
        shape[d] = d ? data->shape[d] : 1;
    }
    Tensor *pair[] = {data, t_zeros((Ints){shape, data->dim}, data->dtype, data->device, false)};
    Tensor *all = pair[1] ? t_cat((TensorList){pair, 2}, 0) : NULL;
    return with_steps(p, t_index_select(all, 0, p->places));
}

Tensor *packing_packed(const Packing *p, Tensor *padded) {
    return t_index_select(as_rows(padded), 0, p->rows);
}

Tensor *packing_turned(const Packing *p, Tensor *x) {
    return with_steps(p, t_index_select(as_rows(x), 0, p->turn));
}

Tensor *packing_ends(const Packing *p, Tensor *x) { return t_index_select(as_rows(x), 0, p->ends); }
