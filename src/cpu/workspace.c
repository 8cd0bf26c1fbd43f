#include "cpu/workspace.h"

#include "base/memory.h"

bool workspace_open(Workspace *w, int64_t tasks, size_t bytes) {
    int threads = threads_inside() ? 1 : threads_get();
    w->slots = tasks < threads ? (int)tasks : threads;
    w->slot_bytes = (bytes / MEM_ALIGN + 1) * MEM_ALIGN;
    for (int i = 0; i < w->slots; i++) {
        atomic_flag_clear_explicit(&w->taken[i], memory_order_relaxed);
    }
    w->base = mem_alloc((size_t)w->slots * w->slot_bytes);
    return w->base != NULL;
}

void workspace_close(Workspace *w) { mem_free(w->base, (size_t)w->slots * w->slot_bytes); }

void *workspace_take(Workspace *w) {
    for (int i = 0;; i = (i + 1) % w->slots) {
        if (!atomic_flag_test_and_set_explicit(&w->taken[i], memory_order_acquire)) {
            return w->base + (size_t)i * w->slot_bytes;
        }
    }
}

void workspace_give(Workspace *w, void *slot) {
    size_t i = (size_t)((char *)slot - w->base) / w->slot_bytes;
    atomic_flag_clear_explicit(&w->taken[i], memory_order_release);
}
