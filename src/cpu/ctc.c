/* Connectionist temporal classification: the sums over all alignments, forward and back, in
 * logarithms (Graves et al., ICML 2006). */
#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "cpu/cpu.h"
#include "cpu/index.h"
#include "cpu/stage.h"
#include "cpu/workspace.h"
#include "tensor/ctc.h"

/* States of a sequence are its labels with blanks around each: 2 * length + 1. Operands are
 * contiguous; elements are float, or double where wide. */
typedef struct Ctc {
    const void *log_probs, *grad; /* (T, N, C); grad: of the losses (N), backward alone */
    const int64_t *targets, *steps, *lengths, *first; /* first: where a sequence's labels begin */
    void *out;                                        /* the losses (N), or the gradient */
    int64_t t, n, classes, blank, most;               /* most: the longest sequence's labels */
    bool wide, zero_infinity;
    Workspace work;
} Ctc;

static double get(const Ctc *c, const void *x, int64_t i) {
    return c->wide ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

static void put(const Ctc *c, void *x, int64_t i, double v) {
    if (c->wide) {
        ((double *)x)[i] = v;
    } else {
        ((float *)x)[i] = (float)v;
    }
}

static double add_logs(double a, double b) {
    double high = a > b ? a : b, low = a > b ? b : a;
    if (a != a || b != b) {
        return a + b;
    }
    return isinf(high) ? high : high + log1p(exp(low - high));
}

/* The class of state s of sequence n, from 0 on. */
static int64_t class_of(const Ctc *c, int64_t n, int64_t s) {
    return (s & 1 ? c->targets[c->first[n] + s / 2] : c->blank) - INDEX_BASE;
}

/* Whether an alignment may go from state s - 2 to s: over a blank between different labels. */
static bool may_skip(const Ctc *c, int64_t n, int64_t s) {
    return s >= 2 && (s & 1) && class_of(c, n, s) != class_of(c, n, s - 2);
}

static double log_prob(const Ctc *c, int64_t t, int64_t n, int64_t s) {
    return get(c, c->log_probs, (t * c->n + n) * c->classes + class_of(c, n, s));
}

/* alpha[s] of one step, from that of the step before (NULL: the first step). */
static void step_forward(const Ctc *c, int64_t t, int64_t n, const double *before, double *alpha) {
    int64_t states = 2 * c->lengths[n] + 1;
    for (int64_t s = 0; s < states; s++) {
        double sum = s < 2 ? 0 : -INFINITY;
        if (before) {
            sum = s ? add_logs(before[s], before[s - 1]) : before[s];
            sum = may_skip(c, n, s) ? add_logs(sum, before[s - 2]) : sum;
        }
        alpha[s] = sum + log_prob(c, t, n, s);
    }
}

/* beta[s] of one step, the sum over what may follow state s, from that of the step behind. */
static void step_backward(const Ctc *c, int64_t t, int64_t n, const double *behind, double *beta) {
    int64_t states = 2 * c->lengths[n] + 1;
    for (int64_t s = 0; s < states; s++) {
        if (!behind) {
            beta[s] = s >= states - 2 ? 0 : -INFINITY;
            continue;
        }
        double sum = behind[s] + log_prob(c, t + 1, n, s);
        if (s + 1 < states) {
            sum = add_logs(sum, behind[s + 1] + log_prob(c, t + 1, n, s + 1));
        }
        if (s + 2 < states && may_skip(c, n, s + 2)) {
            sum = add_logs(sum, behind[s + 2] + log_prob(c, t + 1, n, s + 2));
        }
        beta[s] = sum;
    }
}

/* The logarithm of the probability of all alignments, given alpha of the last step. */
static double ends(const Ctc *c, int64_t n, const double *alpha) {
    int64_t states = 2 * c->lengths[n] + 1;
    return states > 1 ? add_logs(alpha[states - 1], alpha[states - 2]) : alpha[0];
}

static void forward_one(const Ctc *c, int64_t n, double *rows) {
    int64_t width = 2 * c->most + 1, steps = c->steps[n];
    double loss = c->lengths[n] ? INFINITY : 0;
    for (int64_t t = 0; t < steps; t++) {
        step_forward(c, t, n, t ? rows + (t - 1) % 2 * width : NULL, rows + t % 2 * width);
    }
    if (steps > 0) {
        loss = 0 - ends(c, n, rows + (steps - 1) % 2 * width);
    }
    put(c, c->out, n, c->zero_infinity && loss == INFINITY ? 0 : loss);
}

/* Takes from the gradients of step t the share of alignments that pass through each class. */
static void take_shares(const Ctc *c, int64_t t, int64_t n, const double *alpha, const double *beta,
                        double total) {
    double g = get(c, c->grad, n);
    for (int64_t s = 0; s < 2 * c->lengths[n] + 1; s++) {
        int64_t at = (t * c->n + n) * c->classes + class_of(c, n, s);
        put(c, c->out, at, get(c, c->out, at) - g * exp(alpha[s] + beta[s] - total));
    }
}

/* rows: alpha of all steps, then two rows of beta. */
static void backward_one(const Ctc *c, int64_t n, double *rows) {
    int64_t width = 2 * c->most + 1, steps = c->steps[n];
    double *beta = rows + c->t * width;
    if (steps == 0) {
        return;
    }
    for (int64_t t = 0; t < steps; t++) {
        step_forward(c, t, n, t ? rows + (t - 1) * width : NULL, rows + t * width);
    }
    double total = ends(c, n, rows + (steps - 1) * width);
    if (total == -INFINITY && c->zero_infinity) {
        return;
    }
    for (int64_t t = steps - 1; t >= 0; t--) {
        double *own = beta + t % 2 * width;
        step_backward(c, t, n, t + 1 < steps ? beta + (t + 1) % 2 * width : NULL, own);
        take_shares(c, t, n, rows + t * width, own, total);
    }
}

static void forward_task(void *ctx, int64_t n) {
    Ctc *c = ctx;
    double *rows = workspace_take(&c->work);
    forward_one(c, n, rows);
    workspace_give(&c->work, rows);
}

static void backward_task(void *ctx, int64_t n) {
    Ctc *c = ctx;
    double *rows = workspace_take(&c->work);
    backward_one(c, n, rows);
    workspace_give(&c->work, rows);
}

static bool fail_values(const KernelCall *k, CtcWrong wrong, const char *param, int64_t value,
                        int64_t size, int64_t place) {
    char text[CTC_TEXT_MAX];
    ctc_text(text, k->name, wrong, param, value, size, place);
    return fail("%s", text);
}

/* Lengths must be in [0, most]. */
static bool check_lengths(const KernelCall *k, const View *v, const char *name, const int64_t *x,
                          int64_t most) {
    for (int64_t i = 0; i < v->numel; i++) {
        if (x[i] < 0 || x[i] > most) {
            return fail_values(k, CTC_LENGTH, name, x[i], most, i);
        }
    }
    return true;
}

static bool check_labels(const KernelCall *k, const Ctc *c) {
    for (int64_t n = 0; n < c->n; n++) {
        for (int64_t i = 0; i < c->lengths[n]; i++) {
            int64_t label = c->targets[c->first[n] + i];
            if (label < 1 || label > c->classes) {
                return fail_values(k, CTC_LABEL, "targets", label, c->classes, n);
            }
        }
    }
    return true;
}

/* Where each sequence's labels begin: rows of (N, S), or one behind the other. */
static bool find_firsts(const KernelCall *k, Ctc *c, const View *targets, int64_t *first) {
    int64_t at = 0;
    for (int64_t n = 0; n < c->n; n++) {
        first[n] = targets->dim == 2 ? n * targets->shape[1] : at;
        at += c->lengths[n];
        c->most = c->lengths[n] > c->most ? c->lengths[n] : c->most;
    }
    c->first = first;
    return targets->dim == 2 || at == targets->numel ||
           fail_values(k, CTC_TOTAL, "target_lengths", at, targets->numel, 0);
}

/* Reads and checks the operands from log_probs, in[at], on; blank is argument at + 4. */
static bool read_operands(const KernelCall *k, int at, Ctc *c, Stage *s) {
    const View *probs = &k->in[at], *targets = &k->in[at + 1];
    c->wide = probs->dtype == DT_FLOAT64;
    c->t = probs->shape[0];
    c->n = probs->shape[1];
    c->classes = probs->shape[2];
    c->blank = k->arg[at + 4].i;
    c->zero_infinity = k->arg[at + 5].b;
    c->log_probs = stage_in(s, probs);
    c->targets = stage_in(s, targets);
    c->steps = stage_in(s, &k->in[at + 2]);
    c->lengths = stage_in(s, &k->in[at + 3]);
    int64_t *first = stage_room(s, (size_t)c->n * sizeof *first);
    int64_t longest = targets->dim == 2 ? targets->shape[1] : targets->numel;
    return !s->failed && check_lengths(k, &k->in[at + 2], "input_lengths", c->steps, c->t) &&
           check_lengths(k, &k->in[at + 3], "target_lengths", c->lengths, longest) &&
           find_firsts(k, c, targets, first) && check_labels(k, c);
}

static bool run(Ctc *c, Stage *s, int64_t rows, TaskFn *task) {
    size_t bytes = (size_t)rows * (size_t)(2 * c->most + 1) * sizeof(double);
    if (!workspace_open(&c->work, c->n, bytes)) {
        return stage_end(s, false);
    }
    parallel_tasks(c->n, task, c);
    workspace_close(&c->work);
    return stage_end(s, true);
}

static bool cpu_ctc_losses(const KernelCall *k) {
    Ctc c = {0};
    Stage s = {0};
    if (!read_operands(k, 0, &c, &s) || c.n == 0) {
        return stage_end(&s, error_message() == NULL);
    }
    c.out = stage_out(&s, &k->out[0]);
    return run(&c, &s, 2, forward_task);
}

static bool cpu_ctc_losses_backward(const KernelCall *k) {
    Ctc c = {0};
    Stage s = {0};
    c.grad = stage_in(&s, &k->in[0]);
    if (!read_operands(k, 1, &c, &s) || k->out[0].numel == 0) {
        return stage_end(&s, error_message() == NULL);
    }
    c.out = stage_out(&s, &k->out[0]);
    memset(c.out, 0, (size_t)k->out[0].numel * stage_size(&k->out[0]));
    return run(&c, &s, c.t + 2, backward_task);
}

const KernelRow cpu_ctc_rows[] = {
    {"ctc_losses", cpu_ctc_losses}, {"ctc_losses_backward", cpu_ctc_losses_backward}, {NULL, NULL}};
