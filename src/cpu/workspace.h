#ifndef TOCHA_CPU_WORKSPACE_H
#define TOCHA_CPU_WORKSPACE_H
/* Scratch memory for the tasks of one parallel call: as many slots as threads can run at once, so
 * that a slot stays in its core's cache while tasks come and go. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/threads.h"

typedef struct Workspace {
    char *base;
    size_t slot_bytes;
    int slots;
    atomic_flag taken[THREADS_MAX];
} Workspace;

/* Room for tasks tasks of bytes bytes each; false: out of memory, error recorded. */
bool workspace_open(Workspace *w, int64_t tasks, size_t bytes);
void workspace_close(Workspace *w);
/* Called by a task: a slot of its own, uninitialised, and its return. */
void *workspace_take(Workspace *w);
void workspace_give(Workspace *w, void *slot);
#endif
