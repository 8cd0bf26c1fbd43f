/* Drawing positions by their weights, with the same bits as on the CPU. */
#include "gpu/fault.cuh"
#include "gpu/sort.cuh"
#include "tensor/formulas/distributions.h"
#include "tensor/formulas/keys.h"

namespace {

struct Weights {
    double *weight; /* (rows, n); summed up along each row where positions may come again */
    int64_t rows, n, samples;
    Counters from;
    bool again;
};

} // namespace

/* The sums of stretches, one behind the other, as the weights up to each. */
static __device__ void add_stretches(double *weight, int64_t n) {
    for (int64_t first = threadIdx.x * (int64_t)F_STRETCH; first < n;
         first += blockDim.x * (int64_t)F_STRETCH) {
        f_sum_stretch(weight + first, n - first < F_STRETCH ? n - first : (int64_t)F_STRETCH);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        double before = 0;
        for (int64_t first = 0; first < n; first += F_STRETCH) {
            int64_t last = n - first < F_STRETCH ? n - 1 : first + F_STRETCH - 1;
            before = weight[last] += before;
        }
    }
    __syncthreads();
    for (int64_t j = threadIdx.x + (int64_t)F_STRETCH; j < n; j += blockDim.x) {
        int64_t stretch = j / F_STRETCH * F_STRETCH;
        if (j != stretch + F_STRETCH - 1 && j != n - 1) {
            weight[j] += weight[stretch - 1];
        }
    }
    __syncthreads();
}

static __device__ double sum_of(const double *part) {
    double sum = 0;
    for (int i = 0; i < THREADS; i++) {
        sum += part[i];
    }
    return sum;
}

/* A row to each block: checks its weights, which are 0 where they are wrong, and sums them up. */
static __global__ void weigh_kernel(Weights w, GpuFaultSite element, GpuFaultSite row_site) {
    __shared__ unsigned long long positive;
    __shared__ double total[THREADS];
    for (int64_t row = blockIdx.x; row < w.rows; row += gridDim.x) {
        double *weight = w.weight + row * w.n;
        unsigned long long mine = 0;
        total[threadIdx.x] = 0;
        if (threadIdx.x == 0) {
            positive = 0;
        }
        __syncthreads();
        for (int64_t j = threadIdx.x; j < w.n; j += blockDim.x) {
            if (!(weight[j] >= 0 && weight[j] <= DBL_MAX)) {
                int64_t bits = (int64_t)f_bits_f64(weight[j]);
                fault_report(element, FAULT_ELEMENT, bits, 0, row * w.n + j);
                weight[j] = 0;
            }
            mine += weight[j] > 0;
            total[threadIdx.x] += weight[j];
        }
        atomicAdd(&positive, mine);
        __syncthreads();
        if (w.again) {
            add_stretches(weight, w.n);
        }
        int64_t wanted = w.again ? 1 : w.samples;
        if (threadIdx.x == 0 && ((int64_t)positive < wanted || sum_of(total) > DBL_MAX)) {
            fault_report(row_site, FAULT_WEIGHTS, (int64_t)positive, wanted, row);
        }
        __syncthreads();
    }
}

static __global__ void draw_kernel(Weights w, int64_t *out) {
    for (int64_t i = first_of(); i < w.rows * w.samples; i += step_of()) {
        const double *sum = w.weight + i / w.samples * w.n;
        bool any = sum[w.n - 1] > 0 && sum[w.n - 1] <= DBL_MAX;
        int64_t last = any ? f_last_position(sum, w.n) : 0;
        out[i] =
            1 + (any ? f_draw_position(w.from.key(), w.from.at((uint64_t)i), sum, w.n, last) : 0);
    }
}

static __global__ void race_kernel(Weights w, Entries e) {
    for (int64_t i = first_of(); i < w.rows * w.n; i += step_of()) {
        int64_t row = i / w.n, j = i % w.n;
        uint64_t counter = w.from.at((uint64_t)(row * w.samples));
        double time = f_race_time(w.from.key(), counter, j, w.weight[i]);
        ((uint64_t *)e.key)[i] = f_key_f64(f_bits_f64(time));
        e.place[i] = (uint32_t)j;
    }
}

static __global__ void arrive_kernel(Weights w, Entries e, int64_t *out) {
    for (int64_t i = first_of(); i < w.rows * w.samples; i += step_of()) {
        out[i] = e.place[i / w.samples * w.n + i % w.samples] + (int64_t)1;
    }
}

/* All set out at once, and the first ones are drawn: the order of arrival is that of drawing one
 * after the other without putting back. */
static bool draw_once(const KernelCall *c, const Weights &w) {
    Entries e = Entries();
    e.rows = w.rows;
    e.n = w.n;
    e.wide = true;
    Entries other = e;
    if (!entries_begin(c, &e)) {
        return false;
    }
    bool ok = entries_begin(c, &other);
    if (ok) {
        launch(launch_over(c, w.rows * w.n), race_kernel, w, e);
        ok = entries_sort(c, &e, &other, 64);
        launch(launch_over(c, w.rows * w.samples), arrive_kernel, w, e, (int64_t *)c->out[0].data);
        entries_end(c, &other);
    }
    entries_end(c, &e);
    return ok;
}

static bool draw(const KernelCall *c, const Weights &w) {
    GpuFaultSite element = gpu_fault_site(c, F_WEIGHTS_TEXT, &c->in[0]);
    unsigned blocks = (unsigned)(w.rows < 65535 ? w.rows : 65535);
    launch(launch_of(c, dim3(blocks), dim3(THREADS)), weigh_kernel, w, element,
           gpu_fault_site(c, "input", NULL));
    if (!w.again) {
        return draw_once(c, w);
    }
    launch(launch_over(c, w.rows * w.samples), draw_kernel, w, (int64_t *)c->out[0].data);
    return true;
}

static bool multinomial(const KernelCall *c) {
    const View *in = &c->in[0];
    int64_t n = in->shape[in->dim - 1];
    size_t bytes = (size_t)in->numel * sizeof(double);
    Weights w = {NULL, n ? in->numel / n : 0, n, c->arg[1].i, counters_of(c), c->arg[2].b};
    if (w.rows == 0 || c->out[0].numel == 0) {
        return true;
    }
    w.weight = (double *)gpu_alloc(c->device, bytes);
    if (!w.weight) {
        return false;
    }
    bool ok = gpu_copy_doubles(c, w.weight, in) && draw(c, w);
    gpu_release(c->device, w.weight, bytes);
    return ok;
}

const KernelRow gpu_multinomial_rows[] = {{"multinomial", multinomial}, {NULL, NULL}};
