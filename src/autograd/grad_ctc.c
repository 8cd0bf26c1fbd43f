/* The gradient of ctc_losses: by its kernel, or where a graph of it is wanted from the sums over
 * alignments in ops that have gradients themselves. */
#include <math.h>

#include "autograd/back.h"
#include "base/memory.h"

/* Stands for the logarithm of 0: differences of it are finite. */
#define NOTHING (-1e30)

/* The states of N sequences over T steps: labels with blanks around each, S = 2 L + 1 for the most
 * labels L that targets have room for. */
typedef struct Lattice {
    Tensor *labels;  /* (N, S): the class of each state */
    Tensor *skip;    /* (N, S): whether an alignment may come from the state before the last */
    Tensor *emitted; /* (T, N, S): the logarithms of the classes' probabilities */
    Tensor *ends;    /* (N, S): 0 where an alignment may end, else NOTHING */
    Tensor *none;    /* (N, S): NOTHING */
    Tensor *steps;   /* (N, 1) */
    int64_t t, n, s;
} Lattice;

static Tensor *number(double value) { return tensor_number(value); }

static Tensor *counted(int64_t n, Device device) {
    return t_arange(arg_int(n), DT_INT64, device, false);
}

/* Columns of the one kind and of the other by turns, and one of the first kind behind: (N, S). */
static Tensor *by_turns(Tensor *first, Tensor *second, const Lattice *l) {
    Tensor *pair[] = {t_narrow(first, 1, 0, l->s / 2), second};
    Tensor *turns = t_reshape(t_stack((TensorList){pair, 2}, 2), INTS(l->n, l->s - 1));
    Tensor *both[] = {turns, t_narrow(first, 1, 0, 1)};
    return turns && both[1] ? t_cat((TensorList){both, 2}, 1) : NULL;
}

/* targets as (N, L), with blanks behind the sequences' ends. lengths is (N, 1). */
static Tensor *padded_targets(const Lattice *l, Tensor *targets, Tensor *lengths, int64_t blank) {
    int64_t most = l->s / 2;
    Tensor *place = t_unsqueeze(counted(most, targets->device), 0), *all = targets;
    Tensor *inside = t_le(place, lengths);
    if (targets->dim == 1 && most > 0) {
        Tensor *at = t_add(t_sub(t_cumsum(lengths, 0, DT_NONE), lengths), place);
        at = t_reshape(t_where(inside, at, tensor_number_int(1)), INTS(l->n * most));
        all = t_reshape(t_index_select(targets, 0, at), INTS(l->n, most));
    }
    return most == 0 ? t_zeros(INTS(l->n, 0), DT_INT64, targets->device, false)
                     : t_where(inside, all, tensor_number_int(blank));
}

/* Whether each label differs from the one before, which the first has none of. */
static Tensor *changes(const Lattice *l, Tensor *labels) {
    int64_t most = l->s / 2;
    Tensor *no = t_zeros(INTS(l->n, most > 0), DT_BOOL, labels->device, false);
    if (most < 2) {
        return no;
    }
    Tensor *pair[] = {no, t_ne(t_narrow(labels, 1, 1, most - 1), t_narrow(labels, 1, 0, most - 1))};
    return pair[1] ? t_cat((TensorList){pair, 2}, 1) : NULL;
}

static bool lattice_make(Lattice *l, Tensor *probs, Tensor *targets, Tensor *steps, Tensor *lengths,
                         int64_t blank) {
    if (!probs || !targets || !steps || !lengths) {
        return false;
    }
    Device device = probs->device;
    int64_t most = targets->dim == 2 ? targets->shape[1] : targets->numel;
    *l = (Lattice){.t = probs->shape[0], .n = probs->shape[1], .s = 2 * most + 1};
    lengths = t_unsqueeze(lengths, 1);
    l->steps = t_unsqueeze(steps, 1);
    Tensor *labels = padded_targets(l, targets, lengths, blank);
    Tensor *blanks = t_full(INTS(l->n, most + 1), arg_int(blank), DT_INT64, device, false);
    Tensor *never = t_zeros(INTS(l->n, most + 1), DT_BOOL, device, false);
    if (!labels || !blanks || !never) {
        return false;
    }
    l->labels = by_turns(blanks, labels, l);
    l->skip = by_turns(never, changes(l, labels), l);
    Tensor *classes = t_expand(t_unsqueeze(l->labels, 0), INTS(l->t, l->n, l->s));
    l->emitted = t_clamp(t_gather(probs, 2, classes), arg_float(NOTHING), arg_none());
    l->none = t_full(INTS(l->n, l->s), arg_float(NOTHING), probs->dtype, device, false);
    Tensor *state = t_unsqueeze(counted(l->s, device), 0);
    Tensor *last = t_mul(lengths, tensor_number_int(2));
    Tensor *over = t_sub(state, last);
    Tensor *is_end =
        t_logical_or(t_eq(over, tensor_number_int(0)), t_eq(over, tensor_number_int(1)));
    l->ends = t_where(is_end, t_zeros(INTS(l->n, l->s), probs->dtype, device, false), l->none);
    return l->emitted && l->ends;
}

/* x moved by so many states up, or down where by is negative; NOTHING comes after. */
static Tensor *moved(const Lattice *l, Tensor *x, int64_t by) {
    int64_t far = by < 0 ? -by : by;
    if (far >= l->s) {
        return l->none;
    }
    Tensor *kept = t_narrow(x, 1, by < 0 ? far : 0, l->s - far);
    Tensor *filled = t_narrow(l->none, 1, 0, far);
    Tensor *pair[] = {by < 0 ? kept : filled, by < 0 ? filled : kept};
    return kept && filled ? t_cat((TensorList){pair, 2}, 1) : NULL;
}

static Tensor *emitted_at(const Lattice *l, int64_t t) { return t_select(l->emitted, 0, t); }

/* What reaches each state from those of the step before, x. */
static Tensor *reached(const Lattice *l, Tensor *x) {
    Tensor *near = t_logaddexp(x, moved(l, x, 1));
    return t_logaddexp(near, t_where(l->skip, moved(l, x, 2), l->none));
}

/* What follows each state, given what follows and includes those of the step behind, x. */
static Tensor *followed(const Lattice *l, Tensor *x) {
    Tensor *near = t_logaddexp(x, moved(l, x, -1));
    return t_logaddexp(near, moved(l, t_where(l->skip, x, l->none), -2));
}

/* Sums over the alignments up to each state, of all steps: (T, N, S). room is for T tensors. */
static Tensor *forward_sums(const Lattice *l, Tensor **room) {
    int64_t first = l->s < 2 ? l->s : 2;
    Tensor *start = t_narrow(emitted_at(l, 0), 1, 0, first);
    Tensor *pair[] = {start, t_narrow(l->none, 1, 0, l->s - first)};
    room[0] = start && pair[1] ? t_cat((TensorList){pair, 2}, 1) : NULL;
    for (int64_t t = 1; t < l->t; t++) {
        room[t] = t_add(emitted_at(l, t), reached(l, room[t - 1]));
    }
    return room[l->t - 1] ? t_stack((TensorList){room, (int)l->t}, 0) : NULL;
}

/* Sums over what may follow each state up to its sequence's end. */
static Tensor *backward_sums(const Lattice *l, Tensor **room) {
    room[l->t - 1] = l->ends;
    for (int64_t t = l->t - 2; t >= 0; t--) {
        Tensor *behind = followed(l, t_add(room[t + 1], emitted_at(l, t + 1)));
        room[t] = t_where(t_eq(l->steps, tensor_number_int(t + 1)), l->ends, behind);
    }
    return room[0] ? t_stack((TensorList){room, (int)l->t}, 0) : NULL;
}

/* (T, N, S): the share of the alignments that pass through each state. Where there are none it is 0
 * or, as the loss is infinite, NaN. */
static Tensor *shares(const Lattice *l, Tensor **room, bool zero_infinity) {
    Tensor *alpha = forward_sums(l, room), *beta = alpha ? backward_sums(l, room) : NULL;
    Tensor *last = t_clamp(l->steps, arg_int(1), arg_none());
    last = t_expand(t_unsqueeze(last, 0), INTS(1, l->n, l->s));
    Tensor *ending = t_add(t_squeeze(t_gather(alpha, 0, last), INTS(0)), l->ends);
    Tensor *total = t_logsumexp(ending, INTS(1), true);
    Tensor *possible = t_gt(total, number(NOTHING / 2));
    Tensor *step = t_reshape(counted(l->t, l->none->device), INTS(l->t, 1, 1));
    Tensor *in_time = t_le(step, t_unsqueeze(l->steps, 0));
    Tensor *power = t_sub(t_add(alpha, beta), total);
    power = t_where(t_logical_and(in_time, possible), power, number(NOTHING));
    Tensor *share = t_exp(power);
    Tensor *unknown = t_logical_and(in_time, t_logical_not(possible));
    return zero_infinity ? share : t_where(unknown, number(NAN), share);
}

static Tensor *in_ops(Back *n, Tensor *g) {
    Lattice l;
    Tensor *probs = IN(0);
    if (!g || !lattice_make(&l, probs, IN(1), IN(2), IN(3), ARG(4).i)) {
        return NULL;
    }
    if (probs->numel == 0) {
        return t_mul(probs, number(0));
    }
    size_t bytes = (size_t)l.t * sizeof(Tensor *);
    Tensor **room = mem_alloc(bytes);
    Tensor *share = room ? shares(&l, room, ARG(5).b) : NULL;
    mem_free(room, bytes);
    Tensor *zeros = t_zeros(tensor_shape(probs), probs->dtype, probs->device, false);
    Tensor *classes = t_expand(t_unsqueeze(l.labels, 0), INTS(l.t, l.n, l.s));
    Tensor *passing = share ? t_scatter_add(zeros, 2, classes, share) : NULL;
    return t_neg(t_mul(passing, t_unsqueeze(g, 1)));
}

Tensor *grad_ctc_losses(Back *n, int i, Tensor *g) {
    (void)i;
    return modes.recording
               ? in_ops(n, g)
               : t_ctc_losses_backward(g, IN(0), IN(1), IN(2), IN(3), ARG(4).i, ARG(5).b);
}
