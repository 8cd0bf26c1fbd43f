#ifndef TOCHA_CPU_CONV_KERNELS_H
#define TOCHA_CPU_CONV_KERNELS_H
/* What an instruction set offers for convolutions of one element type.
 *
 * All work on a prepared image: the channels of one group of one image, padded, and with the
 * columns of each row sorted by their remainder by the horizontal stride. So the elements that a
 * tap (one weight of an output channel) meets along a row of output positions are neighbours,
 * whatever stride, padding and dilation are; where there is neither stride nor padding, the image
 * itself is a prepared one. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ConvMap {
    int64_t taps, window;  /* of all channels, and of one */
    const int64_t *tap;    /* offset of each from the corner of an output position's window */
    int64_t rows, columns; /* output positions */
    int64_t row_step;      /* from the corner of a row's first window to the next row's ... */
    int64_t slice_rows;    /* ... within a slice of so many rows; slices are as far apart as ... */
    int64_t slice_step;
} ConvMap;

/* Where the windows of a row of positions begin. */
static inline int64_t conv_corner(const ConvMap *m, int64_t row) {
    return row < m->slice_rows
               ? row * m->row_step
               : row / m->slice_rows * m->slice_step + row % m->slice_rows * m->row_step;
}

/* The layout of a prepared image: channels x slices x rows x stride x phase. Sizes and steps are
 * those of depth, height and width. */
typedef struct ConvFrame {
    int64_t channels, in[3], padding[3];
    int64_t slices, rows, stride, phase;
    int64_t step[3]; /* of the image: above 1 where windows of one element leave others out */
} ConvFrame;

/* How gradients go back from output positions to pixels that hold nr channels each. */
typedef struct ConvSpread {
    int64_t outputs, plane;        /* output channels, and elements from one to the next */
    int64_t taps;                  /* of one channel */
    const int64_t *tap;            /* pixels from the corner of a position's window */
    int64_t slices, rows, columns; /* output positions */
    /* Pixels from one position's corner to the next, to the next row's and the next slice's. */
    int64_t step, row_step, slice_step;
} ConvSpread;

typedef struct ConvKernels {
    int size, nr; /* of an element; output channels of a panel of weights */
    void (*prepare)(const ConvFrame *f, const void *image, void *prepared);
    /* The inverse of prepare: the elements outside the image are dropped. */
    void (*restore)(const ConvFrame *f, const void *prepared, void *image);
    /* Rows [y0, y1) of up to nr output channels, plane elements apart, from a panel of weights
     * (taps, nr) and lanes biases (or NULL). What stands behind them in rows up to limit may be
     * overwritten. */
    void (*direct)(const ConvMap *m, const void *image, const void *weights, int64_t lanes,
                   const void *bias, void *out, int64_t plane, int64_t y0, int64_t y1,
                   int64_t limit);
    /* Packs count taps from first on, at positions [j, j + n), as an operand b of cpu/gemm.h.
     * Memory may be read up to end. */
    void (*columns)(const ConvMap *m, const void *image, const void *end, int64_t first,
                    int64_t count, int64_t j, int64_t n, void *packed);
    /* sums (taps, nr) += for rows [y0, y1) what taps [first, first + count) meet times the packed
     * gradients (positions, nr) of up to nr output channels. */
    void (*weights)(const ConvMap *m, const void *image, int64_t first, int64_t count, int64_t y0,
                    int64_t y1, const void *grad, int64_t lanes, void *sums);
    /* weight (lanes, ld) = for taps [first, first + count) the sum of parts such sums, stride
     * elements apart. */
    void (*collect)(const void *sums, int64_t parts, int64_t stride, int64_t first, int64_t count,
                    int64_t lanes, void *weight, int64_t ld);
    /* Adds cols (count, (y1 - y0) * columns), of taps from first on, where rows [y0, y1) met them.
     * image ends at end; cols may be read a vector beyond its end. */
    void (*scatter)(const ConvMap *m, const void *cols, int64_t first, int64_t count, int64_t y0,
                    int64_t y1, void *image, const void *end);
    /* target (pixels, nr) += what all positions send to up to nr input channels; weights is
     * (taps, outputs, nr). spread_store takes the image out of the padded target. */
    void (*spread)(const ConvSpread *s, const void *grad, const void *weights, int64_t lanes,
                   void *target);
    void (*spread_store)(const ConvFrame *f, const void *target, int64_t lanes, void *image);
    /* One channel alone: its plane of the result; its plane of the input's gradient, added to
     * image; its weights' gradient, added to sums (taps). */
    void (*plane)(const ConvMap *m, const void *image, const void *end, const void *weights,
                  const void *bias, void *out);
    void (*plane_scatter)(const ConvMap *m, const void *grad, const void *grad_end,
                          const void *weights, void *image, const void *end);
    void (*plane_weights)(const ConvMap *m, const void *image, const void *end, const void *grad,
                          const void *grad_end, void *sums);
} ConvKernels;

/* For float (size 4) and double (size 8). */
const ConvKernels *conv_kernels(size_t size);
/* The companion of gemm_kernels_narrow(). */
const ConvKernels *conv_kernels_narrow(size_t size);

/* Kernels store and read whole vectors: what a packed operand, a prepared image or a buffer of
 * columns must have behind its end. */
enum { CONV_SLACK = 64 };
#endif
