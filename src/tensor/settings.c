#include "tensor/settings.h"

#include <stdatomic.h>

static _Atomic int64_t settings[N_SETTINGS] = {
    [SETTING_CUDNN] = true, [SETTING_CUDNN_DETERMINISTIC] = true};

int64_t setting_get(int which) {
    return atomic_load_explicit(&settings[which], memory_order_relaxed);
}

void setting_set(int which, int64_t value) {
    atomic_store_explicit(&settings[which], value, memory_order_relaxed);
}
