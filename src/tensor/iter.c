#include "tensor/iter.h"

#include <stdlib.h>
#include <string.h>

#include "base/threads.h"

enum {
    GRAIN_COST = 400000, /* the least work of a thread's chunk: 4 us in hundredths of a ns */
    TILE = 64            /* the side of a tile, in elements */
};

static int64_t distance(int64_t stride) { return stride < 0 ? -stride : stride; }

/* Whether dim a should be more inward than dim b: the first operand that moves along both decides.
 */
static bool more_inward(const Iter *it, int a, int b) {
    for (int k = 0; k < it->n; k++) {
        int64_t sa = distance(it->stride[k][a]), sb = distance(it->stride[k][b]);
        if (sa != 0 && sb != 0 && sa != sb) {
            return sa < sb;
        }
    }
    return false;
}

static void swap_dims(Iter *it, int a, int b) {
    int64_t size = it->shape[a];
    it->shape[a] = it->shape[b];
    it->shape[b] = size;
    for (int k = 0; k < it->n; k++) {
        int64_t stride = it->stride[k][a];
        it->stride[k][a] = it->stride[k][b];
        it->stride[k][b] = stride;
    }
}

static void sort_dims(Iter *it) {
    for (int i = 1; i < it->dim; i++) {
        for (int at = i; at > 0 && more_inward(it, at, at - 1); at--) {
            swap_dims(it, at, at - 1);
        }
    }
}

static bool can_merge(const Iter *it, int inner, int outer) {
    for (int k = 0; k < it->n; k++) {
        if (it->stride[k][outer] != it->shape[inner] * it->stride[k][inner]) {
            return false;
        }
    }
    return true;
}

static void coalesce(Iter *it) {
    int last = 0;
    for (int i = 1; i < it->dim; i++) {
        if (can_merge(it, last, i)) {
            it->shape[last] *= it->shape[i];
            continue;
        }
        last++;
        if (last != i) {
            swap_dims(it, last, i);
        }
    }
    it->dim = last + 1;
}

/* An iterator without dims becomes one of a single element. */
static void init_single(Iter *it) {
    it->dim = 1;
    it->shape[0] = it->numel;
    for (int k = 0; k < it->n; k++) {
        it->stride[k][0] = 0;
    }
}

void iter_init(Iter *it, const int64_t *shape, int dim, const View *const *operands, int n) {
    it->n = n;
    it->dim = 0;
    it->numel = 1;
    for (int k = 0; k < n; k++) {
        it->data[k] = operands[k]->data;
    }
    for (int i = dim - 1; i >= 0; i--) {
        it->numel *= shape[i];
        if (shape[i] == 1) {
            continue;
        }
        it->shape[it->dim] = shape[i];
        for (int k = 0; k < n; k++) {
            const View *v = operands[k];
            int own = i - (dim - v->dim);
            bool moves = own >= 0 && v->shape[own] != 1;
            it->stride[k][it->dim] = moves ? v->stride[own] * (int64_t)dtype_size(v->dtype) : 0;
        }
        it->dim++;
    }
    if (it->dim == 0 || it->numel == 0) {
        init_single(it);
        return;
    }
    sort_dims(it);
    coalesce(it);
}

void iter_elementwise(Iter *it, const View *out, const View *in, int n_in) {
    const View *operands[ITER_MAX] = {out};
    for (int i = 0; i < n_in; i++) {
        operands[i + 1] = &in[i];
    }
    iter_init(it, out->shape, out->dim, operands, n_in + 1);
}

/* Where a walk over the iterator stands. */
typedef struct Place {
    int64_t index[MAX_DIMS];
    char *ptr[ITER_MAX];
} Place;

static void place_at(const Iter *it, int64_t element, Place *p) {
    memcpy(p->ptr, it->data, (size_t)it->n * sizeof *p->ptr);
    for (int i = 0; i < it->dim; i++) {
        p->index[i] = element % it->shape[i];
        element /= it->shape[i];
        for (int k = 0; k < it->n; k++) {
            p->ptr[k] += p->index[i] * it->stride[k][i];
        }
    }
}

/* One step along dim, carrying into the dims further out. */
static void place_step(const Iter *it, Place *p, int dim) {
    for (; dim < it->dim; dim++) {
        bool carry = ++p->index[dim] == it->shape[dim];
        int64_t steps = carry ? 1 - it->shape[dim] : 1;
        for (int k = 0; k < it->n; k++) {
            p->ptr[k] += steps * it->stride[k][dim];
        }
        if (!carry) {
            return;
        }
        p->index[dim] = 0;
    }
}

void iter_range(const Iter *it, int64_t begin, int64_t end, IterLoop *loop, const void *ctx) {
    if (begin >= end) {
        return;
    }
    Place p;
    int64_t stride[ITER_MAX];
    for (int k = 0; k < it->n; k++) {
        stride[k] = it->stride[k][0];
    }
    place_at(it, begin, &p);
    int64_t left = end - begin;
    while (true) {
        int64_t row = it->shape[0] - p.index[0];
        int64_t n = row < left ? row : left;
        loop(p.ptr, stride, n, ctx);
        left -= n;
        if (left == 0) {
            return;
        }
        for (int k = 0; k < it->n; k++) {
            p.ptr[k] -= p.index[0] * stride[k];
        }
        p.index[0] = 0;
        place_step(it, &p, 1);
    }
}

typedef struct Run {
    const Iter *it;
    IterLoop *loop;
    const void *ctx;
} Run;

static void run_range(void *ctx, int64_t begin, int64_t end) {
    const Run *r = ctx;
    iter_range(r->it, begin, end, r->loop, r->ctx);
}

/* The dim along which some operand has its elements close together while they lie far apart along
 * dim 0, so that each row would touch every cache line of many; 0: there is none. */
static int crossing_dim(const Iter *it) {
    for (int k = 0; k < it->n; k++) {
        int64_t step = distance(it->stride[k][0]);
        for (int i = 1; i < it->dim && step > TILE; i++) {
            int64_t other = distance(it->stride[k][i]);
            if (other != 0 && other <= step / 4 && it->shape[i] >= 8 && it->shape[0] >= 8) {
                return i;
            }
        }
    }
    return 0;
}

static int64_t tiles_along(const Iter *it, int dim) { return (it->shape[dim] + TILE - 1) / TILE; }

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Tiles are counted along dim 0, then dim 1, then the further dims. */
static void run_tile(const Run *r, int64_t tile) {
    const Iter *it = r->it;
    int64_t across = tiles_along(it, 0), down = tiles_along(it, 1);
    int64_t first0 = tile % across * TILE, first1 = tile / across % down * TILE;
    int64_t outer = tile / (across * down);
    Place p;
    int64_t stride[ITER_MAX];
    place_at(it, outer * it->shape[0] * it->shape[1] + first1 * it->shape[0] + first0, &p);
    for (int k = 0; k < it->n; k++) {
        stride[k] = it->stride[k][0];
    }
    int64_t n = smaller(TILE, it->shape[0] - first0), rows = smaller(TILE, it->shape[1] - first1);
    for (int64_t row = 0; row < rows; row++) {
        r->loop(p.ptr, stride, n, r->ctx);
        for (int k = 0; k < it->n; k++) {
            p.ptr[k] += it->stride[k][1];
        }
    }
}

static void run_tiles(void *ctx, int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; tile++) {
        run_tile(ctx, tile);
    }
}

void iter_run(const Iter *it, IterLoop *loop, const void *ctx, int64_t cost) {
    if (it->numel == 0) {
        return;
    }
    int64_t grain = GRAIN_COST / (cost > 0 ? cost : 1) + 1;
    Run run = {it, loop, ctx};
    int crossing = crossing_dim(it);
    if (crossing == 0) {
        parallel_for(it->numel, grain, run_range, &run);
        return;
    }
    Iter tiled = *it;
    swap_dims(&tiled, 1, crossing);
    run.it = &tiled;
    int64_t area = tiled.shape[0] * tiled.shape[1];
    int64_t tiles = tiles_along(&tiled, 0) * tiles_along(&tiled, 1) * (it->numel / area);
    parallel_for(tiles, grain / (TILE * TILE) + 1, run_tiles, &run);
}
