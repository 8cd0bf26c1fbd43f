#ifndef TOCHA_BASE_ATOMIC_H
#define TOCHA_BASE_ATOMIC_H

#include <stdatomic.h>
#include <stdbool.h>

/* The caller owns a reference already, so nothing has to be ordered against the increment. */
static inline void ref_retain(atomic_int *count) {
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

/* Returns true when the count fell to zero; the caller then sees all writes of former owners and
 * destroys the object. A sole owner needs no locked instruction. */
static inline bool ref_release(atomic_int *count) {
    if (atomic_load_explicit(count, memory_order_acquire) == 1) {
        atomic_store_explicit(count, 0, memory_order_relaxed);
        return true;
    }
    return atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel) == 1;
}

#endif
