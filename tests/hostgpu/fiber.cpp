#include "fiber.h"

#include <stdlib.h>
#include <sys/mman.h>

#include <vector>

#include "runtime.h"

#if defined(__SANITIZE_ADDRESS__)
    #include <sanitizer/common_interface_defs.h>
#endif
#if !defined(__x86_64__)
    #include <ucontext.h>
#endif

#define UNWATCHED __attribute__((no_sanitize("thread")))

namespace hostgpu {

static const size_t STACK = 256 << 10, GUARD_PAGE = 4096;

static std::vector<char *> stacks;

static char *stack_new() {
    void *p = mmap(nullptr, STACK, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        abort();
    }
    mprotect(p, GUARD_PAGE, PROT_NONE); /* stacks grow down into it */
    return (char *)p;
}

#if defined(HOSTGPU_TSAN)
static std::vector<void *> watched;
static size_t next_stack;

/* To ThreadSanitizer a stack is a thread, so that what lies on it is nobody else's. Making one is
 * dear, so they go round in a ring of half as many again as live at a time: thread i of a block and
 * thread i of the next never share one, and a race between blocks is seen too. */
static int take_stack(size_t ring) {
    size_t i = next_stack++ % (ring * 3 / 2 + 1);
    while (stacks.size() <= i) {
        stacks.push_back(stack_new());
        watched.push_back(__tsan_create_fiber(0));
    }
    return (int)i;
}

static void return_stack(int) {}
#else
static std::vector<int> free_stacks;

static int take_stack(size_t) {
    if (free_stacks.empty()) {
        free_stacks.push_back((int)stacks.size());
        stacks.push_back(stack_new());
    }
    int stack = free_stacks.back();
    free_stacks.pop_back();
    return stack;
}

static void return_stack(int stack) { free_stacks.push_back(stack); }
#endif

void fiber_drop(Fiber *f) {
    if (f->stack >= 0) {
        return_stack(f->stack);
    }
    f->stack = -1;
}

/* ---- The switch itself. */

#if defined(__x86_64__)
static void *home;

extern "C" void hostgpu_switch(void **save, void *to);
__asm__(".text\n"
        ".globl hostgpu_switch\n"
        ".hidden hostgpu_switch\n"
        "hostgpu_switch:\n"
        "push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "mov %rsp, (%rdi)\n mov %rsi, %rsp\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n ret\n");

/* A stack on which the switch's pops and its return lead into entry(). */
static void prepare(Fiber *f, void (*entry)()) {
    void **top = (void **)(stacks[(size_t)f->stack] + STACK);
    *--top = nullptr; /* entry's own return address, and the alignment that calls have */
    *--top = (void *)entry;
    f->place = top - 6;
    memset(f->place, 0, 6 * sizeof *top);
}
static void go(Fiber *f) { hostgpu_switch(&home, f->place); }
static void go_home(Fiber *f) { hostgpu_switch(&f->place, home); }
#else
static ucontext_t home;
static std::vector<ucontext_t *> contexts;

static void prepare(Fiber *f, void (*entry)()) {
    while (contexts.size() <= (size_t)f->stack) {
        contexts.push_back(new ucontext_t);
    }
    ucontext_t *c = contexts[(size_t)f->stack];
    getcontext(c);
    c->uc_stack.ss_sp = stacks[(size_t)f->stack];
    c->uc_stack.ss_size = STACK;
    c->uc_link = nullptr;
    makecontext(c, entry, 0);
    f->place = c;
}
static void go(Fiber *f) { swapcontext(&home, (ucontext_t *)f->place); }
static void go_home(Fiber *f) { swapcontext((ucontext_t *)f->place, &home); }
#endif

/* ---- What the sanitizers want to know about it. */

#if defined(__SANITIZE_ADDRESS__)
static void *home_fake;
static const void *home_bottom;
static size_t home_size;
#endif

#if defined(HOSTGPU_TSAN)
static void *home_watched;
#endif

void fiber_start(Fiber *f, void (*entry)(), size_t ring) {
    f->stack = take_stack(ring);
    f->fake = nullptr;
    prepare(f, entry);
}

UNWATCHED void fiber_resume(Fiber *f) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&home_fake, stacks[(size_t)f->stack], STACK);
#endif
#if defined(HOSTGPU_TSAN)
    home_watched = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(watched[(size_t)f->stack], __tsan_switch_to_fiber_no_sync);
#endif
    go(f);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(home_fake, nullptr, nullptr);
#endif
}

UNWATCHED void fiber_leave(Fiber *f, bool ended) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(ended ? nullptr : &f->fake, home_bottom, home_size);
#else
    (void)ended;
#endif
#if defined(HOSTGPU_TSAN)
    __tsan_switch_to_fiber(home_watched, __tsan_switch_to_fiber_no_sync);
#endif
    go_home(f);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(f->fake, &home_bottom, &home_size);
#endif
}

void fiber_entered() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &home_bottom, &home_size);
#endif
}

} // namespace hostgpu
