/* Looking images up at the places that affine maps give. */
#include "tensor/op.h"

Tensor *compose_grid_sample(const Arg *a, Tensor **out) {
    (void)out;
    return t_grid_sampler(a[0].t, a[1].t, a[2].s, a[3].s, a[4].b, INTS(0));
}

/* n coordinates from -1 to 1: of the outermost pixels' centres, or of their edges. */
static Tensor *coordinates(int64_t n, bool align_corners, int dtype, Device device) {
    if (n <= 1) {
        return t_zeros(INTS(n), dtype, device, false);
    }
    double end = align_corners ? 1 : (double)(n - 1) / (double)n;
    return t_linspace(arg_float(-end), arg_float(end), n, dtype, device, false);
}

/* The coordinates x, y (and z) and 1 of all pixels, (pixels, dims + 1); size is that of the image.
 */
static Tensor *all_coordinates(Ints size, bool align_corners, int dtype, Device device) {
    Tensor *column[4];
    int dims = size.n;
    for (int axis = 0; axis < dims; axis++) {
        int at = dims - 1 - axis;
        int64_t shape[3] = {1, 1, 1};
        shape[at] = size.v[at];
        Tensor *line = coordinates(size.v[at], align_corners, dtype, device);
        column[axis] = t_expand(t_reshape(line, (Ints){shape, dims}), size);
        if (!column[axis]) {
            return NULL;
        }
    }
    column[dims] = t_ones(size, dtype, device, false);
    return column[dims] ? t_reshape(t_stack((TensorList){column, dims + 1}, -1), INTS(-1, dims + 1))
                        : NULL;
}

Tensor *compose_affine_grid(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *theta = a[0].t;
    Ints size = arg_as_ints(a[1]);
    int dims = size.n - 2, dtype = theta->dtype;
    if (dims != 2 && dims != 3) {
        return fail_null("affine_grid: size must be (n, c, h, w) or (n, c, d, h, w), got %s",
                         shape_text(size));
    }
    if (!dtype_is_float(dtype)) {
        return fail_null("affine_grid: theta must be of a floating dtype, got %s",
                         dtype_name(dtype));
    }
    if (theta->dim != 3 || theta->shape[0] != size.v[0] || theta->shape[1] != dims ||
        theta->shape[2] != dims + 1) {
        return fail_null("affine_grid: theta must be (n, %d, %d) for a size of %s, got %s", dims,
                         dims + 1, shape_text(size), shape_text(tensor_shape(theta)));
    }
    int64_t shape[5] = {size.v[0]};
    for (int i = 0; i < dims; i++) {
        shape[1 + i] = size.v[2 + i];
        if (shape[1 + i] < 1) {
            return fail_null("affine_grid: sizes of images must be at least 1, got %s",
                             shape_text(size));
        }
    }
    shape[1 + dims] = dims;
    if (shape_numel((Ints){shape, dims + 2}) < 0) {
        return fail_null("affine_grid: size %s has too many elements", shape_text(size));
    }
    bool half = dtype_size(dtype) < sizeof(float);
    int wide = half ? DT_FLOAT32 : dtype;
    Tensor *places = all_coordinates((Ints){size.v + 2, dims}, a[2].b, wide, theta->device);
    Tensor *grid = t_matmul(places, t_transpose(t_cast(theta, wide), 1, 2));
    grid = t_reshape(grid, (Ints){shape, dims + 2});
    return half ? t_cast(grid, dtype) : grid;
}
