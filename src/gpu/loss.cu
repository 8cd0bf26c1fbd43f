/* nll_loss: the label picks an entry of each row of log probabilities. Sums go over the labels in a
 * fixed order, in double: parts of blocks, which one more block joins. */
#include "gpu/fault.cuh"
#include "gpu/kernel.cuh"

enum { MOST_PARTS = 256 };

namespace {

struct Labels {
    const int64_t *target;
    const void *logits, *weight; /* weight: NULL, all are 1 */
    void *out;
    const void *grad;
    int64_t count, classes, ignore, class_step, weight_step;
    int dim;
    int64_t shape[MAX_DIMS], at[MAX_DIMS]; /* of the labels */
    int64_t entry[MAX_DIMS];               /* where class 0 of the label's row lies */
    int64_t grad_at[MAX_DIMS];
    double *parts; /* sum and total weight of each block */
    GpuFaultSite site;
};

/* Where label i and its row lie, and its class from 0 on; -1 where it counts for nothing. */
struct Label {
    int64_t entry, grad, number;
};

static __device__ Label label_at(const Labels &l, int64_t i) {
    Label found = {0, 0, -1};
    int64_t at = 0, rest = i;
    for (int d = l.dim - 1; d >= 0; d--) {
        int64_t place = rest % l.shape[d];
        rest /= l.shape[d];
        at += place * l.at[d];
        found.entry += place * l.entry[d];
        found.grad += place * l.grad_at[d];
    }
    int64_t label = l.target[at];
    if (label == l.ignore) {
        return found;
    }
    if (label < 1 || label > l.classes) {
        fault_report(l.site, FAULT_LABEL, label, l.classes, i);
        return found;
    }
    found.number = label - 1;
    return found;
}

template <class T> static __device__ double weight_of(const Labels &l, int64_t number) {
    return l.weight ? (double)load(((const T *)l.weight)[number * l.weight_step]) : 1;
}

/* Joins the threads' pairs; thread 0 has the result. */
static __device__ void join_pairs(double (&sum)[THREADS], double (&total)[THREADS]) {
    int t = (int)threadIdx.x;
    for (int half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (t < half) {
            sum[t] += sum[t + half];
            total[t] += total[t + half];
        }
    }
}

/* The losses (each: into out), their sum and their weights' of each block. */
template <class T> __global__ void loss_kernel(Labels l, bool each) {
    __shared__ double sum[THREADS], total[THREADS];
    int t = (int)threadIdx.x;
    double own = 0, weights = 0;
    for (int64_t i = first_of(); i < l.count; i += step_of()) {
        Label label = label_at(l, i);
        double loss = 0;
        if (label.number >= 0) {
            double w = weight_of<T>(l, label.number);
            weights += w;
            if (l.logits) {
                loss = -w * (double)load(
                                ((const T *)l.logits)[label.entry + label.number * l.class_step]);
            }
        }
        own += loss;
        if (each) {
            ((T *)l.out)[i] = Element<T>::store((Math<T>)loss);
        }
    }
    sum[t] = own;
    total[t] = weights;
    join_pairs(sum, total);
    if (t == 0 && l.parts) {
        l.parts[2 * blockIdx.x] = sum[0];
        l.parts[2 * blockIdx.x + 1] = total[0];
    }
}

/* Joins the parts of n blocks into part 0, and with T's result writes sum or mean. */
template <class T> __global__ void join_kernel(Labels l, int n, bool mean) {
    __shared__ double sum[THREADS], total[THREADS];
    int t = (int)threadIdx.x;
    sum[t] = t < n ? l.parts[2 * t] : 0;
    total[t] = t < n ? l.parts[2 * t + 1] : 0;
    join_pairs(sum, total);
    if (t == 0) {
        l.parts[0] = sum[0];
        l.parts[1] = total[0];
        if (!l.grad) {
            *(T *)l.out = Element<T>::store((Math<T>)(mean ? sum[0] / total[0] : sum[0]));
        }
    }
}

/* Into out, which holds zeros. */
template <class T> __global__ void backward_kernel(Labels l, bool mean) {
    for (int64_t i = first_of(); i < l.count; i += step_of()) {
        Label label = label_at(l, i);
        if (label.number >= 0) {
            double g = (double)load(((const T *)l.grad)[label.grad]);
            g = mean ? g / l.parts[1] : g;
            ((T *)l.out)[label.entry + label.number * l.class_step] =
                Element<T>::store((Math<T>)(-weight_of<T>(l, label.number) * g));
        }
    }
}

/* Labels for logits of that view (input or its gradient). */
static Labels labels_of(const KernelCall *c, const View *logits, int64_t ignore) {
    const View *target = &c->in[1], *weight = &c->in[2];
    int class_dim = logits->dim > 1;
    Labels l = Labels();
    l.target = (const int64_t *)target->data;
    l.weight = weight->data;
    l.weight_step = weight->data ? weight->stride[0] : 0;
    l.out = c->out[0].data;
    l.count = target->numel;
    l.classes = logits->shape[class_dim];
    l.class_step = logits->stride[class_dim];
    l.ignore = ignore;
    l.dim = target->dim;
    for (int d = 0; d < target->dim; d++) {
        l.shape[d] = target->shape[d];
        l.at[d] = target->stride[d];
        l.entry[d] = logits->stride[d ? d + 1 : 0];
    }
    l.site = gpu_fault_site(c, "target", target);
    return l;
}

static bool is_word(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* A launch whose blocks leave parts, whose number depends on the count alone. */
static Launch parts_launch(const KernelCall *c, int64_t count) {
    int64_t blocks = divide_up(count, THREADS);
    blocks = blocks < 1 ? 1 : blocks < MOST_PARTS ? blocks : (int64_t)MOST_PARTS;
    return launch_of(c, dim3((unsigned)blocks), dim3(THREADS));
}

template <class T> static bool forward(const KernelCall *c, Labels l, const char *reduction) {
    Launch first = parts_launch(c, l.count);
    size_t bytes = 2 * MOST_PARTS * sizeof(double);
    if (is_word(reduction, "none")) {
        launch(first, loss_kernel<T>, l, true);
        return true;
    }
    l.parts = (double *)gpu_alloc(c->device, bytes);
    if (!l.parts) {
        return false;
    }
    launch(first, loss_kernel<T>, l, false);
    launch(launch_of(c, dim3(1), dim3(THREADS)), join_kernel<T>, l, (int)first.grid.x,
           is_word(reduction, "mean"));
    gpu_release(c->device, l.parts, bytes);
    return true;
}

static bool nll_loss(const KernelCall *c) {
    Labels l = labels_of(c, &c->in[0], c->arg[3].i);
    l.logits = c->in[0].data;
    return for_float(c->in[0].dtype,
                     [&](auto zero) { return forward<decltype(zero)>(c, l, c->arg[4].s); });
}

template <class T> static bool backward(const KernelCall *c, Labels l, bool mean) {
    size_t bytes = 2 * MOST_PARTS * sizeof(double);
    if (mean) {
        Launch first = parts_launch(c, l.count);
        l.parts = (double *)gpu_alloc(c->device, bytes);
        if (!l.parts) {
            return false;
        }
        launch(first, loss_kernel<T>, l, false);
        launch(launch_of(c, dim3(1), dim3(THREADS)), join_kernel<T>, l, (int)first.grid.x, false);
    }
    if (l.count > 0) {
        launch(launch_over(c, l.count), backward_kernel<T>, l, mean);
    }
    if (mean) {
        gpu_release(c->device, l.parts, bytes);
    }
    return true;
}

} // namespace

static bool nll_loss_backward(const KernelCall *c) {
    const View *grad = &c->in[0], *out = &c->out[0];
    Labels l = labels_of(c, out, c->arg[4].i);
    l.grad = grad->data;
    for (int d = 0; d < l.dim; d++) {
        l.grad_at[d] = is_word(c->arg[5].s, "none") ? grad->stride[d] : 0;
    }
    Arg nothing = Arg();
    nothing.kind = ARG_INT;
    return gpu_fill_view(c, out, nothing) && for_float(out->dtype, [&](auto zero) {
               return backward<decltype(zero)>(c, l, is_word(c->arg[5].s, "mean"));
           });
}

const KernelRow gpu_loss_rows[] = {
    {"nll_loss", nll_loss}, {"nll_loss_backward", nll_loss_backward}, {NULL, NULL}};
