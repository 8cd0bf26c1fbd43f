/* Devices, their streams, and the faults that kernels report. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "gpu/gpu.h"
#include "gpu/graph.h"
#include "tensor/ctc.h"
#include "tensor/index_plan.h"

typedef struct GpuDevice {
    atomic_bool ready;
    cudaStream_t stream; /* where work goes unless a thread has chosen another */
    int processors, generation;
    int *taken;
    GpuFault *fault;
} GpuDevice;

static GpuDevice devices[GPU_DEVICES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The thread's own choices. No initial-exec model (base/tls.h): a module that is loaded late must
 * not use up the loader's surplus. */
static _Thread_local struct {
    int device; /* one more than the thread's CUDA device; 0: not set */
    cudaStream_t stream[GPU_DEVICES];
} thread;

static pthread_once_t counted = PTHREAD_ONCE_INIT;
static int count;

static void count_devices(void) {
    if (cudaGetDeviceCount(&count) != cudaSuccess) {
        cudaGetLastError();
        count = 0;
    }
    count = count < GPU_DEVICES ? count : GPU_DEVICES;
}

int gpu_device_count(void) {
    pthread_once(&counted, count_devices);
    return count;
}

bool gpu_ok(cudaError_t error, const char *what) {
    return error == cudaSuccess ? true : fail("%s: %s", what, cudaGetErrorString(error));
}

static bool prepare(GpuDevice *d, int index) {
    static const char *const what = "preparing the device";
    void *record, *taken;
    if (!gpu_ok(cudaStreamCreateWithFlags(&d->stream, cudaStreamNonBlocking), what) ||
        !gpu_ok(cudaDeviceGetAttribute(&d->processors, cudaDevAttrMultiProcessorCount, index),
                what) ||
        !gpu_ok(cudaDeviceGetAttribute(&d->generation, cudaDevAttrComputeCapabilityMajor, index),
                what) ||
        !gpu_ok(cudaHostAlloc(&record, sizeof *d->fault, cudaHostAllocPortable), what) ||
        !gpu_ok(cudaMalloc(&taken, sizeof *d->taken), what) ||
        !gpu_ok(cudaMemset(taken, 0, sizeof *d->taken), what)) {
        return false;
    }
    memset(record, 0, sizeof *d->fault);
    d->fault = (GpuFault *)record;
    d->taken = (int *)taken;
    return true;
}

bool gpu_enter(Device device) {
    GpuDevice *d = &devices[device.index];
    if (thread.device != device.index + 1) {
        if (!gpu_ok(cudaSetDevice(device.index), "choosing the device")) {
            return false;
        }
        thread.device = device.index + 1;
    }
    if (atomic_load_explicit(&d->ready, memory_order_acquire)) {
        return true;
    }
    pthread_mutex_lock(&lock);
    bool ok = atomic_load(&d->ready) || prepare(d, device.index);
    atomic_store_explicit(&d->ready, ok, memory_order_release);
    pthread_mutex_unlock(&lock);
    return ok;
}

cudaStream_t gpu_stream(Device device) {
    cudaStream_t own = thread.stream[device.index];
    return own ? own : devices[device.index].stream;
}

void gpu_stream_use(Device device, cudaStream_t stream) { thread.stream[device.index] = stream; }

int gpu_processors(Device device) { return devices[device.index].processors; }

int gpu_generation(Device device) { return devices[device.index].generation; }

bool gpu_report_fault(Device device) {
    GpuDevice *d = &devices[device.index];
    GpuFault fault;
    pthread_mutex_lock(&lock);
    bool set = *(volatile int *)&d->fault->set != 0;
    if (set) {
        fault = *d->fault;
        d->fault->set = 0;
        cudaMemsetAsync(d->taken, 0, sizeof *d->taken, gpu_stream(device));
    }
    pthread_mutex_unlock(&lock);
    if (!set) {
        return true;
    }
    if (fault.kind == FAULT_TEXT) {
        return fail_kind(ERR_DEVICE, "%s: %s", fault.op, fault.param);
    }
    if (fault.kind >= FAULT_CTC && fault.kind <= FAULT_CTC_LAST) {
        char words[CTC_TEXT_MAX];
        ctc_text(words, fault.op, (CtcWrong)(fault.kind - FAULT_CTC), fault.param, fault.value,
                 fault.size, fault.place);
        return fail_kind(ERR_DEVICE, "%s", words);
    }
    char text[INDEX_TEXT_MAX];
    Ints shape = {fault.shape, fault.dim};
    if (fault.kind == FAULT_ELEMENT) {
        double value;
        memcpy(&value, &fault.value, sizeof value);
        element_text(text, fault.op, fault.param, shape, fault.place, value);
    } else if (fault.kind == FAULT_WEIGHTS) {
        weights_text(text, fault.op, fault.place, fault.value, fault.size);
    } else if (fault.kind == FAULT_LABEL) {
        label_text(text, fault.op, shape, fault.place, fault.value, fault.size);
    } else {
        index_text(text, fault.op, fault.param, shape, fault.place, fault.value, fault.size,
                   fault.kind == FAULT_INDEX_END);
    }
    return fail_kind(ERR_DEVICE, "%s", text);
}

static bool after_waiting(Device device, cudaError_t error) {
    if (error != cudaSuccess) {
        return fail_kind(ERR_DEVICE, "cuda: a kernel failed: %s; TOCHA_GPU_SYNC=1 names the op",
                         cudaGetErrorString(error));
    }
    return gpu_report_fault(device);
}

bool gpu_wait_stream(Device device) {
    return gpu_may_wait(device) && after_waiting(device, cudaStreamSynchronize(gpu_stream(device)));
}

bool gpu_synchronize(Device device) {
    return gpu_may_wait(device) && gpu_enter(device) &&
           after_waiting(device, cudaDeviceSynchronize());
}

bool gpu_finish(Device device, const char *op) {
    cudaError_t error = cudaDeviceSynchronize();
    return error == cudaSuccess
               ? gpu_report_fault(device)
               : fail_kind(ERR_DEVICE, "%s: its kernel failed: %s", op, cudaGetErrorString(error));
}

GpuFaultSite gpu_fault_site(const KernelCall *c, const char *param, const View *index) {
    const GpuDevice *d = &devices[c->device.index];
    GpuFaultSite site = {.taken = d->taken, .record = d->fault, .op = c->name, .param = param};
    if (index) {
        site.dim = index->dim;
        memcpy(site.shape, index->shape, (size_t)index->dim * sizeof *site.shape);
    }
    return site;
}
