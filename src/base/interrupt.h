#ifndef TOCHA_BASE_INTERRUPT_H
#define TOCHA_BASE_INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>

/* Set to 1 by a signal handler (it is lock-free) to stop what is running. */
extern atomic_int interrupt_flag;

/* Whether a stop was asked for. Changes nothing, so worker threads may call it. */
static inline bool interrupt_pending(void) {
    return __builtin_expect(atomic_load_explicit(&interrupt_flag, memory_order_relaxed) != 0, 0);
}

/* Takes the pending interrupt: clears the flag and records ERR_INTERRUPT. Returns false if another
 * thread took it first. */
bool interrupt_take(void);

/*
 * Whether the calling thread has to stop: if so, the flag is cleared and the error recorded. For
 * the thread that started the work only; a worker that cleared the flag would hide it from it.
 */
static inline bool interrupted(void) { return interrupt_pending() && interrupt_take(); }

#endif
