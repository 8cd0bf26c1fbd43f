/* What looking images up at places is asked to compute. */
#include "tensor/grid_shape.h"

#include <string.h>

#include "tensor/op.h"

static int word_of(const char *text, const char *const *words, int n) {
    for (int i = 0; i < n; i++) {
        if (strcmp(text, words[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static bool read_words(const Op *op, const Arg *arg, int at, GridShape *g) {
    static const char *const modes[] = {"bilinear", "nearest", "bicubic"};
    static const char *const paddings[] = {"zeros", "border", "reflection"};
    int mode = word_of(arg[at].s, modes, 3), padding = word_of(arg[at + 1].s, paddings, 3);
    if (mode < 0) {
        return fail("%s: mode must be \"bilinear\", \"nearest\" or \"bicubic\", got \"%s\"",
                    op->public_name, arg[at].s);
    }
    if (padding < 0) {
        return fail("%s: padding_mode must be \"zeros\", \"border\" or \"reflection\", got \"%s\"",
                    op->public_name, arg[at + 1].s);
    }
    g->mode = (GridMode)mode;
    g->padding = (GridPadding)padding;
    g->align_corners = arg[at + 2].b;
    return true;
}

static bool read_order(const Op *op, const Arg *order, GridShape *g) {
    enum { MOST = 1000 };
    if (order->count != 1 && order->count != g->dims) {
        return fail("%s: order must have 1 or %d numbers, got %d", op->public_name, g->dims,
                    order->count);
    }
    for (int i = 0; i < g->dims; i++) {
        int64_t value = order->ints[order->count == 1 ? 0 : i];
        if (value < 0 || value > MOST) {
            return fail("%s: order must be between 0 and %d, got %lld", op->public_name, MOST,
                        (long long)value);
        }
        g->order[i] = (int)value;
    }
    return true;
}

bool grid_shape(const Op *op, const Arg *arg, int at, Ints input, Ints grid, GridShape *g) {
    *g = (GridShape){.dims = input.n - 2, .size = {1, 1, 1}, .points = 1};
    if (input.n != 4 && input.n != 5) {
        return fail("%s: input must be (n, c, h, w) or (n, c, d, h, w), got %s", op->public_name,
                    shape_text(input));
    }
    if (grid.n != input.n || grid.v[0] != input.v[0] || grid.v[grid.n - 1] != g->dims) {
        return fail("%s: grid must be %s for an input of %s, got %s", op->public_name,
                    g->dims == 2 ? "(n, oh, ow, 2)" : "(n, od, oh, ow, 3)", shape_text(input),
                    shape_text(grid));
    }
    if (!read_words(op, arg, at, g) || !read_order(op, &arg[at + 3], g)) {
        return false;
    }
    if (g->dims == 3 && g->mode == GRID_CUBIC) {
        return fail("%s: mode \"bicubic\" is for images (n, c, h, w), got %s", op->public_name,
                    shape_text(input));
    }
    g->n = input.v[0];
    g->c = input.v[1];
    int64_t volume = 1;
    for (int i = 0; i < g->dims; i++) {
        int64_t size = g->size[i] = input.v[input.n - 1 - i];
        if (size < 1 || __builtin_mul_overflow(volume, size, &volume) || volume > INT32_MAX) {
            return fail("%s: images must have between 1 and %d elements, got %s", op->public_name,
                        INT32_MAX, shape_text(input));
        }
        g->points *= grid.v[i + 1];
    }
    return true;
}
