/* Products, largest and smallest of elements that are picked for the same one. They are sorted by
 * what they are picked for, so that they stand side by side in the order of their places, and then
 * scanned: a call always joins them in the same order, and rounds once. */
#include "gpu/kinds.cuh"
#include "gpu/pick.cuh"
#include "gpu/scan.cuh"
#include "gpu/sort.cuh"

namespace {

struct JoinProduct {
    static __device__ __forceinline__ double join(double a, double b) { return a * b; }
    static __device__ __forceinline__ int64_t join(int64_t a, int64_t b) {
        return (int64_t)((uint64_t)a * (uint64_t)b);
    }
};
/* A nan wins. */
struct JoinLargest {
    template <class N> static __device__ __forceinline__ N join(N a, N b) {
        return a > b || a != a ? a : b;
    }
};
struct JoinSmallest {
    template <class N> static __device__ __forceinline__ N join(N a, N b) {
        return a < b || a != a ? a : b;
    }
};

/* Entries so far of the target that the last one has. */
template <class J, class N> struct Segment {
    N so_far;
    bool any, begins; /* whether the target's first entry is among them */
    static __device__ __forceinline__ Segment start() { return Segment{(N)0, false, false}; }
    __device__ __forceinline__ void join(const Segment &later) {
        if (!any || later.begins) {
            *this = later.any ? later : *this;
        } else if (later.any) {
            so_far = J::join(so_far, later.so_far);
        }
    }
};

/* The number of an element of the tensor's memory as a key, and the place of what is joined to it.
 */
template <class In, class J> struct Joining {
    typedef typename In::Number Number;
    typedef decltype(J::join(Number(), Number())) N;
    typedef Segment<J, N> Item;
    Entries e;
    uint64_t nowhere; /* the key of those without a target */
    const void *dense;
    Axes axes; /* of dense */
    void *out;
    int dtype;

    __device__ __forceinline__ uint64_t key(int64_t i) const {
        return e.wide ? ((const uint64_t *)e.key)[i] : ((const uint32_t *)e.key)[i];
    }
    __device__ __forceinline__ Item item(const int64_t *, int64_t i) const {
        int64_t at[AXIS_OPERANDS] = {0, 0, 0};
        locate(axes, e.place[i], at);
        bool begins = i == 0 || key(i) != key(i - 1);
        return Item{(N)In::get(dense, at[0], dtype), true, begins};
    }
    __device__ __forceinline__ void done(const int64_t *, int64_t i, const Item &upto) const {
        uint64_t target = key(i);
        if (target != nowhere && (i == e.n - 1 || key(i + 1) != target)) {
            N own = (N)In::get(out, (int64_t)target, dtype);
            put(out, (int64_t)target, dtype, J::join(own, upto.so_far));
        }
    }
};

} // namespace

/* Operands: dense, base, at, and the place of each. */
template <class K>
__global__ void target_kernel(Walk<4> w, const char *tensor, int64_t size, uint64_t nowhere, K *key,
                              uint32_t *place) {
    for (int64_t i = first_of(); i < w.numel; i += step_of()) {
        int64_t offset[4];
        char *to;
        bool ok = picked(w, i, offset, &to);
        int64_t own = w.data[3] - (char *)0 + offset[3];
        key[own] = ok ? (K)((to - tensor) / size) : (K)nowhere;
        place[own] = (uint32_t)own;
    }
}

static void fill_targets(const KernelCall *c, const GpuPick *p, const View *tensor,
                         uint64_t nowhere, const Entries *e) {
    Counter counter(&p->dense);
    const View *const operand[] = {&p->dense, &p->base, &p->at, &counter.view};
    const char *start = (const char *)tensor->data;
    int64_t size = (int64_t)dtype_size(tensor->dtype);
    if (e->wide) {
        walk_over(c, operand, target_kernel<uint64_t>, start, size, nowhere, (uint64_t *)e->key,
                  e->place);
    } else {
        walk_over(c, operand, target_kernel<uint32_t>, start, size, nowhere, (uint32_t *)e->key,
                  e->place);
    }
}

template <class J>
static bool scan_targets(const KernelCall *c, const GpuPick *p, const View *tensor,
                         uint64_t nowhere, const Entries &e) {
    ScanRows r = ScanRows();
    r.rows = 1;
    r.size = e.n;
    r.inner = true;
    return for_real_kind(tensor->dtype, [&](auto in) {
        Joining<decltype(in), J> job = {
            e, nowhere, p->dense.data, axes_of(&p->dense), tensor->data, tensor->dtype};
        return scan_rows(c, job, r);
    });
}

template <class J> static bool join(const KernelCall *c, const GpuPick *p, const View *tensor) {
    if (p->dense.numel == 0) {
        return true;
    }
    if (p->dense.numel >= UINT32_MAX) {
        return fail("%s: on a cuda device less than %lld elements can be joined, got %lld", c->name,
                    (long long)UINT32_MAX, (long long)p->dense.numel);
    }
    uint64_t nowhere = (uint64_t)span_of(tensor);
    int bits = 1;
    while (bits < 64 && nowhere >> bits) {
        bits++;
    }
    Entries e = Entries(), other;
    e.rows = 1;
    e.n = p->dense.numel;
    e.wide = bits > 32;
    other = e;
    bool ok = entries_begin(c, &e) && entries_begin(c, &other);
    if (ok) {
        fill_targets(c, p, tensor, nowhere, &e);
        ok = entries_sort(c, &e, &other, bits) && scan_targets<J>(c, p, tensor, nowhere, e);
    }
    entries_end(c, &other);
    entries_end(c, &e);
    return ok;
}

bool gpu_pick_prod(const KernelCall *c, const GpuPick *p, const View *tensor) {
    return join<JoinProduct>(c, p, tensor);
}
bool gpu_pick_max(const KernelCall *c, const GpuPick *p, const View *tensor) {
    return join<JoinLargest>(c, p, tensor);
}
bool gpu_pick_min(const KernelCall *c, const GpuPick *p, const View *tensor) {
    return join<JoinSmallest>(c, p, tensor);
}
