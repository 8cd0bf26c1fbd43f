#include "cpu/lapack.h"

#include <pthread.h>
#include <string.h>

#include "base/blas.h"

static LapackS routines_s;
static LapackD routines_d;
static LapackC routines_c;
static LapackZ routines_z;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *missing; /* the first routine that was not found */

#define ROUTINES(X) \
    X(getrf)        \
    X(getri)        \
    X(getrs)        \
    X(potrf)        \
    X(trtrs)        \
    X(geqrf)        \
    X(orgqr)        \
    X(gesdd)        \
    X(syevd)        \
    X(geev)         \
    X(gelsy)        \
    X(gelsd)        \
    X(sytrf)        \
    X(sytrs)

/* X(name of the slot, LAPACK's name for complex numbers) */
#define COMPLEX_ROUTINES(X) \
    X(getrf, getrf)         \
    X(getri, getri)         \
    X(getrs, getrs)         \
    X(potrf, potrf)         \
    X(trtrs, trtrs)         \
    X(geqrf, geqrf)         \
    X(orgqr, ungqr)         \
    X(gesdd, gesdd)         \
    X(heevd, heevd)         \
    X(geev, geev)           \
    X(gelsy, gelsy)         \
    X(gelsd, gelsd)         \
    X(sytrf, sytrf)         \
    X(sytrs, sytrs)         \
    X(hetrf, hetrf)         \
    X(hetrs, hetrs)         \
    X(gemm, gemm)

/* POSIX has function pointers travel as void pointers. */
static void find(const char *name, void *function) {
    void *symbol = missing ? NULL : blas_symbol(name);
    if (symbol) {
        memcpy(function, &symbol, sizeof symbol);
    } else if (!missing) {
        missing = name;
    }
}

static void load(void) {
#define FIND(name)                         \
    find("s" #name "_", &routines_s.name); \
    find("d" #name "_", &routines_d.name);
    ROUTINES(FIND)
#undef FIND
#define FIND(slot, name)                   \
    find("c" #name "_", &routines_c.slot); \
    find("z" #name "_", &routines_z.slot);
    COMPLEX_ROUTINES(FIND)
#undef FIND
}

/* A second caller looks for the missing routine again, for the error. */
static bool loaded(void) {
    pthread_once(&once, load);
    return !missing || blas_symbol(missing) != NULL;
}

const LapackS *lapack_s(void) { return loaded() ? &routines_s : NULL; }
const LapackD *lapack_d(void) { return loaded() ? &routines_d : NULL; }
const LapackC *lapack_c(void) { return loaded() ? &routines_c : NULL; }
const LapackZ *lapack_z(void) { return loaded() ? &routines_z : NULL; }
