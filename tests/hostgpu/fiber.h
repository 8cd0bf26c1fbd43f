#ifndef TOCHA_HOSTGPU_FIBER_H
#define TOCHA_HOSTGPU_FIBER_H
/* Fibers: stacks that a thread switches between by itself. */
#include <stddef.h>

namespace hostgpu {

struct Fiber {
    void *place; /* where it stands: its stack pointer, or its ucontext */
    int stack;   /* which stack it has; -1: none */
    void *fake;  /* AddressSanitizer's stack beside it */
};

/* Starts or resumes a fiber; returns when it calls fiber_leave(). Fresh ones begin with entry(),
 * which must not return. ring: how many fibers live at a time. */
void fiber_start(Fiber *f, void (*entry)(), size_t ring);
void fiber_resume(Fiber *f);
/* Goes back to whoever resumed the fiber; ended: for the last time. */
void fiber_leave(Fiber *f, bool ended);
/* The first thing that entry() does. */
void fiber_entered();
/* Takes the stack of a fiber that has ended or is not resumed any more. */
void fiber_drop(Fiber *f);

} // namespace hostgpu

#endif
