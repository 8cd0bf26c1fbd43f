/* The gradients of standardize. With g the gradient of the output, w the weight and n the
 * normalised x, a row's x gets rstd * (w g - mean(w g) - n mean(w g n)); the weight gets the sum of
 * g n and the bias that of g. Sums of rows that a group of threads has in one piece come with one
 * look at x and g; others from sums of lines or of columns, which are folded in a fixed order. */
#include "gpu/normalize.cuh"

namespace {

/* Of g * n and of g. */
template <class M> struct Sums {
    M times, plain;
    static __device__ Sums start() { return Sums{(M)0, (M)0}; }
    template <class F> __device__ Sums each(F f) const { return Sums{f(times), f(plain)}; }
    __device__ void join(const Sums &o) {
        times += o.times;
        plain += o.plain;
    }
    __device__ void add(M g, M normal) {
        times += g * normal;
        plain += g;
    }
};

/* The gradient of one x. all: the sums of its row, of w g. */
template <class M>
__device__ __forceinline__ M spread(const Norm &p, M weighed, M normal, M rstd,
                                    const Sums<M> &all) {
    M plain = p.center ? all.plain / (M)p.count : (M)0;
    return rstd * (weighed - plain - normal * (all.times / (M)p.count));
}

/* What a group has of its row. */
template <class T> struct Row {
    int64_t start, n;
    Math<T> mean, rstd;
};

/* Brings a group's share of x, normalised, and of the gradient. */
template <class T>
__device__ __forceinline__ void load_both(const Norm &p, const Row<T> &row, int64_t base, int self,
                                          Kept<T> *normal, Kept<T> *grad) {
    kept_load((const T *)p.x + row.start, row.n, base, self, p.width, p.whole, normal);
    kept_load((const T *)p.grad + row.start, row.n, base, self, p.width, p.whole, grad);
#pragma unroll
    for (int j = 0; j < Kept<T>::PACKS; j++) {
        for (int e = 0; e < Pack<T>::N; e++) {
            normal->x[j][e] = (normal->x[j][e] - row.mean) * row.rstd;
        }
    }
}

/* Adds a share's sums to the row's, and where wanted each element's to its own. */
template <class T>
__device__ __forceinline__ void sum_up(const Norm &p, const Row<T> &row, int64_t base, int self,
                                       const Kept<T> &normal, const Kept<T> &grad, bool wanted,
                                       Sums<Math<T>> *all, Kept<T> *times, Kept<T> *plain) {
#pragma unroll
    for (int j = 0; j < Kept<T>::PACKS; j++) {
        Math<T> w[Pack<T>::N];
        int64_t at = pack_at<T>(base, self, p.width, j);
        int count = pack_count<T>(at, row.n);
        channel_pack<T>(p, p.weight, (Math<T>)1, row.start + at, count, w);
        for (int e = 0; e < Pack<T>::N; e++) {
            Math<T> g = grad.x[j][e], n = normal.x[j][e];
            if (e < count) {
                all->add(w[e] * g, n);
            }
            if (wanted && e < count) {
                times->x[j][e] += g * n;
                plain->x[j][e] += g;
            }
        }
    }
}

template <class T>
__device__ __forceinline__ void write_share(const Norm &p, const Row<T> &row, int64_t base,
                                            int self, const Kept<T> &normal, const Kept<T> &grad,
                                            const Sums<Math<T>> &all) {
#pragma unroll
    for (int j = 0; j < Kept<T>::PACKS; j++) {
        Math<T> w[Pack<T>::N];
        int64_t at = pack_at<T>(base, self, p.width, j);
        int count = pack_count<T>(at, row.n);
        channel_pack<T>(p, p.weight, (Math<T>)1, row.start + at, count, w);
        for (int e = 0; e < Pack<T>::N; e++) {
            w[e] = spread(p, w[e] * grad.x[j][e], normal.x[j][e], row.rstd, all);
        }
        pack_store((T *)p.out + row.start + at, count, p.whole, w);
    }
}

/* A block's sums of each element of its rows: groups add theirs one after another. Arrays in
 * registers want loops that are unrolled. */
template <class T>
__device__ void leave_sums(const Norm &p, Sums<Math<T>> *sums, const Kept<T> &times,
                           const Kept<T> &plain) {
    int groups = (int)blockDim.x / p.width, self = (int)threadIdx.x % p.width;
    Sums<Math<T>> *own = sums + blockIdx.x * p.count;
    for (int g = 0; g < groups; g++) {
        bool turn = (int)threadIdx.x / p.width == g;
#pragma unroll
        for (int j = 0; j < Kept<T>::PACKS; j++) {
            int64_t at = pack_at<T>(0, self, p.width, j);
            int count = turn ? pack_count<T>(at, p.count) : 0;
#pragma unroll
            for (int e = 0; e < Pack<T>::N; e++) {
                Sums<Math<T>> more = {times.x[j][e], plain.x[j][e]};
                if (g > 0 && e < count) {
                    more.join(own[at + e]);
                }
                if (e < count) {
                    own[at + e] = more;
                }
            }
        }
        __syncthreads();
    }
}

/* Rows that stand in one piece, with a weight for each element. sums: NULL, or for rows that a
 * group has at once the sums for each weight, sums[block * count + i]. */
template <class T> __global__ void __launch_bounds__(512) rows_kernel(Norm p, Sums<Math<T>> *sums) {
    typedef Math<T> M;
    __shared__ Sums<M> shared[MOST_WARPS];
    int groups = (int)blockDim.x / p.width, self = (int)threadIdx.x % p.width;
    int64_t step = kept_by<T>(p.width);
    Kept<T> normal, grad, times = Kept<T>(), plain = Kept<T>();
    for (int64_t first = blockIdx.x * (int64_t)groups; first < p.rows;
         first += gridDim.x * (int64_t)groups) {
        int64_t r = first + (int)threadIdx.x / p.width;
        Row<T> row = {r * p.count, 0, (M)0, (M)0};
        if (r < p.rows) {
            row = Row<T>{row.start, p.count, ((const M *)p.mean)[r], ((const M *)p.rstd)[r]};
        }
        Sums<M> all = Sums<M>::start();
        for (int64_t base = 0; base < row.n; base += step) {
            load_both(p, row, base, self, &normal, &grad);
            sum_up(p, row, base, self, normal, grad, sums != NULL, &all, &times, &plain);
        }
        all = join_group(all, p.width, shared);
        for (int64_t base = 0; base < row.n; base += step) {
            if (row.n > step) {
                load_both(p, row, base, self, &normal, &grad);
            }
            write_share(p, row, base, self, normal, grad, all);
        }
    }
    if (sums) {
        leave_sums(p, sums, times, plain);
    }
}

/* The sums of each part of each line: sums[line * parts + part]. */
template <class T> __global__ void lines_kernel(Norm p, Sums<Math<T>> *sums) {
    typedef Math<T> M;
    enum { N = Pack<T>::N };
    __shared__ Sums<M> shared[MOST_WARPS];
    int groups = (int)blockDim.x / p.width, self = (int)threadIdx.x % p.width;
    int64_t all_parts = p.lines * p.parts;
    for (int64_t k = blockIdx.x * (int64_t)groups; k < all_parts;
         k += gridDim.x * (int64_t)groups) {
        int64_t i = k + (int)threadIdx.x / p.width;
        int64_t line = i / p.parts, start = line * p.span, first = i % p.parts * p.cut;
        int64_t end = first + p.cut < p.span ? first + p.cut : p.span;
        end = i < all_parts ? end : 0;
        int64_t row = i < all_parts ? row_at(p, start) : 0;
        M mean = ((const M *)p.mean)[row], rstd = ((const M *)p.rstd)[row];
        Sums<M> all = Sums<M>::start();
        for (int64_t at = first + self * N; at < end; at += p.width * N) {
            M x[N], g[N];
            int count = pack_count<T>(at, end);
            pack_load((const T *)p.x + start + at, count, p.whole, x);
            pack_load((const T *)p.grad + start + at, count, p.whole, g);
            for (int e = 0; e < N; e++) {
                if (e < count) {
                    all.add(g[e], (x[e] - mean) * rstd);
                }
            }
        }
        all = join_group(all, p.width, shared);
        if (self == 0 && i < all_parts) {
            sums[i] = all;
        }
    }
}

/* Where lines are single elements, the sums over the batch of parts of each channel:
 * sums[part * channels + channel]. */
template <class T> __global__ void columns_kernel(Norm p, int64_t batch, Sums<Math<T>> *sums) {
    typedef Math<T> M;
    __shared__ Sums<M> shared[DOWN][ACROSS];
    int across = (int)threadIdx.x % ACROSS, down = (int)threadIdx.x / ACROSS;
    int64_t channel = blockIdx.x * (int64_t)ACROSS + across, part = blockIdx.y;
    int64_t first = part * p.cut, end = first + p.cut < batch ? first + p.cut : batch;
    Sums<M> all = Sums<M>::start();
    for (int64_t n = first + down; channel < p.channels && n < end; n += DOWN) {
        int64_t at = n * p.channels + channel, row = row_at(p, at);
        M mean = ((const M *)p.mean)[row], rstd = ((const M *)p.rstd)[row];
        all.add(load(((const T *)p.grad)[at]), (load(((const T *)p.x)[at]) - mean) * rstd);
    }
    shared[down][across] = all;
    __syncthreads();
    if (down == 0 && channel < p.channels) {
        for (int k = 1; k < DOWN; k++) {
            all.join(shared[k][across]);
        }
        sums[part * p.channels + channel] = all;
    }
}

/* Result i of n is the sum of sums[i * own + a * outer_step + b * inner_step] over a and b, times
 * the weight of channel (i * weight_own + a * weight_step) % channels where weight is given. */
template <class M> struct Fold {
    const Sums<M> *sums;
    int64_t n, own, outer, outer_step, inner, inner_step;
    const void *weight;
    int64_t weight_own, weight_step, channels;
    bool down_first;     /* neighbouring threads share a result */
    void *times, *plain; /* elements, or */
    Sums<M> *rows;       /* both together */
};

template <class T> __global__ void fold_kernel(Fold<Math<T>> f) {
    typedef Math<T> M;
    __shared__ Sums<M> shared[ACROSS * DOWN];
    int self = (int)threadIdx.x, across = f.down_first ? (int)DOWN : (int)ACROSS;
    int down = ACROSS * DOWN / across;
    int own = f.down_first ? self / down : self % across;
    int k = f.down_first ? self % down : self / across, step = f.down_first ? 1 : across;
    int64_t i = blockIdx.x * (int64_t)across + own;
    Sums<M> all = Sums<M>::start();
    for (int64_t j = k; i < f.n && j < f.outer * f.inner; j += down) {
        int64_t a = j / f.inner, b = j % f.inner;
        Sums<M> some = f.sums[i * f.own + a * f.outer_step + b * f.inner_step];
        M w = 1;
        if (f.weight) {
            w = load(((const T *)f.weight)[(i * f.weight_own + a * f.weight_step) % f.channels]);
        }
        all.join(some.each([=](M x) { return x * w; }));
    }
    shared[self] = all;
    for (int half = down / 2; half > 0; half /= 2) {
        __syncthreads();
        if (k < half) {
            shared[self].join(shared[self + half * step]);
        }
    }
    if (i < f.n && k == 0 && f.rows) {
        f.rows[i] = shared[self];
    } else if (i < f.n && k == 0) {
        ((T *)f.times)[i] = Element<T>::store(shared[self].times);
        ((T *)f.plain)[i] = Element<T>::store(shared[self].plain);
    }
}

template <class T> __global__ void spread_kernel(Norm p, const Sums<Math<T>> *rows) {
    typedef Math<T> M;
    enum { N = Pack<T>::N };
    for (int64_t at = first_of() * N; at < p.numel; at += step_of() * N) {
        int count = pack_count<T>(at, p.numel);
        M x[N], g[N], w[N], mean[N], rstd[N];
        Sums<M> all[N];
        pack_load((const T *)p.x + at, count, p.whole, x);
        pack_load((const T *)p.grad + at, count, p.whole, g);
        channel_pack<T>(p, p.weight, (M)1, at, count, w);
        row_pack(p, (const M *)p.mean, at, count, mean);
        row_pack(p, (const M *)p.rstd, at, count, rstd);
        row_pack(p, rows, at, count, all);
        for (int e = 0; e < N; e++) {
            w[e] = spread(p, w[e] * g[e], (x[e] - mean[e]) * rstd[e], rstd[e], all[e]);
        }
        pack_store((T *)p.out + at, count, p.whole, w);
    }
}

template <class T> static void fold(const KernelCall *c, Fold<Math<T>> f) {
    f.down_first = f.own > 1;
    int64_t across = f.down_first ? (int)DOWN : (int)ACROSS;
    launch(launch_of(c, dim3((unsigned)divide_up(f.n, across)), dim3(ACROSS * DOWN)),
           fold_kernel<T>, f);
}

/* Folds sums[part * channels + channel] into the gradients of weight and bias. */
template <class T>
static Fold<Math<T>> fold_columns(const KernelCall *c, const Norm &p, const Sums<Math<T>> *sums,
                                  int64_t parts) {
    Fold<Math<T>> f = Fold<Math<T>>();
    f.sums = sums;
    f.n = f.channels = p.channels;
    f.own = f.inner = 1;
    f.outer = parts;
    f.outer_step = p.channels;
    f.times = c->out[1].data;
    f.plain = c->out[2].data;
    fold<T>(c, f);
    return f;
}

template <class T> static Sums<Math<T>> *sums_of(Dense *d, int64_t n) {
    return (Sums<Math<T>> *)dense_room(d, (size_t)n * sizeof(Sums<Math<T>>));
}

template <class T> static Sums<Math<T>> *sum_columns(const KernelCall *c, Norm *p, Dense *d) {
    int64_t batch = p->lines / p->channels, blocks = divide_up(p->channels, ACROSS);
    cut_up(c, p, blocks, batch, DOWN * 8);
    Sums<Math<T>> *sums = sums_of<T>(d, p->channels * p->parts);
    if (sums) {
        dim3 grid((unsigned)blocks, (unsigned)p->parts);
        launch(launch_of(c, grid, dim3(ACROSS * DOWN)), columns_kernel<T>, *p, batch, sums);
    }
    return sums;
}

/* Each element of a row has a weight of its own. */
template <class T> static void by_rows(const KernelCall *c, Norm p, Dense *d) {
    enum { WIDEST = 512 };
    p.width = group_width(divide_up(p.count, Kept<T>::COUNT), LANES, WIDEST);
    int block = p.width < THREADS ? (int)THREADS : p.width;
    dim3 grid = blocks_for(c, p.rows, block / p.width, 1024 / block);
    bool at_once = p.count <= kept_by<T>(WIDEST) && p.count == p.channels;
    Sums<Math<T>> *sums = at_once ? sums_of<T>(d, grid.x * p.count) : NULL;
    if (d->failed) {
        return;
    }
    launch(launch_of(c, grid, dim3((unsigned)block)), rows_kernel<T>, p, sums);
    if (at_once) {
        fold_columns<T>(c, p, sums, grid.x);
    } else if ((sums = sum_columns<T>(c, &p, d)) != NULL) {
        fold_columns<T>(c, p, sums, p.parts);
    }
}

/* Rows over the batch whose lines are single elements. */
template <class T> static void by_columns(const KernelCall *c, Norm p, Dense *d) {
    Sums<Math<T>> *sums = sum_columns<T>(c, &p, d), *rows = sums_of<T>(d, p.rows);
    if (d->failed) {
        return;
    }
    Fold<Math<T>> f = fold_columns<T>(c, p, sums, p.parts);
    f.weight = p.weight;
    f.weight_own = 1;
    f.rows = rows;
    fold<T>(c, f);
    launch(launch_over(c, divide_up(p.numel, Pack<T>::N)), spread_kernel<T>, p,
           (const Sums<Math<T>> *)rows);
}

template <class T> static void by_lines(const KernelCall *c, Norm p, Dense *d) {
    p.width = group_width(divide_up(p.span, 2 * Pack<T>::N), 1, THREADS);
    cut_up(c, &p, divide_up(p.lines * p.width, THREADS), p.span, kept_by<T>(p.width));
    Sums<Math<T>> *sums = sums_of<T>(d, p.lines * p.parts), *rows = sums_of<T>(d, p.rows);
    if (d->failed) {
        return;
    }
    launch(launch_of(c, blocks_for(c, p.lines * p.parts, THREADS / p.width, 16), dim3(THREADS)),
           lines_kernel<T>, p, sums);
    Fold<Math<T>> f = Fold<Math<T>>();
    f.sums = sums;
    f.n = f.channels = p.channels;
    f.own = f.inner = p.parts;
    f.inner_step = 1;
    f.outer = p.lines / p.channels;
    f.outer_step = p.channels * p.parts;
    f.times = c->out[1].data;
    f.plain = c->out[2].data;
    fold<T>(c, f);
    f.rows = rows;
    f.weight = p.weight;
    f.weight_own = 1;
    if (!p.over_batch) {
        f.n = p.rows;
        f.outer = f.weight_own = p.by_group.size;
        f.weight_step = 1;
        f.outer_step = p.parts;
        f.own = f.outer * p.parts;
    }
    fold<T>(c, f);
    launch(launch_over(c, divide_up(p.numel, Pack<T>::N)), spread_kernel<T>, p,
           (const Sums<Math<T>> *)rows);
}

} // namespace

static bool standardize_backward(const KernelCall *c) {
    Arg nothing = whole(0);
    if (c->in[1].numel == 0) {
        return gpu_fill_view(c, &c->out[1], nothing) && gpu_fill_view(c, &c->out[2], nothing);
    }
    Dense d = Dense();
    d.call = c;
    Norm p = norm_of(&c->in[1], c->arg[5].b, c->arg[6].b);
    p.grad = dense_in(&d, &c->in[0]);
    p.x = dense_in(&d, &c->in[1]);
    p.weight = dense_in(&d, &c->in[2]);
    p.mean = (void *)dense_in(&d, &c->in[3]);
    p.rstd = (void *)dense_in(&d, &c->in[4]);
    p.out = c->out[0].data;
    bool ok = !d.failed && for_float(c->in[1].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        p.whole = norm_is_whole<T>(p);
        if (p.span > 1) {
            by_lines<T>(c, p, &d);
        } else if (p.over_batch) {
            by_columns<T>(c, p, &d);
        } else {
            by_rows<T>(c, p, &d);
        }
        return true;
    });
    return dense_end(&d, ok);
}

const KernelRow gpu_normalize_backward_rows[] = {{"standardize_backward", standardize_backward},
                                                 {NULL, NULL}};
