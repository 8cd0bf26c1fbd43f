#ifndef TOCHA_CPU_INDEX_H
#define TOCHA_CPU_INDEX_H
/* What the kernels that read and write at positions share. */
#include "tensor/index_plan.h"

/* Element i of a run of positions, as an offset: positions count from INDEX_BASE, negative ones
 * from the end. They have been checked. */
static inline int64_t index_offset(int64_t position, int64_t size) {
    return position > 0 ? position - INDEX_BASE : position + size;
}

/* The first of n positions that is not in the range below, or n. */
int64_t index_first_bad(const int64_t *x, int64_t step, int64_t n, int64_t size, bool from_end);

/* Checks that all of index, int64, is in [1, size], or with from_end in [-size, -1]; else an error
 * names the first in row-major order. param is what the user knows index as. */
bool index_check(const char *name, const char *param, const View *index, int64_t size,
                 bool from_end);

/* The elements that picks move: count places of the tensor, t_at, and of the dense side, d_at; at
 * each a run of n elements. All offsets and steps count elements. */
typedef struct PickRun {
    void *tensor, *dense;
    const int64_t *t_at, *d_at;
    int64_t count, n, t_step, d_step;
} PickRun;
typedef void PickLoop(const PickRun *r);

/* A line of elements: element j of the dense side meets the tensor's element at
 * j * t_step + offset of position j * pick_step. Steps count elements; positions are of a dim of
 * size entries and have been checked. */
typedef struct LineRun {
    void *tensor, *dense;
    const int64_t *position;
    int64_t n, size, i_step, d_step, t_step, pick_step;
} LineRun;
typedef void LineLoop(const LineRun *r);

typedef enum { PICK_TAKE, PICK_PUT, PICK_ADD, PICK_PROD, PICK_MAX, PICK_MIN } PickMode;

/* take and put move elements of a size; add also adds half types to floats. */
PickLoop *pick_loop(PickMode mode, int dtype);
LineLoop *line_loop(PickMode mode, int dtype);

/* Which of n elements are not zero (the sign of a float does not count): their numbers, the first
 * element's being first, into hits, which has room for n. Returns how many. */
int64_t index_nonzero(const void *p, int dtype, int64_t step, int64_t first, int64_t n,
                      int64_t *hits);

/* Half types are added up as floats: acc becomes a contiguous float copy of v, or v itself for any
 * other dtype. sum_end() rounds back into v, unless ok is false, and frees. */
typedef struct SumBuffer {
    View acc;
    int64_t stride[MAX_DIMS];
    float *data;
} SumBuffer;
bool sum_begin(SumBuffer *s, const View *v);
bool sum_end(SumBuffer *s, const View *v, bool ok);

/* Copies in[0] to out[0] unless they share memory: the in-place form. */
bool index_start_from_input(const KernelCall *c);

/* Moves between tensor and dense, which has the plan's shape (strides may be 0); per_dim as for
 * index_plan. positions is what the user knows the index tensors as. */
typedef struct Picks {
    const char *name, *positions;
    bool from_end;
    View tensor, dense;
    View per_dim[MAX_DIMS];
    IndexPlan plan;
} Picks;
bool picks_check(const Picks *p);
/* The positions have been checked: before anything was written, so that an in-place form fails
 * cleanly. */
bool picks_run(const Picks *p, PickMode mode);

/* Joins the dense side to the elements: mode is PICK_PROD, PICK_MAX or PICK_MIN; nan wins. */
LineLoop *join_loop(PickMode mode, int dtype);

/* index_take of a tensor of one dim by positions. */
bool cpu_take_from_line(const KernelCall *c);

KernelFn cpu_gather, cpu_scatter, cpu_scatter_add, cpu_scatter_join, cpu_cat;
#endif
