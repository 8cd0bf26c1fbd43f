/* standardize, the core of the norms. Where groups of threads have enough rows to themselves, each
 * keeps its row in registers and reads it once. Few long rows, and rows over the batch, are cut
 * into parts whose statistics are joined, and read again. */
#include "gpu/normalize.cuh"

namespace {

/* Statistics of some elements: how many, their mean, and the sum of the squares of what they differ
 * from it. Without center the mean counts as 0. */
template <class M> struct Moments {
    M count, mean, squares;
    static __device__ Moments start() { return Moments{(M)0, (M)0, (M)0}; }
    template <class F> __device__ Moments each(F f) const {
        return Moments{f(count), f(mean), f(squares)};
    }
    __device__ void join(const Moments &o) {
        if (count == 0 || o.count == 0) {
            *this = count == 0 ? o : *this;
            return;
        }
        M apart = o.mean - mean, total = count + o.count, share = o.count / total;
        mean += apart * share;
        squares += o.squares + apart * apart * (count * share);
        count = total;
    }
};

/* The same for the elements (row, column) of x that inside(row, column) is true for. */
template <class M, int rows, int columns, class F>
__device__ __forceinline__ Moments<M> moments_of(const M (&x)[rows][columns], bool center,
                                                 F inside) {
    Moments<M> all = Moments<M>::start();
#pragma unroll
    for (int j = 0; j < rows; j++) {
#pragma unroll
        for (int e = 0; e < columns; e++) {
            all.count += inside(j, e) ? (M)1 : (M)0;
            all.mean += inside(j, e) && center ? x[j][e] : (M)0;
        }
    }
    all.mean /= all.count > 0 ? all.count : (M)1;
#pragma unroll
    for (int j = 0; j < rows; j++) {
#pragma unroll
        for (int e = 0; e < columns; e++) {
            M apart = x[j][e] - all.mean;
            all.squares += inside(j, e) ? apart * apart : (M)0;
        }
    }
    return all;
}

static __device__ float root_of(float x) { return sqrtf(x); }
static __device__ double root_of(double x) { return sqrt(x); }

template <class M> __device__ __forceinline__ M rstd_of(const Norm &p, const Moments<M> &all) {
    return (M)1 / root_of(all.squares / (M)p.count + (M)p.eps);
}

template <class M>
__device__ __forceinline__ void put_row(const Norm &p, int64_t row, M mean, M rstd) {
    ((M *)p.mean)[row] = mean;
    ((M *)p.rstd)[row] = rstd;
}

/* Writes count elements from place on, which have been normalised, with weight and bias. */
template <class T>
__device__ __forceinline__ void finish(const Norm &p, int64_t place, int count,
                                       Math<T> (&x)[Pack<T>::N]) {
    Math<T> w[Pack<T>::N], b[Pack<T>::N];
    channel_pack<T>(p, p.weight, (Math<T>)1, place, count, w);
    channel_pack<T>(p, p.bias, (Math<T>)0, place, count, b);
    for (int e = 0; e < Pack<T>::N; e++) {
        x[e] = x[e] * w[e] + b[e];
    }
    pack_store((T *)p.out + place, count, p.whole, x);
}

/* Rows that stand in one piece, to each group of threads its own. */
template <class T> __global__ void __launch_bounds__(1024) rows_kernel(Norm p) {
    typedef Math<T> M;
    __shared__ Moments<M> shared[MOST_WARPS];
    int groups = (int)blockDim.x / p.width, self = (int)threadIdx.x % p.width;
    int64_t step = kept_by<T>(p.width);
    for (int64_t first = blockIdx.x * (int64_t)groups; first < p.rows;
         first += gridDim.x * (int64_t)groups) {
        int64_t row = first + (int)threadIdx.x / p.width, start = row * p.count;
        int64_t n = row < p.rows ? p.count : 0;
        const T *x = (const T *)p.x + start;
        Kept<T> kept;
        Moments<M> all = Moments<M>::start();
        for (int64_t base = 0; base < n; base += step) {
            kept_load(x, n, base, self, p.width, p.whole, &kept);
            all.join(moments_of(kept.x, p.center, [=](int j, int e) {
                return pack_at<T>(base, self, p.width, j) + e < n;
            }));
        }
        all = join_group(all, p.width, shared);
        M rstd = rstd_of(p, all);
        for (int64_t base = 0; base < n; base += step) {
            if (n > step) {
                kept_load(x, n, base, self, p.width, p.whole, &kept);
            }
#pragma unroll
            for (int j = 0; j < Kept<T>::PACKS; j++) {
                int64_t at = pack_at<T>(base, self, p.width, j);
                for (int e = 0; e < Pack<T>::N; e++) {
                    kept.x[j][e] = (kept.x[j][e] - all.mean) * rstd;
                }
                finish<T>(p, start + at, pack_count<T>(at, n), kept.x[j]);
            }
        }
        if (n > 0 && self == 0) {
            put_row(p, row, all.mean, rstd);
        }
    }
}

/* The statistics of each part of each row: moments[row * parts + part]. */
template <class T> __global__ void parts_kernel(Norm p, Moments<Math<T>> *moments) {
    typedef Math<T> M;
    __shared__ Moments<M> shared[MOST_WARPS];
    int self = (int)threadIdx.x, width = (int)blockDim.x;
    for (int64_t i = blockIdx.x; i < p.rows * p.parts; i += gridDim.x) {
        int64_t row = i / p.parts, first = i % p.parts * p.cut;
        int64_t end = first + p.cut < p.count ? first + p.cut : p.count;
        Moments<M> all = Moments<M>::start();
        for (int64_t base = first; base < end; base += kept_by<T>(width)) {
            Kept<T> kept;
#pragma unroll
            for (int j = 0; j < Kept<T>::PACKS; j++) {
                int64_t at = pack_at<T>(base, self, width, j);
                int count = pack_count<T>(at, end);
                const T *x = (const T *)p.x;
                if (p.whole) {
                    pack_load(x + (count ? place_in(p, row, at) : 0), count, true, kept.x[j]);
                } else {
                    for (int e = 0; e < Pack<T>::N; e++) {
                        kept.x[j][e] = e < count ? load(x[place_in(p, row, at + e)]) : (M)0;
                    }
                }
            }
            all.join(moments_of(kept.x, p.center, [=](int j, int e) {
                return pack_at<T>(base, self, width, j) + e < end;
            }));
        }
        all = join_group(all, width, shared);
        if (self == 0) {
            moments[i] = all;
        }
    }
}

/* The same for rows of single elements that stand beside one another:
 * moments[part * rows + row]. */
template <class T> __global__ void columns_kernel(Norm p, Moments<Math<T>> *moments) {
    typedef Math<T> M;
    enum { AT_ONCE = 8 };
    __shared__ Moments<M> shared[DOWN][ACROSS];
    int across = (int)threadIdx.x % ACROSS, down = (int)threadIdx.x / ACROSS;
    int64_t row = blockIdx.x * (int64_t)ACROSS + across, part = blockIdx.y;
    int64_t first = part * p.cut, end = first + p.cut < p.count ? first + p.cut : p.count;
    Moments<M> all = Moments<M>::start();
    for (int64_t at = first + down; row < p.rows && at < end; at += DOWN * AT_ONCE) {
        M x[1][AT_ONCE];
        for (int e = 0; e < AT_ONCE; e++) {
            int64_t k = at + e * DOWN;
            x[0][e] = k < end ? load(((const T *)p.x)[k * p.rows + row]) : (M)0;
        }
        all.join(moments_of(x, p.center, [=](int, int e) { return at + e * DOWN < end; }));
    }
    shared[down][across] = all;
    __syncthreads();
    if (down == 0 && row < p.rows) {
        for (int k = 1; k < DOWN; k++) {
            all.join(shared[k][across]);
        }
        moments[part * p.rows + row] = all;
    }
}

/* A warp to each row joins its parts, which are step apart. */
template <class M>
__global__ void join_kernel(Norm p, const Moments<M> *moments, int64_t row_step, int64_t step) {
    int64_t row = first_of() / LANES;
    int lane = (int)threadIdx.x % LANES;
    Moments<M> all = Moments<M>::start();
    for (int64_t part = lane; row < p.rows && part < p.parts; part += LANES) {
        all.join(moments[row * row_step + part * step]);
    }
    all = join_lanes(all, (int)LANES);
    if (row < p.rows && lane == 0) {
        put_row(p, row, all.mean, rstd_of(p, all));
    }
}

template <class T> __global__ void apply_kernel(Norm p) {
    typedef Math<T> M;
    enum { N = Pack<T>::N };
    for (int64_t at = first_of() * N; at < p.numel; at += step_of() * N) {
        int count = pack_count<T>(at, p.numel);
        M x[N], mean[N], rstd[N];
        pack_load((const T *)p.x + at, count, p.whole, x);
        row_pack(p, (const M *)p.mean, at, count, mean);
        row_pack(p, (const M *)p.rstd, at, count, rstd);
        for (int e = 0; e < N; e++) {
            x[e] = (x[e] - mean[e]) * rstd[e];
        }
        finish<T>(p, at, count, x);
    }
}

/* Statistics of parts, joined, and a second look at all elements. */
template <class T> static void by_parts(const KernelCall *c, Norm p, Dense *d) {
    typedef Moments<Math<T>> All;
    bool columns = p.over_batch && p.span == 1;
    int64_t things = columns ? divide_up(p.rows, ACROSS) : p.rows;
    cut_up(c, &p, things, p.count, columns ? DOWN * 8 : kept_by<T>(THREADS));
    All *moments = (All *)dense_room(d, (size_t)(p.rows * p.parts) * sizeof(All));
    if (!moments) {
        return;
    }
    if (columns) {
        dim3 grid((unsigned)things, (unsigned)p.parts);
        launch(launch_of(c, grid, dim3(ACROSS * DOWN)), columns_kernel<T>, p, moments);
    } else {
        launch(launch_of(c, blocks_for(c, p.rows * p.parts, 1, 16), dim3(THREADS)), parts_kernel<T>,
               p, moments);
    }
    dim3 warps((unsigned)divide_up(p.rows, THREADS / LANES));
    launch(launch_of(c, warps, dim3(THREADS)), join_kernel<Math<T>>, p, (const All *)moments,
           columns ? (int64_t)1 : p.parts, columns ? p.rows : (int64_t)1);
    launch(launch_over(c, divide_up(p.numel, Pack<T>::N)), apply_kernel<T>, p);
}

template <class T> static void by_rows(const KernelCall *c, Norm p) {
    p.width = group_width(divide_up(p.count, Kept<T>::COUNT), LANES, 1024);
    int block = p.width < 128 ? 128 : p.width;
    launch(launch_of(c, blocks_for(c, p.rows, block / p.width, 16), dim3((unsigned)block)),
           rows_kernel<T>, p);
}

} // namespace

static bool standardize(const KernelCall *c) {
    Arg nan = Arg();
    nan.kind = ARG_FLOAT;
    nan.f = NAN;
    if (c->in[0].numel == 0) {
        return gpu_fill_view(c, &c->out[1], nan) && gpu_fill_view(c, &c->out[2], nan);
    }
    Dense d = Dense();
    d.call = c;
    Norm p = norm_of(&c->in[0], c->arg[4].b, c->arg[5].b);
    p.x = dense_in(&d, &c->in[0]);
    p.weight = dense_in(&d, &c->in[1]);
    p.bias = dense_in(&d, &c->in[2]);
    p.eps = c->arg[3].f;
    p.out = c->out[0].data;
    p.mean = c->out[1].data;
    p.rstd = c->out[2].data;
    bool few = p.rows * 2 <= gpu_processors(c->device) && p.count > 16 * THREADS * 8;
    bool ok = !d.failed && for_float(c->in[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        p.whole = norm_is_whole<T>(p);
        if (p.over_batch || few) {
            by_parts<T>(c, p, &d);
        } else {
            by_rows<T>(c, p);
        }
        return true;
    });
    return dense_end(&d, ok);
}

const KernelRow gpu_normalize_rows[] = {{"standardize", standardize}, {NULL, NULL}};
