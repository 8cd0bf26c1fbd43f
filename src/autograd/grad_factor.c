/* Gradients of packed factorisations. Matrices stand in the last two dims. */
#include "autograd/back.h"

/* The adjoint: of real matrices the transpose. */
static Tensor *turned(Tensor *x) { return conjugate(t_transpose(x, -2, -1)); }
static Tensor *mm(Tensor *a, Tensor *b) { return t_matmul_batched(a, b); }

static Tensor *upper_solve(Tensor *a, Tensor *b, bool unit) {
    return t_solve_triangular_batched(a, b, true, unit);
}

/* b times the inverse of the transpose of the upper triangle of u. */
static Tensor *over_upper(Tensor *b, Tensor *u) { return turned(upper_solve(u, turned(b), false)); }

/* The part of x in rows and columns from each first on, count of them. */
static Tensor *block(Tensor *x, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    return t_narrow(t_narrow(x, -2, row, rows), -1, column, columns);
}

/* With the square factors L and U in one: L^-T (tril(L^T gl) + triu(gu U^T)) U^-T. */
static Tensor *lu_square(Tensor *lu, Tensor *gl, Tensor *gu) {
    Tensor *l = t_tril(lu, -1), *u = t_triu(lu, 0);
    Tensor *below = t_tril(t_add(gl, mm(turned(l), gl)), -1);
    Tensor *inner = t_add(below, t_triu(mm(gu, turned(u)), 0));
    return over_upper(upper_solve(turned(lu), inner, true), lu);
}

/* What a wide or tall matrix has besides its square, [A1 A2] or [A1; A2], follows from that by one
 * triangular system, whose gradient is a part of the square factors' own. */
static Tensor *lu_unordered(Tensor *lu, Tensor *g) {
    if (!lu || !g) {
        return NULL;
    }
    int64_t m = lu->shape[lu->dim - 2], n = lu->shape[lu->dim - 1], k = m < n ? m : n;
    Tensor *square = block(lu, 0, k, 0, k), *gl = block(g, 0, k, 0, k), *gu = gl, *rest = NULL;
    if (n > k) {
        Tensor *u2 = block(lu, 0, k, k, n - k);
        rest = upper_solve(turned(square), block(g, 0, k, k, n - k), true);
        gl = t_sub(gl, mm(rest, turned(u2)));
    } else if (m > k) {
        Tensor *l2 = block(lu, k, m - k, 0, k);
        rest = over_upper(block(g, k, m - k, 0, k), square);
        gu = t_sub(gu, mm(turned(l2), rest));
    }
    Tensor *parts[] = {lu_square(square, t_tril(gl, -1), t_triu(gu, 0)), rest};
    if (m == n || !parts[0] || !parts[1]) {
        return parts[0];
    }
    return t_cat((TensorList){parts, 2}, n > k ? -1 : -2);
}

Tensor *grad_linalg_lu_factor_ex(Back *n, int i, Tensor *g) {
    Tensor *rows = lu_unordered(OUT(0), g);
    if (!ARG(1).b || !rows) {
        return rows;
    }
    Tensor *order = t_lu_order(OUT(1), SHAPE(i).v[SHAPE(i).n - 2]);
    Tensor *zeros = t_zeros(SHAPE(i), rows->dtype, rows->device, false);
    return t_scatter(zeros, -2, t_expand(t_unsqueeze(order, -1), SHAPE(i)), rows);
}

Tensor *grad_geqrf(Back *n, int i, Tensor *g) {
    (void)n;
    (void)i;
    (void)g;
    return fail_null("geqrf: not differentiable; use linalg_qr");
}

Tensor *grad_linalg_ldl_factor_ex(Back *n, int i, Tensor *g) {
    (void)n;
    (void)i;
    (void)g;
    return fail_null("linalg_ldl_factor_ex: not differentiable; use linalg_lu or linalg_cholesky");
}

/* A is symmetric, and so is its inverse; a hermitian one is its own adjoint. */
Tensor *grad_linalg_ldl_solve(Back *n, int i, Tensor *g) {
    if (i == 0) {
        return fail_null("linalg_ldl_solve: not differentiable with respect to LD; use "
                         "linalg_solve");
    }
    if (i != 2) {
        return NULL;
    }
    bool hermitian = ARG(3).b;
    Tensor *x = t_linalg_ldl_solve(IN(0), IN(1), hermitian ? g : conjugate(g), hermitian);
    return hermitian ? x : conjugate(x);
}
