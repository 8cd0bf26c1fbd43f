/* Kernels of the Fourier transforms: which lines there are, and how they are shared out to the
 * threads. What transforms them is a module with pocketfft. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/isa.h"
#include "base/memory.h"
#include "base/module.h"
#include "base/threads.h"
#include "cpu/cpu.h"
#include "cpu/fft_module.h"
#include "tensor/axes.h"
#include "tensor/op.h"

enum {
    IN,
    OUT,
    TASK_NUMBERS = 32768,           /* of a task, about: some 100 us of work */
    LONGEST_SIDE_BY_SIDE = 1 << 17, /* longer lines go one by one, in less memory */
    WHY_MAX = 512,
    MODULE_PATH_MAX = 4096
};

_Static_assert((int)FFT_DIMS > (int)MAX_DIMS, "a call has the line's dim and all others");

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const FftModule *module;
static char load_error[MODULE_PATH_MAX + WHY_MAX];

static const FftModule *open_module(const char *path) {
    static const FftHost host = {.alloc = mem_alloc, .release = mem_free};
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(load_error, sizeof load_error, "cannot load the module that computes it (%s)",
                 dlerror());
        return NULL;
    }
    FftOpen *open = (FftOpen *)dlsym(library, FFT_OPEN);
    const FftModule *opened = open ? open(&host) : NULL;
    if (!opened || opened->abi != FFT_ABI) {
        snprintf(load_error, sizeof load_error,
                 "%s is of another version of Tocha; install the two together", path);
        return NULL;
    }
    return opened;
}

/* Lines of a power of two side by side, sixteen for AVX-512, evict each other from the cache: eight
 * are up to twice as fast. */
static Isa module_isa(void) {
#ifdef TOCHA_ISA_AVX2
    return isa_current() < ISA_AVX2 ? isa_current() : ISA_AVX2;
#else
    return ISA_BASELINE;
#endif
}

static void load(void) {
    char name[64], path[MODULE_PATH_MAX];
    snprintf(name, sizeof name, "tocha_fft_%s.so", isa_name(module_isa()));
    if (module_path(name, path, sizeof path)) {
        module = open_module(path);
    } else {
        snprintf(load_error, sizeof load_error,
                 "there is no %s, the module that computes it; it belongs beside core.so, or into "
                 "the folder tocha beside libtocha.so",
                 name);
    }
}

/* A call's lines in tasks: blocks of the axis `cut` with all of the axes inside of it. Tasks do not
 * depend on the number of threads, and have whole groups of lanes, so that no bit does. */
typedef struct Lines {
    FftCall call; /* its last dim is the lines' */
    const char *in;
    char *out;
    Axis kept[MAX_DIMS]; /* the other dims, innermost first, at least one; steps in bytes */
    int n_kept, cut;
    int64_t n, lines, block, blocks, tasks;
    atomic_int status;
    char why[WHY_MAX]; /* of the task that has set status */
} Lines;

static int64_t step_of(const View *v, int64_t dim) {
    return v->stride[dim] * (int64_t)dtype_size(v->dtype);
}

static void lines_init(Lines *l, const View *in, const View *out, int64_t dim) {
    l->in = in->data;
    l->out = out->data;
    l->lines = 1;
    for (int d = in->dim - 1; d >= 0; d--) {
        if (d != dim && in->shape[d] != 1) {
            l->kept[l->n_kept++] = (Axis){in->shape[d], {step_of(in, d), step_of(out, d)}};
            l->lines *= in->shape[d];
        }
    }
    axes_sort(l->kept, l->n_kept, OUT);
    l->n_kept = axes_merge(l->kept, l->n_kept);
    if (l->n_kept == 0) {
        l->kept[l->n_kept++] = (Axis){.size = 1};
    }
}

/* Lines that are to be computed side by side, lanes at most. */
static int side_by_side(const Lines *l, int lanes) {
    return l->n > LONGEST_SIDE_BY_SIDE || l->lines < lanes ? 1 : lanes;
}

static void cut_tasks(Lines *l, int64_t lanes) {
    int64_t inside = 1, wanted = TASK_NUMBERS / l->n;
    wanted = wanted < lanes ? lanes : wanted;
    while (l->cut < l->n_kept - 1 && inside * l->kept[l->cut].size < wanted) {
        inside *= l->kept[l->cut++].size;
    }
    int64_t size = l->kept[l->cut].size;
    l->block = (wanted + inside - 1) / inside;
    for (int64_t left = inside; lanes > 1 && left % 2 == 0; left /= 2) {
        lanes /= 2;
    }
    l->block = (l->block + lanes - 1) / lanes * lanes;
    l->blocks = (size + l->block - 1) / l->block;
    l->tasks = l->blocks * (l->lines / (inside * size));
}

/* The dims of a task as a call has them, outermost first; the block's size is set for each. */
static void call_init(Lines *l, const View *in, const View *out, int64_t dim) {
    FftCall *c = &l->call;
    for (int k = l->cut; k >= 0; k--) {
        c->shape[c->dims] = (size_t)l->kept[k].size;
        c->in_stride[c->dims] = l->kept[k].step[IN];
        c->out_stride[c->dims++] = l->kept[k].step[OUT];
    }
    c->shape[c->dims] = (size_t)l->n;
    c->in_stride[c->dims] = step_of(in, dim);
    c->out_stride[c->dims++] = step_of(out, dim);
}

/* Keeps the first failure; what the thread has recorded of it moves to whoever waits for the tasks.
 */
static void note_failure(Lines *l, FftStatus status) {
    int none = FFT_DONE;
    if (atomic_compare_exchange_strong(&l->status, &none, (int)status)) {
        const char *why = error_message();
        snprintf(l->why, sizeof l->why, "%s", why ? why : "out of memory");
    }
    error_clear();
}

static bool stopped(const Lines *l) {
    return interrupt_pending() || atomic_load(&l->status) != FFT_DONE;
}

static void run_tasks(void *ctx, int64_t begin, int64_t end) {
    Lines *l = ctx;
    FftCall c = l->call;
    const Axis *axis = &l->kept[l->cut];
    for (int64_t task = begin; task < end && !stopped(l); task++) {
        int64_t first = task % l->blocks * l->block, at[AXIS_OPERANDS] = {0};
        axes_offset(l->kept, l->cut + 1, l->n_kept, task / l->blocks, at);
        c.shape[0] = (size_t)(axis->size - first < l->block ? axis->size - first : l->block);
        c.in = l->in + at[IN] + first * axis->step[IN];
        c.out = l->out + at[OUT] + first * axis->step[OUT];
        FftStatus status = module->run(&c);
        if (status != FFT_DONE) {
            note_failure(l, status);
        }
    }
}

static bool run_lines(Lines *l) {
    FftStatus status =
        l->tasks > 1 ? module->prepare(l->call.kind, l->call.wide, l->call.shape[l->call.dims - 1])
                     : FFT_DONE;
    if (status != FFT_DONE) {
        note_failure(l, status);
    } else {
        parallel_for(l->tasks, 1, run_tasks, l);
    }
    module->trim();
    switch (atomic_load(&l->status)) {
    case FFT_DONE: return true;
    case FFT_NO_MEMORY: return fail_kind(ERR_MEMORY, "%s", l->why);
    default: return fail("pocketfft refuses a transform of %lld numbers", (long long)l->n);
    }
}

static bool transform(const KernelCall *c, FftKind kind, int64_t dim, bool inverse, double scale) {
    const View *in = &c->in[0], *out = &c->out[0], *whole = kind == FFT_TO_REAL ? out : in;
    if (out->numel == 0) {
        return true;
    }
    pthread_once(&once, load);
    if (!module) {
        return fail("%s", load_error);
    }
    bool wide = dtype_real_of(out->dtype) == DT_FLOAT64;
    Lines l = {.n = whole->shape[dim],
               .call = {.kind = kind, .wide = wide, .inverse = inverse, .scale = scale}};
    lines_init(&l, in, out, dim);
    cut_tasks(&l, side_by_side(&l, module->lanes[wide]));
    call_init(&l, in, out, dim);
    return run_lines(&l);
}

static bool cpu_fourier(const KernelCall *c) {
    return transform(c, FFT_COMPLEX, c->arg[1].i, c->arg[2].b, c->arg[3].f);
}

static bool cpu_fourier_real(const KernelCall *c) {
    return transform(c, FFT_FROM_REAL, c->arg[1].i, false, c->arg[2].f);
}

static bool cpu_fourier_to_real(const KernelCall *c) {
    return transform(c, FFT_TO_REAL, c->arg[2].i, true, c->arg[3].f);
}

const KernelRow cpu_fft_rows[] = {{"fourier", cpu_fourier},
                                  {"fourier_real", cpu_fourier_real},
                                  {"fourier_to_real", cpu_fourier_to_real},
                                  {NULL, NULL}};
