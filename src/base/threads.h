#ifndef TOCHA_BASE_THREADS_H
#define TOCHA_BASE_THREADS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One pool of workers for all parallel work of the process. Workers start at the first use that
 * needs them, spin for some 50 us after a job and then sleep.
 *
 * Contract for the functions that run in the pool: they compute only. They must not record errors
 * or use any other thread-local state of the caller; nested parallel calls run inline.
 *
 * Interrupts: when interrupt_pending(), no further chunks are handed out, so a part of the range
 * may not have been worked on. The flag is left set: the caller checks interrupted() afterwards and
 * throws the result away.
 */

typedef void RangeFn(void *ctx, int64_t begin, int64_t end);
typedef void TaskFn(void *ctx, int64_t task);

enum { THREADS_MAX = 256 };

/*
 * Calls fn over disjoint chunks that cover [0, n), each of at least grain elements except possibly
 * the last, on the calling thread and as many workers as are worth it. Runs on the calling thread
 * alone if n <= grain (then as one chunk), with one thread, from inside a parallel call, or while
 * another thread uses the pool. Which thread runs which chunk, and where chunks are cut, is not
 * fixed: results must not depend on it.
 *
 * Choose grain so that it is worth a microsecond or two. Sleeping workers are woken when the pace
 * of the first chunks says that some 100 us are left, or when shorter jobs come in a row; a grain
 * of 1 says that each element is worth waking a worker for, and wakes at once.
 */
void parallel_for(int64_t n, int64_t grain, RangeFn *fn, void *ctx);

/*
 * Calls fn once for each task in [0, tasks), claimed from a counter in ascending order, and wakes
 * sleeping workers at once. The partition is the caller's, so that it can be kept independent of
 * the number of threads.
 */
void parallel_tasks(int64_t tasks, TaskFn *fn, void *ctx);

/* The number of threads that work together, the caller included: TOCHA_NUM_THREADS, else
 * OMP_NUM_THREADS, else the CPUs that the process may use. */
int threads_get(void);

/* Sets that number. False with an error unless 1 <= n <= THREADS_MAX, or inside a worker. */
bool threads_set(int n);

/* Whether the calling thread is running a part of a parallel call. */
bool threads_inside(void);

#endif
