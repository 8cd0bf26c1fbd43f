#ifndef TOCHA_GPU_PICK_CUH
#define TOCHA_GPU_PICK_CUH
/* What the kernels of picks share. Their walks' operands are dense, base and at. */
#include "gpu/pick.h"
#include "gpu/walk.cuh"

/* In place of the offset of a position that was reported. */
const int64_t NOWHERE = INT64_MIN;

/* Where element i of the dense side and the element picked for it lie; false: it has none. */
template <int N>
__device__ __forceinline__ bool picked(const Walk<N> &w, int64_t i, int64_t (&offset)[N],
                                       char **to) {
    walk_offsets(w, (uint32_t)i, offset);
    int64_t at = *(const int64_t *)(w.data[2] + offset[2]);
    if (at == NOWHERE) {
        return false;
    }
    *to = w.data[1] + offset[1] + at;
    return true;
}

/* The same, with the cell of cells that belongs to the picked element of tensor's memory. */
template <class T, class C>
__device__ __forceinline__ bool picked_cell(const Walk<3> &w, int64_t i, const char *tensor,
                                            C *cells, T **from, C **cell) {
    int64_t offset[3];
    char *to;
    if (!picked(w, i, offset, &to)) {
        return false;
    }
    *from = (T *)(w.data[0] + offset[0]);
    *cell = &cells[(to - tensor) / (int64_t)sizeof(T)];
    return true;
}

/* Starts kernel(walk, rest...) over the operands, which have all the dims. */
template <int N, class K, class... R>
static void walk_over(const KernelCall *c, const View *const (&operand)[N], K kernel, R... rest) {
    const Bits128 none[N] = {};
    Iter it;
    iter_init(&it, operand[0]->shape, operand[0]->dim, operand, N);
    walk_parts(&it, [&](const Iter *part) {
        launch(launch_over(c, part->numel), kernel, walk_of<N>(part, none), rest...);
    });
}

/* Elements of memory from the first of a view to its last. */
static inline int64_t span_of(const View *v) {
    int64_t last = 0;
    for (int d = 0; d < v->dim; d++) {
        last += (v->shape[d] - 1) * v->stride[d];
    }
    return last + 1;
}

/* A view without memory, whose element i in row-major order stands at byte i: walks count by it. */
struct Counter {
    View view;
    int64_t stride[MAX_DIMS];
    explicit Counter(const View *like) {
        view = *like;
        view.data = NULL;
        view.dtype = DT_UINT8;
        view.stride = stride;
        int64_t step = 1;
        for (int d = like->dim - 1; d >= 0; d--) {
            stride[d] = step;
            step *= like->shape[d];
        }
    }
};

#endif
