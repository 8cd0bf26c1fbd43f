/* Fourier transforms by pocketfft, behind the table of fft_module.h. */
#include "cpu/fft_module.h"

#include <algorithm>
#include <complex>
#include <cstdlib>
#include <list>
#include <memory>
#include <mutex>
#include <new>

namespace pocketfft {
namespace detail {

static const FftHost *host;

/* The library's name for memory, found before the C library's: what it takes counts as the
 * engine's. A block begins with its size. */
inline void *aligned_alloc(size_t align, size_t bytes) {
    char *block = bytes < SIZE_MAX - align ? (char *)host->alloc(bytes + align) : nullptr;
    if (!block) {
        return nullptr;
    }
    *(size_t *)block = bytes + align;
    return block + align;
}

enum { ALIGN = 64 };
inline void *malloc(size_t bytes) { return aligned_alloc(ALIGN, bytes); }

inline void free(void *p) {
    if (p) {
        char *block = (char *)p - ALIGN;
        host->release(block, *(size_t *)block);
    }
}

} // namespace detail
} // namespace pocketfft

#define POCKETFFT_NO_MULTITHREADING
#define POCKETFFT_CACHE_SIZE 0
#include <pocketfft_hdronly.h>

namespace pocketfft {
namespace detail {

/* The plans used last, the latest first: few, and of not too many numbers together. A larger one
 * stays only until trim(). */
enum { KEPT_PLANS = 16, KEPT_NUMBERS = 1 << 22 };

struct Kept {
    int type;
    size_t n;
    std::shared_ptr<void> plan;
};

static std::mutex lock;
/* Never destroyed: threads may still compute while the process ends. */
static std::list<Kept> &kept = *new std::list<Kept>;
static bool any_large;

static void drop_old() {
    size_t plans = 0, numbers = 0;
    kept.remove_if([&](const Kept &k) {
        if (k.n > KEPT_NUMBERS) {
            return false;
        }
        plans++;
        numbers += k.n;
        return plans > KEPT_PLANS || numbers > KEPT_NUMBERS;
    });
}

static void drop_large() {
    std::lock_guard<std::mutex> guard(lock);
    if (any_large) {
        kept.remove_if([](const Kept &k) { return k.n > KEPT_NUMBERS; });
        any_large = false;
    }
}

static std::shared_ptr<void> find_plan(int type, size_t n) {
    std::lock_guard<std::mutex> guard(lock);
    auto at = std::find_if(kept.begin(), kept.end(),
                           [&](const Kept &k) { return k.type == type && k.n == n; });
    if (at == kept.end()) {
        return nullptr;
    }
    kept.splice(kept.begin(), kept, at);
    return at->plan;
}

template <typename Plan> static std::shared_ptr<Plan> plan_of(int type, size_t n) {
    auto found = std::static_pointer_cast<Plan>(find_plan(type, n));
    if (!found) {
        found = std::make_shared<Plan>(n);
        std::lock_guard<std::mutex> guard(lock);
        kept.push_front({type, n, found});
        any_large = any_large || n > KEPT_NUMBERS;
        drop_old();
    }
    return found;
}

/* The library's own cache would keep plans of any size. */
#define PLANS_OF(Plan, type) \
    template <> std::shared_ptr<Plan> get_plan<Plan>(size_t n) { return plan_of<Plan>(type, n); }
PLANS_OF(pocketfft_c<float>, 0)
PLANS_OF(pocketfft_c<double>, 1)
PLANS_OF(pocketfft_r<float>, 2)
PLANS_OF(pocketfft_r<double>, 3)

} // namespace detail
} // namespace pocketfft

namespace fft = pocketfft::detail;

template <typename T> static void transform(const FftCall *c) {
    const fft::shape_t shape(c->shape, c->shape + c->dims);
    const fft::stride_t in_stride(c->in_stride, c->in_stride + c->dims);
    const fft::stride_t out_stride(c->out_stride, c->out_stride + c->dims);
    const size_t axis = shape.size() - 1;
    const T scale = (T)c->scale;
    typedef std::complex<T> Complex;
    switch (c->kind) {
    case FFT_COMPLEX:
        pocketfft::c2c(shape, in_stride, out_stride, {axis}, !c->inverse, (const Complex *)c->in,
                       (Complex *)c->out, scale);
        break;
    case FFT_FROM_REAL:
        pocketfft::r2c(shape, in_stride, out_stride, axis, pocketfft::FORWARD, (const T *)c->in,
                       (Complex *)c->out, scale);
        break;
    case FFT_TO_REAL:
        pocketfft::c2r(shape, in_stride, out_stride, axis, pocketfft::BACKWARD,
                       (const Complex *)c->in, (T *)c->out, scale);
        break;
    }
}

template <typename T> static void make_plan(FftKind kind, size_t n) {
    if (kind == FFT_COMPLEX) {
        fft::get_plan<fft::pocketfft_c<T>>(n);
    } else {
        fft::get_plan<fft::pocketfft_r<T>>(n);
    }
}

/* The engine is C: no exception leaves the module. */
template <typename Work> static FftStatus guarded(Work work) {
    try {
        work();
        return FFT_DONE;
    } catch (const std::bad_alloc &) {
        return FFT_NO_MEMORY;
    } catch (...) {
        return FFT_FAILED;
    }
}

static FftStatus prepare(FftKind kind, int wide, size_t n) {
    return guarded([=] { wide ? make_plan<double>(kind, n) : make_plan<float>(kind, n); });
}

static FftStatus run(const FftCall *c) {
    return guarded([=] { c->wide ? transform<double>(c) : transform<float>(c); });
}

extern "C" __attribute__((visibility("default"))) const FftModule *
tocha_fft_open(const FftHost *host) {
    static const FftModule module = {FFT_ABI,
                                     {(int)fft::VLEN<float>::val, (int)fft::VLEN<double>::val},
                                     prepare,
                                     run,
                                     fft::drop_large};
    fft::host = host;
    return &module;
}
