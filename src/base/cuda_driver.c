#include "base/cuda_driver.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

enum { CUDA_OK = 0, CUDA_NO_DEVICE = 100 };

/* The three functions of the driver's interface that are needed, as NVIDIA documents them. */
typedef int InitFn(unsigned flags);
typedef int CountFn(int *count);
typedef int NameFn(int error, const char **name);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int devices;
static char reason[256];

static void fail_driver(const char *what, int error, NameFn *name) {
    const char *text = NULL;
    if (!name || name(error, &text) != CUDA_OK || !text) {
        text = "unknown error";
    }
    snprintf(reason, sizeof reason, "the NVIDIA driver does not work: %s gives %s (%d)", what, text,
             error);
}

static void ask(void) {
    void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!driver) {
        snprintf(reason, sizeof reason, "there is no NVIDIA driver (libcuda.so.1)");
        return;
    }
    InitFn *init = (InitFn *)dlsym(driver, "cuInit");
    CountFn *count = (CountFn *)dlsym(driver, "cuDeviceGetCount");
    NameFn *name = (NameFn *)dlsym(driver, "cuGetErrorName");
    if (!init || !count) {
        snprintf(reason, sizeof reason, "libcuda.so.1 is not an NVIDIA driver");
        return;
    }
    int error = init(0);
    if (error == CUDA_NO_DEVICE) {
        snprintf(reason, sizeof reason, "the NVIDIA driver finds no device");
        return;
    }
    if (error != CUDA_OK) {
        fail_driver("cuInit", error, name);
        return;
    }
    error = count(&devices);
    if (error != CUDA_OK) {
        devices = 0;
        fail_driver("cuDeviceGetCount", error, name);
    } else if (devices == 0) {
        snprintf(reason, sizeof reason, "the NVIDIA driver finds no device");
    }
}

int cuda_driver_devices(const char **why) {
    pthread_once(&once, ask);
    *why = reason;
    return devices;
}
