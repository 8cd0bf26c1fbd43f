#include "base/threads.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/tls.h"

/*
 * One job runs at a time. Its owner writes it, opens seats for workers in `gate`, works along,
 * closes the gate and waits until all that came in have left. The gate is one word, so that a
 * worker that takes a seat knows that the job is there and stays until it leaves:
 *
 *   bits 0-9  workers inside     bits 10-19  seats left     bits 20-31  the job's number
 *
 * Workers that find nothing spin for a while and then sleep on the gate. Waking one costs the owner
 * a system call and they come late, so for small elements it wakes them only once the pace of its
 * own chunks, or the jobs just before, show that there is enough to do.
 */

enum { CACHE_LINE = 64 };

#define INSIDE_ONE      1u
#define SEAT_ONE        (1u << 10)
#define JOB_ONE         (1u << 20)
#define FIELD_MASK      1023u
#define SPIN_NS         50000
#define WORTH_WAKING_NS 100000
#define CHUNKS_A_SHARE  8

_Static_assert(THREADS_MAX <= (int)FIELD_MASK, "every worker fits into the gate");

typedef struct {
    RangeFn *range;
    TaskFn *task;
    void *ctx;
    int64_t n;
    int64_t chunk; /* elements of a chunk */
    int shares;    /* how many of the shares are used */
    int owner_cpu;
    bool wake_at_once;
} Job;

/* A run of chunks. Each thread takes from its own share first and then from the others', so that in
 * consecutive jobs over the same data a thread finds most of it in its own cache. */
typedef struct {
    _Alignas(CACHE_LINE) _Atomic int64_t next;
    int64_t end;
} Share;

static Job job;
static _Alignas(CACHE_LINE) atomic_uint gate;
static Share shares[THREADS_MAX];
static _Alignas(CACHE_LINE) atomic_int sleepers;
static atomic_uint owner_sleeps;
static atomic_bool busy;
static atomic_int wanted_threads;
static atomic_bool may_spin = true;

/* Written by the owner of the job alone. */
static int workers;
static bool cannot_grow;

/* The time that jobs have recently gone without workers that slept; it fades while there are none,
 * half as fast as it grows. So many short jobs in a row wake workers as one long job does. */
static int64_t missed_ns, last_end_ns;

static THREAD_LOCAL bool inside;

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_while(atomic_uint *word, unsigned value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(atomic_uint *word, int count) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static unsigned workers_inside(unsigned word) { return word & FIELD_MASK; }

static unsigned seats_left(unsigned word) { return (word / SEAT_ONE) & FIELD_MASK; }

static unsigned job_number(unsigned word) { return word / JOB_ONE; }

static void run_chunk(const Job *j, int64_t begin) {
    if (j->task) {
        j->task(j->ctx, begin);
        return;
    }
    int64_t end = j->n - begin < j->chunk ? j->n : begin + j->chunk;
    j->range(j->ctx, begin, end);
}

/* Claims a chunk: its index, or -1 if the share has none left. */
static int64_t claim(Share *share) {
    if (atomic_load_explicit(&share->next, memory_order_relaxed) >= share->end) {
        return -1;
    }
    int64_t index = atomic_fetch_add_explicit(&share->next, 1, memory_order_relaxed);
    return index < share->end ? index : -1;
}

/* Runs one more chunk, of the share or of one after it, to which it moves on. False if none is
 * left or a stop was asked for. */
static bool run_next(const Job *j, int *share) {
    if (interrupt_pending()) {
        return false;
    }
    for (int tried = 0; tried < j->shares; tried++) {
        int64_t index = claim(&shares[*share]);
        if (index >= 0) {
            run_chunk(j, index * j->chunk);
            return true;
        }
        *share = *share + 1 < j->shares ? *share + 1 : 0;
    }
    return false;
}

static void run_inline(const Job *j) {
    for (int64_t begin = 0; begin < j->n; begin += j->chunk) {
        if (interrupt_pending()) {
            return;
        }
        run_chunk(j, begin);
    }
}

/* Takes a seat, if there is one and the gate still reads word. */
static bool enter(unsigned word) {
    return seats_left(word) != 0 &&
           atomic_compare_exchange_strong_explicit(&gate, &word, word - SEAT_ONE + INSIDE_ONE,
                                                   memory_order_acquire, memory_order_relaxed);
}

static void leave(void) {
    unsigned word = atomic_fetch_sub(&gate, INSIDE_ONE) - INSIDE_ONE;
    if (workers_inside(word) == 0 && atomic_load(&owner_sleeps)) {
        atomic_store(&owner_sleeps, 0);
        wake(&owner_sleeps, 1);
    }
}

/* Waits, first spinning and then asleep, for a gate that differs from word. */
static unsigned wait_for_change(unsigned word) {
    if (atomic_load_explicit(&may_spin, memory_order_relaxed)) {
        int64_t end = now_ns() + SPIN_NS;
        do {
            for (int i = 0; i < 32; i++) {
                unsigned seen = atomic_load_explicit(&gate, memory_order_relaxed);
                if (seen != word) {
                    return seen;
                }
                relax();
            }
        } while (now_ns() < end);
    }
    atomic_fetch_add(&sleepers, 1);
    sleep_while(&gate, word);
    atomic_fetch_sub(&sleepers, 1);
    return atomic_load_explicit(&gate, memory_order_relaxed);
}

/*
 * Moves a worker off the owner's CPU. Some schedulers wake a thread on the CPU of its waker, where
 * it takes the owner's time while another CPU is idle, and leave it there for longer than a job.
 */
static void avoid_cpu(int cpu, const cpu_set_t *allowed) {
    if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getcpu() != cpu || CPU_COUNT(allowed) < 2) {
        return;
    }
    cpu_set_t others = *allowed;
    CPU_CLR((size_t)cpu, &others);
    sched_setaffinity(0, sizeof others, &others);
}

/* The life of a worker; its argument is its number, from 1. */
static void *work(void *number) {
    const int self = (int)(intptr_t)number;
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        CPU_ZERO(&allowed);
    }
    inside = true;
    unsigned done = UINT_MAX;
    unsigned word = atomic_load_explicit(&gate, memory_order_relaxed);
    for (;;) {
        if (job_number(word) != done && enter(word)) {
            done = job_number(word);
            avoid_cpu(job.owner_cpu, &allowed);
            int share = self % job.shares;
            while (run_next(&job, &share)) {
            }
            leave();
            word = atomic_load_explicit(&gate, memory_order_relaxed);
            continue;
        }
        word = wait_for_change(word);
    }
    return NULL;
}

/* The child of a fork has no workers; whatever they were doing is the parent's business. */
static void restart_after_fork(void) {
    atomic_store(&gate, 0);
    atomic_store(&sleepers, 0);
    atomic_store(&owner_sleeps, 0);
    atomic_store(&busy, false);
    workers = 0;
    cannot_grow = false;
    inside = false;
}

static void handle_forks(void) { pthread_atfork(NULL, NULL, restart_after_fork); }

/* Starts a worker with all signals blocked: they are for the threads of the program. */
static bool start_worker(void) {
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;
    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, &attr, work, (void *)(intptr_t)(workers + 1));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (error) {
        warn("threads: cannot start a worker (%s); working with %d threads", strerror(error),
             workers + 1);
    }
    return error == 0;
}

/* Tries to have that many workers; fewer do the same work. */
static void start_workers(int count) {
    pthread_once(&fork_once, handle_forks);
    while (workers < count && !cannot_grow) {
        if (start_worker()) {
            workers++;
        } else {
            cannot_grow = true;
        }
    }
}

/* How many sleepers to wake, from what is left at the pace of the owner's own chunks so far. */
static int worth_waking(const Job *j, int seats, int64_t ns_a_chunk) {
    int64_t left = 0;
    for (int i = 0; i < j->shares; i++) {
        int64_t next = atomic_load_explicit(&shares[i].next, memory_order_relaxed);
        left += next < shares[i].end ? shares[i].end - next : 0;
    }
    if (left == 0 || ns_a_chunk * left + missed_ns < WORTH_WAKING_NS) {
        return 0;
    }
    return left < seats ? (int)left : seats;
}

/* Works along while there are sleepers, and wakes them once that is worth it. */
static void work_and_wake(const Job *j, int seats) {
    int share = 0;
    bool woken = false;
    int64_t start = now_ns();
    int64_t idle = start - last_end_ns;
    missed_ns = missed_ns > idle / 2 ? missed_ns - idle / 2 : 0;
    for (int64_t own = 1; run_next(j, &share); own++) {
        int count = woken ? 0 : worth_waking(j, seats, (now_ns() - start) / own);
        if (count) {
            wake(&gate, count);
            woken = true;
        }
    }
    last_end_ns = now_ns();
    int64_t missed = woken ? 0 : missed_ns + last_end_ns - start;
    missed_ns = missed < WORTH_WAKING_NS ? missed : WORTH_WAKING_NS;
}

/* The owner's part. */
static void work_along(const Job *j, int seats) {
    bool asleep = atomic_load(&sleepers) > 0;
    if (asleep && !j->wake_at_once) {
        work_and_wake(j, seats);
        return;
    }
    if (asleep) {
        wake(&gate, seats);
    }
    int share = 0;
    while (run_next(j, &share)) {
    }
}

static void wait_for_workers(void) {
    unsigned word = atomic_fetch_and(&gate, ~(FIELD_MASK * SEAT_ONE));
    int64_t end = 0;
    while (workers_inside(word)) {
        for (int i = 0; i < 64 && workers_inside(word); i++) {
            relax();
            word = atomic_load_explicit(&gate, memory_order_acquire);
        }
        int64_t now = now_ns();
        end = end ? end : now + SPIN_NS;
        if (now < end || !workers_inside(word)) {
            continue;
        }
        atomic_store(&owner_sleeps, 1);
        if (workers_inside(atomic_load(&gate))) {
            sleep_while(&owner_sleeps, 1);
        }
        atomic_store(&owner_sleeps, 0);
        word = atomic_load(&gate);
    }
}

static void deal(const Job *j, int64_t chunks) {
    for (int i = 0; i < j->shares; i++) {
        atomic_store_explicit(&shares[i].next, chunks * i / j->shares, memory_order_relaxed);
        shares[i].end = chunks * (i + 1) / j->shares;
    }
}

static void run_shared(const Job *j, int64_t chunks, int seats) {
    inside = true;
    start_workers(threads_get() - 1);
    seats = seats < workers ? seats : workers;
    job = *j;
    job.owner_cpu = sched_getcpu();
    deal(j, chunks);
    unsigned number = job_number(atomic_load_explicit(&gate, memory_order_relaxed)) + 1;
    atomic_store(&gate, number * JOB_ONE + (unsigned)seats * SEAT_ONE);
    work_along(j, seats);
    wait_for_workers();
    inside = false;
}

/* Runs a job of that many chunks, shared if it is worth it and the pool is free. */
static void run(Job *j, int64_t chunks) {
    int threads = inside || chunks < 2 ? 1 : threads_get();
    if (threads == 1 || atomic_exchange_explicit(&busy, true, memory_order_acquire)) {
        run_inline(j);
        return;
    }
    threads = chunks < threads ? (int)chunks : threads;
    j->shares = j->task ? 1 : threads;
    run_shared(j, chunks, threads - 1);
    atomic_store_explicit(&busy, false, memory_order_release);
}

void parallel_for(int64_t n, int64_t grain, RangeFn *fn, void *ctx) {
    if (n <= 0) {
        return;
    }
    grain = grain < 1 ? 1 : grain;
    if (n <= grain) {
        if (!interrupt_pending()) {
            fn(ctx, 0, n);
        }
        return;
    }
    int64_t share = n / ((int64_t)threads_get() * CHUNKS_A_SHARE);
    int64_t chunk = share > grain ? share : grain;
    if (chunk >= CACHE_LINE) {
        chunk = (chunk + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    }
    run(&(Job){.range = fn, .ctx = ctx, .n = n, .chunk = chunk, .wake_at_once = grain == 1},
        (n - 1) / chunk + 1);
}

void parallel_tasks(int64_t tasks, TaskFn *fn, void *ctx) {
    run(&(Job){.task = fn, .ctx = ctx, .n = tasks, .chunk = 1, .wake_at_once = true}, tasks);
}

/* A number of threads from the environment, 0 if there is none. OMP_NUM_THREADS may be a list, of
 * which the first entry is for the outermost level. */
static int threads_from_environment(const char *name) {
    const char *text = getenv(name);
    if (!text || !*text) {
        return 0;
    }
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (end == text || (*end && *end != ',') || errno || n < 1) {
        warn("%s: expected a number of threads, got \"%s\"; ignored", name, text);
        return 0;
    }
    return n > THREADS_MAX ? THREADS_MAX : (int)n;
}

static int default_threads(void) {
    int n = threads_from_environment("TOCHA_NUM_THREADS");
    n = n ? n : threads_from_environment("OMP_NUM_THREADS");
    n = n ? n : cpus_available();
    return n > THREADS_MAX ? THREADS_MAX : n;
}

/* With more threads than CPUs, a spinning thread takes the time of a working one. */
static void remember(int n) {
    atomic_store_explicit(&may_spin, n <= cpus_available(), memory_order_relaxed);
    atomic_store_explicit(&wanted_threads, n, memory_order_relaxed);
}

static void set_default(void) {
    if (!atomic_load_explicit(&wanted_threads, memory_order_relaxed)) {
        remember(default_threads());
    }
}

int threads_get(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int n = atomic_load_explicit(&wanted_threads, memory_order_relaxed);
    if (n) {
        return n;
    }
    pthread_once(&once, set_default);
    return atomic_load_explicit(&wanted_threads, memory_order_relaxed);
}

bool threads_set(int n) {
    if (inside) {
        return fail("set_num_threads: cannot be called from inside a parallel call");
    }
    if (n < 1 || n > THREADS_MAX) {
        return fail("set_num_threads: expected a number from 1 to %d, got %d", THREADS_MAX, n);
    }
    remember(n);
    return true;
}

bool threads_inside(void) { return inside; }
