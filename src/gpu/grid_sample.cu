/* Looking images up at places: a thread takes a point and some channels. For the image's gradient
 * every pixel gets a list of the corners that met it, which serves all channels. */
#include "gpu/grid_sample.cuh"
#include "gpu/lists.cuh"

template <class T> __global__ void sample_kernel(Sampler p) {
    typedef Math<T> M;
    int64_t chunks = (p.g.c + p.channels - 1) / p.channels;
    for (int64_t i = first_of(); i < p.g.n * chunks * p.g.points; i += step_of()) {
        int64_t point = i, chunk = divide(p.by_points, &point), n = chunk / chunks;
        int64_t first = chunk % chunks * p.channels, end = first + p.channels;
        Taps<M> taps[GRID_DIMS];
        all_taps<T>(p, n * p.g.points + point, -1, taps);
        for (int64_t c = first; c < end && c < p.g.c; c++) {
            const T *plane = (const T *)p.image + (n * p.g.c + c) * p.plane;
            M sum = 0;
            each_corner(p, taps, [&](int, int64_t at, M w) { sum += w * load(plane[at]); });
            ((T *)p.out)[(n * p.g.c + c) * p.g.points + point] = Element<T>::store(sum);
        }
    }
}

namespace {

template <class M> struct Slopes {
    M by[GRID_DIMS];
    template <class F> __device__ Slopes each(F f) const {
        return Slopes{{f(by[0]), f(by[1]), f(by[2])}};
    }
    __device__ void join(const Slopes &o) {
        for (int a = 0; a < GRID_DIMS; a++) {
            by[a] += o.by[a];
        }
    }
};

/* The gradient by the coordinates: p.width threads share the channels of a point. */
template <class T> __global__ void by_place_kernel(Sampler p) {
    typedef Math<T> M;
    int groups = (int)blockDim.x / p.width, self = (int)threadIdx.x % p.width;
    int64_t all = p.g.n * p.g.points;
    for (int64_t base = blockIdx.x * (int64_t)groups; base < all;
         base += gridDim.x * (int64_t)groups) {
        int64_t i = base + (int)threadIdx.x / p.width, point = i < all ? i : 0, at = point;
        int64_t n = divide(p.by_points, &point);
        Slopes<M> slopes = {{(M)0, (M)0, (M)0}};
#pragma unroll
        for (int a = 0; a < GRID_DIMS; a++) {
            Taps<M> taps[GRID_DIMS];
            if (a < p.g.dims) {
                all_taps<T>(p, at, a, taps);
            }
            for (int64_t c = self; i < all && a < p.g.dims && c < p.g.c; c += p.width) {
                const T *plane = (const T *)p.image + (n * p.g.c + c) * p.plane;
                M sum = 0;
                each_corner(p, taps,
                            [&](int, int64_t pixel, M w) { sum += w * load(plane[pixel]); });
                M g = load(((const T *)p.grad)[(n * p.g.c + c) * p.g.points + point]);
                slopes.by[a] += g * sum;
            }
        }
        slopes = join_lanes(slopes, p.width);
        for (int a = 0; self == 0 && i < all && a < p.g.dims; a++) {
            ((T *)p.out)[at * p.g.dims + a] = Element<T>::store(slopes.by[a]);
        }
    }
}

/* Some images of a gradient, and for each of their pixels the corners that meet it. */
struct Scatter {
    Sampler s;
    Lists lists;
    void *weight; /* of each corner of each point */
    int64_t first, images;
    Size by_plane;
};

template <class T> __global__ void link_kernel(Scatter k) {
    typedef Math<T> M;
    const Sampler &p = k.s;
    for (int64_t i = first_of(); i < k.images * p.g.points; i += step_of()) {
        int64_t point = i, n = divide(p.by_points, &point);
        Taps<M> taps[GRID_DIMS];
        all_taps<T>(p, k.first * p.g.points + i, -1, taps);
        each_corner(p, taps, [&](int corner, int64_t pixel, M w) {
            int64_t entry = i * p.corners + corner;
            ((M *)k.weight)[entry] = w;
            list_add(k.lists, (int32_t)(n * p.plane + pixel), (int32_t)entry);
        });
    }
}

static __global__ void settle_kernel(Scatter k) {
    for (int64_t i = first_of(); i < k.images * k.s.plane; i += step_of()) {
        list_settle(k.lists, (int32_t)i);
    }
}

template <class T> __global__ void collect_kernel(Scatter k) {
    typedef Math<T> M;
    const Sampler &p = k.s;
    const M *weight = (const M *)k.weight;
    int64_t chunks = (p.g.c + p.channels - 1) / p.channels;
    for (int64_t i = first_of(); i < k.images * chunks * p.plane; i += step_of()) {
        int64_t pixel = i, chunk = divide(k.by_plane, &pixel), n = chunk / chunks;
        int64_t first = chunk % chunks * p.channels, end = first + p.channels;
        int32_t head = k.lists.head[n * p.plane + pixel];
        for (int64_t c = first; c < end && c < p.g.c; c++) {
            int64_t channel = (k.first + n) * p.g.c + c;
            const T *grad = (const T *)p.grad + channel * p.g.points - n * p.g.points;
            M sum = sum_list<M>(k.lists, head,
                                [=](int32_t e) { return weight[e] * load(grad[e / p.corners]); });
            ((T *)p.out)[channel * p.plane + pixel] = Element<T>::store(sum);
        }
    }
}

static Ints sizes(const View *v) { return Ints{v->shape, v->dim}; }

/* How many channels a thread takes where there is one to each of so many things: few, unless there
 * are threads enough. */
static int64_t channels_each(const Sampler &p, int64_t things) {
    const int64_t enough = 1 << 17;
    int64_t chunks = divide_up(enough, things > 0 ? things : 1);
    chunks = chunks < p.g.c ? chunks : p.g.c;
    return chunks > 0 ? divide_up(p.g.c, chunks) : 1;
}

static void plan(Sampler *p) {
    p->plane = p->g.size[0] * p->g.size[1] * p->g.size[2];
    p->taps = p->g.mode == GRID_LINEAR ? 2 : p->g.mode == GRID_NEAREST ? 1 : 4;
    p->corners = p->taps * p->taps * (p->g.dims == 3 ? p->taps : 1);
    p->by_points = size_of(p->g.points, p->g.n * p->g.points * (p->g.c > 0 ? p->g.c : 1));
    p->channels = channels_each(*p, p->g.n * p->g.points);
}

static bool grid_sampler(const KernelCall *c) {
    Sampler p = Sampler();
    if (!grid_shape(c->op, c->arg, 2, sizes(&c->in[0]), sizes(&c->in[1]), &p.g)) {
        return false;
    }
    Dense d = Dense();
    d.call = c;
    plan(&p);
    p.image = dense_in(&d, &c->in[0]);
    p.grid = dense_in(&d, &c->in[1]);
    p.out = c->out[0].data;
    bool ok =
        c->out[0].numel == 0 || d.failed || for_float(c->in[0].dtype, [&](auto zero) {
            int64_t chunks = divide_up(p.g.c, p.channels);
            launch(launch_over(c, p.g.n * chunks * p.g.points), sample_kernel<decltype(zero)>, p);
            return true;
        });
    return dense_end(&d, ok);
}

static bool grid_sampler_grid_grad(const KernelCall *c) {
    Sampler p = Sampler();
    if (!grid_shape(c->op, c->arg, 3, sizes(&c->in[1]), sizes(&c->in[2]), &p.g)) {
        return false;
    }
    Dense d = Dense();
    d.call = c;
    plan(&p);
    p.grad = dense_in(&d, &c->in[0]);
    p.image = dense_in(&d, &c->in[1]);
    p.grid = dense_in(&d, &c->in[2]);
    p.out = c->out[0].data;
    int64_t all = p.g.n * p.g.points;
    p.width = all < 1 << 14 ? group_width(p.g.c, 1, LANES) : 1;
    bool ok = c->out[0].numel == 0 || d.failed || for_float(c->in[1].dtype, [&](auto zero) {
                  launch(launch_over(c, all * p.width), by_place_kernel<decltype(zero)>, p);
                  return true;
              });
    return dense_end(&d, ok);
}

/* Entries and pixels that lists are made of at once. */
const int64_t AT_ONCE = INT64_C(1) << 26;

template <class T> static bool scatter(const KernelCall *c, Scatter k, Dense *d) {
    Sampler *p = &k.s;
    int64_t entries = p->g.points * p->corners, all = p->g.n;
    int64_t most = AT_ONCE / (entries + p->plane);
    most = most < 1 ? 1 : most < all ? most : all;
    size_t heads = (size_t)(most * p->plane) * sizeof(int32_t);
    k.lists.head = (int32_t *)dense_room(d, heads);
    k.lists.next = (int32_t *)dense_room(d, (size_t)(most * entries) * sizeof(int32_t));
    k.weight = dense_room(d, (size_t)(most * entries) * sizeof(Math<T>));
    p->channels = channels_each(*p, most * p->plane);
    int64_t chunks = divide_up(p->g.c, p->channels);
    k.by_plane = size_of(p->plane, most * chunks * p->plane);
    for (k.first = 0; k.first < all && !d->failed; k.first += most) {
        k.images = all - k.first < most ? all - k.first : most;
        if (!gpu_ok(cudaMemsetAsync(k.lists.head, 0xff, heads, gpu_stream(c->device)), c->name)) {
            return false;
        }
        launch(launch_over(c, k.images * p->g.points), link_kernel<T>, k);
        launch(launch_over(c, k.images * p->plane), settle_kernel, k);
        launch(launch_over(c, k.images * chunks * p->plane), collect_kernel<T>, k);
    }
    return true;
}

} // namespace

static bool grid_sampler_input_grad(const KernelCall *c) {
    Scatter k = Scatter();
    Sampler *p = &k.s;
    if (!grid_shape(c->op, c->arg, 3, sizes(&c->out[0]), sizes(&c->in[1]), &p->g)) {
        return false;
    }
    if (c->out[0].numel == 0 || p->g.points == 0) {
        return gpu_fill_view(c, &c->out[0], whole(0));
    }
    plan(p);
    if (p->g.points * p->corners > INT32_MAX) {
        return fail("there is no cuda kernel for more than %d points", INT32_MAX / p->corners);
    }
    Dense d = Dense();
    d.call = c;
    p->grad = dense_in(&d, &c->in[0]);
    p->grid = dense_in(&d, &c->in[1]);
    p->out = c->out[0].data;
    bool ok = !d.failed && for_float(c->out[0].dtype,
                                     [&](auto zero) { return scatter<decltype(zero)>(c, k, &d); });
    return dense_end(&d, ok);
}

const KernelRow gpu_grid_sample_rows[] = {{"grid_sampler", grid_sampler},
                                          {"grid_sampler_input_grad", grid_sampler_input_grad},
                                          {"grid_sampler_grid_grad", grid_sampler_grid_grad},
                                          {NULL, NULL}};
