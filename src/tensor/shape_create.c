/* Shapes and dtypes of the operators that make tensors. */
#include <math.h>

#include "tensor/number.h"
#include "tensor/shape_create.h"

bool made_dtype(const Call *c, int arg, int fallback, int *dtype) {
    *dtype = c->arg[arg].kind == ARG_NONE ? fallback : (int)c->arg[arg].i;
    if (c->op->dtypes & 1u << *dtype) {
        return true;
    }
    return fail("%s: dtype must be %s, got %s", c->op->public_name,
                dtype_set_text(c->op->dtypes & DTSET_ALL), dtype_name(*dtype));
}

bool set_size(Call *c, int dtype, Ints size) {
    for (int i = 0; i < size.n; i++) {
        if (size.v[i] < 0) {
            return fail("%s: sizes must not be negative, got %s", c->op->public_name,
                        shape_text(size));
        }
    }
    spec_set(&c->spec[0], dtype, size);
    return true;
}

/* Arguments size, dtype. */
static bool infer_sized(Call *c) {
    int dtype;
    return made_dtype(c, 1, dtype_default(), &dtype) && set_size(c, dtype, arg_as_ints(c->arg[0]));
}

bool infer_zeros(Call *c) { return infer_sized(c); }
bool infer_ones(Call *c) { return infer_sized(c); }
bool infer_empty(Call *c) { return infer_sized(c); }
bool infer_rand(Call *c) { return infer_sized(c); }
bool infer_randn(Call *c) { return infer_sized(c); }

static int dtype_of_number(Arg number) {
    if (number.kind == ARG_COMPLEX) {
        return dtype_complex_of(dtype_default());
    }
    return number.kind == ARG_FLOAT ? dtype_default() : DT_INT64;
}

bool infer_full(Call *c) {
    int dtype;
    return made_dtype(c, 2, dtype_of_number(c->arg[1]), &dtype) &&
           number_fits(c->op, "fill_value", c->arg[1], dtype) &&
           set_size(c, dtype, arg_as_ints(c->arg[0]));
}

static bool too_long(const Call *c) {
    return fail("%s: the range has more elements than memory can address", c->op->public_name);
}

/* Differences are taken without a sign, so that none overflows. */
static bool count_ints(const Call *c, int64_t first, int64_t last, int64_t step, int64_t *n) {
    if (step > 0 ? first > last : first < last) {
        *n = 0;
        return true;
    }
    uint64_t way = step > 0 ? (uint64_t)last - (uint64_t)first : (uint64_t)first - (uint64_t)last;
    uint64_t steps = way / (step > 0 ? (uint64_t)step : 0 - (uint64_t)step);
    if (steps >= INT64_MAX / 16) {
        return too_long(c);
    }
    *n = (int64_t)steps + 1;
    return true;
}

/* Rounding in step and in the quotient must not lose the last element of 0, 0.1, ..., 0.3. */
static bool count_floats(const Call *c, double first, double last, double step, int64_t *n) {
    double steps = (last - first) / step;
    steps = floor(steps + 4 * 0x1p-52 * fabs(steps));
    if (!(steps >= 0)) {
        *n = 0;
        return true;
    }
    if (steps >= 0x1p53) {
        return too_long(c);
    }
    *n = (int64_t)steps + 1;
    return true;
}

static bool infer_range(Call *c, Arg first, Arg last, Arg step, int dtype_arg) {
    bool whole = first.kind != ARG_FLOAT && last.kind != ARG_FLOAT && step.kind != ARG_FLOAT;
    double a = arg_number(first), b = arg_number(last), by = arg_number(step);
    int dtype;
    int64_t n;
    if (!isfinite(a) || !isfinite(b) || !isfinite(by) || by == 0) {
        return fail("%s: first and last must be finite and step neither 0 nor infinite, got "
                    "%g, %g, %g",
                    c->op->public_name, a, b, by);
    }
    if (!made_dtype(c, dtype_arg, whole ? DT_INT64 : dtype_default(), &dtype) ||
        !(whole ? count_ints(c, first.i, last.i, step.i, &n) : count_floats(c, a, b, by, &n))) {
        return false;
    }
    if (n > 0 && whole) {
        uint64_t way = (uint64_t)(n - 1) * (uint64_t)step.i;
        Arg end = arg_int((int64_t)((uint64_t)first.i + way));
        if (!number_fits(c->op, "first", first, dtype) || !number_fits(c->op, "last", end, dtype)) {
            return false;
        }
    }
    return set_size(c, dtype, INTS(n));
}

bool infer_arange(Call *c) { return infer_range(c, arg_int(1), c->arg[0], arg_int(1), 1); }

bool infer_arange__range(Call *c) { return infer_range(c, c->arg[0], c->arg[1], c->arg[2], 3); }

bool infer_spaced(Call *c, int dtype_arg) {
    Arg first = c->arg[0], last = c->arg[1];
    bool complex = first.kind == ARG_COMPLEX || last.kind == ARG_COMPLEX;
    int dtype, usual = complex ? dtype_complex_of(dtype_default()) : dtype_default();
    if (c->arg[2].i < 0) {
        return fail("%s: steps must not be negative, got %lld", c->op->public_name,
                    (long long)c->arg[2].i);
    }
    if (!made_dtype(c, dtype_arg, usual, &dtype) ||
        (complex &&
         !(number_fits(c->op, "first", first, dtype) && number_fits(c->op, "last", last, dtype)))) {
        return false;
    }
    return set_size(c, dtype, INTS(c->arg[2].i));
}

bool infer_linspace(Call *c) { return infer_spaced(c, 3); }

bool infer_eye(Call *c) {
    int dtype;
    int64_t n = c->arg[0].i, m = c->arg[1].kind == ARG_NONE ? n : c->arg[1].i;
    return made_dtype(c, 2, dtype_default(), &dtype) && set_size(c, dtype, INTS(n, m));
}

static bool infer_integers(Call *c, int64_t low, int64_t high, int size_arg) {
    int dtype;
    if (low > high) {
        return fail("%s: high must be at least %lld, got %lld", c->op->public_name, (long long)low,
                    (long long)high);
    }
    return made_dtype(c, size_arg + 1, DT_INT64, &dtype) &&
           whole_number_fits(c->op, "low", low, dtype) &&
           whole_number_fits(c->op, "high", high, dtype) &&
           set_size(c, dtype, arg_as_ints(c->arg[size_arg]));
}

bool infer_randint(Call *c) { return infer_integers(c, 1, c->arg[0].i, 1); }

bool infer_randint__range(Call *c) { return infer_integers(c, c->arg[0].i, c->arg[1].i, 2); }

bool infer_randperm(Call *c) {
    int dtype;
    return made_dtype(c, 1, DT_INT64, &dtype) &&
           whole_number_fits(c->op, "n", c->arg[0].i, dtype) &&
           set_size(c, dtype, INTS(c->arg[0].i));
}

static bool infer_filled(Call *c) {
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    return true;
}

bool infer_uniform(Call *c) {
    double from = c->arg[1].f, to = c->arg[2].f;
    if (!(from <= to) || !isfinite(to - from)) {
        return fail("%s: from and to must be finite and from at most to, got %g and %g",
                    c->op->public_name, from, to);
    }
    return number_fits(c->op, "from", c->arg[1], c->dtype) &&
           number_fits(c->op, "to", c->arg[2], c->dtype) && infer_filled(c);
}

bool infer_normal(Call *c) {
    double mean = c->arg[1].f, std = c->arg[2].f;
    if (!isfinite(mean) || !(std >= 0) || isinf(std)) {
        return fail("%s: mean must be finite and std finite and not negative, got %g and %g",
                    c->op->public_name, mean, std);
    }
    return infer_filled(c);
}

bool infer_dropout_mask(Call *c) {
    double p = c->arg[1].f;
    if (!(p >= 0 && p <= 1)) {
        return fail("%s: p must be in [0, 1], got %g", c->op->public_name, p);
    }
    return infer_filled(c);
}
