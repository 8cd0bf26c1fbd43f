#include <string.h>

#include "base/memory.h"
#include "cpu/cpu.h"
#include "tensor/op.h"

static void *alloc(Device device, size_t bytes) {
    (void)device;
    return mem_alloc(bytes);
}

static void release(Device device, void *p, size_t bytes) {
    (void)device;
    mem_free(p, bytes);
}

static bool copy(Device dst_device, void *dst, Device src_device, const void *src, size_t bytes) {
    (void)dst_device;
    (void)src_device;
    memcpy(dst, src, bytes);
    return true;
}

#define FAMILY(name) cpu_##name##_rows,
static const KernelRow *const families[] = {
#include "cpu/families.def"
};
#undef FAMILY

bool cpu_start(void) {
    static KernelRow rows[N_OPS + 1];
    int n = 0;
    for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
        for (const KernelRow *row = families[f]; row->op; row++) {
            if (n == N_OPS) {
                return fail("the CPU backend has more kernels than there are ops");
            }
            rows[n++] = *row;
        }
    }
    rows[n] = (KernelRow){NULL, NULL};
    static const Backend backend = {.abi = BACKEND_ABI,
                                    .size = sizeof backend,
                                    .name = "cpu",
                                    .alloc = alloc,
                                    .release = release,
                                    .copy = copy,
                                    .kernels = rows};
    return backend_register(DEVICE_CPU, &backend);
}
