#ifndef TOCHA_CPU_CONV_PLAN_H
#define TOCHA_CPU_CONV_PLAN_H
/* What the three kernels of convolution share: the plan of a call, dense operands, and the split
 * over the pool. Buffers between these hold elements of the plan's type, float or double. */
#include "cpu/conv_kernels.h"
#include "cpu/gemm.h"
#include "tensor/conv_shape.h"

typedef struct ConvPlan {
    ConvShape s;
    const ConvKernels *k;
    const GemmKernels *g;
    int64_t size;        /* of an element */
    int64_t in_c, out_c; /* channels of a group */
    int64_t in_plane, out_plane;
    int64_t window;      /* taps of one channel */
    bool framed;         /* images must be prepared */
    bool depthwise;      /* one channel in, one out, in each group */
    ConvFrame frame;     /* of one group */
    int64_t frame_plane; /* elements of a prepared channel */
    ConvMap map;
    int64_t *tap; /* map.tap (owned) */
} ConvPlan;

/* dtype is that of the buffers; false: out of memory or sizes too large, error recorded. name is
 * the op's. */
bool conv_plan_open(ConvPlan *p, const char *name, const ConvShape *s, int dtype);
void conv_plan_close(ConvPlan *p);

/* A prepared group's bytes, with what kernels need behind it; 0 where the image serves itself. */
size_t conv_frame_bytes(const ConvPlan *p);

/* Element i of a buffer. */
static inline const void *conv_at(const ConvPlan *p, const void *x, int64_t i) {
    return (const char *)x + i * p->size;
}
static inline void *conv_to(const ConvPlan *p, void *x, int64_t i) {
    return (char *)x + i * p->size;
}

/* A tensor without gaps as elements of a dtype: itself, or a copy. data is NULL for a missing one.
 */
typedef struct ConvOperand {
    void *data, *owned;
    size_t bytes;
    int dtype;
} ConvOperand;

/* What a convolution of that dtype is computed in. */
int conv_dtype(int dtype);
bool conv_read(ConvOperand *x, const View *v, int dtype);
/* Memory for a result; conv_written() moves it to where it belongs. */
bool conv_write(ConvOperand *x, const View *v, int dtype);
void conv_written(const ConvOperand *x, const View *v);
void conv_release(ConvOperand *x);

/* Runs units [0, units) on the pool, each with bytes bytes of work; work_each is about the
 * multiplications that one takes. false: out of memory or interrupted, error recorded. */
typedef void ConvUnit(void *ctx, int64_t unit, void *work);
bool conv_units(int64_t units, double work_each, size_t bytes, ConvUnit *run, void *ctx);

/* Into how many parts a unit should be cut, at most limit, so that units of them occupy the pool.
 */
int64_t conv_parts(int64_t units, double work_each, int64_t limit);

/* out = conv2d(input, weight, bias) on dense buffers; bias may be NULL. */
bool conv_forward(const ConvPlan *p, const void *input, const void *weight, const void *bias,
                  void *out);
bool conv_input_grad(const ConvPlan *p, const char *name, const void *grad, const void *weight,
                     void *input_grad);
/* conv_input_grad() in one of its ways: input channels in the lanes of vectors. */
bool conv_spread(const ConvPlan *p, const void *grad, const void *weight, void *input_grad);
bool conv_weight_grad(const ConvPlan *p, const void *grad, const void *input, void *weight_grad);
#endif
