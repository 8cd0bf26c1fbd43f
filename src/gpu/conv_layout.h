#ifndef TOCHA_GPU_CONV_LAYOUT_H
#define TOCHA_GPU_CONV_LAYOUT_H
/* What convolution does around its products: layouts, columns, sums. */
#include "gpu/gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* dst += other, which is broadcast; float dtypes. */
bool gpu_conv_add(const KernelCall *c, const View *dst, const View *other);
/* x becomes relu of it; float dtypes. */
bool gpu_conv_relu(const KernelCall *c, const View *x);
/* dst (count, columns, rows) = src (count, rows, columns), all without gaps. */
bool gpu_conv_transpose(const KernelCall *c, int dtype, void *dst, const void *src, int64_t count,
                        int64_t rows, int64_t columns);

/* Output positions [from, from + count) of one image, which is in[0] * in[1] * in[2] elements a
 * channel. */
typedef struct ConvColumns {
    int64_t channels, from, count;
    int64_t in[3], out[3], kernel[3];
    int64_t stride[3], padding[3], dilation[3];
} ConvColumns;

/* columns (channels * kernel, count): what each position meets; and image (channels, in) += what
 * the columns have for each element. dtype is float32 or float64. */
bool gpu_conv_columns(const KernelCall *c, int dtype, const ConvColumns *s, void *columns,
                      const void *image);
bool gpu_conv_gather(const KernelCall *c, int dtype, const ConvColumns *s, const void *columns,
                     void *image);

#ifdef __cplusplus
}
#endif
#endif
