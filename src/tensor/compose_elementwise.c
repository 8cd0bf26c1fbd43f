/* Elementwise operators made of others. */
#include <math.h>
#include <string.h>

#include "tensor/number.h"
#include "tensor/op.h"

/* value as an element of input's dtype; a number that it cannot hold is an error. */
static Tensor *fill_value(const Tensor *input, Tensor *value) {
    if (value->dim != 0) {
        return fail_null("masked_fill: value must be a number or a 0-dim tensor, got shape %s",
                         shape_text(tensor_shape(value)));
    }
    if (tensor_is_number(value) && !dtype_is_complex(value->dtype)) {
        const void *p = tensor_data(value);
        Arg number = dtype_is_float(value->dtype) ? arg_float(element_get_float(p, value->dtype))
                                                  : arg_int(element_get_int(p, value->dtype));
        if (!number_fits(&op_table[OP_masked_fill], "value", number, input->dtype)) {
            return NULL;
        }
    }
    return value->dtype == input->dtype ? value : t_cast(value, input->dtype);
}

Tensor *compose_masked_fill(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t, *mask = a[1].t;
    int64_t shape[MAX_DIMS];
    if (mask->dtype != DT_BOOL) {
        return fail_null("masked_fill: mask must be a bool tensor, got %s; compare first, as in "
                         "x:gt(0)",
                         dtype_name(mask->dtype));
    }
    int dim = shape_broadcast(tensor_shape(input), tensor_shape(mask), shape);
    if (dim != input->dim || memcmp(shape, input->shape, (size_t)dim * sizeof *shape) != 0) {
        return fail_null("masked_fill: mask of shape %s does not broadcast to input's shape %s",
                         shape_text(tensor_shape(mask)), shape_text(tensor_shape(input)));
    }
    Tensor *value = fill_value(input, a[2].t);
    return value ? t_where(mask, value, input) : NULL;
}
