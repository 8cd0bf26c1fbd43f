#include "cpu/dense.h"

#include <stdatomic.h>
#include <string.h>

#include "base/threads.h"
#include "tensor/number.h"
#include "tensor/op.h"

enum { BLOCK = 256, WIDEST = sizeof(Complex128), COPY_COST = 10, DIRECT_ROW = 8 };

const EwTable *ew_tables(void) {
    static _Atomic(const EwTable *) chosen;
    const EwTable *t = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!t) {
        t = ISA_PICK(ew_table);
        atomic_store_explicit(&chosen, t, memory_order_relaxed);
    }
    return t;
}

static bool is_half(int dtype) { return dtype == DT_FLOAT16 || dtype == DT_BFLOAT16; }

int ew_compute_dtype(int dtype) { return is_half(dtype) ? DT_FLOAT32 : dtype; }

/* Strided copies of one element size: size bytes each, strides in bytes. A line read backwards has
 * a loop of its own, which compilers turn into vectors. */
#define STRIDED_COPY(T)                                                                      \
    static void copy_##T(char *dst, int64_t dst_stride, const char *src, int64_t src_stride, \
                         int64_t n) {                                                        \
        if (dst_stride == (int64_t)sizeof(T) && src_stride == -dst_stride) {                 \
            for (int64_t i = 0; i < n; i++) {                                                \
                ((T *)dst)[i] = ((const T *)src)[-i];                                        \
            }                                                                                \
            return;                                                                          \
        }                                                                                    \
        for (int64_t i = 0; i < n; i++) {                                                    \
            *(T *)(dst + i * dst_stride) = *(const T *)(src + i * src_stride);               \
        }                                                                                    \
    }
STRIDED_COPY(uint8_t)
STRIDED_COPY(uint16_t)
STRIDED_COPY(uint32_t)
STRIDED_COPY(uint64_t)
STRIDED_COPY(Complex128)

typedef void StridedCopy(char *dst, int64_t dst_stride, const char *src, int64_t src_stride,
                         int64_t n);
static StridedCopy *const strided_copies[EW_WIDTHS] = {copy_uint8_t, copy_uint16_t, copy_uint32_t,
                                                       copy_uint64_t, copy_Complex128};

/* How one operand reaches the loop. */
typedef struct Passage {
    int64_t size;      /* of an element in memory */
    int64_t loop_size; /* of an element as the loop sees it */
    StridedCopy *copy;
    IterLoop *load, *store; /* conversions; NULL: none */
    bool may_be_scalar, loaded, stored;
} Passage;

typedef struct Plan {
    const DenseOp *op;
    int n, n_out;
    bool converts;
    Passage passage[ITER_MAX];
} Plan;

static void plan_init(Plan *p, const DenseOp *op, const View *const *operand, int n_out, int n) {
    const EwTable *tables = ew_tables();
    p->op = op;
    p->n = n;
    p->n_out = n_out;
    p->converts = false;
    for (int k = 0; k < n; k++) {
        int dtype = operand[k]->dtype;
        bool widen = op->widen && is_half(dtype);
        int64_t size = (int64_t)dtype_size(dtype);
        p->passage[k] = (Passage){.size = size,
                                  .loop_size = widen ? (int64_t)sizeof(float) : size,
                                  .copy = strided_copies[ew_width((size_t)size)],
                                  .load = widen ? tables->cast[dtype][DT_FLOAT32] : NULL,
                                  .store = widen ? tables->cast[DT_FLOAT32][dtype] : NULL,
                                  .may_be_scalar = op->scalars & 1u << k,
                                  .loaded = k >= n_out || (op->updates & 1u << k),
                                  .stored = k < n_out};
        p->converts |= widen;
    }
}

typedef struct Stage {
    _Alignas(64) char block[ITER_MAX][BLOCK * WIDEST];
} Stage;

/* Brings m elements of an operand into a block, in the loop's dtype. */
static void stage_load(const Passage *a, char *block, char *src, int64_t stride, int64_t m) {
    _Alignas(64) char raw[BLOCK * WIDEST];
    if (!a->load) {
        a->copy(block, a->size, src, stride, m);
        return;
    }
    char *from = src;
    if (stride != a->size) {
        a->copy(raw, a->size, src, stride, m);
        from = raw;
    }
    char *const ptr[] = {block, from};
    const int64_t steps[] = {a->loop_size, a->size};
    a->load(ptr, steps, m, NULL);
}

static void stage_store(const Passage *a, char *block, char *dst, int64_t stride, int64_t m) {
    _Alignas(64) char raw[BLOCK * WIDEST];
    if (!a->store) {
        a->copy(dst, stride, block, a->size, m);
        return;
    }
    char *to = stride == a->size ? dst : raw;
    char *const ptr[] = {to, block};
    const int64_t steps[] = {a->size, a->loop_size};
    a->store(ptr, steps, m, NULL);
    if (to == raw) {
        a->copy(dst, stride, raw, a->size, m);
    }
}

/* Which operands have to be staged, given their strides and the count; those that stay fixed over
 * all blocks (stride 0) are loaded here. */
static uint32_t choose_staged(const Plan *p, char *const *ptr, const int64_t *stride, int64_t n,
                              Stage *stage, int64_t *loop_stride) {
    uint32_t staged = 0;
    bool moves = n == 1;
    for (int k = 0; k < p->n; k++) {
        const Passage *a = &p->passage[k];
        bool scalar = stride[k] == 0 && n > 1;
        loop_stride[k] = a->loop_size;
        if (scalar && a->may_be_scalar && (moves || k + 1 < p->n)) {
            loop_stride[k] = 0;
        } else if (scalar || (stride[k] != a->size && n > 1)) {
            staged |= 1u << k;
        }
        moves |= k >= p->n_out && loop_stride[k] != 0;
        if (a->load) {
            staged |= 1u << k;
        }
        if (scalar && (staged & 1u << k)) {
            int64_t m = loop_stride[k] == 0 ? 1 : n < BLOCK ? n : BLOCK;
            stage_load(a, stage->block[k], ptr[k], 0, m);
        }
    }
    return staged;
}

/* The IterLoop that stages what the plan's loop cannot take. */
static void run_staged(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) {
    const Plan *p = ctx;
    Stage stage;
    int64_t loop_stride[ITER_MAX];
    uint32_t staged = choose_staged(p, ptr, stride, n, &stage, loop_stride);
    if (staged == 0) {
        p->op->loop(ptr, loop_stride, n, p->op->ctx);
        return;
    }
    for (int64_t begin = 0; begin < n; begin += BLOCK) {
        int64_t m = n - begin < BLOCK ? n - begin : BLOCK;
        char *part[ITER_MAX], *direct[ITER_MAX];
        for (int k = 0; k < p->n; k++) {
            const Passage *a = &p->passage[k];
            direct[k] = ptr[k] + begin * stride[k];
            bool through = staged & 1u << k;
            part[k] = through ? stage.block[k] : direct[k];
            if (through && a->loaded && !(stride[k] == 0 && n > 1)) {
                stage_load(a, stage.block[k], direct[k], stride[k], m);
            }
        }
        p->op->loop(part, loop_stride, m, p->op->ctx);
        for (int k = 0; k < p->n_out; k++) {
            if (staged & 1u << k) {
                stage_store(&p->passage[k], stage.block[k], direct[k], stride[k], m);
            }
        }
    }
}

/* Operands that are all one run of memory (or one element), and a loop over them. */
typedef struct Line {
    IterLoop *loop;
    const void *ctx;
    int n;
    char *ptr[ITER_MAX];
    int64_t stride[ITER_MAX];
} Line;

static void run_line(void *ctx, int64_t begin, int64_t end) {
    const Line *l = ctx;
    char *ptr[ITER_MAX];
    for (int k = 0; k < l->n; k++) {
        ptr[k] = l->ptr[k] + begin * l->stride[k];
    }
    l->loop(ptr, l->stride, end - begin, l->ctx);
}

/* False where the operands are not a line that the plan's own loop can take. */
static bool line_init(Line *l, const DenseOp *op, const View *const *operand, int n_out, int n) {
    int64_t numel = operand[0]->numel;
    bool moves = numel == 1 || n == n_out;
    for (int k = 0; k < n; k++) {
        const View *v = operand[k];
        bool scalar = v->numel == 1 && numel != 1;
        if (scalar ? !(op->scalars & 1u << k) : !dense_is_line(v, numel)) {
            return false;
        }
        if (op->widen && is_half(v->dtype)) {
            return false;
        }
        l->ptr[k] = v->data;
        l->stride[k] = scalar ? 0 : (int64_t)dtype_size(v->dtype);
        moves |= k >= n_out && !scalar;
    }
    return moves;
}

static void run_big_line(Line *line, const DenseOp *op, int64_t numel, int n) {
    line->loop = op->loop;
    line->ctx = op->ctx;
    line->n = n;
    parallel_for(numel, DENSE_INLINE_COST / op->cost + 1, run_line, line);
}

/* Whether the plan's own loop takes every row of the iterator as it is. */
static bool takes_rows(const Plan *p, const Iter *it) {
    bool moves = it->shape[0] == 1;
    for (int k = 0; k < p->n; k++) {
        const Passage *a = &p->passage[k];
        int64_t stride = it->stride[k][0];
        bool scalar = stride == 0 && a->may_be_scalar && k >= p->n_out;
        if (a->load || (stride != a->size && !scalar)) {
            return false;
        }
        moves |= k >= p->n_out && !scalar;
    }
    return moves || p->n == p->n_out;
}

static void run_any(const DenseOp *op, const View *const *operand, int n_out, int n) {
    Plan plan;
    Iter it;
    plan_init(&plan, op, operand, n_out, n);
    iter_init(&it, operand[0]->shape, operand[0]->dim, operand, n);
    it.n_out = n_out;
    if (it.shape[0] >= DIRECT_ROW && takes_rows(&plan, &it)) {
        iter_run_rows(&it, op->loop, op->ctx, op->cost);
    } else {
        iter_run(&it, run_staged, &plan, op->cost);
    }
}

void dense_run(const DenseOp *op, const View *const *operand, int n_out, int n) {
    int64_t numel = operand[0]->numel;
    Line line;
    if (numel == 0) {
        return;
    }
    if (!line_init(&line, op, operand, n_out, n)) {
        run_any(op, operand, n_out, n);
    } else if (numel * op->cost <= DENSE_INLINE_COST) {
        op->loop(line.ptr, line.stride, numel, op->ctx);
    } else {
        run_big_line(&line, op, numel, n);
    }
}

/* Copies of elements of one size, whose address is ctx. */
static void copy_loop(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) {
    const int size = *(const int *)ctx;
    if (stride[0] == size && stride[1] == size) {
        if (ptr[0] != ptr[1]) {
            memcpy(ptr[0], ptr[1], (size_t)(n * size));
        }
        return;
    }
    strided_copies[ew_width((size_t)size)](ptr[0], stride[0], ptr[1], stride[1], n);
}

static void copy_same(const View *dst, const View *src) {
    const int size = (int)dtype_size(dst->dtype);
    int64_t numel = dst->numel;
    if (dense_is_line(dst, numel) && dense_is_line(src, numel) && numel * size <= 65536) {
        if (dst->data != src->data) {
            memcpy(dst->data, src->data, (size_t)(numel * size));
        }
        return;
    }
    Iter it;
    iter_elementwise(&it, dst, src, 1);
    iter_run(&it, copy_loop, &size, COPY_COST);
}

void dense_copy(const View *dst, const View *src) {
    if (dst->numel == 0) {
        return;
    }
    if (dst->dtype == src->dtype) {
        copy_same(dst, src);
        return;
    }
    const EwTable *tables = ew_tables();
    DenseOp op = {.loop = tables->cast[src->dtype][dst->dtype], .cost = COPY_COST};
    if (!op.loop) {
        op.widen = true;
        op.loop = tables->cast[ew_compute_dtype(src->dtype)][ew_compute_dtype(dst->dtype)];
    }
    const View *const operand[] = {dst, src};
    dense_run(&op, operand, 1, 2);
}

void dense_fill(const View *dst, Arg number) {
    Complex128 element = {0};
    number_store(&element, dst->dtype, number);
    DenseOp op = {.loop = ew_tables()->fill[ew_width(dtype_size(dst->dtype))],
                  .ctx = &element,
                  .cost = COPY_COST};
    dense_run(&op, &dst, 1, 1);
}
