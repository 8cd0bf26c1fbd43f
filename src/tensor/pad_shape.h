#ifndef TOCHA_PAD_SHAPE_H
#define TOCHA_PAD_SHAPE_H
/* What pad does to each dim, for its shape rule and its kernels alike. */
#include "base/hd.h"
#include "tensor/backend.h"
#include "tensor/ints.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { PAD_CONSTANT, PAD_REFLECT, PAD_REPLICATE, PAD_CIRCULAR } PadMode;

typedef struct PadShape {
    PadMode mode;
    int dim;
    /* Of every dim: the sizes before and after, and what is added at its beginning and end. */
    int64_t in[MAX_DIMS], out[MAX_DIMS], before[MAX_DIMS], behind[MAX_DIMS];
} PadShape;

/* From the arguments pads and mode, and the input's shape. false: they do not fit, error recorded.
 */
bool pad_shape(const Op *op, Arg pads, const char *mode, Ints input, PadShape *s);

/* What is left of dim d where nothing is added; PAD_CIRCULAR goes round this. */
TOCHA_HD int64_t pad_kept(const PadShape *s, int d) {
    return s->in[d] + (s->before[d] < 0 ? s->before[d] : 0) + (s->behind[d] < 0 ? s->behind[d] : 0);
}

/* Where along dim d the entry o of the result comes from; not for PAD_CONSTANT. */
TOCHA_HD int64_t pad_source(const PadShape *s, int d, int64_t o) {
    int64_t i = o - s->before[d], n = s->in[d];
    if (i >= 0 && i < n) {
        return i;
    }
    switch (s->mode) {
    case PAD_REFLECT: return i < 0 ? -i : 2 * (n - 1) - i;
    case PAD_REPLICATE: return i < 0 ? 0 : n - 1;
    default: return i < 0 ? i + pad_kept(s, d) : i - pad_kept(s, d);
    }
}

#ifdef __cplusplus
}
#endif
#endif
