/* Connectionist temporal classification: the sums over all alignments, forward and back, in
 * logarithms (Graves et al., ICML 2006). A block follows a sequence step by step, its threads the
 * states: the labels with blanks around each, 2 * length + 1. */
#include <math.h>

#include "gpu/dense.h"
#include "gpu/fault.cuh"
#include "gpu/group.cuh"
#include "tensor/ctc.h"

namespace {

struct Ctc {
    const void *log_probs, *grad;               /* (T, N, C); grad: of the losses (N) */
    const int64_t *targets, *steps, *lengths;   /* as they came */
    int64_t *first, *good_steps, *good_lengths; /* where labels begin; what has been checked */
    int64_t *twin;        /* of each label: the next of its class, see twins() */
    double *alpha, *beta; /* rows of states, those of a sequence together */
    void *out;            /* the losses (N), or the gradient */
    int64_t t, n, classes, blank, labels, longest;
    int64_t rows;               /* of alpha that each sequence has; step s is in row s % rows */
    bool matrix, zero_infinity; /* matrix: targets are (N, S) */
    GpuFaultSite targets_site, steps_site, lengths_site;
};

static __device__ double add_logs(double a, double b) {
    double high = a > b ? a : b, low = a > b ? b : a;
    if (a != a || b != b) {
        return a + b;
    }
    return high - high != 0 ? high : high + log1p(exp(low - high));
}

/* One block: reports wrong lengths and labels, and finds where each sequence's labels begin. What
 * is wrong counts as nothing. */
static __global__ void check_kernel(Ctc c) {
    for (int64_t n = threadIdx.x; n < c.n; n += blockDim.x) {
        int64_t steps = c.steps[n], length = c.lengths[n];
        if (steps < 0 || steps > c.t) {
            fault_report(c.steps_site, (int)FAULT_CTC + (int)CTC_LENGTH, steps, c.t, n);
            steps = 0;
        }
        if (length < 0 || length > c.longest) {
            fault_report(c.lengths_site, (int)FAULT_CTC + (int)CTC_LENGTH, length, c.longest, n);
            length = 0;
        }
        c.good_steps[n] = steps;
        c.good_lengths[n] = length;
    }
    __syncthreads();
    int64_t at = 0;
    for (int64_t n = 0; threadIdx.x == 0 && n < c.n; n++) {
        c.first[n] = c.matrix ? n * c.longest : at;
        at += c.good_lengths[n];
        if (!c.matrix && at > c.labels) {
            c.good_lengths[n] = 0;
            c.first[n] = 0;
        }
    }
    if (threadIdx.x == 0 && !c.matrix && at != c.labels) {
        fault_report(c.lengths_site, (int)FAULT_CTC + (int)CTC_TOTAL, at, c.labels, 0);
    }
    __syncthreads();
    for (int64_t n = threadIdx.x; n < c.n; n += blockDim.x) {
        for (int64_t i = 0; i < c.good_lengths[n]; i++) {
            int64_t label = c.targets[c.first[n] + i];
            if (label < 1 || label > c.classes) {
                fault_report(c.targets_site, (int)FAULT_CTC + (int)CTC_LABEL, label, c.classes, n);
                c.good_lengths[n] = 0;
            }
        }
    }
}

/* One sequence, and where its rows of states are. */
struct Sequence {
    int64_t n, steps, length, states;
    const int64_t *labels;
    double *alpha, *beta;
    int64_t *twin;
};

static __device__ Sequence sequence_of(const Ctc &c, int64_t n) {
    int64_t first = c.first[n], length = c.good_lengths[n], before = 2 * first + n;
    return Sequence{n,
                    c.good_steps[n],
                    length,
                    2 * length + 1,
                    c.targets + first,
                    c.alpha + before * c.rows,
                    c.beta ? c.beta + before * c.rows : NULL,
                    c.twin ? c.twin + first : NULL};
}

/* The class of state s, from 0 on. */
static __device__ __forceinline__ int64_t class_of(const Ctc &c, const Sequence &q, int64_t s) {
    return (s & 1 ? q.labels[s / 2] : c.blank) - 1;
}

/* Whether an alignment may go from state s - 2 to s: over a blank between different labels. */
static __device__ __forceinline__ bool may_skip(const Sequence &q, int64_t s) {
    return s >= 2 && (s & 1) && q.labels[s / 2] != q.labels[s / 2 - 1];
}

template <class T>
__device__ __forceinline__ double log_prob(const Ctc &c, const Sequence &q, int64_t t, int64_t s) {
    return (double)((const T *)c.log_probs)[(t * c.n + q.n) * c.classes + class_of(c, q, s)];
}

/* alpha of all steps, of which c.rows are kept. */
template <class T> __device__ void go_forward(const Ctc &c, const Sequence &q) {
    for (int64_t t = 0; t < q.steps; t++) {
        double *alpha = q.alpha + t % c.rows * q.states;
        const double *before = q.alpha + (t + c.rows - 1) % c.rows * q.states;
        for (int64_t s = threadIdx.x; s < q.states; s += blockDim.x) {
            double sum = s < 2 ? 0 : -INFINITY;
            if (t > 0) {
                sum = s ? add_logs(before[s], before[s - 1]) : before[s];
                sum = may_skip(q, s) ? add_logs(sum, before[s - 2]) : sum;
            }
            alpha[s] = sum + log_prob<T>(c, q, t, s);
        }
        __syncthreads();
    }
}

/* The logarithm of the probability of all alignments; there is a step at least. */
static __device__ double ends(const Ctc &c, const Sequence &q) {
    const double *alpha = q.alpha + (q.steps - 1) % c.rows * q.states;
    return q.states > 1 ? add_logs(alpha[q.states - 1], alpha[q.states - 2]) : alpha[0];
}

template <class T> __global__ void losses_kernel(Ctc c) {
    for (int64_t n = blockIdx.x; n < c.n; n += gridDim.x) {
        Sequence q = sequence_of(c, n);
        go_forward<T>(c, q);
        if (threadIdx.x == 0) {
            double loss = q.steps > 0 ? 0 - ends(c, q) : q.length ? (double)INFINITY : 0;
            ((T *)c.out)[n] = (T)(c.zero_infinity && loss == (double)INFINITY ? 0 : loss);
        }
    }
}

/* The next label of the same class, or the number of labels; of those that are not the first of
 * their class, or blanks, less 1 and negative. */
static __device__ void find_twins(const Ctc &c, const Sequence &q) {
    for (int64_t i = threadIdx.x; i < q.length; i += blockDim.x) {
        int64_t before = i - 1, next = i + 1;
        while (before >= 0 && q.labels[before] != q.labels[i]) {
            before--;
        }
        while (next < q.length && q.labels[next] != q.labels[i]) {
            next++;
        }
        q.twin[i] = before >= 0 || q.labels[i] == c.blank ? -1 - next : next;
    }
}

/* beta[s], the sum over what may follow state s, added to alpha of every step. */
template <class T> __global__ void posteriors_kernel(Ctc c) {
    for (int64_t n = blockIdx.x; n < c.n; n += gridDim.x) {
        Sequence q = sequence_of(c, n);
        find_twins(c, q);
        go_forward<T>(c, q);
        for (int64_t t = q.steps - 1; t >= 0; t--) {
            double *beta = q.beta + t * q.states;
            const double *behind = beta + q.states;
            for (int64_t s = threadIdx.x; s < q.states; s += blockDim.x) {
                if (t + 1 == q.steps) {
                    beta[s] = s >= q.states - 2 ? 0 : -INFINITY;
                    continue;
                }
                double sum = behind[s] + log_prob<T>(c, q, t + 1, s);
                if (s + 1 < q.states) {
                    sum = add_logs(sum, behind[s + 1] + log_prob<T>(c, q, t + 1, s + 1));
                }
                if (s + 2 < q.states && may_skip(q, s + 2)) {
                    sum = add_logs(sum, behind[s + 2] + log_prob<T>(c, q, t + 1, s + 2));
                }
                beta[s] = sum;
            }
            __syncthreads();
        }
    }
}

struct Share {
    double sum;
    template <class F> __device__ Share each(F f) const { return Share{f(sum)}; }
    __device__ void join(const Share &o) { sum += o.sum; }
};

/* A warp to each step of a sequence: takes from the gradient of each class, which is 0, the share
 * of alignments that pass through it. */
template <class T> __global__ void shares_kernel(Ctc c) {
    int lane = (int)threadIdx.x % LANES;
    int64_t warps = step_of() / LANES;
    for (int64_t k = first_of() / LANES; k < c.n * c.t; k += warps) {
        Sequence q = sequence_of(c, k % c.n);
        int64_t t = k / c.n;
        double total = t < q.steps ? ends(c, q) : -INFINITY;
        if (t >= q.steps || (total == -INFINITY && c.zero_infinity)) {
            continue;
        }
        const double *alpha = q.alpha + t * q.states, *beta = q.beta + t * q.states;
        double g = (double)((const T *)c.grad)[q.n];
        T *out = (T *)c.out + (t * c.n + q.n) * c.classes;
        Share blanks = {0};
        for (int64_t s = lane; s < q.states; s += LANES) {
            blanks.sum += class_of(c, q, s) == c.blank - 1 ? exp(alpha[s] + beta[s] - total) : 0;
            int64_t twin = s & 1 ? q.twin[s / 2] : -1;
            if (twin < 0) {
                continue;
            }
            double sum = exp(alpha[s] + beta[s] - total);
            while (twin < q.length) {
                int64_t other = 2 * twin + 1;
                sum += exp(alpha[other] + beta[other] - total);
                twin = -1 - q.twin[twin];
            }
            out[class_of(c, q, s)] = (T)(-g * sum);
        }
        blanks = join_lanes(blanks, (int)LANES);
        if (lane == 0) {
            out[c.blank - 1] = (T)(-g * blanks.sum);
        }
    }
}

static int64_t *integers(Dense *d, int64_t n) {
    return (int64_t *)dense_room(d, (size_t)(n > 0 ? n : 1) * sizeof(int64_t));
}

/* Reads the operands from log_probs, in[at], on, and checks them; blank is argument at + 4. rows:
 * of states that each sequence needs. */
static bool open(const KernelCall *k, int at, int64_t rows, Dense *d, Ctc *c) {
    const View *probs = &k->in[at], *targets = &k->in[at + 1];
    c->t = probs->shape[0];
    c->n = probs->shape[1];
    c->classes = probs->shape[2];
    c->blank = k->arg[at + 4].i;
    c->zero_infinity = k->arg[at + 5].b;
    c->matrix = targets->dim == 2;
    c->labels = targets->numel;
    c->longest = c->matrix ? targets->shape[1] : targets->numel;
    c->rows = rows;
    c->log_probs = dense_in(d, probs);
    c->targets = (const int64_t *)dense_in(d, targets);
    c->steps = (const int64_t *)dense_in(d, &k->in[at + 2]);
    c->lengths = (const int64_t *)dense_in(d, &k->in[at + 3]);
    c->first = integers(d, c->n);
    c->good_steps = integers(d, c->n);
    c->good_lengths = integers(d, c->n);
    c->targets_site = gpu_fault_site(k, "targets", targets);
    c->steps_site = gpu_fault_site(k, "input_lengths", &k->in[at + 2]);
    c->lengths_site = gpu_fault_site(k, "target_lengths", &k->in[at + 3]);
    c->alpha =
        (double *)dense_room(d, (size_t)((2 * c->labels + c->n) * rows + 1) * sizeof(double));
    if (!d->failed) {
        launch(launch_of(k, dim3(1), dim3(THREADS)), check_kernel, *c);
    }
    return !d->failed;
}

/* A block to each sequence, with about a thread to each state. */
static Launch blocks_of(const KernelCall *k, const Ctc &c) {
    int width = group_width(2 * divide_up(c.labels, c.n) + 1, LANES, 1024);
    return launch_of(k, blocks_for(k, c.n, 1, 64), dim3((unsigned)width));
}

static bool ctc_losses(const KernelCall *k) {
    if (k->out[0].numel == 0) {
        return true;
    }
    Dense d = Dense();
    d.call = k;
    Ctc c = Ctc();
    c.out = k->out[0].data;
    if (open(k, 0, 2, &d, &c)) {
        launch(blocks_of(k, c),
               k->out[0].dtype == DT_FLOAT64 ? losses_kernel<double> : losses_kernel<float>, c);
    }
    return dense_end(&d, true);
}

template <class T> static void go_back(const KernelCall *k, const Ctc &c) {
    launch(blocks_of(k, c), posteriors_kernel<T>, c);
    launch(launch_over(k, c.n * c.t * LANES), shares_kernel<T>, c);
}

} // namespace

static bool ctc_losses_backward(const KernelCall *k) {
    if (k->out[0].numel == 0) {
        return true;
    }
    Dense d = Dense();
    d.call = k;
    Ctc c = Ctc();
    c.grad = dense_in(&d, &k->in[0]);
    c.out = k->out[0].data;
    bool ok = open(k, 1, k->in[1].shape[0], &d, &c) && gpu_fill_view(k, &k->out[0], whole(0));
    c.twin = integers(&d, c.labels);
    c.beta = (double *)dense_room(&d, (size_t)((2 * c.labels + c.n) * c.rows + 1) * sizeof(double));
    if (ok && !d.failed) {
        if (k->out[0].dtype == DT_FLOAT64) {
            go_back<double>(k, c);
        } else {
            go_back<float>(k, c);
        }
    }
    return dense_end(&d, ok);
}

const KernelRow gpu_ctc_rows[] = {
    {"ctc_losses", ctc_losses}, {"ctc_losses_backward", ctc_losses_backward}, {NULL, NULL}};
