/* The optimisers' steps: one pass over the parameter, its state and its gradient. */
#include "gpu/walk.cuh"

/* f(x) computes with an element of each operand; all but the last are written back. In a graph it
 * is recorded that is used in the place of f. */
template <class T, class F, int N> __global__ void step_kernel(Walk<N> w, F f, const F *recorded) {
    Share<N> s;
    Math<T> value[N][WALK_ITEMS];
    share_init(w, &s);
    if (s.count == 0) {
        return;
    }
    if (recorded) {
        f = *recorded;
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
            f(x);
            for (int k = 0; k < N - 1; k++) {
                value[k][j] = x[k];
            }
        }
    }
    for (int k = 0; k < N - 1; k++) {
        share_store<T>(w, s, k, value[k]);
    }
}

template <class T, class F, int N>
static bool step(const KernelCall *c, const View *const (&operand)[N], F f) {
    const Bits128 none[N] = {};
    const void *recorded;
    bool launches;
    if (operand[0]->numel == 0) {
        return true;
    }
    if (!gpu_step_numbers(c, (const void *)step_kernel<T, F, N>, &f, sizeof f, &recorded,
                          &launches) ||
        !launches) {
        return !launches;
    }
    Iter it;
    iter_init(&it, operand[0]->shape, operand[0]->dim, operand, N);
    walk_parts(&it, [&](const Iter *part) {
        dim3 grid((unsigned)divide_up(part->numel, WALK_TILE));
        launch(launch_of(c, grid, dim3(WALK_THREADS)), step_kernel<T, F, N>, walk_of<N>(part, none),
               f, (const F *)recorded);
    });
    return true;
}

namespace {

template <class M> struct SgdNumbers { M lr, momentum, fresh, ahead, decay, sign; };

template <class M> struct Sgd {
    SgdNumbers<M> n;
    __device__ void operator()(M (&x)[2]) const {
        x[0] = x[0] - n.lr * (n.sign * x[1] + n.decay * x[0]);
    }
};

template <class M> struct SgdMomentum {
    SgdNumbers<M> n;
    bool nesterov;
    __device__ void operator()(M (&x)[3]) const {
        M g = n.sign * x[2] + n.decay * x[0];
        M before = n.momentum != 0 ? x[1] : 0; /* what stands there at first, even a nan */
        M v = n.momentum * before + n.fresh * g;
        x[1] = v;
        x[0] = x[0] - n.lr * (nesterov ? g + n.ahead * v : v);
    }
};

template <class M> struct Adam {
    M toward, beta2, fresh, decay, sign, keep, step, root, eps;
    __device__ M update(M p, M &mean, M &square, M grad, M *largest) const {
        p *= keep;
        M g = sign * grad + decay * p;
        mean = mean + toward * (g - mean);
        square = beta2 * square + fresh * (g * g);
        M scale = square;
        if (largest) {
            *largest = *largest > square ? *largest : square;
            scale = *largest;
        }
        return p - step * (mean / (root_of(scale) * root + eps));
    }
    static __device__ float root_of(float x) { return sqrtf(x); }
    static __device__ double root_of(double x) { return sqrt(x); }
    __device__ void operator()(M (&x)[4]) const {
        x[0] = update(x[0], x[1], x[2], x[3], (M *)NULL);
    }
    __device__ void operator()(M (&x)[5]) const { x[0] = update(x[0], x[1], x[2], x[4], &x[3]); }
};

/* param, grad, momentum_buffer, lr, momentum, dampening, weight_decay, nesterov, maximize, first */
static bool sgd_step(const KernelCall *c) {
    const Arg *a = c->arg;
    bool first = a[9].b;
    if (first && gpu_records(c->device) && !gpu_numbers_change(c->device)) {
        return fail("a graph cannot record this: every replay would be a first step; let optim.SGD "
                    "take it");
    }
    return for_float(c->in[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        typedef Math<T> M;
        SgdNumbers<M> n = {
            (M)a[3].f, (M)(first ? 0 : a[4].f), (M)(first ? 1 : 1 - a[5].f), (M)a[4].f,
            (M)a[6].f, (M)(a[8].b ? -1 : 1)};
        if (a[4].f == 0) {
            const View *const operand[] = {&c->in[0], &c->in[1]};
            return step<T>(c, operand, Sgd<M>{n});
        }
        const View *const operand[] = {&c->in[0], &c->in[2], &c->in[1]};
        return step<T>(c, operand, SgdMomentum<M>{n, a[7].b});
    });
}

/* param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq, step, lr, beta1, beta2, eps, weight_decay,
 * decoupled, maximize */
static bool adam_step(const KernelCall *c) {
    const Arg *a = c->arg;
    const View *in = c->in;
    if (gpu_records(c->device) && !gpu_numbers_change(c->device)) {
        return fail("a graph cannot record this: its step count is a number, which every replay "
                    "would find unchanged; let optim.Adam or AdamW take it");
    }
    double t = (double)a[5].i, lr = a[6].f, beta1 = a[7].f, beta2 = a[8].f, decay = a[10].f;
    bool decoupled = a[11].b;
    return for_float(in[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        typedef Math<T> M;
        Adam<M> f = {(M)(1 - beta1),
                     (M)beta2,
                     (M)(1 - beta2),
                     (M)(decoupled ? 0 : decay),
                     (M)(a[12].b ? -1 : 1),
                     (M)(decoupled ? 1 - lr * decay : 1),
                     (M)(lr / (1 - pow(beta1, t))),
                     (M)(1 / sqrt(1 - pow(beta2, t))),
                     (M)a[9].f};
        if (in[4].dtype == DT_NONE) {
            const View *const operand[] = {&in[0], &in[2], &in[3], &in[1]};
            return step<T>(c, operand, f);
        }
        const View *const operand[] = {&in[0], &in[2], &in[3], &in[4], &in[1]};
        return step<T>(c, operand, f);
    });
}

/* x times inv_scale where it stands; *found becomes 1 if there is an inf or a nan among it. */
template <class T> __global__ void unscale_kernel(Walk<1> w, Math<T> inv_scale, float *found) {
    Share<1> s;
    Math<T> x[WALK_ITEMS];
    bool odd = false;
    share_init(w, &s);
    if (s.count == 0) {
        return;
    }
    share_load<T>(w, s, 0, x);
#pragma unroll
    for (uint32_t j = 0; j < WALK_ITEMS; j++) {
        if (j < s.count) {
            odd |= !(x[j] - x[j] == 0); /* inf and nan give nan */
            x[j] *= inv_scale;
        }
    }
    share_store<T>(w, s, 0, x);
    if (odd) {
        atomicExch(found, 1.0f);
    }
}

} // namespace

/* found_inf, grads, inv_scale */
static bool amp_unscale(const KernelCall *c) {
    const Bits128 none[1] = {};
    bool ok = true;
    for (int i = 1; ok && i < c->n_in; i++) {
        const View *const operand[] = {&c->in[i]};
        ok = c->in[i].numel == 0 || for_float(c->in[i].dtype, [&](auto zero) {
                 typedef decltype(zero) T;
                 Iter it;
                 iter_init(&it, operand[0]->shape, operand[0]->dim, operand, 1);
                 walk_parts(&it, [&](const Iter *part) {
                     dim3 grid((unsigned)divide_up(part->numel, WALK_TILE));
                     launch(launch_of(c, grid, dim3(WALK_THREADS)), unscale_kernel<T>,
                            walk_of<1>(part, none), (Math<T>)c->arg[2].f, (float *)c->in[0].data);
                 });
                 return true;
             });
    }
    return ok;
}

const KernelRow gpu_optim_rows[] = {
    {"sgd_step", sgd_step}, {"adam_step", adam_step}, {"amp_unscale", amp_unscale}, {NULL, NULL}};
