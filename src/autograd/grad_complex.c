/* Gradients of the complex family. A complex gradient is that by the real part plus i times that by
 * the imaginary part; of a differentiable function of complex numbers it is g times the conjugate
 * of the derivative. */
#include "autograd/back.h"

Tensor *grad_view_as_real(Back *n, int i, Tensor *g) {
    (void)n;
    (void)i;
    return t_view_as_complex(t_contiguous(g));
}

Tensor *grad_view_as_complex(Back *n, int i, Tensor *g) {
    (void)n;
    (void)i;
    return t_view_as_real(g);
}

Tensor *grad_conj_physical(Back *n, int i, Tensor *g) {
    (void)n;
    (void)i;
    return t_conj(g);
}

/* Across the number, and by the inverse of its length: i x / |x|^2. Real numbers do not turn. */
Tensor *grad_angle(Back *n, int i, Tensor *g) {
    Tensor *x = IN(i);
    if (!x || !dtype_is_complex(x->dtype)) {
        return grad_zero(n, i, g);
    }
    Tensor *turned = t_mul(x, t_complex(tensor_number_int(0), tensor_number_int(1)));
    Tensor *length = t_square(t_abs(x)), *zero = tensor_number_int(0);
    return t_where(t_eq(length, zero), zero, t_mul(g, t_div(turned, length)));
}

/* What of g lies across the number, by its length; at 0 nothing flows. */
Tensor *grad_sgn(Back *n, int i, Tensor *g) {
    Tensor *x = IN(i), *sign = OUT(0);
    if (!x || !dtype_is_complex(x->dtype)) {
        return grad_zero(n, i, g);
    }
    Tensor *along = t_real(t_mul(g, t_conj(sign)));
    Tensor *length = t_abs(x), *zero = tensor_number_int(0);
    Tensor *slope = t_div(t_sub(g, t_mul(along, sign)), length);
    return t_where(t_eq(length, zero), zero, slope);
}
