/* The functions of cuFFT that the backend uses, as NVIDIA documents them, for one-dimensional
 * transforms: by the prime factors of their lengths, in double precision. */
#include <cufftXt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <complex>
#include <map>
#include <memory>
#include <vector>

#include "library.h"
#include "runtime.h"

namespace hostgpu {

typedef std::complex<double> Number;

struct Side {
    cudaDataType type;
    int64_t step, line, length;
    bool real() const { return type == CUDA_R_32F || type == CUDA_R_64F; }
    bool wide() const { return type == CUDA_C_64F || type == CUDA_R_64F; }
    size_t element() const { return (wide() ? 8 : 4) * (real() ? 1 : 2); }
    Number get(const void *p, int64_t i) const {
        switch (type) {
        case CUDA_R_32F: return ((const float *)p)[i];
        case CUDA_R_64F: return ((const double *)p)[i];
        case CUDA_C_32F: return ((const std::complex<float> *)p)[i];
        default: return ((const Number *)p)[i];
        }
    }
    void set(void *p, int64_t i, Number v) const {
        switch (type) {
        case CUDA_R_32F: ((float *)p)[i] = (float)v.real(); break;
        case CUDA_R_64F: ((double *)p)[i] = v.real(); break;
        case CUDA_C_32F: ((std::complex<float> *)p)[i] = std::complex<float>(v); break;
        default: ((Number *)p)[i] = v;
        }
    }
    size_t bytes(int64_t lines) const {
        return (size_t)((lines - 1) * line + (length - 1) * step + 1) * element();
    }
};

struct FourierPlan {
    int64_t n, lines;
    Side in, out;
    cudaStream_t stream = nullptr;
    void *work = nullptr;
    bool brings_memory = false, made = false, gone = false;
};

static std::map<cufftHandle, std::shared_ptr<FourierPlan>> fourier_plans;

/* x becomes its transform; root holds the n-th roots of unity, of which it takes every stride-th.
 */
static void transform(std::vector<Number> &x, const std::vector<Number> &root, size_t stride) {
    size_t n = x.size(), p = 2;
    while (p * p <= n && n % p != 0) {
        p++;
    }
    p = p * p <= n ? p : n;
    if (n <= 1) {
        return;
    }
    size_t m = n / p;
    std::vector<std::vector<Number>> part(p, std::vector<Number>(m));
    for (size_t i = 0; i < n; i++) {
        part[i % p][i / p] = x[i];
    }
    for (auto &each : part) {
        transform(each, root, stride * p);
    }
    for (size_t k = 0; k < n; k++) {
        Number sum = 0;
        for (size_t r = 0; r < p; r++) {
            sum += part[r][k % m] * root[r * k % n * stride];
        }
        x[k] = sum;
    }
}

static std::vector<Number> roots(int64_t n, int direction) {
    std::vector<Number> root((size_t)n);
    for (int64_t k = 0; k < n; k++) {
        root[(size_t)k] = std::polar(1.0, direction * 2 * M_PI * (double)k / (double)n);
    }
    return root;
}

/* A line of n numbers, of which only the first half may be stored, their conjugates not. */
static std::vector<Number> load_line(const FourierPlan &p, const void *in, int64_t line) {
    std::vector<Number> x((size_t)p.n);
    for (int64_t i = 0; i < p.n; i++) {
        bool mirrored = i >= p.in.length;
        int64_t at = mirrored ? p.n - i : i;
        Number v = p.in.get(in, line * p.in.line + at * p.in.step);
        bool is_real = p.out.real() && (at == 0 || 2 * at == p.n);
        x[(size_t)i] = is_real ? v.real() : mirrored ? std::conj(v) : v;
    }
    return x;
}

static void run(const FourierPlan &p, void *in, void *out, int direction) {
    std::vector<Number> root = roots(p.n, direction);
    for (int64_t line = 0; line < p.lines; line++) {
        std::vector<Number> x = load_line(p, in, line);
        transform(x, root, 1);
        for (int64_t i = 0; i < p.out.length; i++) {
            p.out.set(out, line * p.out.line + i * p.out.step, x[(size_t)i]);
        }
    }
    if (p.out.real()) {
        memset(in, 0xFF, p.in.bytes(p.lines));
    }
}

static cufftResult fft_create(cufftHandle *handle) {
    Guard guard(lock);
    static cufftHandle last;
    *handle = ++last;
    fourier_plans[last] = std::make_shared<FourierPlan>();
    return CUFFT_SUCCESS;
}

static std::shared_ptr<FourierPlan> fft_find(cufftHandle handle) {
    auto found = fourier_plans.find(handle);
    return found == fourier_plans.end() ? nullptr : found->second;
}

static cufftResult fft_destroy(cufftHandle handle) {
    Guard guard(lock);
    auto p = fft_find(handle);
    if (!p) {
        return CUFFT_INVALID_PLAN;
    }
    p->gone = true;
    fourier_plans.erase(handle);
    return CUFFT_SUCCESS;
}

static cufftResult fft_own_memory(cufftHandle handle, int own) {
    Guard guard(lock);
    auto p = fft_find(handle);
    if (!p || p->made) {
        return CUFFT_INVALID_PLAN;
    }
    p->brings_memory = own == 0;
    return CUFFT_SUCCESS;
}

static bool is_side(const Side &s) { return s.step > 0 && s.line > 0 && s.length > 0; }

static cufftResult fft_make(cufftHandle handle, int rank, long long *n, long long *in_embedded,
                            long long in_step, long long in_line, cudaDataType in_type,
                            long long *out_embedded, long long out_step, long long out_line,
                            cudaDataType out_type, long long lines, size_t *bytes,
                            cudaDataType computed) {
    Guard guard(lock);
    auto p = fft_find(handle);
    if (!p || !p->brings_memory || rank != 1 || n[0] <= 0 || lines <= 0 || !in_embedded ||
        !out_embedded) {
        return CUFFT_INVALID_VALUE;
    }
    int64_t half = n[0] / 2 + 1;
    p->n = n[0];
    p->lines = lines;
    p->in = {in_type, in_step, in_line, n[0]};
    p->out = {out_type, out_step, out_line, n[0]};
    p->in.length = p->out.real() ? half : n[0];
    p->out.length = p->in.real() ? half : n[0];
    bool wide = computed == CUDA_C_64F;
    if (!is_side(p->in) || !is_side(p->out) || (p->in.real() && p->out.real()) ||
        p->in.wide() != wide || p->out.wide() != wide) {
        return CUFFT_INVALID_TYPE;
    }
    p->made = true;
    *bytes = p->in.bytes(lines);
    return CUFFT_SUCCESS;
}

static cufftResult fft_set_stream(cufftHandle handle, cudaStream_t stream) {
    Guard guard(lock);
    auto p = fft_find(handle);
    if (!p) {
        return CUFFT_INVALID_PLAN;
    }
    p->stream = stream;
    return CUFFT_SUCCESS;
}

static cufftResult fft_set_memory(cufftHandle handle, void *work) {
    Guard guard(lock);
    auto p = fft_find(handle);
    if (!p || !p->made || !on_device(work, p->in.bytes(p->lines))) {
        return CUFFT_INVALID_VALUE;
    }
    p->work = work;
    return CUFFT_SUCCESS;
}

static bool is_aligned(const void *p, const Side &s) {
    return (uintptr_t)p % (s.wide() ? 16 : 8) == 0;
}

static cufftResult fft_execute(cufftHandle handle, void *in, void *out, int direction) {
    Guard guard(lock);
    auto p = fft_find(handle);
    if (!p || !p->work || !on_device(in, p->in.bytes(p->lines)) ||
        !on_device(out, p->out.bytes(p->lines)) || !is_aligned(in, p->in) ||
        !is_aligned(out, p->out)) {
        return CUFFT_INVALID_VALUE;
    }
    bool alike = p->in.step == p->out.step && p->in.line == p->out.line;
    if (in == out && !alike) {
        return CUFFT_INVALID_VALUE;
    }
    void *work = p->work;
    p->work = nullptr;
    cudaError_t error = enqueue(p->stream, [=]() {
        if (p->gone) {
            fprintf(stderr, "hostgpu: a plan was destroyed before its transform ran\n");
            abort();
        }
        memset(work, 0xFF, p->in.bytes(p->lines));
        run(*p, in, out, direction);
    });
    return error ? CUFFT_EXEC_FAILED : CUFFT_SUCCESS;
}

static const StandIns fft_functions({{"cufftCreate", fft_create},
                                     {"cufftDestroy", fft_destroy},
                                     {"cufftSetAutoAllocation", fft_own_memory},
                                     {"cufftXtMakePlanMany", fft_make},
                                     {"cufftSetStream", fft_set_stream},
                                     {"cufftSetWorkArea", fft_set_memory},
                                     {"cufftXtExec", fft_execute}});

} // namespace hostgpu
