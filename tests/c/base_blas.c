#include "base/blas.h"

#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base_check.h"

enum { N = 200, CALLERS = 4, CALLS = 40 };

/* The core that has to come of it where the user asks for none, NULL where any may. */
static const char *expected_core(void) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) {
        return "SkylakeX";
    }
    if (__builtin_cpu_supports("avx2")) {
        return "Haswell";
    }
#endif
    return NULL;
}

static bool core_is_chosen(void) {
    unsetenv("OPENBLAS_CORETYPE");
    setenv("OMP_NUM_THREADS", "7", 1);
    const BlasInfo *info = blas_info();
    CHECK(info, "%s", error_message());
    const char *expected = expected_core();
    CHECK(!expected || strcmp(info->core, expected) == 0, "core %s", info->core);
    CHECK(info->library[0] == '/', "library %s", info->library);
    CHECK(strncmp(info->config, "OpenBLAS ", 9) == 0, "config %s", info->config);
    CHECK(!getenv("OPENBLAS_CORETYPE") && !getenv("OPENBLAS_NUM_THREADS"), "variables remain");
    CHECK(strcmp(getenv("OMP_NUM_THREADS"), "7") == 0, "a variable was not restored");
    return true;
}

static bool core_of_user(void) {
    const BlasInfo *info = blas_info();
    CHECK(info, "%s", error_message());
    CHECK(strcmp(info->core, "Nehalem") == 0, "core %s", info->core);
    CHECK(strcmp(getenv("OPENBLAS_CORETYPE"), "Nehalem") == 0, "the variable changed");
    return true;
}

static bool missing_library(void) {
    for (int i = 0; i < 2; i++) {
        CHECK(!blas() && error_kind() == ERR_GENERIC, "no error");
        CHECK(strstr(error_message(), "cannot load") && strstr(error_message(), "apt-get install"),
              "got %s", error_message());
        CHECK(strstr(error_message(), "TOCHA_BLAS is \"/nowhere.so\""), "got %s", error_message());
        error_clear();
    }
    CHECK(!blas_info() && !blas_symbol("sgetrf_"), "no error");
    error_clear();
    return true;
}

static bool other_library(void) {
    CHECK(!blas(), "libc is no BLAS");
    CHECK(strstr(error_message(), "has no function openblas_get_config"), "got %s",
          error_message());
    return true;
}

static bool environment(void) {
    bool x86 = false;
#ifdef __x86_64__
    x86 = true;
#endif
    return in_child(NULL, NULL, core_is_chosen) &&
           (!x86 || in_child("OPENBLAS_CORETYPE", "Nehalem", core_of_user)) &&
           in_child("TOCHA_BLAS", "/nowhere.so", missing_library) &&
           in_child("TOCHA_BLAS", "libc.so.6", other_library);
}

static bool products(void) {
    const Blas *b = blas();
    CHECK(b, "%s", error_message());
    const float a[] = {1, 2, 3, 4, 5, 6}, x[] = {1, 10, 100};
    const double ad[] = {1, 2, 3, 4, 5, 6}, xd[] = {1, 10, 100};
    float c[4] = {0}, y[2] = {0}, outer[4] = {0};
    double cd[4] = {0}, yd[2] = {0}, outer_d[4] = {0};
    b->sgemm(BLAS_ROW_MAJOR, BLAS_NO_TRANS, BLAS_TRANS, 2, 2, 3, 1, a, 3, a, 3, 0, c, 2);
    b->dgemm(BLAS_ROW_MAJOR, BLAS_NO_TRANS, BLAS_TRANS, 2, 2, 3, 1, ad, 3, ad, 3, 0, cd, 2);
    CHECK(c[0] == 14 && c[1] == 32 && c[2] == 32 && c[3] == 77, "sgemm");
    CHECK(cd[0] == 14 && cd[1] == 32 && cd[2] == 32 && cd[3] == 77, "dgemm");
    b->sgemv(BLAS_ROW_MAJOR, BLAS_NO_TRANS, 2, 3, 1, a, 3, x, 1, 0, y, 1);
    b->dgemv(BLAS_ROW_MAJOR, BLAS_NO_TRANS, 2, 3, 1, ad, 3, xd, 1, 0, yd, 1);
    CHECK(y[0] == 321 && y[1] == 654, "sgemv");
    CHECK(yd[0] == 321 && yd[1] == 654, "dgemv");
    b->sger(BLAS_ROW_MAJOR, 2, 2, 1, a, 1, x, 1, outer, 2);
    b->dger(BLAS_ROW_MAJOR, 2, 2, 1, ad, 1, xd, 1, outer_d, 2);
    CHECK(outer[0] == 1 && outer[1] == 10 && outer[2] == 2 && outer[3] == 20, "sger");
    CHECK(outer_d[0] == 1 && outer_d[1] == 10 && outer_d[2] == 2 && outer_d[3] == 20, "dger");
    CHECK(b->sdot(3, a, 1, x, 1) == 321 && b->ddot(3, ad, 1, xd, 1) == 321, "dot");
    b->saxpy(2, 2, x, 1, y, 1);
    b->daxpy(2, 2, xd, 1, yd, 1);
    CHECK(y[0] == 323 && y[1] == 674 && yd[0] == 323 && yd[1] == 674, "axpy");
    return true;
}

static bool symbols(void) {
    CHECK(blas_symbol("sgetrf_"), "%s", error_message());
    CHECK(!blas_symbol("no_such_function"), "found");
    CHECK(strstr(error_message(), "has no function no_such_function"), "got %s", error_message());
    error_clear();
    return true;
}

typedef struct {
    float value;
    int wrong;
} Caller;

/* Multiplies a matrix of one value by ones; every element of the product is N times the value. */
static void *call_often(void *p) {
    Caller *caller = p;
    float *a = malloc(3 * N * N * sizeof *a), *ones = a + N * N, *c = ones + N * N;
    for (int i = 0; a && i < N * N; i++) {
        a[i] = caller->value;
        ones[i] = 1;
    }
    for (int call = 0; a && call < CALLS; call++) {
        blas()->sgemm(BLAS_ROW_MAJOR, BLAS_NO_TRANS, BLAS_NO_TRANS, N, N, N, 1, a, N, ones, N, 0, c,
                      N);
        for (int i = 0; i < N * N; i++) {
            caller->wrong += c[i] != caller->value * N;
        }
    }
    caller->wrong += !a;
    free(a);
    return NULL;
}

static bool concurrent_callers(void) {
    pthread_t threads[CALLERS];
    Caller callers[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (Caller){.value = (float)(i + 1)};
        CHECK(pthread_create(&threads[i], NULL, call_often, &callers[i]) == 0, "no thread");
    }
    int wrong = 0;
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        wrong += callers[i].wrong;
    }
    CHECK(wrong == 0, "%d wrong elements", wrong);
    return true;
}

int main(void) {
    static const Case cases[] = {
        {"blas_environment", environment},
        {"blas_products", products},
        {"blas_symbols", symbols},
        {"blas_concurrent_callers", concurrent_callers},
    };
    return RUN_CASES(cases);
}
