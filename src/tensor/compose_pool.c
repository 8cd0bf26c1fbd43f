/* Poolings under their names by dims. */
#include "tensor/conv_shape.h"
#include "tensor/op.h"

/* kernel_size with a number for each dim of the image, as the ops over images of any dims want it.
 */
static bool kernel_of(const Op *op, const Arg *a, int dims, int64_t *kernel) {
    const Arg *size = &a[1];
    if (size->count != 1 && size->count != dims) {
        return image_ints(op, a, 1, dims, 1, kernel);
    }
    for (int i = 0; i < dims; i++) {
        kernel[i] = size->ints[size->count == 1 ? 0 : i];
    }
    return true;
}

static Tensor *max_pool(const Op *op, const Arg *a, int dims, Tensor **out) {
    int64_t kernel[IMAGE_DIMS];
    ConvShape unused;
    bool ok = image_shape(op, tensor_shape(a[0].t), dims, &unused) &&
              kernel_of(op, a, dims, kernel) &&
              t_max_pool(a[0].t, (Ints){kernel, dims}, arg_as_ints(a[2]), arg_as_ints(a[3]),
                         arg_as_ints(a[4]), a[5].b, out);
    return ok ? out[0] : NULL;
}

static Tensor *avg_pool(const Op *op, const Arg *a, int dims) {
    int64_t kernel[IMAGE_DIMS];
    ConvShape unused;
    bool ok =
        image_shape(op, tensor_shape(a[0].t), dims, &unused) && kernel_of(op, a, dims, kernel);
    return ok ? t_avg_pool(a[0].t, (Ints){kernel, dims}, arg_as_ints(a[2]), arg_as_ints(a[3]),
                           a[4].b, a[5].b, dims > 1 ? a[6] : arg_none())
              : NULL;
}

#define POOLS(n)                                                               \
    Tensor *compose_max_pool##n##d_with_indices(const Arg *a, Tensor **out) {  \
        return max_pool(&op_table[OP_max_pool##n##d_with_indices], a, n, out); \
    }                                                                          \
    Tensor *compose_max_pool##n##d(const Arg *a, Tensor **out) {               \
        return max_pool(&op_table[OP_max_pool##n##d], a, n, out);              \
    }                                                                          \
    Tensor *compose_avg_pool##n##d(const Arg *a, Tensor **out) {               \
        (void)out;                                                             \
        return avg_pool(&op_table[OP_avg_pool##n##d], a, n);                   \
    }
POOLS(1)
POOLS(2)
POOLS(3)
