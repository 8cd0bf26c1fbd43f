/* Samples do not depend on each other: the gradients of all of them are those of their sum. */
#include "autograd/batch_grad.h"

#include "base/memory.h"
#include "tensor/batch.h"

/* The gradient that output i starts with, of one sample's shape. */
static Tensor *seed_of(Tensor *output, Tensor *given) {
    if (given) {
        return given;
    }
    if (output->numel != 1) {
        return fail_null(
            "grad: the output has %lld elements (%s); reduce it first, as in sum(), or "
            "pass a gradient of that shape",
            (long long)output->numel, shape_text(tensor_shape(output)));
    }
    return t_ones(tensor_shape(output), output->dtype, output->device, false);
}

/* The levels that t is batched at, as bits; false: error recorded. */
static bool find_levels(const Tensor *t, uint64_t *levels) {
    for (; t->batching; t = t->batching->all) {
        int level = batch_level(t);
        if (level < 0) {
            return false;
        }
        *levels |= 1ull << level;
    }
    return true;
}

static bool lower_outputs(Tensor *const *outputs, Tensor *const *given, int n, Tensor **out,
                          Tensor **seeds) {
    for (int i = 0; i < n; i++) {
        Tensor *t = outputs[i];
        Tensor *seed = seed_of(t, given ? given[i] : NULL);
        if (seed && !tensor_same_shape(t, seed)) {
            return fail("grad: the gradient passed has shape %s, the output has %s",
                        shape_text(tensor_shape(seed)), shape_text(tensor_shape(t)));
        }
        for (; seed && t->batching; t = t->batching->all) {
            seed = batch_lower(seed, t->batching->level, t->batching->dim);
        }
        if (!seed) {
            return false;
        }
        out[i] = t;
        seeds[i] = seed;
    }
    return true;
}

static bool check_inputs(Tensor *const *inputs, int n, uint64_t wanted) {
    for (int i = 0; i < n; i++) {
        uint64_t levels = 0;
        if (!find_levels(inputs[i], &levels)) {
            return false;
        }
        if (wanted & ~levels) {
            return fail(
                "grad: input %d is the same for all samples of a vmap, the outputs are not: "
                "tocha.func.grad gives a gradient for each sample, or map the input too",
                i + 1);
        }
    }
    return true;
}

/* g, with the sizes of the tensor behind all levels of input, batched as input is. */
static Tensor *raise_like(Tensor *g, const Tensor *input) {
    const struct Batching *chain[64];
    int n = 0;
    for (const Tensor *t = input; t->batching; t = t->batching->all) {
        chain[n++] = t->batching;
    }
    while (g && n > 0) {
        n--;
        g = batch_raise(g, chain[n]->level, chain[n]->dim);
    }
    return g;
}

bool batch_grad(Tensor *const *outputs, Tensor *const *grad_outputs, int n, Tensor *const *inputs,
                int n_inputs, bool retain_graph, bool create_graph, bool allow_unused,
                Tensor **grads) {
    size_t bytes = (size_t)(2 * n + n_inputs) * sizeof(Tensor *);
    Tensor **out = mem_alloc(bytes);
    out = out || !mem_reclaimed() ? out : mem_alloc(bytes);
    uint64_t levels = 0;
    bool ok = out != NULL;
    for (int i = 0; ok && i < n; i++) {
        ok = find_levels(outputs[i], &levels);
    }
    ok = ok && check_inputs(inputs, n_inputs, levels) &&
         (lower_outputs(outputs, grad_outputs, n, out, out + n) ||
          (mem_reclaimed() && lower_outputs(outputs, grad_outputs, n, out, out + n)));
    for (int i = 0; ok && i < n_inputs; i++) {
        out[2 * n + i] = batch_root(inputs[i]);
    }
    ok = ok && autograd_grad(out, out + n, n, out + 2 * n, n_inputs, retain_graph, create_graph,
                             allow_unused, grads);
    for (int i = 0; ok && i < n_inputs; i++) {
        if (grads[i]) {
            Tensor *g = grads[i];
            grads[i] = raise_like(g, inputs[i]);
            grads[i] = grads[i] || !mem_reclaimed() ? grads[i] : raise_like(g, inputs[i]);
            ok = grads[i] != NULL;
        }
    }
    mem_free(out, out ? bytes : 0);
    return ok;
}
