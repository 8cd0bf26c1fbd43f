/* The optimisers' steps: one pass over the parameters, their states and gradients, for as many of
 * them in one launch as its arguments hold. */
#include "gpu/walk.cuh"

namespace {

/* What computes a step is a class F: f(x, e) computes with an element of each of F::OPERANDS
 * operands, of which the first F::WRITTEN are written back, and the numbers e, an F::Entry, of the
 * parameter. */
enum { STEP_MOST = 48 };

/* What may be new at each replay of a graph; *recorded is used in the place of the argument then.
 */
template <class F, int MOST> struct StepNumbers {
    F f;
    typename F::Entry entry[MOST];
};

/* Parameters whose tensors are runs of elements. */
template <int N> struct StepList {
    int n;
    uint32_t block[STEP_MOST + 1]; /* the first of each parameter's, and behind the last */
    uint32_t numel[STEP_MOST];
    char *data[N][STEP_MOST];
};

template <class T, class F>
__device__ __forceinline__ void step_share(const Walk<F::OPERANDS> &w, uint32_t block, const F &f,
                                           const typename F::Entry &e) {
    enum { N = F::OPERANDS };
    Share<N> s;
    Math<T> value[N][WALK_ITEMS];
    share_init(w, &s, block);
    if (s.count == 0) {
        return;
    }
    for (int k = 0; k < N; k++) {
        share_load<T>(w, s, k, value[k]);
    }
#pragma unroll
    for (uint32_t j = 0; j < WALK_ITEMS; j++) {
        if (j < s.count) {
            Math<T> x[N];
            for (int k = 0; k < N; k++) {
                x[k] = value[k][j];
            }
            f(x, e);
            for (int k = 0; k < F::WRITTEN; k++) {
                value[k][j] = x[k];
            }
        }
    }
    for (int k = 0; k < F::WRITTEN; k++) {
        share_store<T>(w, s, k, value[k]);
    }
}

/* One parameter, of any strides. */
template <class T, class F>
__global__ void step_kernel(Walk<F::OPERANDS> w, StepNumbers<F, 1> numbers,
                            const StepNumbers<F, 1> *recorded) {
    if (recorded) {
        numbers = *recorded;
    }
    step_share<T>(w, blockIdx.x, numbers.f, numbers.entry[0]);
}

template <class T, class F>
__global__ void steps_kernel(StepList<F::OPERANDS> list, StepNumbers<F, STEP_MOST> numbers,
                             const StepNumbers<F, STEP_MOST> *recorded) {
    int at = 0;
    for (int end = list.n; end - at > 1;) {
        int middle = (at + end) / 2;
        if (list.block[middle] <= blockIdx.x) {
            at = middle;
        } else {
            end = middle;
        }
    }
    Walk<F::OPERANDS> w = {};
    w.numel = list.numel[at];
    w.linear = true;
    for (int k = 0; k < F::OPERANDS; k++) {
        w.data[k] = list.data[k][at];
    }
    F f = recorded ? recorded->f : numbers.f;
    step_share<T>(w, blockIdx.x - list.block[at], f,
                  recorded ? recorded->entry[at] : numbers.entry[at]);
}

/* A step on its way: the parameters that wait for a launch of their own or, once there are
 * STEP_MOST, of all. */
template <class T, class F> class Steps {
    enum { N = F::OPERANDS };
    const KernelCall *c;
    StepList<N> list;
    StepNumbers<F, STEP_MOST> numbers;

    /* Calls start(recorded) unless only the numbers are asked for. */
    template <class S> bool with_numbers(const StepLaunch &l, S start) {
        const void *recorded;
        bool launches;
        if (!gpu_step_numbers(&l, &recorded, &launches)) {
            return false;
        }
        if (launches) {
            start(recorded);
        }
        return true;
    }

    bool alone(const Iter *it, const typename F::Entry &e) {
        const Bits128 none[N] = {};
        const StepNumbers<F, 1> own = {numbers.f, {e}};
        const StepLaunch l = {
            c->device, (const void *)step_kernel<T, F>, (const void *const *)it->data, N, &own,
            sizeof own};
        return with_numbers(l, [&](const void *recorded) {
            walk_parts(it, [&](const Iter *part) {
                dim3 grid((unsigned)divide_up(part->numel, WALK_TILE));
                launch(launch_of(c, grid, dim3(WALK_THREADS)), step_kernel<T, F>,
                       walk_of<N>(part, none), own, (const StepNumbers<F, 1> *)recorded);
            });
        });
    }

  public:
    Steps(const KernelCall *call, const F &f) : c(call), list(), numbers() { numbers.f = f; }

    bool add(const View *const (&operand)[N], const typename F::Entry &e) {
        Iter it;
        if (operand[0]->numel == 0) {
            return true;
        }
        iter_init(&it, operand[0]->shape, operand[0]->dim, operand, N);
        bool runs = it.numel <= WALK_MOST;
        for (int k = 0; k < N; k++) {
            runs = runs && is_run(&it, k);
        }
        if (!runs) {
            return alone(&it, e);
        }
        for (int k = 0; k < N; k++) {
            list.data[k][list.n] = it.data[k];
        }
        list.numel[list.n] = (uint32_t)it.numel;
        numbers.entry[list.n] = e;
        list.block[list.n + 1] = list.block[list.n] + (uint32_t)divide_up(it.numel, WALK_TILE);
        return ++list.n < STEP_MOST || flush();
    }

    /* Starts what waits. */
    bool flush() {
        const void *data[N * STEP_MOST];
        int n = 0;
        for (int k = 0; k < N; k++) {
            for (int i = 0; i < list.n; i++) {
                data[n++] = list.data[k][i];
            }
        }
        size_t unused = (size_t)(STEP_MOST - list.n) * sizeof *numbers.entry;
        const StepLaunch l = {c->device, (const void *)steps_kernel<T, F>, data, n,
                              &numbers,  sizeof numbers - unused};
        bool ok = n == 0 || with_numbers(l, [&](const void *recorded) {
                      launch(launch_of(c, dim3(list.block[list.n]), dim3(WALK_THREADS)),
                             steps_kernel<T, F>, list, numbers,
                             (const StepNumbers<F, STEP_MOST> *)recorded);
                  });
        list.n = 0;
        return ok;
    }
};

/* Steps of all parameters of a call, of the entries that entry(k) gives. lists: where the operands
 * stand among the lists of tensors. */
template <class T, class F, class E>
bool step_all(const KernelCall *c, const int (&lists)[F::OPERANDS], const F &f, E entry) {
    Steps<T, F> steps(c, f);
    int count = c->arg[0].count;
    bool ok = true;
    for (int k = 0; ok && k < count; k++) {
        const View *operand[F::OPERANDS];
        for (int i = 0; i < F::OPERANDS; i++) {
            operand[i] = &c->in[lists[i] * count + k];
        }
        ok = steps.add(operand, entry(k));
    }
    return ok && steps.flush();
}

/* Which step parameter k is at; a number alone stands for all. */
int64_t step_at(const Arg &steps, int k) { return steps.ints[steps.count == 1 ? 0 : k]; }

template <class M> struct SgdNumbers { M lr, momentum, decay, sign; };

template <class M> struct Sgd {
    enum { OPERANDS = 2, WRITTEN = 1 };
    struct Entry {};
    SgdNumbers<M> n;
    __device__ void operator()(M (&x)[2], const Entry &) const {
        x[0] = x[0] - n.lr * (n.sign * x[1] + n.decay * x[0]);
    }
};

template <class M> struct SgdMomentum {
    enum { OPERANDS = 3, WRITTEN = 2 };
    struct Entry {
        M momentum, fresh;
    };
    SgdNumbers<M> n;
    bool nesterov;
    __device__ void operator()(M (&x)[3], const Entry &e) const {
        M g = n.sign * x[2] + n.decay * x[0];
        M before = e.momentum != 0 ? x[1] : 0; /* what stands there at first, even a nan */
        M v = e.momentum * before + e.fresh * g;
        x[1] = v;
        x[0] = x[0] - n.lr * (nesterov ? g + n.momentum * v : v);
    }
};

template <class M> struct AdamNumbers { M toward, beta2, fresh, decay, sign, keep, eps; };

/* Parameter, mean and mean square of the gradient, the largest of these where that counts, and the
 * gradient. */
template <class M, bool LARGEST> struct Adam {
    enum { OPERANDS = LARGEST ? 5 : 4, WRITTEN = OPERANDS - 1 };
    struct Entry {
        M step, root;
    };
    AdamNumbers<M> n;
    static __device__ float root_of(float x) { return sqrtf(x); }
    static __device__ double root_of(double x) { return sqrt(x); }
    __device__ void operator()(M (&x)[OPERANDS], const Entry &e) const {
        M p = x[0] * n.keep;
        M g = n.sign * x[WRITTEN] + n.decay * p;
        x[1] = x[1] + n.toward * (g - x[1]);
        x[2] = n.beta2 * x[2] + n.fresh * (g * g);
        M scale = x[2];
        if (LARGEST) {
            x[3] = x[3] > x[2] ? x[3] : x[2];
            scale = x[3];
        }
        x[0] = p - e.step * (x[1] / (root_of(scale) * e.root + n.eps));
    }
};

/* params, grads, momentum_buffers, lr, momentum, dampening, weight_decay, nesterov, maximize,
 * steps */
bool sgd_step(const KernelCall *c) {
    const Arg *a = c->arg;
    bool first = false;
    for (int k = 0; a[4].f != 0 && k < a[0].count; k++) {
        first |= step_at(a[9], k) == 1;
    }
    if (first && gpu_records(c->device) && !gpu_numbers_change(c->device)) {
        return fail("a graph cannot record this: every replay would be a first step; let optim.SGD "
                    "take it");
    }
    return for_float(c->in[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        typedef Math<T> M;
        SgdNumbers<M> n = {(M)a[3].f, (M)a[4].f, (M)a[6].f, (M)(a[8].b ? -1 : 1)};
        if (a[4].f == 0) {
            return step_all<T>(c, {0, 1}, Sgd<M>{n}, [](int) { return typename Sgd<M>::Entry(); });
        }
        typedef typename SgdMomentum<M>::Entry Entry;
        const Entry begun = {(M)0, (M)1}, later = {(M)a[4].f, (M)(1 - a[5].f)};
        return step_all<T>(c, {0, 2, 1}, SgdMomentum<M>{n, a[7].b},
                           [&](int k) { return step_at(a[9], k) == 1 ? begun : later; });
    });
}

/* params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, lr, beta1, beta2, eps,
 * weight_decay, decoupled, maximize */
bool adam_step(const KernelCall *c) {
    const Arg *a = c->arg;
    if (gpu_records(c->device) && !gpu_numbers_change(c->device)) {
        return fail("a graph cannot record this: its step counts are numbers, which every replay "
                    "would find unchanged; let optim.Adam or AdamW take it");
    }
    double lr = a[6].f, beta1 = a[7].f, beta2 = a[8].f, decay = a[10].f;
    bool decoupled = a[11].b;
    return for_float(c->in[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        typedef Math<T> M;
        const AdamNumbers<M> n = {(M)(1 - beta1),
                                  (M)beta2,
                                  (M)(1 - beta2),
                                  (M)(decoupled ? 0 : decay),
                                  (M)(a[12].b ? -1 : 1),
                                  (M)(decoupled ? 1 - lr * decay : 1),
                                  (M)a[9].f};
        auto step = [&](int k) { return (M)(lr / (1 - pow(beta1, (double)step_at(a[5], k)))); };
        auto root = [&](int k) { return (M)(1 / sqrt(1 - pow(beta2, (double)step_at(a[5], k)))); };
        if (a[4].count == 0) {
            typedef Adam<M, false> F;
            return step_all<T>(c, {0, 2, 3, 1}, F{n}, [&](int k) {
                return typename F::Entry{step(k), root(k)};
            });
        }
        typedef Adam<M, true> F;
        return step_all<T>(c, {0, 2, 3, 4, 1}, F{n}, [&](int k) {
            return typename F::Entry{step(k), root(k)};
        });
    });
}

/* x times inv_scale where it stands; *found becomes 1 if there is an inf or a nan among it. */
template <class M> struct Unscale {
    enum { OPERANDS = 1, WRITTEN = 1 };
    struct Entry {};
    M inv_scale;
    float *found;
    __device__ void operator()(M (&x)[1], const Entry &) const {
        if (!(x[0] - x[0] == 0)) { /* inf and nan give nan */
            atomicExch(found, 1.0f);
        }
        x[0] *= inv_scale;
    }
};

/* The gradients of type T among a call's. */
template <class T> bool unscale(const KernelCall *c, int dtype) {
    typedef Unscale<Math<T>> F;
    Steps<T, F> steps(c, F{(Math<T>)c->arg[2].f, (float *)c->in[0].data});
    bool ok = true;
    for (int i = 1; ok && i < c->n_in; i++) {
        const View *const operand[] = {&c->in[i]};
        ok = c->in[i].dtype != dtype || steps.add(operand, typename F::Entry());
    }
    return ok && steps.flush();
}

/* found_inf, grads, inv_scale */
bool amp_unscale(const KernelCall *c) {
    return unscale<float>(c, DT_FLOAT32) && unscale<double>(c, DT_FLOAT64) &&
           unscale<f16>(c, DT_FLOAT16) && unscale<bf16>(c, DT_BFLOAT16);
}

} // namespace

const KernelRow gpu_optim_rows[] = {
    {"sgd_step", sgd_step}, {"adam_step", adam_step}, {"amp_unscale", amp_unscale}, {NULL, NULL}};
