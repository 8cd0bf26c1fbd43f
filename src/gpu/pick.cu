#include "gpu/pick.cuh"

#include "gpu/fault.cuh"

namespace {

struct Offsets {
    int64_t size, step;
    bool from_end, more;
    GpuFaultSite site;
};

/* Operands: at, index, and the place of each in index, counted in bytes from nothing. */
static __global__ void offsets_kernel(Walk<3> w, Offsets o) {
    for (int64_t i = first_of(); i < w.numel; i += step_of()) {
        int64_t offset[3];
        walk_offsets(w, (uint32_t)i, offset);
        int64_t *at = (int64_t *)(w.data[0] + offset[0]);
        int64_t position = *(const int64_t *)(w.data[1] + offset[1]);
        int64_t place = w.data[2] - (char *)0 + offset[2];
        int64_t k = checked_offset(o.site, position, o.size, place, o.from_end);
        int64_t before = o.more ? *at : 0;
        *at = k < 0 || before == NOWHERE ? NOWHERE : before + k * o.step;
    }
}

/* Operands: dense, base, at. */
template <class T> __global__ void take_kernel(Walk<3> w) {
    for (int64_t i = first_of(); i < w.numel; i += step_of()) {
        int64_t offset[3];
        char *from;
        if (picked(w, i, offset, &from)) {
            *(T *)(w.data[0] + offset[0]) = *(const T *)from;
        }
    }
}

/* Operands: dense, base, at, place. owner[k] is the largest place, plus 1, that writes element k of
 * the tensor's memory. */
template <class T>
__global__ void own_kernel(Walk<4> w, const char *tensor, unsigned long long *owner) {
    for (int64_t i = first_of(); i < w.numel; i += step_of()) {
        int64_t offset[4];
        char *to;
        if (picked(w, i, offset, &to)) {
            int64_t k = (to - tensor) / (int64_t)sizeof(T);
            atomicMax(&owner[k], (unsigned long long)(w.data[3] - (char *)0 + offset[3] + 1));
        }
    }
}

template <class T>
__global__ void put_kernel(Walk<4> w, const char *tensor, const unsigned long long *owner) {
    for (int64_t i = first_of(); i < w.numel; i += step_of()) {
        int64_t offset[4];
        char *to;
        if (!picked(w, i, offset, &to)) {
            continue;
        }
        int64_t k = (to - tensor) / (int64_t)sizeof(T);
        if (owner[k] == (unsigned long long)(w.data[3] - (char *)0 + offset[3] + 1)) {
            *(T *)to = *(const T *)(w.data[0] + offset[0]);
        }
    }
}

} // namespace

bool gpu_pick_offsets(const KernelCall *c, const char *param, const View *at, const View *index,
                      int64_t size, int64_t step, bool from_end, bool more) {
    Offsets o = {size, step, from_end, more, gpu_fault_site(c, param, index)};
    Counter counter(index);
    const View *const operand[] = {at, index, &counter.view};
    if (at->numel > 0) {
        walk_over(c, operand, offsets_kernel, o);
    }
    return true;
}

bool gpu_pick_take(const KernelCall *c, const GpuPick *p) {
    const View *const operand[] = {&p->dense, &p->base, &p->at};
    return p->dense.numel == 0 || for_width(p->dense.dtype, [&](auto zero) {
               walk_over(c, operand, take_kernel<decltype(zero)>);
               return true;
           });
}

bool gpu_pick_put(const KernelCall *c, const GpuPick *p, const View *tensor) {
    Counter counter(&p->dense);
    const View *const operand[] = {&p->dense, &p->base, &p->at, &counter.view};
    if (p->dense.numel == 0) {
        return true;
    }
    size_t bytes = (size_t)span_of(tensor) * sizeof(unsigned long long);
    unsigned long long *owner = (unsigned long long *)gpu_alloc(c->device, bytes);
    if (!owner) {
        return false;
    }
    bool ok = gpu_ok(cudaMemsetAsync(owner, 0, bytes, gpu_stream(c->device)), c->name) &&
              for_width(p->dense.dtype, [&](auto zero) {
                  typedef decltype(zero) T;
                  const char *start = (const char *)tensor->data;
                  walk_over(c, operand, own_kernel<T>, start, owner);
                  walk_over(c, operand, put_kernel<T>, start, (const unsigned long long *)owner);
                  return true;
              });
    gpu_release(c->device, owner, bytes);
    return ok;
}
