/* The triangles of matrices: copies with zeros on the other side of a diagonal. */
#include "gpu/walk.cuh"

/* Operand 2 has no elements: its addresses say how far right of the main diagonal an element is. */
template <class T> __global__ void triangle_kernel(Walk<3> w, int64_t diagonal, bool upper) {
    Share<3> s;
    share_init(w, &s);
    for (uint32_t j = 0; j < WALK_ITEMS; j++) {
        if (j < s.count) {
            int64_t right = (int64_t)(intptr_t)w.data[2] + s.offset[j][2];
            T x = *(const T *)(w.data[1] + s.offset[j][1]);
            *(T *)(w.data[0] + s.offset[j][0]) =
                (upper ? right >= diagonal : right <= diagonal) ? x : T();
        }
    }
}

static bool triangle(const KernelCall *c, bool upper) {
    const View *out = &c->out[0], *in = &c->in[0];
    int64_t right[MAX_DIMS] = {0};
    if (out->numel == 0) {
        return true;
    }
    right[out->dim - 1] = 1;
    right[out->dim - 2] = -1;
    View distance = *out;
    distance.data = NULL;
    distance.stride = right;
    distance.dtype = DT_UINT8; /* of one byte: addresses count elements */
    const View *operands[3] = {out, in, &distance};
    const Bits128 none[3] = {};
    Iter it;
    iter_init(&it, out->shape, out->dim, operands, 3);
    return for_width(out->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        walk_parts(&it, [&](const Iter *part) {
            Walk<3> w = walk_of<3>(part, none);
            w.linear = false; /* so that all offsets are found */
            dim3 grid((unsigned)divide_up(part->numel, WALK_TILE));
            launch(launch_of(c, grid, dim3(WALK_THREADS)), triangle_kernel<T>, w, c->arg[1].i,
                   upper);
        });
        return true;
    });
}

static bool tril(const KernelCall *c) { return triangle(c, false); }
static bool triu(const KernelCall *c) { return triangle(c, true); }

const KernelRow gpu_triangle_rows[] = {{"tril", tril}, {"triu", triu}, {NULL, NULL}};
