/* Output shapes of looking images up at places. */
#include <string.h>

#include "tensor/conv_shape.h"
#include "tensor/grid_shape.h"
#include "tensor/op.h"

/* The sizes of the result: n, c, and those of the grid. */
static Ints result_sizes(const GridShape *g, Ints grid, int64_t *all) {
    all[0] = g->n;
    all[1] = g->c;
    memcpy(all + 2, grid.v + 1, (size_t)g->dims * sizeof *all);
    return (Ints){all, g->dims + 2};
}

static bool grad_matches(const Call *c, const GridShape *g, Ints grid) {
    int64_t all[MAX_DIMS];
    Ints want = result_sizes(g, grid, all), got = tensor_shape(c->in[0]);
    return (got.n == want.n && memcmp(got.v, want.v, (size_t)got.n * sizeof *got.v) == 0) ||
           fail("%s: grad must have the result's shape %s, got %s", c->op->public_name,
                shape_text(want), shape_text(got));
}

bool infer_grid_sampler(Call *c) {
    GridShape g;
    int64_t all[MAX_DIMS];
    Ints grid = tensor_shape(c->in[1]);
    if (!grid_shape(c->op, c->arg, 2, tensor_shape(c->in[0]), grid, &g)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, result_sizes(&g, grid, all));
    return true;
}

bool infer_grid_sampler_input_grad(Call *c) {
    GridShape g;
    Ints size, grid = tensor_shape(c->in[1]);
    if (!size_argument(c, 2, &size) || !grid_shape(c->op, c->arg, 3, size, grid, &g) ||
        !grad_matches(c, &g, grid)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, size);
    return true;
}

bool infer_grid_sampler_grid_grad(Call *c) {
    GridShape g;
    Ints grid = tensor_shape(c->in[2]);
    if (!grid_shape(c->op, c->arg, 3, tensor_shape(c->in[1]), grid, &g) ||
        !grad_matches(c, &g, grid)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, grid);
    return true;
}
