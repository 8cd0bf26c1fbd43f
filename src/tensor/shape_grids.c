/* Shapes of regular patterns. */
#include <math.h>

#include "tensor/grids.h"
#include "tensor/number.h"
#include "tensor/shape_create.h"

bool infer_logspace(Call *c) { return infer_spaced(c, 4); }

/* A size that the whole numbers 1 to n index, as a type that has room for sums of it. */
static bool fail_long(const Call *c) {
    return fail("%s: the result would have more elements than memory can address",
                c->op->public_name);
}

static bool infer_triangle(Call *c, bool upper) {
    int64_t rows = c->arg[0].i, cols = c->arg[1].i;
    int dtype;
    if (rows < 0 || cols < 0) {
        return fail("%s: row and col must not be negative, got %lld and %lld", c->op->public_name,
                    (long long)rows, (long long)cols);
    }
    int64_t n = triangle_count(rows, cols, c->arg[2].i, upper);
    return (n >= 0 || fail_long(c)) && made_dtype(c, 3, DT_INT64, &dtype) &&
           (n == 0 || (whole_number_fits(c->op, "row", rows, dtype) &&
                       whole_number_fits(c->op, "col", cols, dtype))) &&
           set_size(c, dtype, INTS(2, n));
}

bool infer_tril_indices(Call *c) { return infer_triangle(c, false); }
bool infer_triu_indices(Call *c) { return infer_triangle(c, true); }

static bool infer_window(Call *c, int dtype_arg) {
    int dtype;
    if (c->arg[0].i < 0) {
        return fail("%s: window_length must not be negative, got %lld", c->op->public_name,
                    (long long)c->arg[0].i);
    }
    return made_dtype(c, dtype_arg, dtype_default(), &dtype) &&
           set_size(c, dtype, INTS(c->arg[0].i));
}

bool infer_hann_window(Call *c) { return infer_window(c, 2); }
bool infer_blackman_window(Call *c) { return infer_window(c, 2); }
bool infer_bartlett_window(Call *c) { return infer_window(c, 2); }

static bool check_finite(const Call *c, int arg) {
    return isfinite(c->arg[arg].f) || fail("%s: %s must be finite, got %g", c->op->public_name,
                                           c->op->params[arg].name, c->arg[arg].f);
}

bool infer_hamming_window(Call *c) {
    return check_finite(c, 2) && check_finite(c, 3) && infer_window(c, 4);
}

bool infer_kaiser_window(Call *c) { return check_finite(c, 2) && infer_window(c, 3); }

bool infer_combination_positions(Call *c) {
    int64_t n = c->arg[0].i, r = c->arg[1].i;
    int dtype;
    if (n < 0 || r < 0 || r > COMBINATION_MOST) {
        return fail("%s: n must not be negative and r in [0, %d], got %lld and %lld",
                    c->op->public_name, COMBINATION_MOST, (long long)n, (long long)r);
    }
    int64_t count = combination_count(n, r, c->arg[2].b);
    return (count >= 0 || fail_long(c)) && made_dtype(c, 3, DT_INT64, &dtype) &&
           (count == 0 || whole_number_fits(c->op, "n", n, dtype)) &&
           set_size(c, dtype, INTS(count, r));
}
