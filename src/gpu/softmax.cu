/* softmax, log_softmax and their gradients: a group of threads to each column along dim. */
#include "gpu/kernel.cuh"
#include "tensor/axes.h"
#include "tensor/formulas/explog.h"

enum { OUT, X, Y };

namespace {

struct Columns {
    void *data[AXIS_OPERANDS];
    Axis kept[MAX_DIMS]; /* innermost first */
    int n_kept;
    int64_t size, step[AXIS_OPERANDS]; /* along dim */
    int64_t columns;
    int across, down; /* a block has across columns and down threads to each */
    bool down_first;  /* neighbouring threads share a column */
};

struct Place {
    int row, self, step;
    int64_t column, at[AXIS_OPERANDS];
};

static __device__ Place place_of(const Columns &p) {
    Place at;
    at.self = (int)threadIdx.x;
    at.row = p.down_first ? at.self % p.down : at.self / p.across;
    at.step = p.down_first ? 1 : p.across;
    int group = p.down_first ? at.self / p.down : at.self % p.across;
    at.column = blockIdx.x * (int64_t)p.across + group;
    int64_t i = at.column;
    at.at[OUT] = at.at[X] = at.at[Y] = 0;
    for (int d = 0; d < p.n_kept; d++) {
        int64_t k = d + 1 < p.n_kept ? i % p.kept[d].size : i;
        i /= p.kept[d].size;
        for (int o = 0; o < AXIS_OPERANDS; o++) {
            at.at[o] += k * p.kept[d].step[o];
        }
    }
    return at;
}

static __device__ float exp_of(float x) { return f_exp_f32(x); }
static __device__ double exp_of(double x) { return f_exp_f64(x); }
static __device__ float log_of(float x) { return f_log_f32(x); }
static __device__ double log_of(double x) { return f_log_f64(x); }

/* The largest x so far, and the sum of e^(x - most). */
template <class M> struct Total {
    M most, sum;
    static __device__ Total start() { return Total{(M)-INFINITY, (M)0}; }
    __device__ void add(M x) {
        if (x > most) {
            sum = sum * exp_of(most - x) + exp_of(x - x); /* an infinite x gives nan */
            most = x;
        } else if (x != most || x != (M)-INFINITY) {
            sum += exp_of(x - most);
        }
    }
    __device__ void join(const Total &o) {
        if (o.most > most) {
            sum = sum * exp_of(most - o.most) + o.sum;
            most = o.most;
        } else {
            sum += o.most == (M)-INFINITY ? o.sum : o.sum * exp_of(o.most - most);
        }
    }
};

template <class M> struct Plain {
    M sum;
    static __device__ Plain start() { return Plain{(M)0}; }
    __device__ void join(const Plain &o) { sum += o.sum; }
};

/* Joins what the threads of each column have; all get the result. */
template <class A> __device__ A join_columns(A *shared, const Columns &p, const Place &at, A own) {
    shared[at.self] = own;
    for (int half = p.down / 2; half > 0; half /= 2) {
        __syncthreads();
        if (at.row < half) {
            shared[at.self].join(shared[at.self + half * at.step]);
        }
    }
    __syncthreads();
    return shared[at.self - at.row * at.step];
}

template <class T>
static __device__ Math<T> get(const Columns &p, const Place &at, int k, int64_t i) {
    return load(((const T *)p.data[k])[at.at[k] + i * p.step[k]]);
}

template <class T>
static __device__ void set(const Columns &p, const Place &at, int64_t i, Math<T> y) {
    ((T *)p.data[OUT])[at.at[OUT] + i * p.step[OUT]] = Element<T>::store(y);
}

template <class T, bool log> __global__ void forward_kernel(Columns p) {
    typedef Math<T> M;
    TOCHA_DYNAMIC_SHARED(Total<M>, shared);
    Place at = place_of(p);
    Total<M> total = Total<M>::start();
    bool inside = at.column < p.columns;
    for (int64_t i = at.row; inside && i < p.size; i += p.down) {
        total.add(get<T>(p, at, X, i));
    }
    total = join_columns(shared, p, at, total);
    M scale = log ? log_of(total.sum) : (M)1 / total.sum;
    for (int64_t i = at.row; inside && i < p.size; i += p.down) {
        M x = get<T>(p, at, X, i) - total.most;
        set<T>(p, at, i, log ? x - scale : exp_of(x) * scale);
    }
}

/* x is the gradient of the result y. */
template <class T, bool log> __global__ void backward_kernel(Columns p) {
    typedef Math<T> M;
    TOCHA_DYNAMIC_SHARED(Plain<M>, shared);
    Place at = place_of(p);
    Plain<M> total = Plain<M>::start();
    bool inside = at.column < p.columns;
    for (int64_t i = at.row; inside && i < p.size; i += p.down) {
        M g = get<T>(p, at, X, i);
        total.sum += log ? g : g * get<T>(p, at, Y, i);
    }
    total = join_columns(shared, p, at, total);
    for (int64_t i = at.row; inside && i < p.size; i += p.down) {
        M g = get<T>(p, at, X, i), y = get<T>(p, at, Y, i);
        set<T>(p, at, i, log ? g - exp_of(y) * total.sum : y * (g - total.sum));
    }
}

/* The columns of operands along dim; false: there is nothing to do. */
static bool columns_of(Columns *p, const View *const *operand, int n, int64_t dim) {
    const View *out = operand[OUT];
    if (out->numel == 0) {
        return false;
    }
    *p = Columns();
    p->size = out->dim ? out->shape[dim] : 1;
    p->columns = out->numel / p->size;
    for (int k = 0; k < n; k++) {
        p->data[k] = operand[k]->data;
        p->step[k] = out->dim ? operand[k]->stride[dim] : 0;
    }
    for (int d = out->dim - 1; d >= 0; d--) {
        if (d == dim || out->shape[d] == 1) {
            continue;
        }
        Axis *a = &p->kept[p->n_kept++];
        a->size = out->shape[d];
        for (int k = 0; k < n; k++) {
            a->step[k] = operand[k]->stride[d];
        }
    }
    axes_sort(p->kept, p->n_kept, OUT);
    p->n_kept = axes_merge(p->kept, p->n_kept);
    p->down_first = p->n_kept == 0 || p->step[OUT] <= p->kept[0].step[OUT];
    p->down = 1;
    while (p->down < (p->down_first ? (int)THREADS : (int)THREADS / 32) && p->down < p->size) {
        p->down *= 2;
    }
    p->across = THREADS / p->down;
    return true;
}

template <class T, template <class> class A>
static bool start(const KernelCall *c, void (*kernel)(Columns), const Columns &p) {
    size_t shared = THREADS * sizeof(A<Math<T>>);
    dim3 grid((unsigned)divide_up(p.columns, p.across));
    launch(launch_of(c, grid, dim3(THREADS), shared), kernel, p);
    return true;
}

template <bool log> static bool forward(const KernelCall *c) {
    Columns p;
    const View *const operand[] = {&c->out[0], &c->in[0]};
    return !columns_of(&p, operand, 2, c->arg[1].i) || for_float(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return start<T, Total>(c, forward_kernel<T, log>, p);
    });
}

template <bool log> static bool backward(const KernelCall *c) {
    Columns p;
    const View *const operand[] = {&c->out[0], &c->in[0], &c->in[1]};
    return !columns_of(&p, operand, 3, c->arg[2].i) || for_float(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return start<T, Plain>(c, backward_kernel<T, log>, p);
    });
}

} // namespace

const KernelRow gpu_softmax_rows[] = {{"softmax", forward<false>},
                                      {"log_softmax", forward<true>},
                                      {"softmax_backward", backward<false>},
                                      {"log_softmax_backward", backward<true>},
                                      {NULL, NULL}};
