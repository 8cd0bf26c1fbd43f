/* What padding does to each dim. */
#include "tensor/pad_shape.h"

#include <string.h>

#include "tensor/op.h"

/* What one dim can be padded with goes in and comes out without overflow below this. */
static const int64_t largest = INT64_C(1) << 60;

static bool read_mode(const Op *op, const char *text, PadMode *mode) {
    static const char *const names[] = {"constant", "reflect", "replicate", "circular"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(text, names[i]) == 0) {
            *mode = (PadMode)i;
            return true;
        }
    }
    return fail(
        "%s: mode must be \"constant\", \"reflect\", \"replicate\" or \"circular\", got \"%s\"",
        op->public_name, text);
}

static bool dim_fits(const Op *op, const PadShape *s, int d, Ints input) {
    int64_t n = s->in[d], most = s->before[d] > s->behind[d] ? s->before[d] : s->behind[d];
    if (s->out[d] < 0) {
        return fail("%s: dim %d of %s has no %lld entries to take away", op->public_name, d + 1,
                    shape_text(input), (long long)(n - s->out[d]));
    }
    if (s->mode == PAD_CONSTANT) {
        return true;
    }
    if (n == 0 || s->out[d] == 0) {
        return fail(
            "%s: mode must be \"constant\" where dim %d is empty, before or after; got shape "
            "%s",
            op->public_name, d + 1, shape_text(input));
    }
    if (s->mode == PAD_REFLECT && most >= n) {
        return fail(
            "%s: \"reflect\" can add at most %lld to dim %d of %s, one less than its size; got "
            "%lld",
            op->public_name, (long long)(n - 1), d + 1, shape_text(input), (long long)most);
    }
    return s->mode != PAD_CIRCULAR || most <= pad_kept(s, d) ||
           fail("%s: \"circular\" can add at most %lld to dim %d of %s, what there is of it; got "
                "%lld",
                op->public_name, (long long)pad_kept(s, d), d + 1, shape_text(input),
                (long long)most);
}

bool pad_shape(const Op *op, Arg pads, const char *mode, Ints input, PadShape *s) {
    *s = (PadShape){.dim = input.n};
    int dims = pads.count / 2;
    if (!read_mode(op, mode, &s->mode)) {
        return false;
    }
    if (pads.count % 2 != 0 || dims > input.n) {
        return fail("%s: pad must have two numbers for each of the last dims of %s, got %d",
                    op->public_name, shape_text(input), pads.count);
    }
    if (s->mode != PAD_CONSTANT && dims > 3) {
        return fail("%s: mode must be \"constant\" for more than 3 dims, got \"%s\" for %d",
                    op->public_name, mode, dims);
    }
    for (int d = 0; d < input.n; d++) {
        int at = 2 * (input.n - 1 - d);
        bool padded = at < pads.count;
        s->in[d] = input.v[d];
        s->before[d] = padded ? pads.ints[at] : 0;
        s->behind[d] = padded ? pads.ints[at + 1] : 0;
        if (s->before[d] > largest || s->before[d] < -largest || s->behind[d] > largest ||
            s->behind[d] < -largest || s->in[d] > largest) {
            return fail("%s: pad must be between %lld and %lld", op->public_name,
                        (long long)-largest, (long long)largest);
        }
        s->out[d] = s->in[d] + s->before[d] + s->behind[d];
        if (padded && !dim_fits(op, s, d, input)) {
            return false;
        }
    }
    return true;
}
