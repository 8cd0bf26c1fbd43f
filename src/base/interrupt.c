#include "base/interrupt.h"

#include "base/error.h"

atomic_int interrupt_flag;

bool interrupt_take(void) {
    if (!atomic_exchange_explicit(&interrupt_flag, 0, memory_order_relaxed)) {
        return false;
    }
    fail_kind(ERR_INTERRUPT, "interrupted");
    return true;
}
