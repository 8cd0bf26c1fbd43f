#include "base/threads.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base_check.h"

#ifdef __SANITIZE_THREAD__
/* By default the sanitizer refuses threads in the child of a process that had some. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "die_after_fork=0"; }
#endif

enum { MAX_N = 300000 };

static atomic_uchar visits[MAX_N];
static atomic_int bad_chunks;

typedef struct {
    int64_t n, grain;
} Range;

static void visit(void *ctx, int64_t begin, int64_t end) {
    const Range *r = ctx;
    if (begin < 0 || begin >= end || end > r->n || (end - begin < r->grain && end != r->n)) {
        atomic_fetch_add(&bad_chunks, 1);
        return;
    }
    for (int64_t i = begin; i < end; i++) {
        atomic_fetch_add_explicit(&visits[i], 1, memory_order_relaxed);
    }
}

/* How many of the first n indices were not visited exactly once; forgets the visits. */
static int64_t wrong_visits(int64_t n) {
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; i++) {
        wrong += atomic_exchange_explicit(&visits[i], 0, memory_order_relaxed) != 1;
    }
    return wrong;
}

static bool ranges_are_covered(void) {
    static const int64_t sizes[] = {0, 1, 2, 3, 63, 64, 65, 1000, 4097, 65536, MAX_N};
    static const int64_t grains[] = {0, 1, 7, 64, 1000, 100000, INT64_MAX};
    static const int counts[] = {1, 2, 3, 8};
    for (int c = 0; c < 4; c++) {
        CHECK(threads_set(counts[c]) && threads_get() == counts[c], "%d threads", threads_get());
        for (int i = 0; i < 11; i++) {
            for (int k = 0; k < 7; k++) {
                Range r = {sizes[i], grains[k] < 1 ? 1 : grains[k]};
                parallel_for(r.n, grains[k], visit, &r);
                int64_t wrong = wrong_visits(r.n);
                CHECK(wrong == 0 && bad_chunks == 0, "%d threads, n %d, grain %lld: %d wrong",
                      counts[c], (int)r.n, (long long)r.grain, (int)wrong);
            }
        }
    }
    parallel_for(-5, 1, visit, NULL);
    CHECK(bad_chunks == 0, "a negative range ran");
    return true;
}

static void visit_task(void *unused, int64_t task) {
    (void)unused;
    atomic_fetch_add_explicit(&visits[task], 1, memory_order_relaxed);
}

static bool tasks_run_once(void) {
    for (int threads = 1; threads <= 4; threads++) {
        threads_set(threads);
        for (int64_t n = 0; n < 200; n++) {
            parallel_tasks(n, visit_task, NULL);
            CHECK(wrong_visits(n + 1) == 1, "%d threads, %d tasks", threads, (int)n);
        }
    }
    return true;
}

/* Many short jobs one after the other, each seeing what the one before has written. */
static void add_one(void *ctx, int64_t begin, int64_t end) {
    int *values = ctx;
    for (int64_t i = begin; i < end; i++) {
        values[i]++;
    }
}

static bool jobs_follow_each_other(void) {
    enum { N = 512, JOBS = 20000 };
    static int values[N];
    for (int threads = 2; threads <= 4; threads++) {
        threads_set(threads);
        memset(values, 0, sizeof values);
        for (int job = 0; job < JOBS; job++) {
            parallel_for(N, 16, add_one, values);
        }
        for (int i = 0; i < N; i++) {
            CHECK(values[i] == JOBS, "%d threads: element %d is %d", threads, i, values[i]);
        }
    }
    return true;
}

static void pause_ms(int ms) { nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL); }

static void sleep_a_little(void *ctx, int64_t task) {
    pthread_t *threads = ctx;
    threads[task] = pthread_self();
    pause_ms(20);
}

/* On a machine whose CPUs others hold, workers that were woken may still come late. */
enum { TRIES = 20 };

/* How many of 4 tasks that only wait the workers took. */
static int tasks_of_workers(void) {
    pthread_t threads[4];
    int others = 0;
    pause_ms(5);
    parallel_tasks(4, sleep_a_little, threads);
    for (int i = 0; i < 4; i++) {
        others += !pthread_equal(threads[i], pthread_self());
    }
    return others;
}

static bool sleeping_workers_are_woken(void) {
    threads_set(4);
    for (int round = 0; round < 3; round++) {
        int others = 0;
        for (int i = 0; i < TRIES && others < 2; i++) {
            others = tasks_of_workers();
        }
        CHECK(others >= 2, "workers took %d of 4 tasks", others);
    }
    return true;
}

static void wait_and_visit(void *ctx, int64_t begin, int64_t end) {
    pause_ms(1);
    visit(ctx, begin, end);
}

static double ms_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* A long job of fine elements wakes workers by its pace. */
static bool long_jobs_wake_workers(void) {
    threads_set(4);
    double ms = 32;
    for (int i = 0; i < TRIES && ms >= 24; i++) {
        Range r = {MAX_N, 16};
        pause_ms(5);
        double start = ms_now();
        parallel_for(r.n, r.grain, wait_and_visit, &r);
        ms = ms_now() - start;
        CHECK(wrong_visits(r.n) == 0, "visits");
    }
    CHECK(ms < 24, "32 chunks of 1 ms took %g ms with 4 threads", ms);
    return true;
}

static atomic_int nested_outside;

static void nest(void *ctx, int64_t task) {
    Range r = {1000, 1};
    (void)ctx;
    if (!threads_inside() || threads_set(2) || error_kind() != ERR_GENERIC) {
        atomic_fetch_add(&nested_outside, 1);
    }
    error_clear();
    int sums[64] = {0};
    parallel_for(64, 1, add_one, sums);
    for (int i = 0; i < 64; i++) {
        nested_outside += sums[i] != 1;
    }
    if (task == 3) {
        parallel_for(r.n, r.grain, visit, &r);
    }
}

static bool nested_calls_run_inline(void) {
    threads_set(4);
    for (int round = 0; round < 50; round++) {
        parallel_tasks(8, nest, NULL);
        CHECK(wrong_visits(1000) == 0 && bad_chunks == 0 && nested_outside == 0, "round %d", round);
        CHECK(!threads_inside(), "still inside");
    }
    return true;
}

static void *call_often(void *passed) {
    int values[300];
    memset(values, 0, sizeof values);
    for (int call = 0; call < 2000; call++) {
        parallel_for(300, 10, add_one, values);
    }
    *(bool *)passed = true;
    for (int i = 0; i < 300; i++) {
        *(bool *)passed = *(bool *)passed && values[i] == 2000;
    }
    return NULL;
}

static bool several_callers(void) {
    pthread_t threads[4];
    bool passed[4];
    threads_set(3);
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_create(&threads[i], NULL, call_often, &passed[i]) == 0, "no thread");
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK(passed[i], "caller %d", i);
    }
    return true;
}

static bool works_in_child(void) {
    Range r = {5000, 10};
    for (int i = 0; i < 10; i++) {
        parallel_for(r.n, r.grain, visit, &r);
        CHECK(wrong_visits(r.n) == 0, "in the child");
    }
    return sleeping_workers_are_woken();
}

static bool forks(void) {
    threads_set(2);
    for (int i = 0; i < 5; i++) {
        CHECK(in_child(NULL, NULL, works_in_child), "fork %d", i);
        Range r = {5000, 10};
        parallel_for(r.n, r.grain, visit, &r);
        CHECK(wrong_visits(r.n) == 0, "in the parent");
    }
    return true;
}

static atomic_int tasks_run;

static void stop_at_tenth(void *unused, int64_t task) {
    (void)unused;
    atomic_fetch_add(&tasks_run, 1);
    if (task == 9) {
        atomic_store(&interrupt_flag, 1);
    }
}

static void stop_in_range(void *unused, int64_t begin, int64_t end) {
    (void)end;
    stop_at_tenth(unused, begin == 0 ? 9 : 0);
}

static bool stops(void) {
    for (int threads = 1; threads <= 3; threads++) {
        threads_set(threads);
        tasks_run = 0;
        parallel_tasks(100000, stop_at_tenth, NULL);
        CHECK(tasks_run >= 10 && tasks_run < 100000, "%d threads ran %d tasks", threads, tasks_run);
        CHECK(interrupt_pending() && !error_message(), "the pool took the interrupt");
        tasks_run = 0;
        parallel_tasks(4, stop_at_tenth, NULL);
        parallel_for(4, 1, stop_in_range, NULL);
        parallel_for(4, 8, stop_in_range, NULL);
        CHECK(tasks_run == 0, "ran %d tasks while interrupted", tasks_run);
        CHECK(interrupted() && error_kind() == ERR_INTERRUPT, "no error");
        error_clear();
        parallel_for(64, 1, stop_in_range, NULL);
        CHECK(tasks_run < 64 && interrupted(), "%d threads ran %d chunks", threads, tasks_run);
        error_clear();
        tasks_run = 0;
        parallel_tasks(9, stop_at_tenth, NULL);
        CHECK(tasks_run == 9, "%d tasks after the interrupt", tasks_run);
    }
    return true;
}

static bool impossible_numbers(void) {
    static const int wrong[] = {0, -1, THREADS_MAX + 1};
    threads_set(3);
    for (int i = 0; i < 3; i++) {
        CHECK(!threads_set(wrong[i]) && error_kind() == ERR_GENERIC, "%d threads", wrong[i]);
        CHECK(strstr(error_message(), "expected a number from 1 to 256, got"), "got %s",
              error_message());
        error_clear();
    }
    CHECK(threads_get() == 3, "%d threads", threads_get());
    return true;
}

int main(void) {
    static const Case cases[] = {
        {"threads_ranges", ranges_are_covered},
        {"threads_tasks", tasks_run_once},
        {"threads_jobs", jobs_follow_each_other},
        {"threads_wake", sleeping_workers_are_woken},
        {"threads_pace", long_jobs_wake_workers},
        {"threads_nested", nested_calls_run_inline},
        {"threads_callers", several_callers},
        {"threads_fork", forks},
        {"threads_interrupt", stops},
        {"threads_numbers", impossible_numbers},
    };
    return RUN_CASES(cases);
}
