#include "gpu/fft_plan.h"

#include <cufftXt.h>
#include <pthread.h>
#include <string.h>

#include "gpu/library.h"

enum { CREATE, DESTROY, OWN_MEMORY, MAKE, SET_STREAM, SET_MEMORY, EXECUTE, N_FUNCTIONS };

static const char *const names[] = {"cufftCreate",
                                    "cufftDestroy",
                                    "cufftSetAutoAllocation",
                                    "cufftXtMakePlanMany",
                                    "cufftSetStream",
                                    "cufftSetWorkArea",
                                    "cufftXtExec",
                                    NULL};
static const char *const files[] = {"libcufft.so.12", "libcufft.so.11", "libcufft.so", NULL};
static void (*found[N_FUNCTIONS])(void);

typedef cufftResult CreateFn(cufftHandle *);
typedef cufftResult DestroyFn(cufftHandle);
typedef cufftResult OwnMemoryFn(cufftHandle, int);
typedef cufftResult MakeFn(cufftHandle, int, long long *, long long *, long long, long long,
                           cudaDataType, long long *, long long, long long, cudaDataType, long long,
                           size_t *, cudaDataType);
typedef cufftResult SetStreamFn(cufftHandle, cudaStream_t);
typedef cufftResult SetMemoryFn(cufftHandle, void *);
typedef cufftResult ExecuteFn(cufftHandle, void *, void *, int);

/* Making a plan takes longer than most transforms, so the last ones are kept. */
typedef struct Plan {
    bool made;
    int device;
    FftShape shape;
    cufftHandle handle;
    size_t bytes; /* of work memory */
    uint64_t used;
} Plan;

enum { PLANS = 64 };

/* Plans know one stream and one work area at a time, and are used under the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool opened;
static Plan plans[PLANS];
static uint64_t uses;

static bool fft_ok(cufftResult status, const char *what) {
    return status == CUFFT_SUCCESS ? true
                                   : fail("cuFFT: %s fails with status %d", what, (int)status);
}

static bool same_side(FftSide a, FftSide b) { return a.step == b.step && a.line == b.line; }

static bool same_shape(const FftShape *a, const FftShape *b) {
    return a->kind == b->kind && a->wide == b->wide && a->n == b->n && a->lines == b->lines &&
           same_side(a->in, b->in) && same_side(a->out, b->out);
}

static cudaDataType type_of(bool wide, bool real) {
    return real ? (wide ? CUDA_R_64F : CUDA_R_32F) : wide ? CUDA_C_64F : CUDA_C_32F;
}

static cufftResult make(Plan *p) {
    const FftShape *s = &p->shape;
    long long n = s->n, embedded = s->n;
    cufftResult status = ((OwnMemoryFn *)found[OWN_MEMORY])(p->handle, 0);
    return status ? status
                  : ((MakeFn *)found[MAKE])(p->handle, 1, &n, &embedded, s->in.step, s->in.line,
                                            type_of(s->wide, s->kind == FFT_FROM_REAL), &embedded,
                                            s->out.step, s->out.line,
                                            type_of(s->wide, s->kind == FFT_TO_REAL), s->lines,
                                            &p->bytes, type_of(s->wide, false));
}

static void destroy(Plan *p) { ((DestroyFn *)found[DESTROY])(p->handle); }

/* Fills p in; memory that is cached for tensors is given back if cuFFT is short of it. */
static bool build(Plan *p, Device d) {
    if (!fft_ok(((CreateFn *)found[CREATE])(&p->handle), "cufftCreate")) {
        return false;
    }
    cufftResult status = make(p);
    if (status == CUFFT_ALLOC_FAILED && gpu_memory_trim(d, 0)) {
        destroy(p);
        status = ((CreateFn *)found[CREATE])(&p->handle);
        status = status ? status : make(p);
    }
    if (status == CUFFT_ALLOC_FAILED) {
        destroy(p);
        return fail_kind(ERR_MEMORY, "out of memory: cuFFT needs memory on cuda:%d for its plan",
                         d.index);
    }
    p->made = status == CUFFT_SUCCESS;
    if (!p->made) {
        destroy(p);
    }
    return fft_ok(status, "planning a transform");
}

/* The plan that has not been used for the longest time; work that it still does is waited for. */
static Plan *oldest(Device d) {
    Plan *oldest = &plans[0];
    for (int i = 1; i < PLANS; i++) {
        if (plans[i].used < oldest->used) {
            oldest = &plans[i];
        }
    }
    if (oldest->made) {
        bool ok = gpu_synchronize((Device){DEVICE_CUDA, (int8_t)oldest->device}) && gpu_enter(d);
        if (!ok) {
            return NULL;
        }
        destroy(oldest);
    }
    oldest->made = false;
    return oldest;
}

static Plan *plan_for(Device d, const FftShape *s) {
    static const GpuLibrary library = {"cuFFT", files, names, found};
    opened = opened || gpu_library_open(&library);
    if (!opened) {
        return NULL;
    }
    for (int i = 0; i < PLANS; i++) {
        Plan *p = &plans[i];
        if (p->made && p->device == d.index && same_shape(&p->shape, s)) {
            p->used = ++uses;
            return p;
        }
    }
    Plan *p = oldest(d);
    if (!p) {
        return NULL;
    }
    *p = (Plan){.device = d.index, .shape = *s, .used = ++uses};
    return build(p, d) ? p : NULL;
}

static bool execute(Device d, const Plan *p, void *in, void *out, bool inverse) {
    void *work = p->bytes ? gpu_alloc(d, p->bytes) : NULL;
    if (p->bytes && !work) {
        return false;
    }
    bool ok =
        fft_ok(((SetStreamFn *)found[SET_STREAM])(p->handle, gpu_stream(d)), "cufftSetStream") &&
        (!work ||
         fft_ok(((SetMemoryFn *)found[SET_MEMORY])(p->handle, work), "cufftSetWorkArea")) &&
        fft_ok(((ExecuteFn *)found[EXECUTE])(p->handle, in, out,
                                             inverse ? CUFFT_INVERSE : CUFFT_FORWARD),
               "a transform");
    if (work) {
        gpu_release(d, work, p->bytes);
    }
    return ok;
}

bool gpu_fft_run(const KernelCall *c, const FftShape *s, void *in, void *out, bool inverse) {
    pthread_mutex_lock(&lock);
    Plan *p = plan_for(c->device, s);
    bool ok = p && execute(c->device, p, in, out, inverse);
    pthread_mutex_unlock(&lock);
    return ok;
}
