/* Scopes: a thread-local stack of references; a scope is the part above a mark. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/tls.h"
#include "tensor/tensor.h"

typedef struct ScopeStack {
    Tensor **item;
    int n, capacity;
} ScopeStack;

static THREAD_LOCAL ScopeStack stack;

enum { FIRST_CAPACITY = 256 };

static bool grow(void) {
    int wanted = stack.capacity ? stack.capacity * 2 : FIRST_CAPACITY;
    Tensor **item = mem_alloc((size_t)wanted * sizeof *item);
    if (!item) {
        return false;
    }
    if (stack.n) {
        memcpy(item, stack.item, (size_t)stack.n * sizeof *item);
    }
    mem_free(stack.item, (size_t)stack.capacity * sizeof *item);
    stack.item = item;
    stack.capacity = wanted;
    return true;
}

/* The stack of a thread that has no scope open holds no memory beyond its first size. */
static void shrink(void) {
    if (stack.n == 0 && stack.capacity > FIRST_CAPACITY) {
        mem_free(stack.item, (size_t)stack.capacity * sizeof *stack.item);
        stack = (ScopeStack){0};
    }
}

int scope_open(void) { return stack.n; }

bool scope_add(Tensor *t) {
    if (stack.n == stack.capacity && !grow()) {
        tensor_release(t);
        return false;
    }
    stack.item[stack.n++] = t;
    return true;
}

Tensor *scope_take(Tensor *t) {
    if (t && stack.n && stack.item[stack.n - 1] == t) {
        stack.n--;
        return t;
    }
    return tensor_retain(t);
}

static void release_above(int mark) {
    while (stack.n > mark) {
        tensor_release(stack.item[--stack.n]);
    }
}

void scope_close_many(int mark, Tensor **keep, int n) {
    for (int i = 0; i < n; i++) {
        tensor_retain(keep[i]);
    }
    release_above(mark);
    for (int i = 0; i < n; i++) {
        if (keep[i] && !scope_add(keep[i])) {
            keep[i] = NULL;
        }
    }
    shrink();
}

Tensor *scope_close(int mark, Tensor *keep) {
    if (stack.n - mark == 1 && keep && stack.item[mark] == keep) {
        return keep;
    }
    scope_close_many(mark, &keep, 1);
    return keep;
}
