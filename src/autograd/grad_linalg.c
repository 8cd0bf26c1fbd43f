/* Gradients of linear algebra. Matrices stand in the last two dims; the formulas follow Giles
 * (2008), "Collected matrix derivative results", and Seeger et al. (2017), "Auto-differentiating
 * linear algebra". */
#include <string.h>

#include "autograd/back.h"

/* The adjoint: of real matrices the transpose. */
static Tensor *turned(Tensor *x) { return conjugate(t_transpose(x, -2, -1)); }
static Tensor *mm(Tensor *a, Tensor *b) { return t_matmul_batched(a, b); }
static Tensor *half(Tensor *x) { return t_mul(x, tensor_number(0.5)); }
static Tensor *rows_of(Tensor *x) { return t_unsqueeze(x, -1); }
static Tensor *columns_of(Tensor *x) { return t_unsqueeze(x, -2); }
static Tensor *as_matrix(Tensor *x) { return rows_of(rows_of(x)); }
static Tensor *symmetric(Tensor *x) { return half(t_add(x, turned(x))); }
static Tensor *skew(Tensor *x) { return t_sub(x, turned(x)); }

static Tensor *identity_like(Tensor *x) {
    return x ? t_eye(x->shape[x->dim - 1], arg_none(), x->dtype, x->device, false) : NULL;
}

/* The elements of x on the diagonal, zeros elsewhere. */
static Tensor *diagonal_part(Tensor *x) { return t_tril(t_triu(x, 0), 0); }

Tensor *grad_diagonal(Back *n, int i, Tensor *g) {
    Ints shape = SHAPE(i);
    int64_t stride[MAX_DIMS], size[MAX_DIMS], step[MAX_DIMS];
    int64_t offset = ARG(1).i, d1 = ARG(2).i, d2 = ARG(3).i;
    Tensor *zeros = t_zeros(shape, g->dtype, g->device, false);
    if (g->numel == 0) {
        return zeros;
    }
    shape_contiguous_strides(shape, stride);
    int dim = 0;
    for (int d = 0; d < shape.n; d++) {
        if (d != d1 && d != d2) {
            size[dim] = shape.v[d];
            step[dim++] = stride[d];
        }
    }
    size[dim] = g->shape[dim];
    step[dim++] = stride[d1] + stride[d2];
    return t_as_strided_scatter(zeros, g, (Ints){size, dim}, (Ints){step, dim},
                                offset > 0 ? offset * stride[d2] : -offset * stride[d1]);
}

Tensor *grad_tril(Back *n, int i, Tensor *g) {
    (void)i;
    return t_tril(g, ARG(1).i);
}

Tensor *grad_triu(Back *n, int i, Tensor *g) {
    (void)i;
    return t_triu(g, ARG(1).i);
}

Tensor *grad_linalg_inv(Back *n, int i, Tensor *g) {
    (void)i;
    Tensor *inverse = turned(OUT(0));
    return t_neg(mm(mm(inverse, g), inverse));
}

/* Of complex matrices, which have no cofactors here, by the inverse. */
Tensor *grad_linalg_det(Back *n, int i, Tensor *g) {
    Tensor *a = IN(i);
    if (a && dtype_is_complex(a->dtype)) {
        return t_mul(as_matrix(t_mul(g, conjugate(OUT(0)))), turned(t_linalg_inv(a)));
    }
    return t_mul(as_matrix(g), t_linalg_cofactor(a));
}

/* For a regular matrix the cofactors are det(A) times the inverse's transpose. */
Tensor *grad_linalg_cofactor(Back *n, int i, Tensor *g) {
    (void)i;
    Tensor *cofactors = OUT(0), *inverse = turned(t_linalg_inv(IN(0)));
    Tensor *product = t_mul(g, cofactors);
    Tensor *sum = t_sum(product, INTS(-2, -1), true, DT_NONE);
    return t_sub(t_mul(sum, inverse), mm(mm(cofactors, turned(g)), inverse));
}

/* The logarithm of a determinant slopes by the trace of A^-1 dA: its real part is that of the
 * absolute value, its imaginary part turns the sign. */
Tensor *grad_linalg_slogdet(Back *n, int i, Tensor *g) {
    Tensor *sign = OUT(0), *slope = back_grad(n, 1);
    if (sign && dtype_is_complex(sign->dtype) && n->grads[0]) {
        slope = t_complex(slope, t_neg(t_imag(t_mul(conjugate(g), sign))));
    }
    return t_mul(as_matrix(slope), turned(t_linalg_inv(IN(i))));
}

Tensor *grad_solve_batched(Back *n, int i, Tensor *g) {
    Tensor *gb = t_solve_batched(turned(IN(0)), g);
    return i == 1 ? gb : t_neg(mm(gb, turned(OUT(0))));
}

Tensor *grad_solve_triangular_batched(Back *n, int i, Tensor *g) {
    bool upper = ARG(2).b, unit = ARG(3).b;
    Tensor *gb = t_solve_triangular_batched(turned(IN(0)), g, !upper, unit);
    if (i == 1) {
        return gb;
    }
    Tensor *ga = t_neg(mm(gb, turned(OUT(0))));
    return upper ? t_triu(ga, unit) : t_tril(ga, unit ? -1 : 0);
}

/* With L: L^-T phi(L^T g) L^-1, made symmetric; phi takes the lower triangle, its diagonal halved.
 */
Tensor *grad_linalg_cholesky(Back *n, int i, Tensor *g) {
    (void)i;
    bool upper = ARG(1).b;
    Tensor *l = upper ? turned(OUT(0)) : OUT(0);
    Tensor *inner = mm(turned(l), upper ? turned(g) : g);
    Tensor *phi = half(t_add(t_tril(inner, 0), t_tril(inner, -1)));
    Tensor *left = t_solve_triangular_batched(turned(l), phi, true, false);
    return symmetric(turned(t_solve_triangular_batched(turned(l), turned(left), true, false)));
}

/* The gradient of a tall or square matrix with these factors. */
static Tensor *qr_tall(Tensor *q, Tensor *r, Tensor *gq, Tensor *gr) {
    Tensor *m = t_sub(mm(r, turned(gr)), mm(turned(gq), q));
    Tensor *low = t_tril(m, -1);
    Tensor *mirrored = t_add(t_add(low, turned(low)), diagonal_part(symmetric(m)));
    Tensor *right = t_add(gq, mm(q, mirrored));
    return turned(t_solve_triangular_batched(r, turned(right), true, false));
}

/* A wide matrix is [X Y] with X = Q U square, and R = [U V] with V = Q^T Y. */
Tensor *grad_linalg_qr(Back *n, int i, Tensor *g) {
    Ints shape = SHAPE(i);
    int64_t rows = shape.v[shape.n - 2], columns = shape.v[shape.n - 1];
    const char *mode = ARG(1).s;
    if (*mode == 'r' && mode[1] == '\0') {
        return fail_null("linalg_qr: mode \"r\" is not differentiable; use \"reduced\"");
    }
    if (*mode == 'c' && rows > columns) {
        return fail_null("linalg_qr: mode \"complete\" is not differentiable for matrices with "
                         "more rows than columns; use \"reduced\"");
    }
    Tensor *q = OUT(0), *r = OUT(1), *gq = back_grad(n, 0), *gr = back_grad(n, 1);
    (void)g;
    if (rows >= columns) {
        return qr_tall(q, r, gq, gr);
    }
    Tensor *u = t_narrow(r, -1, 0, rows), *v = t_narrow(r, -1, rows, columns - rows);
    Tensor *gu = t_narrow(gr, -1, 0, rows), *gv = t_narrow(gr, -1, rows, columns - rows);
    Tensor *gx = qr_tall(q, u, t_add(gq, mm(mm(q, v), turned(gv))), gu);
    Tensor *both[] = {gx, mm(q, gv)};
    return both[0] && both[1] ? t_cat((TensorList){both, 2}, -1) : NULL;
}

/* (v_j - v_i) for all pairs, and 1 on the diagonal, so that one can divide by it. */
static Tensor *gaps(Tensor *values) {
    return t_add(t_sub(columns_of(values), rows_of(values)), identity_like(values));
}

/* x without its part in the columns of u. */
static Tensor *outside(Tensor *u, Tensor *x) { return t_sub(x, mm(u, mm(turned(u), x))); }

/* Functions of complex vectors are taken not to depend on the phase that a column of U and one of V
 * share; what they make of the two phases' difference is on the diagonal. */
Tensor *grad_linalg_svd(Back *n, int i, Tensor *g) {
    (void)g;
    Ints shape = SHAPE(i);
    int64_t rows = shape.v[shape.n - 2], columns = shape.v[shape.n - 1];
    int64_t k = rows < columns ? rows : columns;
    Tensor *u = t_narrow(OUT(0), -1, 0, k), *s = OUT(1);
    Tensor *v = turned(t_narrow(OUT(2), -2, 0, k));
    Tensor *gs = back_grad(n, 1);
    if (!n->grads[0] && !n->grads[2]) {
        return mm(t_mul(u, columns_of(gs)), turned(v));
    }
    Tensor *gu = t_narrow(back_grad(n, 0), -1, 0, k);
    Tensor *gv = turned(t_narrow(back_grad(n, 2), -2, 0, k));
    Tensor *gap = gaps(t_square(s)), *left = skew(mm(turned(u), gu)),
           *right = skew(mm(turned(v), gv));
    Tensor *diagonal = gs;
    if (u && dtype_is_complex(u->dtype)) {
        Tensor *turn = t_sub(t_diagonal(left, 0, -2, -1), t_diagonal(right, 0, -2, -1));
        diagonal = t_add(gs, t_div(turn, t_mul(s, tensor_number(4.0))));
        left = t_sub(left, diagonal_part(left));
        right = t_sub(right, diagonal_part(right));
    }
    Tensor *inner = t_mul(t_div(left, gap), columns_of(s));
    inner = t_add(inner, t_mul(rows_of(s), t_div(right, gap)));
    inner = t_add(inner, t_diag_embed(diagonal, 0, -2, -1));
    Tensor *ga = mm(mm(u, inner), turned(v));
    if (rows > k) {
        ga = t_add(ga, mm(t_div(outside(u, gu), columns_of(s)), turned(v)));
    }
    if (columns > k) {
        ga = t_add(ga, mm(u, turned(t_div(outside(v, gv), columns_of(s)))));
    }
    return ga;
}

Tensor *grad_linalg_eigh(Back *n, int i, Tensor *g) {
    (void)i;
    (void)g;
    Tensor *values = OUT(0), *v = OUT(1), *gvalues = back_grad(n, 0);
    if (!n->grads[1]) {
        return mm(t_mul(v, columns_of(gvalues)), turned(v));
    }
    Tensor *inner = half(skew(mm(turned(v), n->grads[1])));
    inner = t_div(t_sub(inner, diagonal_part(inner)), gaps(values));
    inner = t_add(inner, t_diag_embed(gvalues, 0, -2, -1));
    return mm(mm(v, inner), turned(v));
}

/* The columns of V have length 1, which takes their own direction out of the gradient; functions of
 * complex ones are taken not to depend on their phases. */
Tensor *grad_linalg_eig(Back *n, int i, Tensor *g) {
    (void)i;
    (void)g;
    Tensor *values = OUT(0), *v = OUT(1);
    Tensor *inner = t_diag_embed(back_grad(n, 0), 0, -2, -1);
    if (n->grads[1]) {
        Tensor *product = mm(turned(v), n->grads[1]);
        Tensor *own = columns_of(t_real(t_diagonal(product, 0, -2, -1)));
        product = t_sub(product, t_mul(mm(turned(v), v), own));
        inner =
            t_add(inner, t_div(t_sub(product, diagonal_part(product)), conjugate(gaps(values))));
    }
    return t_solve_batched(turned(v), mm(inner, turned(v)));
}

/* Golub and Pereyra's derivative of the pseudoinverse p of a, turned round for the gradient g. */
static Tensor *pinv_gradient(Tensor *a, Tensor *p, Tensor *g) {
    Tensor *pt = turned(p), *gt = turned(g);
    Tensor *direct = t_neg(mm(mm(pt, g), pt));
    Tensor *left = mm(mm(gt, p), pt);
    left = t_sub(left, mm(a, mm(p, left)));
    Tensor *right = mm(mm(pt, p), gt);
    right = t_sub(right, mm(mm(right, p), a));
    return t_add(direct, t_add(left, right));
}

Tensor *grad_pinv_batched(Back *n, int i, Tensor *g) { return pinv_gradient(IN(i), OUT(0), g); }

/* The solution is the pseudoinverse times B. */
Tensor *grad_lstsq_batched(Back *n, int i, Tensor *g) {
    Tensor *p = t_pinv_batched(IN(0), arg_float(0), arg_float(ARG(2).f));
    if (i == 1) {
        return mm(turned(p), g);
    }
    return pinv_gradient(IN(0), p, mm(g, turned(IN(1))));
}

/* The upper right block of the exponential of [A^T g; 0 A^T]. */
Tensor *grad_linalg_matrix_exp(Back *n, int i, Tensor *g) {
    Tensor *a = turned(IN(i));
    if (!a || !g) {
        return NULL;
    }
    int64_t size = a->shape[a->dim - 1];
    Tensor *zeros = t_zeros(SHAPE(i), g->dtype, g->device, false);
    Tensor *top[] = {a, g}, *bottom[] = {zeros, a};
    Tensor *half_rows[] = {t_cat((TensorList){top, 2}, -1), t_cat((TensorList){bottom, 2}, -1)};
    if (!half_rows[0] || !half_rows[1]) {
        return NULL;
    }
    Tensor *whole = t_linalg_matrix_exp(t_cat((TensorList){half_rows, 2}, -2));
    return t_narrow(t_narrow(whole, -2, 0, size), -1, size, size);
}
